"""What tests of the translation share: interfaces of schemas, and what others read out of our WSDLs."""

import io
from typing import Any

import zeep
from lxml import etree

from adapters.soap.interface import JsonInterface, JsonService
from gateway.model.ids import ServiceId

SERVICE = ServiceId("VN", "GOV", "G15", "registry", "thing")
NAMESPACE = f"urn:motlan:service:{SERVICE}"
ELEMENT = f"{{{NAMESPACE}}}thing"
_ID = "https://motlan.example/test/thing.json"
_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_XSD = "{http://www.w3.org/2001/XMLSchema}"


def interface(request: Any = None, answer: Any = None, **more: Any) -> JsonInterface:
    """The interface of a service with these schemas."""
    documents = {
        f"{_ID}?{side}": schema for side, schema in (("request", request), ("answer", answer)) if schema is not None
    }
    return JsonInterface(
        JsonService(
            service=SERVICE,
            documents=documents,
            request=None if request is None else f"{_ID}?request",
            answer=None if answer is None else f"{_ID}?answer",
            **more,
        )
    )


def schema_of(wsdl: bytes, namespace: str = NAMESPACE) -> etree.XMLSchema:
    """The XML Schema in a WSDL, as libxml2 compiles it."""
    types = etree.fromstring(wsdl).find(f"{_WSDL}types")
    found = next(each for each in types if each.get("targetNamespace") == namespace)
    return etree.XMLSchema(etree.fromstring(etree.tostring(found)))


def as_request(payload: bytes) -> bytes:
    """An answer's element as a request's."""
    return payload.replace(b"<thingResponse", b"<thing", 1).replace(b"</thingResponse>", b"</thing>")


def client(wsdl: bytes) -> zeep.Client:
    """zeep, from the WSDL alone."""
    return zeep.Client(io.BytesIO(wsdl))


def body_of(message: Any) -> bytes:
    """The element in Body of a message that zeep made."""
    return etree.tostring(message.find("{*}Body")[0], method="c14n", exclusive=True)
