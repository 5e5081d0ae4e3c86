"""From the canonical request to the provider's: each field a closure, compiled once."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct, field

from gateway.mapping.context import Context, Get, UnfitError, condition, is_nothing, source
from gateway.mapping.document import Asked, AskedForm, Needs, Place, RequestPart, Sent, SentForm
from gateway.mapping.formats import date_writer, moment_reader, moment_writer
from gateway.mapping.paths import put, steps
from gateway.mapping.tables import Codes
from gateway.model.dates import PartialDate, parse_date
from gateway.model.instant import Instant, from_datetime, to_datetime
from gateway.model.numbers import parse_tax_code
from gateway.model.text import fold

_LONGEST = 4096
"""Characters of a text that has no limit of its own."""


class Written(Struct, kw_only=True):
    """A provider's request. body: a tree in the provider's order. path: values for the names in the call's path."""

    body: dict[str, Any] = field(default_factory=dict)
    query: list[tuple[str, str]] = field(default_factory=list)
    path: dict[str, str] = field(default_factory=dict)
    headers: list[tuple[str, str]] = field(default_factory=list)


Fill = Callable[[Written, Any, Context], None]
Write = Callable[[Any, Context], Any]
"""(value of the source, context) → what the provider is sent. Raises ValueError for what cannot be written so."""


def compile_request(names: Iterable[str], parts: Mapping[str, RequestPart], codes: Mapping[str, Codes]) -> Fill:
    """What fills a request: (request, part of the document that is meant, context). It raises UnfitError."""
    fills = [_fill(sent, parts, codes) for name in names for sent in parts[name].fields]

    def fill(written: Written, part: Any, context: Context) -> None:
        for each in fills:
            each(written, part, context)

    return fill


def _fill(sent: Sent, parts: Mapping[str, RequestPart], codes: Mapping[str, Codes]) -> Fill:
    get, write, place = _value(sent), _writer(sent, parts, codes), _place(sent)
    applies = condition(sent.when, sent.unless)
    known_as, longest = said(sent), sent.max_length
    required, each = sent.required, sent.each

    def fill(written: Written, part: Any, context: Context) -> None:
        if applies is not None and not applies(part, context):
            return
        value = get(part, context)
        if is_nothing(value):
            if required:
                raise UnfitError(known_as)
            return
        try:
            made = [write(item, context) for item in _listed(value)] if each else write(value, context)
        except ValueError:
            raise UnfitError(known_as) from None
        if made is None:
            return
        if longest is not None and isinstance(made, str) and len(made) > longest:
            raise UnfitError(known_as)
        place(written, made)

    return fill


def said(sent: Sent) -> str:
    """What a refusal calls a field by: the element's name in the request, or the source's."""
    text = sent.say or sent.from_ or (sent.join[0] if sent.join else sent.to)
    return text.rpartition("/")[2].rpartition(".")[2]


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("a list is wanted")  # noqa: TRY004 - one kind of error for whatever cannot be written
    return value


def _value(sent: Sent) -> Get:
    if sent.value is not None:
        constant = sent.value
        return lambda _, __: constant
    default = sent.default
    if sent.join:
        joined = [source(text) for text in sent.join]

        def join(part: Any, context: Context) -> Any:
            found = [get(part, context) for get in joined]
            return " ".join(str(each) for each in found if not is_nothing(each)) or default

        return join
    first = source(sent.from_ or "")
    if sent.else_from is None and default is None:
        return first
    second = source(sent.else_from) if sent.else_from is not None else None

    def choose(part: Any, context: Context) -> Any:
        value = first(part, context)
        if is_nothing(value) and second is not None:
            value = second(part, context)
        return default if is_nothing(value) else value

    return choose


