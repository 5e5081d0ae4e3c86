"""Strings, numbers and booleans of JSON Schema as scalars with facets of XSD."""

from collections.abc import Mapping, Sized
from decimal import Decimal
from typing import Any

from adapters.soap.translate_shapes import Facets, Kind, Scalar

_OF_PYTHON = {bool: "boolean", str: "string", int: "integer", float: "number", Decimal: "number", dict: "object"}
_HINTS = {
    "object": ("properties", "additionalProperties", "patternProperties", "required", "minProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems"),
    "string": ("pattern", "minLength", "maxLength", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
_DATES = {"date": "date", "date-time": "dateTime"}


def type_of(keywords: Mapping[str, Any], members: Sized) -> set[str]:
    """The types that a schema without ``type`` means; empty where it could be any."""
    values = enumeration(keywords)
    if values:
        return set(values)
    if members:
        return {"object"}
    return {name for name, words in _HINTS.items() if any(word in keywords for word in words)}


def enumeration(keywords: Mapping[str, Any]) -> frozenset[str] | None:
    """The types of the values of ``enum`` or ``const``; None without them."""
    values = keywords["enum"] if "enum" in keywords else [keywords["const"]] if "const" in keywords else None
    if values is None:
        return None
    return frozenset("null" if value is None else _OF_PYTHON.get(type(value), "array") for value in values)


def scalar(kind: str, keywords: Mapping[str, Any], title: str) -> Scalar:
    """A scalar with what of its keywords XSD can say."""
    match kind:
        case "boolean":
            return Scalar(kind=Kind.BOOLEAN, base="boolean", title=title)
        case "integer":
            return Scalar(kind=Kind.INTEGER, base="integer", facets=_range(keywords, whole=True), title=title)
        case "number":
            return Scalar(kind=Kind.DECIMAL, base="decimal", facets=_range(keywords, whole=False), title=title)
        case _:
            return _string(keywords, title)


def _string(keywords: Mapping[str, Any], title: str) -> Scalar:
    date = _DATES.get(str(keywords.get("format")))
    values = _values(keywords)
    texts = tuple(value for value in values if isinstance(value, str))
    pattern = keywords.get("pattern")
    if date is not None:
        return Scalar(kind=Kind.TOKEN, base=date, title=title)
    facets = Facets(
        enumeration=texts,
        pattern=pattern if isinstance(pattern, str) else None,
        min_length=_length(keywords.get("minLength")),
        max_length=_length(keywords.get("maxLength")),
    )
    return Scalar(kind=Kind.STRING, facets=facets, title=title)


def _range(keywords: Mapping[str, Any], *, whole: bool) -> Facets:
    def bound(word: str) -> str | None:
        value = keywords.get(word)
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            return None
        exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if not exact.is_finite() or (whole and exact != exact.to_integral_value()):
            return None
        return format(exact.to_integral_value() if whole else exact, "f")

    return Facets(
        minimum=bound("minimum"),
        maximum=bound("maximum"),
        exclusive_minimum=bound("exclusiveMinimum"),
        exclusive_maximum=bound("exclusiveMaximum"),
    )


def _values(keywords: Mapping[str, Any]) -> list[Any]:
    if "enum" in keywords:
        return list(keywords["enum"])
    return [keywords["const"]] if "const" in keywords else []


def _length(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and value >= 0 else None
