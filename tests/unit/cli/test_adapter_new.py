"""``motlan adapter new``: what is inferred from a contract, and contracts that must not be read."""

import json
import tomllib
from pathlib import Path

import pytest

from adapters.kit.names import Meaning, meaning, snake
from tests.support.cli import good, refused, run
from tests.support.kit import OPENAPI, SERVICE, new_adapter, openapi_file
from tests.support.source import ROOT

XSD = "http://www.w3.org/2001/XMLSchema"
WSDL = "http://schemas.xmlsoap.org/wsdl/"


def _wsdl(types: str = "", more: str = "", use: str = "literal") -> str:
    return f"""<w:definitions xmlns:w="{WSDL}" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:x="{XSD}"
      xmlns:t="urn:t" targetNamespace="urn:t" name="Register">{more}
      <w:types><x:schema targetNamespace="urn:t" elementFormDefault="qualified">
        <x:element name="Ask"><x:complexType><x:sequence><x:element name="id" type="x:string"/></x:sequence></x:complexType></x:element>
        <x:element name="AskResponse"><x:complexType><x:sequence><x:element name="name" type="x:string"/>{types}
        </x:sequence></x:complexType></x:element>
      </x:schema></w:types>
      <w:message name="in"><w:part name="p" element="t:Ask"/></w:message>
      <w:message name="out"><w:part name="p" element="t:AskResponse"/></w:message>
      <w:portType name="P"><w:operation name="Ask"><w:input message="t:in"/><w:output message="t:out"/></w:operation></w:portType>
      <w:binding name="B" type="t:P"><s:binding transport="http://schemas.xmlsoap.org/soap/http"/>
        <w:operation name="Ask"><s:operation soapAction="urn:t:Ask"/><w:input><s:body use="{use}"/></w:input>
        <w:output><s:body use="{use}"/></w:output></w:operation></w:binding>
      <w:service name="Register"><w:port name="P" binding="t:B"><s:address location="http://r.example/ask"/></w:port></w:service>
    </w:definitions>"""


def _new(folder: Path, *more: object) -> list[object]:
    return ["adapter", "new", "--wsdl", folder / "r.wsdl", "--service", SERVICE, "--out", folder / "out", *more]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "contract"
    folder.mkdir()
    (folder / "r.wsdl").write_text(_wsdl(), encoding="utf-8")
    return folder


def test_a_wsdl_of_one_operation_becomes_a_service_without_a_path(place: Path) -> None:
    made = good(*_new(place, "--json")).values
    assert (made["operations"], made["lost"]) == (["Ask"], [])
    mapping = tomllib.loads((place / "out/mappings/vehicle.toml").read_text(encoding="utf-8"))
    assert mapping["operation"][0]["path"] == ""
    assert mapping["request"]["ask"]["fields"] == [{"to": "id", "from": "/id", "required": True}]
    assert (place / "out/mappings/vehicle/r.wsdl").is_file()
    assert json.loads((place / "out/samples/ask.request.json").read_text(encoding="utf-8")) == {"id": "text"}


def test_nothing_that_is_there_is_replaced(place: Path) -> None:
    good(*_new(place))
    before = (place / "out/mappings/vehicle.toml").read_text(encoding="utf-8")
    assert "is there already and is not replaced" in refused(*_new(place))
    assert (place / "out/mappings/vehicle.toml").read_text(encoding="utf-8") == before


