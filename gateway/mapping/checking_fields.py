"""Fields of requests and of shapes: what they name exists, and no two of them make one element."""

import re
from collections.abc import Iterable

from gateway.mapping.asking import form_of as sent_form
from gateway.mapping.complaints import Complaints, Key, nearest
from gateway.mapping.document import Field, Form, Place, Sent, SentForm, Shape
from gateway.mapping.formats import is_format
from gateway.mapping.forms import PARTS, STRUCTURED
from gateway.mapping.paths import is_path, steps
from gateway.mapping.reading import form_of
from gateway.mapping.values import UNLISTED
from gateway.model.dates import Precision
from gateway.model.pointer import parse_pointer

_FILLER = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""RFC 9110 §5.6.2."""
_OURS = frozenset(
    [
        *("host", "content-length", "content-type", "content-digest", "transfer-encoding", "connection", "te"),
        *("expect", "trailer", "upgrade", "soapaction", "signature", "signature-input"),
    ]
)
"""Header fields that the gateway makes itself."""
_PRECISIONS = tuple(each.value for each in Precision)
_WITHOUT_FROM = frozenset({Form.DATE, Form.ADDRESS, Form.NAME, Form.CODED, Form.SHAPE})


def check_requests(complaints: Complaints) -> None:
    """Every ``[request.NAME]`` by itself."""
    login = frozenset(complaints.document.login.request if complaints.document.login is not None else ())
    for name, part in complaints.document.request.items():
        for index, sent in enumerate(part.fields):
            _check_sent(complaints, ("request", name, "fields", index), sent, login=name in login)
    _refuse_circles(
        complaints,
        "request",
        {
            name: [(index, sent.group) for index, sent in enumerate(part.fields) if sent.group]
            for name, part in complaints.document.request.items()
        },
    )


def _check_sent(complaints: Complaints, at: Key, sent: Sent, *, login: bool) -> None:
    _check_origin(complaints, at, sent, login=login)
    plain = sent.place is not Place.BODY
    if (
        not is_path(sent.to)
        or not sent.to
        or sent.to.startswith("/")
        or (plain and sent.place is Place.PATH and "/" in sent.to)
    ):
        complaints.add((*at, "to"), "is no path: names with / between them")
    if sent.place is Place.HEADER and (not _TOKEN.fullmatch(sent.to) or sent.to.lower() in _OURS):
        complaints.add((*at, "to"), "is no header that a mapping can set")
    form = sent_form(sent)
    if (form is SentForm.GROUP) != (sent.group is not None):
        complaints.add(at, "as = group and group go together")
    if sent.group is not None:
        complaints.known((*at, "group"), sent.group, complaints.document.request, "[request.…] named")
    coded = form in {SentForm.CODE, SentForm.PRECISION, SentForm.INTEGER}
    _check_codes(complaints, at, sent.codes, needed=form is SentForm.CODE, allowed=coded)
    _check_format(complaints, at, sent.format, date=form is SentForm.DATE, moment=form is SentForm.MOMENT)
    for index, word in enumerate(sent.precision):
        complaints.known((*at, "precision", index), word, _PRECISIONS, "precision")
    if sent.filler is not None and not _FILLER.fullmatch(sent.filler):
        complaints.add((*at, "filler"), "must be a month and a day, MM-dd")


def _check_origin(complaints: Complaints, at: Key, sent: Sent, *, login: bool) -> None:
    origins = [sent.from_ is not None, bool(sent.join), sent.value is not None]
    if sum(origins) != 1:
        complaints.add(at, "needs one of from, join, value")
    for key in ("from_", "else_from"):
        text = getattr(sent, key)
        if text is not None:
            complaints.source((*at, key.rstrip("_")), text, login=login)
    for key in ("join", "when", "unless"):
        for index, text in enumerate(getattr(sent, key)):
            complaints.source((*at, key, index), text, login=login)


def _check_codes(complaints: Complaints, at: Key, codes: str | None, *, needed: bool, allowed: bool) -> None:
    if codes is None:
        if needed:
            complaints.add(at, "needs codes")
    elif not allowed:
        complaints.add((*at, "codes"), "has no meaning for this form")
    else:
        complaints.known((*at, "codes"), codes, complaints.document.codes, "code table")


def _check_format(complaints: Complaints, at: Key, form: str | None, *, date: bool, moment: bool) -> None:
    if form is None:
        return
    if not date and not moment:
        complaints.add((*at, "format"), "has no meaning for this form")
    elif not is_format(form, of="date" if date else "moment"):
        complaints.add(
            (*at, "format"), "is no format of yyyy, MM, dd, HH, mm, ss" if moment else "is no format of yyyy, MM, dd"
        )


def check_shapes(complaints: Complaints) -> None:
    """Every ``[shape.NAME]``."""
    shapes = complaints.document.shape
    for name, shape in shapes.items():
        at: Key = ("shape", name)
        schema_id = complaints.schema((*at, "schema"), shape.schema)
        for index, field in enumerate(shape.fields):
            _check_field(complaints, (*at, "fields", index), field, schema_id)
        for index, path in enumerate(shape.ignore):
            if not is_path(path):
                complaints.add((*at, "ignore", index), "is no path: names with / between them")
        _check_twice(complaints, at, shape)
    _refuse_circles(
        complaints,
        "shape",
        {
            name: [(index, field.shape) for index, field in enumerate(shape.fields) if field.shape]
            for name, shape in shapes.items()
        },
    )


def _check_twice(complaints: Complaints, at: Key, shape: Shape) -> None:
    """Two fields mapped to one element, or to one inside the other."""
    seen: dict[tuple[str, ...], Field] = {}
    for index, field in enumerate(shape.fields):
        keys = steps(field.to)
        for other, before in seen.items():
            length = min(len(keys), len(other))
            if keys[:length] == other[:length]:
                text = f"{field.to or 'the whole'} is already made of {_origin(before)}"
                complaints.add((*at, "fields", index, "to"), text)
                break
        seen.setdefault(keys, field)


def _origin(field: Field) -> str:
    return field.from_ or field.asked or field.value or "the item"


def _check_field(complaints: Complaints, at: Key, field: Field, schema_id: str | None) -> None:
    form = form_of(field)
    complaints.element((*at, "to"), field.to, schema_id)
    origins = [field.from_ is not None, field.asked is not None, field.value is not None]
    if sum(origins) > 1 or (not any(origins) and form not in _WITHOUT_FROM):
        complaints.add(at, "needs one of from, asked, value")
    for key, path in (("from", field.from_), ("else_from", field.else_from)):
        if path is not None and not is_path(path):
            complaints.add((*at, key), "is no path: names with / between them")
    if field.asked is not None:
        complaints.source((*at, "asked"), field.asked, pointer=True)
    _check_form(complaints, at, field, form)
    if form is Form.CODE and schema_id is not None:
        _check_meanings(complaints, at, field, schema_id)
    for index, filler in enumerate(field.filler):
        if not _FILLER.fullmatch(filler):
            complaints.add((*at, "filler", index), "must be a month and a day, MM-dd")
    if (form is Form.SHAPE) != (field.shape is not None):
        complaints.add(at, "as = shape and shape go together")
    if field.shape is not None:
        complaints.known((*at, "shape"), field.shape, complaints.document.shape, "[shape.…] named")


def _check_meanings(complaints: Complaints, at: Key, field: Field, schema_id: str) -> None:
    """What codes mean is among the values that the canonical element may have."""
    try:
        choices = complaints.schemas.choices(schema_id, parse_pointer(field.to))
    except ValueError:
        return
    if not choices:
        return
    text = f"is no value of {field.to}"
    for number, table in enumerate(complaints.document.codes.get(field.codes or "", ())):
        for code, value in table.values.items():
            if value not in choices:
                complaints.add(
                    ("codes", field.codes or "", number, "values", code), f"{value} {text}{nearest(value, choices)}"
                )
    unlisted = field.unlisted or UNLISTED
    if unlisted not in choices:
        complaints.add((*at, "unlisted"), f"{unlisted} {text}{nearest(unlisted, choices)}")


def _check_form(complaints: Complaints, at: Key, field: Field, form: Form) -> None:
    precise = form is Form.DATE and "precision" in field.parts
    _check_codes(complaints, at, field.codes, needed=form is Form.CODE, allowed=form is Form.CODE or precise)
    dated = form in {Form.DATE, Form.DAY}
    _check_format(complaints, at, field.format, date=dated, moment=form is Form.MOMENT)
    known = PARTS.get(form, ())
    for part, path in field.parts.items():
        if part not in known:
            complaints.add((*at, "parts", part), f"is no part of {form.value}{nearest(part, known)}")
        elif not is_path(path):
            complaints.add((*at, "parts", part), "is no path: names with / between them")
    if form in {Form.NAME, Form.ADDRESS} and not field.parts:
        complaints.add(at, f"as = {form.value} needs parts")
    if field.otherwise is not None and (form not in STRUCTURED or field.otherwise in STRUCTURED):
        complaints.add((*at, "otherwise"), "is for text in the place of a name, an address or a shape")
    if field.otherwise is Form.CODE:
        complaints.add((*at, "otherwise"), "cannot be code")


def _refuse_circles(complaints: Complaints, what: str, uses: dict[str, list[tuple[int, str]]]) -> None:
    for name, used in uses.items():
        for index, first in used:
            if name in _reached(first, uses):
                complaints.add((what, name, "fields", index), f"{first} leads back to {name}")


def _reached(name: str, uses: dict[str, list[tuple[int, str]]]) -> Iterable[str]:
    seen: set[str] = set()
    open_ = [name]
    while open_:
        one = open_.pop()
        if one not in seen:
            seen.add(one)
            open_ += [other for _, other in uses.get(one, ())]
    return seen
