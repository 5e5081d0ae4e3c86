"""A REST service by its OpenAPI description, over SOAP: parameters of path and query, bodies, answers."""

import json
from pathlib import Path

import pytest
from lxml import etree
from msgspec import UNSET

from adapters.soap.interface_opaque import OpaqueInterface
from adapters.soap.interface_openapi import OpenApiInterface, OpenApiService
from gateway.model.errors import ExchangeError
from gateway.model.ids import ServiceId
from tests.support.translation import NAMESPACE, SERVICE, body_of, client, schema_of

DESCRIPTION = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {
        "/parcels/{number}/notes": {
            "parameters": [{"name": "number", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {
                "operationId": "listNotes",
                "parameters": [
                    {"$ref": "#/components/parameters/limit"},
                    {"name": "kind", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                ],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Notes"}}}}
                },
            },
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}}},
                "responses": {"201": {"description": "done"}},
            },
        },
        "/status": {"get": {"operationId": "status", "responses": {}}},
        "/search": {
            "post": {
                "operationId": "search",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}}},
                "responses": {},
            }
        },
    },
    "components": {
        "parameters": {"limit": {"name": "limit", "in": "query", "schema": {"type": "integer"}}},
        "schemas": {
            "Note": {"type": "object", "properties": {"text": {"type": "string"}}, "additionalProperties": False},
            "Notes": {"type": "array", "items": {"$ref": "#/components/schemas/Note"}},
        },
    },
}


def described() -> OpenApiInterface:
    return OpenApiInterface(OpenApiService(service=SERVICE, openapi=DESCRIPTION))


def sent(operation: str, **members) -> tuple[str, bytes]:
    zeep = client(described().wsdl("https://gateway.example/soap"))
    payload = body_of(zeep.create_message(zeep.service, operation, **members))
    return etree.fromstring(payload).tag, payload


def test_parameters_stand_in_path_and_query_as_they_must_be_written_there():
    element, payload = sent("thingListNotes", number="12/3 & ầ?", limit=7, kind=["a b", "c&d"])
    path = "/parcels/12%2F3%20%26%20%E1%BA%A7%3F/notes"
    assert described().called(element, lambda: payload) == ("GET", path, "limit=7&kind=a%20b&kind=c%26d")
    assert described().document(payload) is UNSET


def test_optional_parameters_may_be_absent():
    element, payload = sent("thingListNotes", number="1")
    assert described().called(element, lambda: payload) == ("GET", "/parcels/1/notes", None)


def test_a_body_stands_beside_parameters_and_alone_without_them():
    element, payload = sent("thingPostParcelsNumberNotes", number="1", body={"text": "x"})
    assert described().called(element, lambda: payload) == ("POST", "/parcels/1/notes", None)
    assert described().document(payload) == {"text": "x"}
    element, payload = sent("thingSearch", text="x")
    assert described().called(element, lambda: payload) == ("POST", "/search", None)
    assert described().document(payload) == {"text": "x"}


@pytest.mark.parametrize("number", ["", ".", ".."])
def test_a_path_is_never_left(number):
    element, payload = sent("thingListNotes", number=number)
    with pytest.raises(ExchangeError) as caught:
        described().called(element, lambda: payload)
    assert caught.value.parts == ("/number path",)


def test_an_answer_is_written_by_its_schema():
    written = described().payload(f"{{{NAMESPACE}}}thingListNotes", [{"text": "a"}, {}])
    schema_of(described().wsdl("https://gateway.example/soap")).assertValid(etree.fromstring(written))
    assert [each.tag.rpartition("}")[2] for each in etree.fromstring(written)] == ["item", "item"]


def test_the_description_of_social_insurance_is_spoken():
    file = Path(__file__).parents[3] / "schemas/openapi/insurance.json"
    made = OpenApiInterface(
        OpenApiService(service=ServiceId("VN", "GOV", "G12", "social", "card"), openapi=json.loads(file.read_text()))
    )
    operations = client(made.wsdl("https://gateway.example/soap")).service._operations
    assert "cardGetTraCuuTtHgdByMaSoBhxh" in operations


def test_two_operations_of_one_name_are_a_mistake():
    twice = {**DESCRIPTION, "paths": {**DESCRIPTION["paths"], "/other": {"get": {"operationId": "status"}}}}
    with pytest.raises(ValueError, match="two operations are named thingStatus"):
        OpenApiInterface(OpenApiService(service=SERVICE, openapi=twice))


def test_a_service_without_any_description_passes_what_begins_with_its_name():
    opaque = OpaqueInterface(SERVICE)
    assert opaque.called("{urn:any}thingDo", lambda: b"") == ("POST", "", None)
    assert opaque.called("{urn:any}other", lambda: b"") is None
    assert opaque.document(b"<a/>") is UNSET
    assert b"https://gateway.example/soap" in opaque.wsdl("https://gateway.example/soap")
    with pytest.raises(ValueError):
        opaque.payload("{urn:any}thingDo", {})
