"""A SOAP provider for any WSDL: answers every operation with values of the right types, by zeep's reading of its XSD.

It shares nothing with how the product reads a WSDL, so each is a check of the other.
"""

import datetime as dt
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import zeep
from lxml import etree
from zeep.xsd import AnySimpleType, ComplexType, Element
from zeep.xsd.elements import Any as AnyElement
from zeep.xsd.elements import Choice
from zeep.xsd.elements.indicators import Indicator
from zeep.xsd.types import builtins

from adapters.simulators.misbehave import Misbehaviour
from adapters.simulators.simulator import Simulator
from adapters.simulators.wire import Answer, Received

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
_DEEPEST = 5
_VALUES: dict[type, Any] = {
    builtins.Integer: 7,  # before Decimal, which it is one of
    builtins.Boolean: True,
    builtins.Decimal: Decimal("1.5"),
    builtins.Float: 1.5,
    builtins.Double: 1.5,
    builtins.Date: dt.date(2026, 1, 31),
    builtins.DateTime: dt.datetime(2026, 1, 31, 8, 30, 0),  # noqa: DTZ001 - without a zone, as many send it
    builtins.Time: dt.time(8, 30),
    builtins.Base64Binary: b"octets",
}


class WsdlSimulator(Simulator):
    """A provider that answers by its WSDL. bodies: the request elements that came."""

    PATH = "/service"

    def __init__(self, wsdl: Path) -> None:
        super().__init__()
        client = zeep.Client(str(wsdl))
        ports = [
            port
            for service in client.wsdl.services.values()
            for port in service.ports.values()
            if type(port.binding).__name__ == "Soap11Binding"
        ]
        self._operations = {each.input.body.qname.text: each for each in ports[0].binding._operations.values()}
        self.bodies: list[Any] = []
        self.unread: Counter[str] = Counter()

    def operation(self, received: Received) -> str:
        return str(etree.QName(_payload(received.body)).localname)

    def answer(self, received: Received) -> Answer:
        payload = _payload(received.body)
        operation = self._operations[payload.tag]
        value = operation.input.body.parse(payload, operation.input.wsdl.types)  # raises for what the XSD has not
        self.bodies.append(value)
        values = _filled(operation.output.body.type, 0)
        message = operation.output.serialize(**values)
        return Answer(content_type="text/xml; charset=utf-8", body=etree.tostring(message.content))

    def twist(self, received: Received, right: Answer, how: Misbehaviour) -> Answer:
        raise AssertionError("this provider only answers")


def _payload(body: bytes) -> Any:
    root = etree.fromstring(body, etree.XMLParser(resolve_entities=False))
    return root.find(f"{{{SOAP11}}}Body")[0]


def _filled(kind: ComplexType, depth: int) -> dict[str, Any]:
    """Every element and attribute once; of a choice the first; nothing below what is too deep."""
    made: dict[str, Any] = {}
    for name, element in _first_of_choices(kind):
        if isinstance(element, AnyElement) or (depth >= _DEEPEST and isinstance(element.type, ComplexType)):
            continue
        value = _value(element.type, depth)
        made[name] = [value] * (2 if depth < 2 else 1) if element.accepts_multiple else value
    for name, attribute in kind.attributes:
        if getattr(attribute, "type", None) is not None:
            made[name] = _value(attribute.type, depth)
    return made


def _first_of_choices(kind: ComplexType) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, element in kind.elements_nested:
        found += _flat(name, element)
    return found


def _flat(name: str | None, element: Any) -> list[tuple[str, Any]]:
    if isinstance(element, Element | AnyElement):
        return [(name or element.attr_name, element)]
    assert isinstance(element, Indicator)
    inner = [pair for below, each in element.elements_nested for pair in _flat(below, each)]
    return inner[:1] if isinstance(element, Choice) else inner


def _value(kind: Any, depth: int) -> Any:
    if isinstance(kind, ComplexType):
        return _filled(kind, depth + 1)
    for known, value in _VALUES.items():
        if isinstance(kind, known):
            return value
    assert isinstance(kind, AnySimpleType)
    return "văn bản & <chữ>"
