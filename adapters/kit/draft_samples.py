"""Samples to fill in: what a request and an answer look like, with values of the right form and nobody's data."""

import json
import re
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from adapters.kit.contract import Field, Kind, Operation
from adapters.kit.draft_schemas import simple_pattern
from adapters.kit.drafting import Drafted, lost_here
from adapters.kit.names import PARTS, Meaning, folded, meaning
from adapters.kit.naming import TEXT, Named

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_DEEPEST = 16
_VALUES = {
    Kind.TEXT: "text",
    Kind.INTEGER: "1",
    Kind.NUMBER: "1.5",
    Kind.BOOLEAN: "true",
    Kind.DATE: "2026-01-31",
    Kind.MOMENT: "2026-01-31T08:30:00",
    Kind.BINARY: "AAAA",
}
_MEANT = {
    Meaning.IDENTITY_NUMBER: "001090000001",
    Meaning.OLD_CARD_NUMBER: "001000001",
    Meaning.NAME: "Nguyễn Văn Mẫu",
    Meaning.FAMILY_NAME: "Nguyễn",
    Meaning.MIDDLE_NAME: "Văn",
    Meaning.GIVEN_NAME: "Mẫu",
    Meaning.BIRTH_DATE: "1990-01-31",
    Meaning.INSURANCE_NUMBER: "0120000001",
    Meaning.PHONE: "0900000001",
    Meaning.EMAIL: "mau@example.vn",
}
_NAMED = {
    **dict.fromkeys(("nam", "namsinh", "year"), "1990"),
    "ngaythangnam": "1990-01-31",
    **dict.fromkeys(("quoctich", "nationality"), "VN"),
}
"""Folded name → a value that its form can read."""
_PARTS = {"province": "01", "district": "001", "commune": "00001", "detail": "Số 1, đường Mẫu", "country": "VN"}
_TRIED = ("A", "AA", "AAA", "a", "0", "00", "000", "00000", "000000", "00000000", "000000000", "000000000000", "1.0")


def request_sample(drafted: Drafted) -> str:
    """A request as JSON, with what is required; of an operation that requires nothing, with every plain field."""
    return json.dumps(_document(drafted.request), ensure_ascii=False, indent=2) + "\n"


def answer_sample(operation: Operation, soap: str) -> tuple[str, str]:
    """A skeleton of the answer with every field once, and the extension of its file."""
    if soap:
        return _envelope(operation), "xml"
    document: Any = {each.name: _json(each, 0) for each in _kept(operation.answer)}
    document = [document] if operation.answer_repeated else document
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n", "json"


def example(field: Field) -> str:
    """A text that a field may hold."""
    if field.values:
        return field.values[0]
    known = _known(field.name) if field.kind in {Kind.TEXT, Kind.DATE} else None
    found = known or _VALUES.get(field.kind, "text")
    if pattern := simple_pattern(field.pattern):
        candidates = (found, *_TRIED)
        found = next((one for one in candidates if re.search(pattern, one)), found)
    return found if field.longest is None else found[: field.longest]


def _known(name: str) -> str | None:
    """A value for a field whose name says what it holds."""
    key = folded(name)
    part = PARTS.get(key)
    return _MEANT.get(meaning(name) or Meaning.OFFICER) or _NAMED.get(key) or (_PARTS[part] if part else None)


def _document(named: tuple[Named, ...]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    plain = not any(each.field.required for each in named)
    chosen = False
    for each in named:
        if each.field.lost or lost_here(each) or not each.element:
            continue
        if each.field.alternative:
            if chosen:
                continue
            chosen = True
        elif not (each.field.required or (plain and each.form != "shape")):
            continue
        value = _document(each.fields) if each.form == "shape" else _value(each.field)
        made[each.element[0]] = [value] if each.field.repeated else value
    if not made and plain:
        for each in named:  # only structures, none of them required: show the first
            if each.form == "shape" and not each.field.lost:
                value = _document(each.fields)
                return {each.element[0]: [value] if each.field.repeated else value}
    return made


def _value(field: Field) -> Any:
    text = example(field)
    match field.kind:
        case Kind.INTEGER:
            return int(text)
        case Kind.NUMBER:
            return float(text)
        case Kind.BOOLEAN:
            return text in {"true", "1"}
        case _:
            return text


def _kept(fields: tuple[Field, ...]) -> Iterator[Field]:
    """The fields without those that are lost, and of each choice the first."""
    chosen = False
    for each in fields:
        if each.lost:
            continue
        if each.alternative:
            if chosen:
                continue
            chosen = True
        yield each


def _json(field: Field, depth: int) -> Any:
    if field.fields and depth < _DEEPEST:
        value: Any = {each.name: _json(each, depth + 1) for each in _kept(field.fields)}
    else:
        value = _value(field)
    return [value] if field.repeated else value


# -- XML ---------------------------------------------------------------------------------------------------------------


def _envelope(operation: Operation) -> str:
    namespace, _, local = operation.answer_element.removeprefix("{").rpartition("}")
    inner = "".join(_xml(each, 3, namespace) for each in _kept(operation.answer))
    said = _attributes(operation.answer)
    start = f"<a:{local} xmlns:a={quoteattr(namespace)}{said}>" if namespace else f"<{local}{said}>"
    end = f"</a:{local}>" if namespace else f"</{local}>"
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<s:Envelope xmlns:s="{_SOAP}">\n  <s:Body>\n    {start}\n{inner}    {end}\n  </s:Body>\n</s:Envelope>\n'
    )


def _attributes(fields: tuple[Field, ...]) -> str:
    return "".join(
        f" {each.name}={quoteattr(example(each))}"
        for each in fields
        if each.attribute and not each.lost and not each.namespace
    )


def _xml(field: Field, depth: int, default: str) -> str:
    """An element; ``a`` is the prefix of the answer element's namespace, others are declared where they stand."""
    if field.attribute or field.name == TEXT:
        return ""
    if not field.namespace:
        name, declared = field.name, ""
    elif field.namespace == default:
        name, declared = f"a:{field.name}", ""
    else:
        name, declared = f"b:{field.name}", f" xmlns:b={quoteattr(field.namespace)}"
    declared += _attributes(field.fields)
    pad = "  " * depth
    text = next((each for each in field.fields if each.name == TEXT), None)
    if text is not None and not text.lost:
        return f"{pad}<{name}{declared}>{escape(example(text))}</{name}>\n"
    if field.fields and depth < _DEEPEST * 2:
        inner = "".join(_xml(each, depth + 1, default) for each in _kept(field.fields))
        return f"{pad}<{name}{declared}>\n{inner}{pad}</{name}>\n" if inner else f"{pad}<{name}{declared}/>\n"
    value = "" if field.kind is Kind.GROUP else escape(example(field))
    return f"{pad}<{name}{declared}>{value}</{name}>\n"