_LEAF = '<x:schema xmlns:x="{0}" targetNamespace="urn:u">{1}</x:schema>'
BAD_IMPORTS = {
    "network": ('<w:import namespace="u" location="http://example.org/a/types.wsdl"/>', {}, "nothing is fetched"),
    "network, schema": (
        '<w:types><x:schema><x:import namespace="u" schemaLocation="https://example.org/u.xsd"/></x:schema></w:types>',
        {},
        "Save that document as contract/u.xsd",
    ),
    "ftp": ('<w:import namespace="u" location="ftp://example.org/a.wsdl"/>', {}, "nothing is fetched"),
    "parent folder": ('<w:import namespace="u" location="../secret.wsdl"/>', {}, "outside contract/"),
    "absolute": ('<w:import namespace="u" location="/etc/hostname"/>', {}, "outside contract/"),
    "file url": ('<w:import namespace="u" location="file:///etc/hostname"/>', {}, "outside contract/"),
    "escaped dots": ('<w:import namespace="u" location="%2e%2e/secret.wsdl"/>', {}, "outside contract/"),
    "absent": ('<w:import namespace="u" location="absent.wsdl"/>', {}, "cannot be read"),
    "itself": ('<w:import namespace="u" location="r.wsdl"/>', {}, "lead back to where they began: r.wsdl → r.wsdl"),
    "a loop": (
        '<w:import namespace="u" location="a.wsdl"/>',
        {
            "a.wsdl": f'<w:definitions xmlns:w="{WSDL}"><w:import namespace="u" location="b.wsdl"/></w:definitions>',
            "b.wsdl": f'<w:definitions xmlns:w="{WSDL}"><w:import namespace="u" location="a.wsdl"/></w:definitions>',
        },
        "lead back to where they began: a.wsdl → b.wsdl → a.wsdl",
    ),
    "a loop of includes": (
        '<w:types><x:schema targetNamespace="urn:u"><x:include schemaLocation="a.xsd"/></x:schema></w:types>',
        {
            "a.xsd": _LEAF.format(XSD, '<x:include schemaLocation="b.xsd"/>'),
            "b.xsd": _LEAF.format(XSD, '<x:include schemaLocation="a.xsd"/>'),
        },
        "lead back",
    ),
    "entities": (
        '<w:import namespace="u" location="a.wsdl"/>',
        {
            "a.wsdl": f'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/hostname">]><w:definitions xmlns:w="{WSDL}">&e;</w:definitions>'
        },
        "has a DOCTYPE",
    ),
    "not XML": ('<w:import namespace="u" location="a.wsdl"/>', {"a.wsdl": "<w:definitions"}, "not well-formed"),
}


@pytest.mark.parametrize("name", BAD_IMPORTS)
def test_imports_that_loop_or_leave_are_refused(name: str, place: Path) -> None:
    more, files, said = BAD_IMPORTS[name]
    (place.parent / "secret.wsdl").write_text("<secret/>", encoding="utf-8")
    (place / "r.wsdl").write_text(_wsdl(more=more), encoding="utf-8")
    for file, text in files.items():
        (place / file).write_text(text, encoding="utf-8")
    text = refused(*_new(place))
    assert said in text
    assert "contract_unusable" in text
    assert not (place / "out").exists()


def test_a_link_that_leaves_the_folder_is_refused(place: Path) -> None:
    (place.parent / "secret.xsd").write_text(_LEAF.format(XSD, ""), encoding="utf-8")
    (place / "inner.wsdl").symlink_to(place.parent / "secret.xsd")
    (place / "r.wsdl").write_text(_wsdl(more='<w:import namespace="u" location="inner.wsdl"/>'), encoding="utf-8")
    assert "outside contract/" in refused(*_new(place))


def test_schemas_may_import_each_other_and_a_saved_copy_stands_for_the_network(place: Path) -> None:
    more = '<w:types><x:schema><x:import namespace="urn:u" schemaLocation="http://example.org/x/u.xsd"/></x:schema></w:types>'
    (place / "r.wsdl").write_text(_wsdl(more=more), encoding="utf-8")
    (place / "u.xsd").write_text(
        _LEAF.format(XSD, '<x:import namespace="urn:v" schemaLocation="v.xsd"/>'), encoding="utf-8"
    )
    (place / "v.xsd").write_text(
        f'<x:schema xmlns:x="{XSD}" targetNamespace="urn:v"><x:import namespace="urn:u" schemaLocation="u.xsd"/></x:schema>',
        encoding="utf-8",
    )
    good(*_new(place))
    assert (place / "out/mappings/vehicle/v.xsd").is_file()


