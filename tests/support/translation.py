"""What tests of the translation share: interfaces of schemas, and what others read out of our WSDLs."""

import io
from typing import Any

import zeep
from lxml import etree

from adapters.simulators.land_register import WSDL
from adapters.soap.interface import JsonInterface, JsonOperation, JsonService
from gateway.model.ids import ServiceId

SERVICE = ServiceId("VN", "GOV", "G15", "registry", "thing")
NAMESPACE = f"urn:motlan:service:{SERVICE}"
ELEMENT = f"{{{NAMESPACE}}}thing"
_ID = "https://motlan.example/test/thing.json"
_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_XSD = "{http://www.w3.org/2001/XMLSchema}"


def interface(request: Any = None, answer: Any = None, **more: Any) -> JsonInterface:
    """The interface of a service with these schemas."""
    given = {"request": request, "answer": answer}
    documents = {f"{_ID}?{side}": schema for side, schema in given.items() if schema is not None}
    ids = {side: f"{_ID}?{side}" for side, schema in given.items() if schema is not None}
    operations = {suffix: JsonOperation(**said, **ids) for suffix, said in (more.get("operations") or {"": {}}).items()}
    return JsonInterface(JsonService(service=SERVICE, documents=documents, operations=operations))


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


class _Imported(etree.Resolver):
    def __init__(self, schemas: dict[str, bytes]) -> None:
        super().__init__()
        self._schemas = schemas

    def resolve(self, url: str, _: str, context: Any) -> Any:
        return self.resolve_string(self._schemas[url], context) if url in self._schemas else None


def parcel_schema() -> etree.XMLSchema:
    """The land register's schema, as libxml2 compiles it out of the WSDL."""
    people, land = (etree.tostring(each) for each in etree.parse(str(WSDL)).iter(f"{_XSD}schema"))
    parser = etree.XMLParser()
    parser.resolvers.add(_Imported({"people:": people}))
    imported = b'namespace="urn:example:land:people"'
    return etree.XMLSchema(etree.fromstring(land.replace(imported, imported + b' schemaLocation="people:"'), parser))