def _place(sent: Sent) -> Callable[[Written, Any], None]:
    names = steps(sent.to)
    match sent.place:
        case Place.QUERY:
            return lambda written, value: written.query.append((sent.to, _plain(value)))
        case Place.PATH:
            return lambda written, value: written.path.__setitem__(sent.to, _plain(value))
        case Place.HEADER:
            return lambda written, value: written.headers.append((sent.to, _plain(value)))
        case _:
            pass
    if len(names) == 1:
        only = names[0]
        return lambda written, value: written.body.__setitem__(only, value)
    return lambda written, value: put(written.body, names, value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


# -- how a value is written --------------------------------------------------------------------------------------------


def text_of(value: Any, _: Context | None = None) -> str:
    """The text of a JSON value. Raises ValueError for structures and for texts that are no single line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    if not isinstance(value, str) or len(value) > _LONGEST or not value.isprintable():
        raise ValueError("no text")
    return value


def _digits(value: Any, _: Context) -> str:
    text = text_of(value)
    if not (text.isascii() and text.isdigit()):
        raise ValueError("no digits")
    return text


def _boolean(value: Any, _: Context) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")  # noqa: TRY004 - one kind of error for whatever cannot be written
    return value


def _integer(value: Any, _: Context) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else int(_digits(value, _))


def _number(value: Any, _: Context) -> int | Decimal:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return value
    raise ValueError("no number")


def _words(choose: Callable[[list[str]], list[str]]) -> Write:
    return lambda value, _: " ".join(choose(text_of(value).split())) or None


_PLAIN: dict[SentForm, Write] = {
    SentForm.TEXT: text_of,
    SentForm.FOLD: lambda value, _: fold(text_of(value)),
    SentForm.UPPER: lambda value, _: text_of(value).upper(),
    SentForm.LOWER: lambda value, _: text_of(value).lower(),
    SentForm.DIGITS: _digits,
    SentForm.FIRST_WORD: _words(lambda words: words[:1]),
    SentForm.MIDDLE_WORDS: _words(lambda words: words[1:-1]),
    SentForm.LAST_WORD: _words(lambda words: words[1:][-1:]),
    SentForm.BOOLEAN: _boolean,
    SentForm.INTEGER: _integer,
    SentForm.NUMBER: _number,
    SentForm.ANY: lambda value, _: value,
}


def form_of(sent: Sent) -> SentForm:
    """The form that a field has, written or understood."""
    if sent.as_ is not None:
        return sent.as_
    return SentForm.GROUP if sent.group else SentForm.CODE if sent.codes else SentForm.TEXT


def _writer(sent: Sent, parts: Mapping[str, RequestPart], codes: Mapping[str, Codes]) -> Write:
    match form_of(sent):
        case SentForm.DATE:
            return _dates(sent)
        case SentForm.PRECISION:
            return _coded(lambda value: _date(value).precision.value, codes.get(sent.codes or ""))
        case SentForm.CODE | SentForm.INTEGER as form if sent.codes is not None:
            return _coded(text_of, codes[sent.codes], number=form is SentForm.INTEGER)
        case SentForm.MOMENT:
            written = moment_writer(sent.format)
            return lambda value, _: written(_instant(value))
        case SentForm.GROUP:
            return _group(sent.group or "", parts, codes)
        case form:
            return _PLAIN[form]


def _date(value: Any) -> PartialDate:
    """A canonical date, as text or as ``partial-date.json``; an instant's Vietnamese day."""
    if isinstance(value, dict):
        value = value.get("date")
    if isinstance(value, int) and not isinstance(value, bool):
        at = to_datetime(value + _SEVEN_HOURS)  # type: ignore[arg-type] # an Instant is an int
        return PartialDate(at.year, at.month, at.day)
    if not isinstance(value, str):
        raise ValueError("no date")  # noqa: TRY004 - one kind of error for whatever cannot be written
    return parse_date(value)


def _instant(value: Any) -> Instant:
    """An instant, or a moment of the request in RFC 3339."""
    if isinstance(value, str):
        return from_datetime(_READ_MOMENT(value))
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("no moment")  # noqa: TRY004 - one kind of error for whatever cannot be written
    return Instant(value)


_READ_MOMENT = moment_reader(None)
_SEVEN_HOURS = 7 * 3600 * 1_000_000


def _dates(sent: Sent) -> Write:
    write, wanted = date_writer(sent.format, sent.filler), frozenset(sent.precision)

    def written(value: Any, _: Context) -> str | None:
        date = _date(value)
        return None if wanted and date.precision not in wanted else write(date)

    return written


def _coded(read: Callable[[Any], str], codes: Codes | None, *, number: bool = False) -> Write:
    if codes is None:
        return lambda value, _: read(value)

    def written(value: Any, context: Context) -> str | int:
        code = codes.backwards(context.day).get(read(value))
        if code is None:
            raise ValueError("the provider has no code for it")
        return int(code) if number else code

    return written


def _group(name: str, parts: Mapping[str, RequestPart], codes: Mapping[str, Codes]) -> Write:
    fill = compile_request((name,), parts, codes)

    def written(value: Any, context: Context) -> Any:
        if not isinstance(value, dict):
            raise ValueError("no structure")  # noqa: TRY004 - one kind of error for whatever cannot be written
        inner = Written()
        fill(inner, value, context)
        return inner.body or None

    return written


# -- what a request must look like -------------------------------------------------------------------------------------


def compile_asked(asked: tuple[Asked, ...], needs: tuple[Needs, ...]) -> Callable[[Any, Context], None]:
    """What refuses a request before anything is sent: it raises UnfitError."""
    checks = [(source(each.element), _look(each), each.element.rpartition("/")[2]) for each in asked]
    groups = [([[source(text) for text in group] for group in need.any_of], need.say) for need in needs]

    def check(document: Any, context: Context) -> None:
        for get, look, known_as in checks:
            value = get(document, context)
            if value is not None and not look(value):
                raise UnfitError(known_as)
        for choices, say in groups:
            if not any(all(not is_nothing(get(document, context)) for get in group) for group in choices):
                raise UnfitError(*say)

    return check


def _look(asked: Asked) -> Callable[[Any], bool]:
    longest, exactly = asked.max_length, asked.length

    def text(value: Any) -> bool:
        if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= longest:
            return False
        return exactly is None or len(value) == exactly

    match asked.as_:
        case AskedForm.TEXT:
            return text
        case AskedForm.DIGITS:
            return lambda value: text(value) and value.isascii() and value.isdigit()
        case AskedForm.DATE:
            return _is_date
        case AskedForm.TAX_CODE:
            return lambda value: text(value) and _is_tax_code(value)
        case _:
            return lambda _: True


def _is_tax_code(value: str) -> bool:
    try:
        parse_tax_code(value)
    except ValueError:
        return False
    return True


def _is_date(value: Any) -> bool:
    try:
        _date(value)
    except ValueError:
        return False
    return isinstance(value, str | dict)
