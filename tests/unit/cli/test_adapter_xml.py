"""The kit's XML: requests that templates cannot write, and recordings made nobody's."""

import tomllib
from pathlib import Path

import pytest
from lxml import etree

from adapters.kit.anonymous import Anonymiser
from adapters.kit.contract import ContractError
from adapters.soap.inferring import read_wsdl
from adapters.soap.inferring_requests import RequestWriter
from adapters.soap.wsdl import Contract
from gateway.wiring.kit_texts import Texts
from tests.support.cli import good
from tests.support.kit import SERVICE

XSD = "http://www.w3.org/2001/XMLSchema"
SCHEMA = f"""<x:schema xmlns:x="{XSD}" xmlns:u="urn:u" targetNamespace="urn:u" elementFormDefault="qualified">
  <x:element name="Ask"><x:complexType><x:sequence>
    <x:element name="flag" type="x:boolean" minOccurs="0"/>
    <x:element name="item" maxOccurs="9" minOccurs="0"><x:complexType><x:sequence>
      <x:element name="code" type="x:int"/><x:element name="note" form="unqualified" type="x:string" minOccurs="0"/>
      </x:sequence><x:attribute name="kind" type="x:string"/></x:complexType></x:element>
    <x:element name="tag" type="x:string" minOccurs="0" maxOccurs="unbounded"/>
    <x:element name="sum" minOccurs="0"><x:complexType><x:simpleContent><x:extension base="x:decimal">
      <x:attribute name="unit" type="x:string" use="required"/></x:extension></x:simpleContent></x:complexType></x:element>
  </x:sequence><x:attribute name="version" type="x:string"/></x:complexType></x:element>
  <x:element name="AskResponse"><x:complexType><x:sequence>
    <x:element name="done" type="x:boolean"/></x:sequence></x:complexType></x:element>
</x:schema>"""
WSDL = f"""<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:u="urn:u" targetNamespace="urn:u"><w:types>{SCHEMA}</w:types>
  <w:message name="in"><w:part name="p" element="u:Ask"/></w:message>
  <w:message name="out"><w:part name="p" element="u:AskResponse"/></w:message>
  <w:portType name="P"><w:operation name="Ask"><w:input message="u:in"/><w:output message="u:out"/></w:operation></w:portType>
  <w:binding name="B" type="u:P"><s:binding transport="http://schemas.xmlsoap.org/soap/http"/>
  <w:operation name="Ask"><s:operation soapAction=""/><w:input><s:body use="literal"/></w:input>
  <w:output><s:body use="literal"/></w:output></w:operation></w:binding>
  <w:service name="S"><w:port name="P" binding="u:B"><s:address location="http://s.example/"/></w:port></w:service>
</w:definitions>"""
VALUES = {
    "@version": '1 "&" 2',
    "flag": "true",
    "item": [{"@kind": "a", "code": "1", "note": "x < y & z"}, {"code": "2"}],
    "tag": ["đỏ", "xanh"],
    "sum": {"": "1.50", "@unit": "kg"},
}


@pytest.fixture
def wsdl(tmp_path: Path) -> Path:
    file = tmp_path / "ask.wsdl"
    file.write_text(WSDL, encoding="utf-8")
    return file


def test_what_is_written_is_valid_by_the_schema(wsdl: Path) -> None:
    envelope = Contract(wsdl, root=wsdl.parent, answers=()).request("Ask", VALUES)
    payload = etree.fromstring(envelope)[0][0]
    schema = etree.XMLSchema(etree.fromstring(SCHEMA))
    assert schema.validate(payload), schema.error_log
    assert payload.get("version") == '1 "&" 2'
    assert [each.text for each in payload.findall("{urn:u}tag")] == ["đỏ", "xanh"]
    assert payload.findtext("{urn:u}item/note") == "x < y & z"


@pytest.mark.parametrize("flag", ["true", "false"])
def test_a_boolean_goes_as_it_is(flag: str, wsdl: Path) -> None:
    envelope = Contract(wsdl, root=wsdl.parent, answers=()).request("Ask", {"flag": flag})
    assert etree.fromstring(envelope)[0][0].findtext("{urn:u}flag") == flag


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"tga": "a"}, "no place for tga; did you mean tag?"),
        ({"tag": ["a"], "flag": "true"}, "is not in the order of the contract"),
        ({"flag": {"x": "y"}}, "flag takes one text"),
        ({"sum": {"": "1", "@unti": "kg"}}, "did you mean @unit?"),
    ],
)
def test_what_has_no_place_is_named(values: dict[str, object], said: str, wsdl: Path) -> None:
    with pytest.raises(ContractError, match=r"no place|order|one text") as refused:
        RequestWriter(read_wsdl(wsdl)).request("Ask", values)
    assert said in str(refused.value)


def test_the_draft_of_it_holds_every_leaf(wsdl: Path, tmp_path: Path) -> None:
    good("adapter", "new", "--wsdl", wsdl, "--service", SERVICE, "--out", tmp_path / "out")
    made = tomllib.loads((tmp_path / "out/mappings/vehicle.toml").read_text(encoding="utf-8"))
    sent = {each["to"] for part in made["request"].values() for each in part["fields"]}
    assert sent == {"@version", "flag", "item", "@kind", "code", "note", "tag", "sum"}
    lost = [
        line
        for line in (tmp_path / "out/mappings/vehicle.toml").read_text(encoding="utf-8").splitlines()
        if "@unit" in line
    ]
    assert [line.startswith("#") and "beside text" in line for line in lost] == [True]


def test_a_recorded_envelope_is_made_nobodys() -> None:
    real = """<?xml version="1.0" encoding="utf-8"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>
      <KetQua soDinhDanh="031093271828"><CongDan><HoVaTen><Ho>Đặng</Ho><ChuDem>Thị Hồng</ChuDem><Ten>Nhung</Ten></HoVaTen>
      <NgayThangNamSinh><Nam>1993</Nam><NgayThangNam>19931127</NgayThangNam></NgayThangNamSinh>
      <ThuongTru><MaTinhThanh>31</MaTinhThanh><ChiTiet>12 ngõ 3 Hàng Bún</ChiTiet></ThuongTru><GioiTinh>2</GioiTinh></CongDan>
      <GhiChu>{"hoTen": "Vũ Quốc Toàn", "sdt": "0912345678", "cu": "Nhung"}</GhiChu></KetQua></e:Body></e:Envelope>"""
    texts = Texts(Anonymiser(b"sixteen bytes, or more"))
    texts.note(real.encode())
    cleaned = texts.clean(real.encode())
    text = cleaned.decode()
    for value in ("031093271828", "Đặng", "Hồng", "Nhung", "1993", "1127", "Hàng Bún", "Toàn", "0912345678"):
        assert value not in text
    assert texts.remaining(cleaned) == ()
    root = etree.fromstring(cleaned)
    year, day = root.findtext(".//Nam"), root.findtext(".//NgayThangNam")
    assert year is not None
    assert day is not None
    assert day.startswith(year)
    assert (root.findtext(".//MaTinhThanh"), root.findtext(".//GioiTinh")) == ("31", "2")
    assert f'"cu":"{root.findtext(".//Ten")}"' in text.replace("&quot;", '"').replace(" ", "")
