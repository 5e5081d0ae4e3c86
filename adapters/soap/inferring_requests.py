"""Requests written by a contract's fields: repeated elements, attributes and every type, in the contract's order.

What a mapping makes is a tree of texts by local names, attributes as ``@name``, text beside them ``""``; the contract
knows namespaces and order. A template of ``Contract`` is faster; this writes what no template can.
"""

import difflib
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from adapters.kit.contract import Contract, ContractError, Field, Operation
from adapters.kit.naming import TEXT

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_BREAKS = {"\r": "&#13;"}

Write = Callable[[Mapping[str, Any]], bytes]


class RequestWriter:
    """Writes the envelopes of one contract."""

    def __init__(self, contract: Contract) -> None:
        self._operations = {each.name: each for each in contract.operations if not each.unusable}

    def request(self, operation: str, values: Mapping[str, Any]) -> bytes:
        """The envelope of a request. Raises ContractError for what the operation does not take; names, never values."""
        found = self._operations.get(operation)
        if found is None:
            raise ContractError(f"the contract has no operation {operation}")
        return _envelope(found, values)


def _envelope(operation: Operation, values: Mapping[str, Any]) -> bytes:
    namespace, _, local = operation.element.removeprefix("{").rpartition("}")
    prefixes: dict[str, str] = {}
    name = f"{_prefix(namespace, prefixes)}{local}"
    attributes, inner = _content(operation.request, values, prefixes)
    declared = "".join(f" xmlns:{prefix}={quoteattr(uri)}" for uri, prefix in prefixes.items())
    text = f'<s:Envelope xmlns:s="{_SOAP}"><s:Body><{name}{declared}{attributes}>{inner}</{name}></s:Body></s:Envelope>'
    return text.encode()


def _content(fields: tuple[Field, ...], values: Mapping[str, Any], prefixes: dict[str, str]) -> tuple[str, str]:
    """The attributes and the inside of an element."""
    left = list(values)
    attributes: list[str] = []
    inner: list[str] = []
    for field in fields:
        key = f"@{field.name}" if field.attribute else "" if field.name == TEXT else field.name
        if key not in values:
            continue
        if not field.attribute and next(each for each in left if each[:1] != "@") != key:
            raise ContractError(f"{key} is not in the order of the contract")
        left.remove(key)
        value = values[key]
        if field.attribute:
            attributes.append(f" {_prefix(field.namespace, prefixes)}{field.name}={quoteattr(_text(field, value))}")
        elif field.name == TEXT:
            inner.append(escape(_text(field, value), _BREAKS))
        elif isinstance(value, list):
            inner += [_element(field, one, prefixes) for one in value]
        else:
            inner.append(_element(field, value, prefixes))
    if left:
        names = [f"@{each.name}" if each.attribute else each.name for each in fields]
        near = difflib.get_close_matches(left[0], names, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ContractError(f"the contract has no place for {left[0]}{hint}")
    return "".join(attributes), "".join(inner)


def _element(field: Field, value: Any, prefixes: dict[str, str]) -> str:
    name = f"{_prefix(field.namespace, prefixes)}{field.name}"
    if field.fields:
        if not isinstance(value, Mapping):
            value = {"": value} if any(each.name == TEXT for each in field.fields) else {}
        attributes, inner = _content(field.fields, value, prefixes)
        return f"<{name}{attributes}>{inner}</{name}>"
    return f"<{name}>{escape(_text(field, value), _BREAKS)}</{name}>"


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise ContractError(f"{field.name} takes one text")
    return value


def _prefix(namespace: str, prefixes: dict[str, str]) -> str:
    if not namespace:
        return ""
    if namespace == "http://www.w3.org/XML/1998/namespace":
        return "xml:"
    return prefixes.setdefault(namespace, f"n{len(prefixes)}") + ":"