def test_too_many_documents_are_refused(place: Path) -> None:
    imports = "".join(f'<w:import namespace="u{n}" location="{n}.wsdl"/>' for n in range(80))
    (place / "r.wsdl").write_text(_wsdl(more=imports), encoding="utf-8")
    for number in range(80):
        (place / f"{number}.wsdl").write_text(f'<w:definitions xmlns:w="{WSDL}"/>', encoding="utf-8")
    assert "more than 64 documents" in refused(*_new(place))


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ("<x:any/>", "xs:any"),
        ('<x:element name="a"/>', "no type"),
        ('<x:element name="a" type="x:anyType"/>', "xs:anyType"),
        ('<x:element name="a"><x:complexType abstract="true"/></x:element>', "abstract type"),
        ('<x:element name="a"><x:complexType/></x:element>', "without content"),
        ('<x:element ref="t:AskResponse"/>', "recursive"),
    ],
)
def test_what_cannot_be_carried_is_lost_with_its_reason(element: str, reason: str, place: Path) -> None:
    (place / "r.wsdl").write_text(_wsdl(types=element), encoding="utf-8")
    made = good(*_new(place, "--json")).values
    assert [reason in each["reason"] for each in made["lost"]] == [True]
    assert {each["path"] for each in made["mapped"]} >= {"id", "name"}
    assert "# Lost:" in (place / "out/mappings/vehicle.toml").read_text(encoding="utf-8")


def test_soap_encoding_is_left_out_and_said(place: Path) -> None:
    (place / "r.wsdl").write_text(_wsdl(use="encoded"), encoding="utf-8")
    assert "rpc/encoded" in refused(*_new(place))


def test_soap_1_2_alone_is_answered_with_what_to_do(place: Path) -> None:
    text = _wsdl().replace("http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/")
    (place / "r.wsdl").write_text(text, encoding="utf-8")
    assert 'adapter = "soap"' in refused(*_new(place))


def test_an_unknown_operation_is_answered_with_those_there_are(place: Path) -> None:
    assert "there are Ask" in refused(*_new(place, "--operation", "Aks"))


def test_a_text_of_the_contract_cannot_break_the_mapping(tmp_path: Path) -> None:
    document = json.loads(json.dumps(OPENAPI))
    document["info"]["title"] = 'x"\n[login]\npath = "/evil" # \u202e'
    document["paths"]["/traCuu"]["post"]["summary"] = "\n[[operation]]\n"
    schema = document["components"]["schemas"]["KetQua"]["properties"]
    schema['a"\nb'] = {"type": "string"}
    out = new_adapter(tmp_path, document=document)
    mapping = tomllib.loads((out / "mappings/vehicle.toml").read_text(encoding="utf-8"))
    assert "login" not in mapping
    assert len(mapping["operation"]) == 1
    assert tomllib.loads((out / "services/vehicle.toml").read_text(encoding="utf-8"))["service"][0]["id"] == SERVICE


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SoDinhDanh", Meaning.IDENTITY_NUMBER),
        ("soDinhDanh", Meaning.IDENTITY_NUMBER),
        ("so_dinh_danh", Meaning.IDENTITY_NUMBER),
        ("Số định danh", Meaning.IDENTITY_NUMBER),
        ("cccd", Meaning.IDENTITY_NUMBER),
        ("identity", Meaning.IDENTITY_NUMBER),
        ("HoVaTen", Meaning.NAME),
        ("hoTen", Meaning.NAME),
        ("fullName", Meaning.NAME),
        ("ngaySinh", Meaning.BIRTH_DATE),
        ("dob", Meaning.BIRTH_DATE),
        ("gioiTinh", Meaning.SEX),
        ("sex", Meaning.SEX),
        ("diaChi", Meaning.ADDRESS),
        ("address", Meaning.ADDRESS),
        ("name", None),
        ("identityProvider", None),
        ("soDinhDanhCu", None),
    ],
)
def test_known_names_are_whole_names(name: str, meant: Meaning | None) -> None:
    assert meaning(name) is meant


@pytest.mark.parametrize(
    ("name", "json_name"),
    [
        ("GetCityByZIP", "get_city_by_zip"),
        ("HTTPServer2", "http_server_2"),
        ("đơnVị", "don_vi"),
        ("2nd", "n_2_nd"),
        ("***", "field"),
    ],
)
def test_other_names_keep_their_own(name: str, json_name: str) -> None:
    assert snake(name) == json_name


