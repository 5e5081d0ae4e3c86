"""The forms of answers' fields, each compiled to a closure: what stands there becomes a canonical value."""

from collections.abc import Callable
from typing import Any

from gateway.mapping import values
from gateway.mapping.context import Context
from gateway.mapping.document import Field, Form
from gateway.mapping.formats import date_reader, moment_reader
from gateway.mapping.paths import Tree, getter
from gateway.mapping.tables import Codes
from gateway.mapping.values import AnswerError, Document
from gateway.model.dates import PartialDate

Read = Callable[[Tree, Tree, Context], Any]
"""(what stands there, the whole answer, context) → the canonical value, or None where there is nothing.

Raises AnswerError.
"""

STRUCTURED = frozenset({Form.NAME, Form.ADDRESS, Form.SHAPE})
"""Forms that read a structure: text in its place contradicts the contract, unless ``otherwise`` says what it is."""
PARTS: dict[Form, tuple[str, ...]] = {
    Form.NAME: ("family", "middle", "given"),
    Form.DATE: ("date", "year", "month", "day", "precision"),
    Form.ADDRESS: ("province", "district", "commune", "detail", "country"),
    Form.CODED: ("code", "name"),
}
"""The parts that a form knows."""


def compile_form(field: Field, form: Form, codes: dict[str, Codes]) -> Read:
    """The closure of a field's form, other than a shape."""
    if form is Form.CODE:
        return _code(codes[field.codes or ""], field.unlisted or values.UNLISTED)
    if form is Form.DATE:
        return _date(field, codes.get(field.codes or ""))
    made = _FORMS.get(form)
    return made(field) if made is not None else _SIMPLE[form]


def _text(value: Any, _: Tree, __: Context) -> str | None:
    return values.text(value if value.__class__ is str else _first(value))


def _first(value: Any) -> Any:
    """Of a list the first; of an element with attributes its text."""
    while value.__class__ is list:
        value = value[0] if value else None
    if value.__class__ is dict and "" in value:
        return value[""]
    return value


def _any(value: Any, _: Tree, __: Context) -> Any:
    return value


_SIMPLE: dict[Form, Read] = {
    Form.TEXT: _text,
    Form.WHOLE_NAME: lambda value, _, __: values.whole_name(_first(value)),
    Form.NATIONALITY: lambda value, _, __: values.nationality(_first(value)),
    Form.INTEGER: lambda value, _, __: values.integer(_first(value)),
    Form.NUMBER: lambda value, _, __: values.number(_first(value)),
    Form.ANY: _any,
}


def _parts(field: Field) -> dict[str, Callable[[Tree, Tree], Tree]]:
    return {part: getter(path) for part, path in field.parts.items()}


def _nothing(_: Tree, __: Tree) -> None:
    return None


def _structure(value: Any) -> Any:
    while value.__class__ is list:
        value = value[0] if value else {}
    if not isinstance(value, dict):
        raise AnswerError("text stands where a structure belongs")
    return value


def _names(field: Field, form: Form) -> tuple[str, ...] | None:
    """The names of the parts in their order, if each is a plain name; ``""`` for a part that is not there."""
    paths = tuple(field.parts.get(part, "") for part in PARTS[form])
    return None if any("/" in path or path.startswith("@") for path in paths) else paths


def _name(field: Field) -> Read:
    names = _names(field, Form.NAME)
    if names is not None:
        first, between, last = names

        def read_plain(value: Any, _: Tree, __: Context) -> Document | None:
            get = (value if value.__class__ is dict else _structure(value)).get
            return values.name(get(first), get(between), get(last))

        return read_plain
    parts = _parts(field)
    family, middle, given = (parts.get(part, _nothing) for part in PARTS[Form.NAME])

    def read(value: Any, root: Tree, _: Context) -> Document | None:
        tree = _structure(value)
        return values.name(family(tree, root), middle(tree, root), given(tree, root))

    return read


def _address(field: Field) -> Read:
    names = _names(field, Form.ADDRESS)
    if names is not None:
        one, two, three, four, five = names

        def read_plain(value: Any, _: Tree, __: Context) -> Document | None:
            get = (value if value.__class__ is dict else _structure(value)).get
            return values.address((get(one), get(two), get(three)), get(four), get(five))

        return read_plain
    parts = _parts(field)
    province, district, commune, detail, country = (parts.get(part, _nothing) for part in PARTS[Form.ADDRESS])

    def read(value: Any, root: Tree, _: Context) -> Document | None:
        tree = _structure(value)
        places = (province(tree, root), district(tree, root), commune(tree, root))
        return values.address(places, detail(tree, root), country(tree, root))

    return read


