"""A WSDL 1.1 made for a service that has none: document/literal wrapped, X-Road headers, one port."""

from collections.abc import Iterable

from msgspec import Struct

from adapters.soap.translate_scalars import in_attribute
from adapters.soap.wsdl_headers import NAMESPACES, PARTS, SCHEMAS

WSDL = "http://schemas.xmlsoap.org/wsdl/"
SOAP = "http://schemas.xmlsoap.org/wsdl/soap/"
HEADER_MESSAGE = "xroadHeader"


class MadeOperation(Struct, frozen=True, kw_only=True):
    """An operation. element: of the request, local name; the answer's is that with ``Response``."""

    element: str
    title: str = ""

    @property
    def answer(self) -> str:
        """The answer's element."""
        return f"{self.element}Response"


def header_message() -> str:
    """The message whose parts are the header blocks."""
    parts = "".join(f'<wsdl:part name="{name}" element="{element}"/>' for name, element in PARTS.items())
    return f'<wsdl:message name="{HEADER_MESSAGE}">{parts}</wsdl:message>'


def bound_headers() -> str:
    """The same, as a binding's input and output declare them."""
    message = f'message="tns:{HEADER_MESSAGE}"'
    return "".join(f'<soap:header {message} part="{name}" use="literal"/>' for name in PARTS)


def made_wsdl(namespace: str, name: str, operations: Iterable[MadeOperation], schema: str, address: str) -> bytes:
    """The WSDL. namespace: of the service. name: an NCName for it. schema: its ``xs:schema``. address: where it is."""
    chosen = list(operations)
    messages = "".join(
        f'<wsdl:message name="{element}"><wsdl:part name="parameters" element="tns:{element}"/></wsdl:message>'
        for operation in chosen
        for element in (operation.element, operation.answer)
    )
    ports = "".join(
        f'<wsdl:operation name="{each.element}"><wsdl:input message="tns:{each.element}"/>'
        f'<wsdl:output message="tns:{each.answer}"/></wsdl:operation>'
        for each in chosen
    )
    body = f'<soap:body parts="parameters" use="literal"/>{bound_headers()}'
    bindings = "".join(
        f'<wsdl:operation name="{each.element}"><soap:operation soapAction="" style="document"/>'
        f"<wsdl:input>{body}</wsdl:input><wsdl:output>{body}</wsdl:output></wsdl:operation>"
        for each in chosen
    )
    target = in_attribute(namespace)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<wsdl:definitions xmlns:wsdl="{WSDL}" xmlns:soap="{SOAP}" xmlns:tns="{target}" {NAMESPACES} '
        f'name="{name}" targetNamespace="{target}"><wsdl:types>{SCHEMAS}{schema}</wsdl:types>'
        f'{header_message()}{messages}<wsdl:portType name="{name}PortType">{ports}</wsdl:portType>'
        f'<wsdl:binding name="{name}Binding" type="tns:{name}PortType">'
        '<soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>'
        f'{bindings}</wsdl:binding><wsdl:service name="{name}Service">'
        f'<wsdl:port name="{name}Port" binding="tns:{name}Binding"><soap:address location="{in_attribute(address)}"/>'
        "</wsdl:port></wsdl:service></wsdl:definitions>\n"
    ).encode()