def test_an_openapi_document_becomes_a_mapping_in_canonical_names(tmp_path: Path) -> None:
    out = new_adapter(tmp_path)
    mapping = tomllib.loads((out / "mappings/vehicle.toml").read_text(encoding="utf-8"))
    fields = {each["from"]: each for each in mapping["shape"]["tra-cuu-phuong-tien"]["fields"]}
    assert fields["soDinhDanh"]["to"] == "/identity_number"
    assert (fields["hoVaTen"]["to"], fields["hoVaTen"]["as"]) == ("/name", "whole_name")
    assert (fields["ngaySinh"]["to"], fields["ngaySinh"]["as"]) == ("/birth_date", "date")
    assert fields["diaChi"]["to"] == "/address/detail"
    assert (fields["bienSo"]["to"], fields["taiTrong"]["as"]) == ("/bien_so", "number")
    assert "khac" not in fields
    call = mapping["operation"][0]["call"][0]
    assert call["compare"] == [{"asked": "/identity_number", "held": "/identity_number", "differs": "INVALID_REPLY"}]
    assert call["outcome"] == [{"is": "NOT_FOUND", "status": [404]}]
    service = tomllib.loads((out / "services/vehicle.toml").read_text(encoding="utf-8"))
    assert service["provider"]["base_url"] == "https://vehicles.example/api"
    assert service["service"][0]["asked"] == ["/identity_number"]


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("http://example.org/s.json#/A", "only references inside the document"),
        ("../other.json", "only references inside the document"),
        ("#/components/schemas/Nothing", "nothing stands at"),
    ],
)
def test_openapi_references_stay_inside(reference: str, said: str, tmp_path: Path) -> None:
    document = json.loads(json.dumps(OPENAPI))
    document["components"]["schemas"]["KetQua"]["properties"]["khac"] = {"$ref": reference}
    contract = openapi_file(tmp_path, document)
    assert said in refused("adapter", "new", "--openapi", contract, "--service", SERVICE, "--out", tmp_path / "out")


def test_openapi_that_contains_itself_is_lost_there(tmp_path: Path) -> None:
    document = json.loads(json.dumps(OPENAPI))
    document["components"]["schemas"]["KetQua"]["properties"]["cha"] = {"$ref": "#/components/schemas/KetQua"}
    contract = openapi_file(tmp_path, document)
    made = run(
        "adapter", "new", "--openapi", contract, "--service", SERVICE, "--out", tmp_path / "out", "--json"
    ).values
    assert {each["path"]: each["reason"] for each in made["lost"]}["cha"].startswith("recursive")


def test_yaml_is_answered_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("openapi: 3.0.0", encoding="utf-8")
    said = refused("adapter", "new", "--openapi", tmp_path / "a.yaml", "--service", SERVICE, "--out", tmp_path / "out")
    assert "write it as JSON first" in said


def test_the_population_database_is_recognised(tmp_path: Path) -> None:
    """A real contract: names in parts, dates in parts, addresses, and the audit triple of the exchange."""
    wsdl = ROOT / "schemas/wsdl/population.wsdl"
    assert "outside wsdl/" in refused("adapter", "new", "--wsdl", wsdl, "--service", SERVICE, "--out", tmp_path / "no")
    good("adapter", "new", "--wsdl", wsdl, "--root", ROOT / "schemas", "--service", SERVICE, "--out", tmp_path / "out")
    text = (tmp_path / "out/mappings/vehicle.toml").read_text(encoding="utf-8")
    assert '{ to = "MaCanBo", from = "officer", required = true, max_length = 20 }' in text
    assert '{ to = "MaDVC", from = "purpose"' in text
    assert 'as = "name", parts = { family = "Ho", middle = "ChuDem", given = "Ten" }' in text
    assert 'as = "date", parts = { year = "Nam", date = "NgayThangNam" }' in text
    assert 'to = "/residence", from = "ThuongTru", as = "address"' in text