def _coded(field: Field) -> Read:
    if not field.parts:
        return lambda value, _, __: values.coded(_first(value))
    parts = _parts(field)
    code, name = parts.get("code", _nothing), parts.get("name", _nothing)

    def read(value: Any, root: Tree, _: Context) -> Document | None:
        tree = _structure(value)
        made = values.coded(code(tree, root))
        if made is not None and (written := values.text(name(tree, root))) is not None:
            made["name"] = written
        return made

    return read


def _code(codes: Codes, unlisted: str) -> Read:
    def read(value: Any, _: Tree, context: Context) -> str | None:
        code = values.text(_first(value))
        return codes.on(context.day).get(code, unlisted) if code else None

    return read


def _boolean(field: Field) -> Read:
    true, false = frozenset(field.true), frozenset(field.false)

    def read(value: Any, _: Tree, __: Context) -> bool | None:
        if isinstance(value, bool):
            return value
        written = values.text(_first(value))
        if written is None:
            return None
        if written in true:
            return True
        if written in false:
            return False
        raise AnswerError("neither true nor false")

    return read


def _dates(field: Field) -> Callable[[str], PartialDate]:
    read = date_reader(field.format)
    fillers = frozenset((int(filler[:2]), int(filler[3:])) for filler in field.filler)

    def made(written: str) -> PartialDate:
        try:
            date = read(written)
        except ValueError:
            raise AnswerError("a date is not one") from None
        return date.without_filler(fillers) if fillers else date

    return made


def _day(field: Field) -> Read:
    dates = _dates(field)

    def read(value: Any, _: Tree, __: Context) -> str | None:
        written = values.text(_first(value))
        if written is None:
            return None
        date = dates(written)
        if date.day is None:
            raise AnswerError("a day is not known to the day")
        return str(date)

    return read


def _moment(field: Field) -> Read:
    read_moment = moment_reader(field.format)

    def read(value: Any, _: Tree, __: Context) -> str | None:
        written = values.text(_first(value))
        return None if written is None else values.moment_text(read_moment, written)

    return read


def _date(field: Field, codes: Codes | None) -> Read:
    dates = _dates(field)

    def whole(value: Any, _: Tree, __: Context) -> Document | None:
        written = values.text(value["date"] if value.__class__ is dict and "date" in value else _first(value))
        return None if written is None else values.date_document(dates(written))

    if not field.parts:
        return whole
    parts = _parts(field)
    names = PARTS[Form.DATE]
    date, year, month, day, precision = (parts.get(part, _nothing) for part in names)
    has_precision = "precision" in parts

    def read(value: Any, root: Tree, context: Context) -> Document | None:
        tree = _structure(value)
        written, known_year = values.text(date(tree, root)), values.text(year(tree, root))
        if written is None:
            found = _of_parts(known_year, values.text(month(tree, root)), values.text(day(tree, root)))
            return None if found is None else values.date_document(found)
        made = dates(written)
        if known_year and known_year != f"{made.year:04}":
            raise AnswerError("a date and its year are of different years")
        if has_precision:
            made = _known_to(made, values.text(precision(tree, root)), codes, context)
        return values.date_document(made)

    return read


def _of_parts(year: str | None, month: str | None, day: str | None) -> PartialDate | None:
    if year is None:
        return None
    try:
        return PartialDate(int(year), int(month or 0) or None, int(day or 0) or None)
    except ValueError:
        raise AnswerError("the parts of a date make none") from None


def _known_to(date: PartialDate, code: str | None, codes: Codes | None, context: Context) -> PartialDate:
    """The date as far as the source says that it is known; the rest is filler."""
    if code is None:
        return date
    kind = codes.on(context.day).get(code) if codes is not None else code
    if date.day is None or kind not in {"day", "month", "year"}:
        raise AnswerError("a date or its precision is none of their forms")
    if kind == "year":
        return PartialDate(date.year)
    return PartialDate(date.year, date.month) if kind == "month" else date


_FORMS: dict[Form, Callable[[Field], Read]] = {
    Form.NAME: _name,
    Form.ADDRESS: _address,
    Form.CODED: _coded,
    Form.BOOLEAN: _boolean,
    Form.DAY: _day,
    Form.MOMENT: _moment,
}
