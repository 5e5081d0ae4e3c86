"""The compiled contract, with zeep as the oracle: templates are its messages, answers read as its objects."""

import pytest
import zeep
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from zeep.helpers import serialize_object

from adapters.simulators import population_xml
from adapters.soap.wsdl import Contract, ContractError
from adapters.soap.xml import parse, tree_of
from tests.support.adapters import SCHEMAS, contract
from tests.support.simulators import people

LOOK_UP, VERIFY, RELATIVES = "TraCuuThongTinCongDan", "XacThucThongTinCongDan", "XacMinhThongTinNhanThan"
CONTRACT = contract()
ORACLE = zeep.Client(str(SCHEMAS / "wsdl" / "population.wsdl"))
SERVICE = ORACLE.bind()
TRIPLE = {"MaYeuCau": "1", "MaDVC": "1.001193", "MaTichHop": "037", "MaDonVi": "H24", "MaCanBo": "cb"}
SHAPES = [
    {},
    {"SoDinhDanh": "001190000001"},
    {"SoCMND": "012345678"},
    {"HoVaTen": "A", "NgayThangNamSinh": {"Nam": "1990"}},
    {"SoDinhDanh": "001190000001", "HoVaTen": "A", "NgayThangNamSinh": {"NgayThangNam": "1990-01-01"}},
]


def canonical(document):
    return etree.tostring(document, method="c14n", exclusive=True)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("operation", [LOOK_UP, VERIFY, RELATIVES])
def test_requests_are_zeeps_messages(operation, shape):
    values = {**TRIPLE, **shape}
    mine = CONTRACT.request(operation, values)
    theirs = ORACLE.create_message(SERVICE, operation, **values)
    assert canonical(etree.fromstring(mine)) == canonical(theirs)


@given(st.text("<>&\"']/ aéăđ\ue000\u2028;#x0", max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_value_stays_one_text(value):
    root = etree.fromstring(CONTRACT.request(LOOK_UP, {**TRIPLE, "HoVaTen": value}))
    names = root.findall(".//{http://dancuquocgia.bca}HoVaTen")
    assert [name.text or "" for name in names] == [value]


@pytest.mark.parametrize("value", ["</dan:HoVaTen><dan:SoCMND>1", "&lt;", "]]>", "\ue0000\ue000", "a&b"])
def test_no_value_becomes_markup(value):
    root = etree.fromstring(CONTRACT.request(LOOK_UP, {**TRIPLE, "HoVaTen": value}))
    assert root.findtext(".//{http://dancuquocgia.bca}HoVaTen") == value
    assert root.find(".//{http://dancuquocgia.bca}SoCMND") is None


@pytest.mark.parametrize("values", [{"Khac": "1"}, {**TRIPLE, "HoVaTen": {"Ho": "x"}}, {"MaDVC": "1", "MaYeuCau": "2"}])
def test_elements_that_the_operation_does_not_have_or_in_another_order(values):
    with pytest.raises(ContractError):
        CONTRACT.request(LOOK_UP, values)


def test_an_operation_that_is_not_there():
    with pytest.raises(ContractError):
        CONTRACT.request("Khac", TRIPLE)


def plain(value):
    """zeep's object as our trees are: nothing where nothing is, text elsewhere."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items() if plain(each) not in (None, {})} or None
    return value or None


def pruned(tree):
    return {k: pruned(v) if isinstance(v, dict) else v for k, v in tree.items() if v} or None


@pytest.mark.parametrize("index", range(0, 60, 3))
def test_answers_read_as_zeeps_objects(index):
    person = people()[index]
    text = population_xml.collection([population_xml.citizen(person)])
    root = parse(text.encode())
    assert CONTRACT.validate(root)
    theirs = serialize_object(
        ORACLE.get_element("{http://www.mic.gov.vn/dancu/1.0}CongdanCollection").parse(root, ORACLE.wsdl.types), dict
    )
    mine, (oracle,) = tree_of(root)["CongDan"], theirs["CongDan"]
    for relative in ("Cha", "Me", "VoChong", "NguoiDaiDien", "ChuHo"):  # anyType: zeep hands the element out
        (mine.get(relative) or {}).pop("HoVaTen", None)
        (oracle.get(relative) or {}).pop("HoVaTen", None)
    assert pruned(mine) == plain(oracle)


@pytest.mark.parametrize(
    "content",
    [
        "<m:CongDan><m:SoCMND/><m:SoDinhDanh/></m:CongDan>",
        "<m:CongDan><m:Khac/></m:CongDan>",
        "<m:CongDan><m:SoDinhDanh><m:Nam/></m:SoDinhDanh></m:CongDan>",
        "<m:CongDan>text</m:CongDan>",
        "<CongDan/>",
    ],
)
def test_answers_outside_the_contract(content):
    root = parse(
        f'<m:CongdanCollection xmlns:m="http://www.mic.gov.vn/dancu/1.0">{content}</m:CongdanCollection>'.encode()
    )
    assert not CONTRACT.validate(root)


def test_a_contract_may_not_refer_outside_its_directory(tmp_path):
    outside = tmp_path / "outside.xsd"
    outside.write_text("<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'/>")
    inside = tmp_path / "schemas"
    (inside / "wsdl").mkdir(parents=True)
    text = (SCHEMAS / "wsdl" / "population.wsdl").read_text("utf-8")
    for location in ("../../outside.xsd", "http://127.0.0.1:1/x.xsd", f"file://{outside}"):
        wsdl = inside / "wsdl" / "evil.wsdl"
        wsdl.write_text(text.replace("../xsd/population-request.xsd", location), "utf-8")
        with pytest.raises(ContractError):
            Contract(wsdl, root=inside, answers=())


@pytest.mark.parametrize("content", ["", "no xml", "<a/>"])
def test_a_wsdl_that_is_none(tmp_path, content):
    wsdl = tmp_path / "x.wsdl"
    wsdl.write_text(content)
    with pytest.raises(ContractError):
        Contract(wsdl, root=tmp_path, answers=())
    with pytest.raises(ContractError):
        Contract(tmp_path / "missing.wsdl", root=tmp_path, answers=())
