"""Schemas are compiled once, fetch nothing, and describe what does not fit without repeating it."""

import json
from pathlib import Path

import pytest

from gateway.model.errors import ExchangeError
from gateway.model.errors.request import BAD_JSON
from gateway.validation.schema import SchemaSet
from gateway.validation.strict_json import parse_json

BASE = "https://motlan.example/schemas/json/"
FOLDER = Path(__file__).parents[3] / "schemas" / "json"


@pytest.fixture(scope="module")
def schemas():
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))]
    return SchemaSet({document["$id"]: document for document in documents})


def test_schemas_that_refer_to_one_another(schemas):
    citizen = schemas.compile(BASE + "citizen-lookup.response.json")
    citizen.check({"identity_number": "031203004567", "name": {"full": "Y Moan Êđê"}})


def test_a_refusal_names_places_and_rules_and_no_values(schemas):
    citizen = schemas.compile(BASE + "citizen-lookup.response.json")
    with pytest.raises(ExchangeError) as refused:
        citizen.check({"identity_number": "0312-secret", "name": {"full": ""}, "surprise": 1})
    assert refused.value.kind.code == "client.schema_mismatch"
    assert set(refused.value.parts) == {"/identity_number pattern", "/name/full minLength", "/ additionalProperties"}
    assert "secret" not in str(refused.value)
    assert "surprise" not in str(refused.value)


def test_a_member_named_by_a_person_number_is_hidden():
    schema = SchemaSet({"urn:x": {"additionalProperties": {"type": "string"}}}).compile("urn:x")
    with pytest.raises(ExchangeError) as refused:
        schema.check({"031203004567": 1})
    assert "0312" not in str(refused.value)


def test_at_most_twenty_places_are_named():
    schema = SchemaSet({"urn:x": {"items": {"type": "string"}}}).compile("urn:x")
    with pytest.raises(ExchangeError) as refused:
        schema.check(list(range(1000)))
    assert len(refused.value.parts) == 20


def test_another_kind_can_be_raised():
    schema = SchemaSet({"urn:x": False}).compile("urn:x")
    with pytest.raises(ExchangeError) as refused:
        schema.check({}, BAD_JSON)
    assert refused.value.kind is BAD_JSON


@pytest.mark.parametrize("text", ["1.10", "1e2", "2", "18446744073709551616", "100e-2"])
def test_numbers_however_written_are_checked(text):
    schema = SchemaSet({"urn:x": {"properties": {"a": {"type": "number", "minimum": 1}}}}).compile("urn:x")
    schema.check(parse_json(b'{"a": ' + text.encode() + b', "b": [1e2]}'))
    with pytest.raises(ExchangeError):
        schema.check(parse_json(b'{"a": -' + text.encode() + b', "b": [1e2]}'))


def test_no_schema_is_fetched():
    with pytest.raises(ValueError, match="no usable JSON Schema"):
        SchemaSet({"urn:x": {"$ref": "https://example.org/other.json"}}).compile("urn:x")


def test_a_wrong_schema_is_found_when_it_is_compiled():
    with pytest.raises(ValueError, match="no usable JSON Schema"):
        SchemaSet({"urn:x": {"type": "strnig"}}).compile("urn:x")
