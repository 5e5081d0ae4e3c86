"""A contract's fields with the names that they have here: what mapping, schemas and samples are all written from."""

from msgspec import Struct
from msgspec.structs import replace

from adapters.kit.contract import Field, Kind, Operation
from adapters.kit.names import NAME_PARTS, PARTS, Meaning, distinct, folded, meaning, snake

TEXT = "#text"
"""Name of the field that is the text of an element with attributes."""

_ADDRESSES = frozenset(
    {
        Meaning.ADDRESS,
        Meaning.RESIDENCE,
        Meaning.CURRENT_ADDRESS,
        Meaning.HOMETOWN,
        Meaning.BIRTH_REGISTRATION_PLACE,
    }
)
_DATE_PARTS = {"nam": "year", "thang": "month", "ngay": "day", "ngaythangnam": "date", "year": "year"}
_PLAIN = frozenset(
    {
        *(Meaning.IDENTITY_NUMBER, Meaning.OLD_CARD_NUMBER, Meaning.INSURANCE_NUMBER, Meaning.CARD_NUMBER),
        *(Meaning.HOUSEHOLD_CODE, Meaning.TAX_CODE, Meaning.PHONE, Meaning.EMAIL, Meaning.SEX, Meaning.ETHNICITY),
        *(Meaning.RELIGION, Meaning.NATIONALITY),
    }
)
"""Meanings whose value stays a text under the canonical name: codes are the provider's own until a table is written."""
_FORMS = {
    Kind.INTEGER: "integer",
    Kind.NUMBER: "number",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "day",
    Kind.MOMENT: "moment",
}
_SOURCES = {
    Meaning.OFFICER: "officer",
    Meaning.AGENCY: "agency",
    Meaning.PURPOSE: "purpose",
    Meaning.REQUEST_ID: "record",
}
_AUDITED = frozenset({Meaning.PURPOSE, Meaning.OFFICER})
"""Only a request that asks for both means by MaDonVi the agency that asks."""


_BESIDE_TEXT = "an attribute beside text: a request can say only the text"


class Named(Struct, frozen=True, kw_only=True):
    """A field with its name here.

    element: pointer steps below the group it is in. form: of the mapping language. parts: of a form made of several
    fields. reference: file of the canonical schema it is of. source: where a request's field comes from, if not the
    request. fields: of a structure.
    """

    field: Field
    element: tuple[str, ...]
    form: str = "text"
    parts: dict[str, str] = {}
    reference: str = ""
    source: str = ""
    fields: tuple["Named", ...] = ()

    @property
    def path(self) -> str:
        """The step to it, as the mapping language writes it."""
        return f"@{self.field.name}" if self.field.attribute else self.field.name


def name_answer(operation: Operation) -> tuple[Named, ...]:
    """The fields of an answer; of one that is a list itself, one field that holds it."""
    fields = _all(operation.answer, asked=False, audited=False)
    if not operation.answer_repeated:
        return fields
    return (
        Named(
            field=Field(name="", kind=Kind.GROUP, repeated=True, fields=operation.answer),
            element=("items",),
            form="shape",
            fields=fields,
        ),
    )


def name_request(operation: Operation) -> tuple[Named, ...]:
    """The fields of a request."""
    held = {meaning(each.name) for each in operation.request}
    return _all(operation.request, asked=True, audited=held >= _AUDITED)


def _all(fields: tuple[Field, ...], *, asked: bool, audited: bool) -> tuple[Named, ...]:
    taken: set[str] = set()
    return tuple(_named(each, taken, asked=asked, audited=audited) for each in fields)


def _named(field: Field, taken: set[str], *, asked: bool, audited: bool) -> Named:
    known = meaning(field.name)
    if field.lost:
        return Named(field=field, element=(distinct(snake(field.name), taken),))
    if field.fields:
        made = None if asked or known is None else _formed(field, known, taken)
        if made is not None:
            return made
        below = _all(_askable(field.fields) if asked else field.fields, asked=asked, audited=False)
        return Named(field=field, element=(distinct(snake(field.name), taken),), form="shape", fields=below)
    if audited and known in _SOURCES:
        return Named(field=field, element=(), source=_SOURCES[known])
    if known is not None and (made := _known(field, known, taken, asked=asked)) is not None:
        return made
    name = "text" if field.name == TEXT else snake(field.name)
    return Named(field=field, element=(distinct(name, taken),), form=_form(field, asked=asked))


def _askable(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Of an element with text and attributes a request's mapping can say only the text: one path has one value."""
    if not any(each.name == TEXT for each in fields):
        return fields
    return tuple(replace(each, lost=each.lost or _BESIDE_TEXT) if each.attribute else each for each in fields)


def _form(field: Field, *, asked: bool) -> str:
    form = _FORMS.get(field.kind, "text")
    return "text" if asked and form in {"day", "moment"} else form


_ASKED_NAMES = {Meaning.NAME: "full_name"}
_CANONICAL = {Meaning.NAME: ("whole_name", "name.json"), Meaning.BIRTH_DATE: ("date", "partial-date.json")}
"""Form and schema of an answer's field."""


def _known(field: Field, known: Meaning, taken: set[str], *, asked: bool) -> Named | None:
    """A field whose name is known and whose value is one text."""
    if field.kind not in {Kind.TEXT, Kind.DATE} or not (known in _CANONICAL or known in _ADDRESSES or known in _PLAIN):
        return None
    name = distinct(_ASKED_NAMES.get(known, known.value) if asked else known.value, taken)
    if not asked and known in _CANONICAL:
        form, reference = _CANONICAL[known]
        return Named(field=field, element=(name,), form=form, reference=reference)
    if not asked and known in _ADDRESSES and not field.repeated:
        return Named(field=field, element=(name, "detail"), reference="address.json")
    return Named(field=field, element=(name,))


def _formed(field: Field, known: Meaning, taken: set[str]) -> Named | None:
    """A group that is one canonical element: a name, a date or an address in parts."""
    if any(each.fields or each.repeated or each.lost for each in field.fields):
        return None
    if known is Meaning.NAME:
        parts = {NAME_PARTS.get(meaning(each.name) or Meaning.SEX, ""): each.name for each in field.fields}
        form, reference, name = "name", "name.json", "name"
    elif known is Meaning.BIRTH_DATE:
        parts = {_DATE_PARTS.get(folded(each.name), ""): each.name for each in field.fields}
        form, reference, name = "date", "partial-date.json", "birth_date"
    elif known in _ADDRESSES:
        parts = {PARTS.get(folded(each.name), ""): each.name for each in field.fields}
        form, reference, name = "address", "address.json", known.value
    else:
        return None
    if "" in parts or len(parts) != len(field.fields):
        return None  # a part that the form does not have would be lost without a word
    return Named(field=field, element=(distinct(name, taken),), form=form, parts=parts, reference=reference)
