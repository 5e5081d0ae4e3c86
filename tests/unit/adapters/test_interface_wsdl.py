"""A provider's WSDL: its elements as JSON and back, its JSON Schemas, and what is served in its place."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from adapters.kit.contract import ContractError
from adapters.simulators.land_register import NAMESPACE, PARCEL, WSDL
from adapters.soap.inferring_files import Documents
from adapters.soap.interface_wsdl import WsdlInterface, WsdlService
from adapters.soap.translate_shapes import MisfitError
from adapters.soap.wsdl_index import SchemaError
from gateway.model.errors import ExchangeError
from gateway.model.ids import ServiceId
from gateway.validation.schema import SchemaSet
from tests.support.translation import body_of, client, parcel_schema

SERVICE = ServiceId("VN", "GOV", "G16", "land", "parcel")
FIND = f"{{{NAMESPACE}}}findParcel"
REGISTER = f"{{{NAMESPACE}}}register"
DOCUMENT = {
    "@version": 3,
    "@registered": "2019-05-06T07:08:09+07:00",
    "number": "12-345",
    "area": {"@unit": "m2", "#text": Decimal("1200.50")},
    "price": None,
    "person": [
        {"@role": "owner", "number": "001099012345", "name": "Nguyễn Văn An", "born": "1999-01-01"},
        {"@role": "tenant", "name": "Trần Thị Bình"},
    ],
    "mortgaged": False,
    "note": ["Đất ở <đô thị>"],
    "part": [],
    "#any": ['<x:map xmlns:x="urn:example:maps"><x:sheet>7</x:sheet></x:map>'],
}


def land(**more) -> WsdlInterface:
    return WsdlInterface(WsdlService(service=SERVICE, documents=Documents(WSDL), **more))


def test_an_answer_becomes_json_with_everything_that_is_in_it():
    answer = etree.fromstring(f'<l:findParcelResponse xmlns:l="{NAMESPACE}">{PARCEL}</l:findParcelResponse>')
    assert land().answered(FIND, answer) == {"parcel": [DOCUMENT]}


def test_json_becomes_an_element_that_the_schema_allows_and_zeep_reads():
    spoken = land()
    tag, element = spoken.request("/register", {**DOCUMENT, "reason": "inherited"})
    assert tag == REGISTER
    assert parcel_schema().validate(etree.fromstring(element)), parcel_schema().error_log
    assert spoken.document(element) == {**DOCUMENT, "reason": "inherited"}
    plain = {name: value for name, value in DOCUMENT.items() if name != "#any"}
    _, element = spoken.request("/register", {**plain, "reason": "inherited"})
    zeep = client(WSDL.read_bytes())
    read = zeep.get_element(REGISTER).parse(etree.fromstring(element), zeep.wsdl.types)
    assert (read.area._value_1, read.area.unit, read.price) == (Decimal("1200.50"), "m2", None)
    assert [each.role for each in read.person] == ["owner", "tenant"]


def test_what_zeep_sends_is_read():
    zeep = client(WSDL.read_bytes())
    payload = body_of(zeep.create_message(zeep.service, "findParcel", owner="001099012345", limit=3))
    assert land().called(FIND, lambda: payload) == ("POST", "/findParcel", None)
    assert land().document(payload) == {"owner": "001099012345", "limit": 3}


def test_its_json_schemas_say_what_the_xsd_says():
    spoken = land()
    schema = spoken.request_schema("/register")
    check = SchemaSet({schema["$id"]: schema}).compile(schema["$id"]).check
    good = {**DOCUMENT, "reason": "inherited"}
    check(good)
    for wrong in (
        {**good, "number": 1},
        {**good, "more": 1},
        {name: value for name, value in good.items() if name != "@version"},
        {**good, "person": [{"name": "An", "number": "12"}]},
        {**good, "person": [{"name": "An", "@role": "guest"}]},
        {**good, "note": ["a", "b", "c", "d"]},
    ):
        with pytest.raises(ExchangeError):
            check(wrong)
    answer = spoken.response_schema("/register")
    check = SchemaSet({answer["$id"]: answer}).compile(answer["$id"]).check
    check({"serial": 2**64 - 1})
    with pytest.raises(ExchangeError):
        check({"serial": 2**64})
    every = spoken.request_schema()
    SchemaSet({every["$id"]: every}).compile(every["$id"]).check({"number": "1"})


def test_the_served_wsdl_is_the_providers_with_our_address_and_header_blocks():
    served = land().wsdl("https://gateway.example/soap")
    assert b"127.0.0.1" not in served
    zeep = client(served)
    assert zeep.service._binding_options["address"] == "https://gateway.example/soap"
    message = zeep.create_message(zeep.service, "findParcel", number="1", _soapheaders={"id": "m-1", "userId": "cb"})
    assert {each.tag.rpartition("}")[2] for each in message.find("{*}Header")} == {"id", "userId"}
    assert land().document(body_of(message)) == {"number": "1"}


def test_imports_are_inlined(tmp_path: Path):
    source = Path(__file__).parents[3] / "schemas"
    shutil.copytree(source, tmp_path / "schemas")
    spoken = WsdlInterface(
        WsdlService(
            service=SERVICE, documents=Documents(tmp_path / "schemas/wsdl/population.wsdl", tmp_path / "schemas")
        )
    )
    served = spoken.wsdl("https://gateway.example/soap")
    assert b"schemaLocation" not in served
    assert "TraCuuThongTinCongDan" in client(served).service._operations


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('<xs:import namespace="urn:x" schemaLocation="../../../etc/passwd"/>', "outside"),
        ('<xs:import namespace="urn:x" schemaLocation="http://evil.example/x.xsd"/>', "nothing is fetched"),
        ('<xs:include schemaLocation="land-register.wsdl"/>', "lead back"),
        ('<xs:element name="a" type="tns:Missing"/>', None),
        (
            '<xs:complexType name="A"><xs:complexContent><xs:extension base="tns:A"/></xs:complexContent></xs:complexType>',
            None,
        ),
        ('<xs:group name="G"><xs:sequence><xs:group ref="tns:G"/></xs:sequence></xs:group>', None),
    ],
)
def test_a_wsdl_that_leaves_its_folder_or_loops_is_refused_or_harmless(tmp_path: Path, text: str, problem: str | None):
    file = tmp_path / "land-register.wsdl"
    content = WSDL.read_text().replace('<xs:element name="findParcel">', f'{text}<xs:element name="findParcel">', 1)
    file.write_text(content.replace('type="tns:Area"', 'type="tns:A"') if 'name="A"' in text else content)
    if problem is not None:
        with pytest.raises(ContractError, match=problem):
            Documents(file)
        return
    made = WsdlInterface(WsdlService(service=SERVICE, documents=Documents(file)))
    if 'name="A"' in text:
        assert "findParcel" in made.skipped
        assert "circle" in made.skipped["findParcel"]


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"number": 7}, "/number type"),
        ({"limit": "3"}, "/limit type"),
        ({"other": 1}, "/other unknown"),
        ({"number": "a\x00"}, "/number characters"),
        ([], "/ type"),
        ({"#any": ["<a/>"]}, "/#any unknown"),
    ],
)
def test_json_that_has_no_element_is_refused_by_place(document, place):
    with pytest.raises(MisfitError) as caught:
        land().request("/findParcel", document)
    assert caught.value.place == place


@pytest.mark.parametrize(
    "xml", ["<a>", "<a/><b/>", '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', "</l:parcel><x/>", "text"]
)
def test_xml_in_a_document_is_one_element_and_nothing_else(xml):
    with pytest.raises(MisfitError) as caught:
        land().request("/register", {**DOCUMENT, "reason": "x", "#any": [xml]})
    assert caught.value.place == "/#any xml"


def test_only_the_operations_that_are_named_are_offered():
    spoken = land(operations={"findParcel": "", "register": "/new"})
    assert spoken.called(FIND, lambda: b"") == ("POST", "", None)
    assert spoken.called(REGISTER, lambda: b"") == ("POST", "/new", None)
    assert spoken.called(f"{{{NAMESPACE}}}deposit", lambda: b"") is None
    assert spoken.request("/register", {}) is None
    with pytest.raises(SchemaError, match="find: there is no such one"):
        land(operations={"find": ""})


def test_another_operations_answer_is_not_this_ones():
    with pytest.raises(MisfitError):
        land().answered(
            FIND, etree.fromstring(f'<registerResponse xmlns="{NAMESPACE}"><serial>1</serial></registerResponse>')
        )
