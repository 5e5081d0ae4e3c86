"""OpenAPI descriptions: made from JSON Schemas so that they say the same, and a provider's own under our address."""

import json

import jsonschema_rs
import pytest
import schemathesis

from gateway.config.product import product_schemas
from gateway.config.schemas import SchemaFolder
from gateway.validation.openapi import Sketch, describe, is_openapi, operations_of, with_server

SERVER = "https://gateway.example/r1/VN/GOV/G01/population"
FOLDER = SchemaFolder.read(product_schemas(), [])
SET = FOLDER.compile()
SCHEMAS = {schema_id: SET.document(schema_id) for schema_id in SET}
REQUEST, RESPONSE = FOLDER.find("citizen-lookup.request.json"), FOLDER.find("citizen-lookup.response.json")
SKETCH = Sketch(
    name="citizen",
    title="Tra cứu công dân",
    server=SERVER,
    operations=(("POST", ""), ("POST", "/verify"), ("GET", "/{id}/relatives")),
    request=REQUEST,
    response=RESPONSE,
)
MADE = describe(SKETCH, SCHEMAS)


def bundled(name):
    """A component as a schema of its own, in another implementation."""
    return jsonschema_rs.validator_for({"$ref": f"#/components/schemas/{name}", **MADE})


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"identity_number": "001090000001"},
        {"identity_number": "1"},
        {"identity_number": "001090000001", "full_name": "Nguyễn Văn A", "birth_date": "1990-01-01"},
        {"full_name": "A", "birth_date": {"year": 1}},
        {"identity_number": "001090000001", "surplus": 1},
    ],
)
def test_what_is_made_takes_what_the_schemas_take(document):
    theirs = bundled("citizen-lookup.request").is_valid(document)
    assert theirs == jsonschema_rs.validator_for(
        SCHEMAS[REQUEST], registry=jsonschema_rs.Registry(list(SCHEMAS.items()))
    ).is_valid(document)


def test_every_reference_leads_to_a_component():
    components = MADE["components"]["schemas"]
    assert {"citizen-lookup.request", "citizen-lookup.response", "citizen", "address"} <= components.keys()
    text = json.dumps(MADE)
    assert "$id" not in text
    assert ".json" not in text.replace("application/json", "")
    for name in components:
        bundled(name)  # resolves all of them, or raises


def test_another_implementation_reads_it():
    schema = schemathesis.openapi.from_dict(MADE)
    read = {(each.ok().method.upper(), each.ok().path) for each in schema.get_all_operations()}
    assert read == {("POST", "/citizen"), ("POST", "/citizen/verify"), ("GET", "/citizen/{id}/relatives")}


def test_only_requests_with_a_body_have_one():
    assert MADE["paths"]["/citizen"]["post"]["requestBody"]["required"] is True
    got = MADE["paths"]["/citizen/{id}/relatives"]["get"]
    assert "requestBody" not in got
    assert [(each["name"], each["in"], each["required"]) for each in got["parameters"]] == [("id", "path", True)]


def test_schemas_of_one_name_are_told_apart():
    schemas = {
        "https://a.example/one/x.json": {"properties": {"$ref": {"$ref": "https://b.example/x.json#/$defs/y"}}},
        "https://b.example/x.json": {"$defs": {"y": {"type": "string", "default": {"$ref": "data"}}}},
    }
    sketch = Sketch(
        name="s", title="", server=SERVER, operations=(("GET", ""),), response="https://a.example/one/x.json"
    )
    components = describe(sketch, schemas)["components"]["schemas"]
    assert components == {
        "x": {"properties": {"$ref": {"$ref": "#/components/schemas/x-/$defs/y"}}},
        "x-": {"$defs": {"y": {"type": "string", "default": {"$ref": "data"}}}},
    }


def test_schemas_that_refer_to_each_other_end():
    schemas = {"u:/a.json": {"items": {"$ref": "b.json"}}, "u:/b.json": {"items": {"$ref": "a.json"}}}
    sketch = Sketch(name="s", title="", server=SERVER, operations=(("GET", ""),), response="u:/a.json")
    assert describe(sketch, schemas)["components"]["schemas"].keys() == {"a", "b"}


THEIRS = {
    "openapi": "3.0.3",
    "info": {"title": "x", "version": "1"},
    "servers": [{"url": "http://10.0.0.1"}],
    "security": [{"key": []}],
    "paths": {
        "/a/{b}/c": {
            "servers": [{"url": "http://10.0.0.2"}],
            "get": {"servers": [], "security": [{"key": []}]},
            "x-note": 1,
        },
        "/d": {"post": {}, "trace": {}},
    },
    "components": {"securitySchemes": {"key": {}}, "schemas": {"e": {}}},
}


def test_a_providers_own_description_tells_nothing_of_its_own_addresses_and_keys():
    ours = with_server(THEIRS, SERVER)
    assert ours["servers"] == [{"url": SERVER}]
    text = json.dumps(ours)
    assert "10.0.0" not in text
    assert "security" not in text
    assert ours["components"] == {"schemas": {"e": {}}}
    assert THEIRS["security"]  # theirs is as it was


def test_endpoints_have_a_star_for_each_parameter():
    assert operations_of(THEIRS) == (("GET", "/a/*/c"), ("POST", "/d"))


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"openapi": "3.1.0"},
        {"swagger": "2.0", "paths": {}},
        {"openapi": 3, "paths": {}},
        {"openapi": "3.0", "paths": []},
    ],
)
def test_what_is_no_openapi_description(document):
    assert not is_openapi(document)
