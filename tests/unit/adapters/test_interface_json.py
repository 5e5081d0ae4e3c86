"""A service of JSON Schemas over SOAP: what its elements look like, what zeep makes of its WSDL, what is refused."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree
from msgspec import UNSET

from adapters.soap.interface import JsonInterface, JsonOperation, JsonService
from gateway.model.errors import ExchangeError
from gateway.model.ids import ServiceId
from tests.support.translation import ELEMENT, NAMESPACE, as_request, body_of, client, interface, schema_of

SCHEMAS = Path(__file__).parents[3] / "schemas/json"
CITIZEN = ServiceId("VN", "GOV", "G01", "population", "citizen")
CITIZEN_NS = f"urn:motlan:service:{CITIZEN}"
BASE = "https://motlan.example/schemas/json/"


def thing(inner: str) -> bytes:
    return f'<t:thing xmlns:t="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{inner}</t:thing>'.encode()


def citizens() -> JsonInterface:
    documents = {(read := json.loads(file.read_text()))["$id"]: read for file in SCHEMAS.glob("*.json")}
    ids = {"request": f"{BASE}citizen-lookup.request.json", "answer": f"{BASE}citizen-lookup.response.json"}
    paths = {"": "", "verify": "/verify", "relatives": "/relatives"}
    operations = {suffix: JsonOperation(path=path, **ids) for suffix, path in paths.items()}
    return JsonInterface(JsonService(service=CITIZEN, documents=documents, operations=operations))


FOUND = {
    "identity_number": "001099012345",
    "name": {"full": "Nguyễn Văn An", "given": "An"},
    "birth_date": {"date": "1999-01", "precision": "month"},
    "residence": {"province": {"code": "01", "code_list": "2025-07-01"}, "detail": 'Số 1 <&> "phố"'},
}


def test_zeep_calls_every_operation_from_the_wsdl_alone_and_reads_the_answer():
    spoken = citizens()
    zeep = client(spoken.wsdl("https://gateway.example/soap"))
    operations = zeep.service._operations
    assert list(operations) == ["citizen", "citizenVerify", "citizenRelatives"]
    assert zeep.service._binding_options["address"] == "https://gateway.example/soap"
    for name, path in (("citizen", ""), ("citizenVerify", "/verify"), ("citizenRelatives", "/relatives")):
        message = zeep.create_message(zeep.service, name, identity_number="001099012345", full_name="Nguyễn Văn An")
        payload = body_of(message)
        element = etree.fromstring(payload).tag
        assert element == f"{{{CITIZEN_NS}}}{name}"
        assert spoken.called(element, lambda: b"") == ("POST", path, None)
        assert spoken.document(payload) == {"identity_number": "001099012345", "full_name": "Nguyễn Văn An"}
    answer = zeep.get_element(f"{{{CITIZEN_NS}}}citizenResponse")
    read = answer.parse(etree.fromstring(spoken.payload(f"{{{CITIZEN_NS}}}citizen", FOUND)), zeep.wsdl.types)
    assert (read.identity_number, read.name.full, read.birth_date.precision) == (
        "001099012345",
        "Nguyễn Văn An",
        "month",
    )
    assert read.residence.province.code_list.isoformat() == "2025-07-01"


def test_zeep_writes_the_header_blocks_that_the_wsdl_declares():
    zeep = client(citizens().wsdl("https://gateway.example/soap"))
    identifier = {"xRoadInstance": "VN", "memberClass": "GOV", "memberCode": "H24", "subsystemCode": "portal"}
    headers = {
        "client": {**identifier, "objectType": "SUBSYSTEM"},
        "service": {**identifier, "serviceCode": "citizen", "objectType": "SERVICE"},
        "id": "m-1",
        "userId": "cb-7",
        "protocolVersion": "4.0",
        "purpose": {"_value_1": "1.001193", "basis": "ND-63/2024"},
    }
    message = zeep.create_message(zeep.service, "citizen", identity_number="001099012345", _soapheaders=headers)
    written = {each.tag.rpartition("}")[2]: each for each in message.find("{*}Header")}
    assert written["client"].tag == "{http://x-road.eu/xsd/xroad.xsd}client"
    assert written["client"].get("{http://x-road.eu/xsd/identifiers}objectType") == "SUBSYSTEM"
    assert written["purpose"].tag == "{urn:motlan:soap:v1}purpose"
    assert (written["purpose"].text, written["purpose"].get("basis")) == ("1.001193", "ND-63/2024")


def test_a_minimised_answer_is_still_valid_by_the_served_wsdl():
    spoken = citizens()
    xsd = schema_of(spoken.wsdl("https://gateway.example/soap"), CITIZEN_NS)
    for document in (FOUND, {"birth_date": {"date": "1999"}}, {"name": {"given": "An"}}, {}):
        xsd.assertValid(etree.fromstring(spoken.payload(f"{{{CITIZEN_NS}}}citizen", document)))


def test_the_served_wsdl_holds_what_the_schema_says_of_values():
    xsd = schema_of(citizens().wsdl("https://gateway.example/soap"), CITIZEN_NS)
    for wrong in ("12", "00109901234a"):
        element = f'<citizen xmlns="{CITIZEN_NS}"><identity_number>{wrong}</identity_number></citizen>'
        assert not xsd.validate(etree.fromstring(element))


def test_members_are_read_in_any_order_and_written_in_the_schemas():
    schema = {"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}, "additionalProperties": False}
    spoken = interface(schema, schema)
    assert spoken.document(thing("<t:b> 7 </t:b>\n <t:a/>")) == {"b": 7, "a": ""}
    assert spoken.payload(ELEMENT, {"b": 7, "a": "x"}).endswith(b"<a>x</a><b>7</b></thingResponse>")


def test_an_empty_array_is_told_from_a_missing_one():
    schema = {"properties": {"of": {"type": "array", "items": {"type": "string"}}}, "additionalProperties": False}
    spoken = interface(schema, schema)
    for document in ({}, {"of": []}, {"of": [""]}, {"of": ["a", "b"]}):
        assert spoken.document(as_request(spoken.payload(ELEMENT, document))) == document
    required = interface({**schema, "required": ["of"]})
    assert required.document(thing("")) == {"of": []}


def test_a_service_without_schemas_takes_json_text_and_nothing():
    spoken = interface()
    assert spoken.document(thing('{"a": [1.10]}')) == {"a": [Decimal("1.10")]}
    assert spoken.document(thing("")) is UNSET
    assert b'>{"a":"&lt;"}<' in spoken.payload(ELEMENT, {"a": "<"})


def test_operations_may_have_their_own_method():
    spoken = interface(operations={"": {"method": "GET"}, "one": {"method": "GET", "path": "/one", "query": "full=1"}})
    assert spoken.called(ELEMENT, lambda: b"") == ("GET", "", None)
    assert spoken.called(f"{{{NAMESPACE}}}thingOne", lambda: b"") == ("GET", "/one", "full=1")
    assert spoken.called("{urn:else}thing", lambda: b"") is None


STRICT = {
    "type": "object",
    "properties": {
        "number": {"type": "string", "pattern": "^[0-9]{12}$"},
        "count": {"type": "integer"},
        "inner": {"type": "object", "properties": {"flag": {"type": "boolean"}}, "additionalProperties": False},
        "many": {"type": "array", "items": {"type": "integer"}},
    },
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("inner", "place"),
    [
        ("<t:count>seven</t:count>", "/count type"),
        ("<t:count>0x7</t:count>", "/count type"),
        ("<t:count>" + "9" * 5000 + "</t:count>", "/count type"),
        ("<t:count>1</t:count><t:count>1</t:count>", "/count repeated"),
        ("<t:inner><t:flag>yes</t:flag></t:inner>", "/inner/flag type"),
        ("<t:inner>text</t:inner>", "/inner text"),
        ("<t:inner/>tail", "/ text"),
        ("<t:other/>", "/other unknown"),
        ("<other/>", "/other unknown"),
        ('<x:count xmlns:x="urn:x">1</x:count>', "/count unknown"),
        ("<t:n001099012345/>", "/… unknown"),
        ('<t:count id="1">1</t:count>', "/count/@id attribute"),
        ('<t:count xsi:nil="true"/>', "/count nil"),
        ("<t:number><t:b/></t:number>", "/number elements"),
        ("<t:many>1</t:many><t:many>x</t:many>", "/many/1 type"),
        ('<t:many xsi:nil="true"/><t:many>1</t:many>', "/many/0 nil"),
        ('<t:many>1</t:many><t:many xsi:nil="true"/>', "/many/1 nil"),
        ('<t:many xsi:nil="true">1</t:many>', "/many/0 nil"),
    ],
)
def test_what_has_no_place_is_refused_by_place_and_rule_without_the_value(inner, place):
    with pytest.raises(ExchangeError) as caught:
        interface(STRICT).document(thing(inner))
    assert caught.value.kind.code == "client.schema_mismatch"
    assert caught.value.parts == (place,)


@pytest.mark.parametrize(
    "payload", [b"", b"<a>", b"<!DOCTYPE a><a/>", b"\xff\xfe\x00", thing("<t:count>1</t:count>")[:-3]]
)
def test_what_is_no_xml_is_refused(payload):
    with pytest.raises(ExchangeError):
        interface(STRICT).document(payload)


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"count": "7"}, "/count type"),
        ({"count": True}, "/count type"),
        ({"inner": []}, "/inner type"),
        ({"inner": None}, "/inner type"),
        ({"number": "a\x00b"}, "/number characters"),
        ({"number": "\ud800"}, "/number characters"),
        ({"many": [1, "2"]}, "/many/1 type"),
        ({"more": 1}, "/more unknown"),
        ([], "/ type"),
    ],
)
def test_an_answer_that_does_not_fit_is_no_answer(document, place):
    with pytest.raises(ValueError, match=place):
        interface(STRICT, STRICT).payload(ELEMENT, document)


def test_types_that_contain_themselves_and_lists_of_lists():
    schema = {
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "below": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                },
                "additionalProperties": False,
            }
        },
    }
    document = {"name": "a", "below": [{"name": "b", "below": []}, {"below": [{}]}]}
    grid = {"type": "array", "items": {"type": "array", "items": {"type": ["integer", "null"]}}}
    for described, given in ((schema, document), (grid, [[], [1, None], [None]])):
        spoken = interface(described, described)
        payload = spoken.payload(ELEMENT, given)
        assert spoken.document(as_request(payload)) == given
        wsdl = spoken.wsdl("https://gateway.example/soap")
        schema_of(wsdl).assertValid(etree.fromstring(payload))
        assert "thing" in client(wsdl).service._operations


def test_a_service_code_that_is_no_name_is_escaped():
    spoken = JsonInterface(
        JsonService(service=ServiceId("VN", "GOV", "G15", "sổ bộ", "1 tra cứu"), operations={"": JsonOperation()})
    )
    zeep = client(spoken.wsdl("https://gateway.example/soap"))
    assert list(zeep.service._operations) == ["_x0031__x0020_tra_x0020_cứu"]


def test_a_reference_to_nothing_is_told_at_load():
    with pytest.raises(ValueError, match="leads to no schema"):
        interface({"$ref": "elsewhere.json"})
