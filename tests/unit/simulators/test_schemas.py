"""The schemas themselves: valid, complete in the catalogue, bounded, and able to refuse."""

import json
import tomllib

import jsonschema_rs
import pytest
import zeep
from lxml import etree

from adapters.simulators.assets import schemas

ROOT = schemas()
DOCUMENTS = {path.name: json.loads(path.read_text("utf-8")) for path in sorted((ROOT / "json").glob("*.json"))}
REGISTRY = jsonschema_rs.Registry([(document["$id"], document) for document in DOCUMENTS.values()])
PERSON = {
    "identity_number": "040195889861",
    "name": {"full": "Hoàng Thị Thuỳ Linh", "family": "Hoàng", "middle": "Thị Thuỳ", "given": "Linh"},
    "sex": "female",
    "birth_date": {"date": "1995-03-02", "precision": "day"},
    "ethnicity": {"code": "01"},
    "nationality": {"code": "VN"},
    "residence": {
        "province": {"code": "40", "name": "Nghệ An", "code_list": "2004-07-08"},
        "district": {"code": "395"},
        "commune": {"code": "13381"},
    },
    "household_head": {"name": {"full": "Hoàng Xuân Bách"}, "relationship": {"code": "CH03"}},
}


def _validator(name):
    return jsonschema_rs.Draft202012Validator(DOCUMENTS[name], registry=REGISTRY)


def test_the_catalogue_lists_every_schema_and_nothing_else():
    rows = tomllib.loads((ROOT / "CATALOG.toml").read_text("utf-8"))["schema"]
    there = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if path.is_file()} - {"CATALOG.toml"}
    assert {row["file"] for row in rows} == there
    assert len(rows) == len(there)
    for row in rows:
        assert {"file", "version", "origin", "title"} <= set(row) <= {"file", "version", "origin", "title", "notes"}
        assert row["origin"] in {"published", "reconstructed", "own"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_json_schema_is_valid_titled_and_named_by_its_file(name):
    document = DOCUMENTS[name]
    jsonschema_rs.meta.validate(document)
    assert document["$id"].endswith("/" + name)
    assert document["title"]
    _validator(name)


def _nodes(node):
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_strings_are_bounded_objects_closed_and_elements_titled(name):
    for node in _nodes(DOCUMENTS[name]):
        if node.get("type") == "string":
            assert "maxLength" in node or node["pattern"].endswith("$")
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            for title, element in node["properties"].items():
                assert element.get("title"), title


def test_a_citizen_is_valid_and_stays_so_when_elements_are_withheld():
    validator = _validator("citizen-lookup.response.json")
    validator.validate(PERSON)
    for element, value in PERSON.items():
        validator.validate({element: value})


@pytest.mark.parametrize(
    "change",
    [
        {"identity_number": "04019588986"},
        {"identity_number": 40195889861},
        {"identity_number": "٠٤٠١٩٥٨٨٩٨٦١"},
        {"identity_number": "040195889861\n"},
        {"name": {"given": "Linh"}},
        {"name": {"full": "x" * 101}},
        {"birth_date": {"date": "1995-03", "precision": "day"}},
        {"birth_date": {"date": "1995", "precision": "month"}},
        {"birth_date": {"date": "1995-13", "precision": "month"}},
        {"sex": "1"},
        {"residence": {"province": "40"}},
        {"credit_score": 700},
    ],
)
def test_what_is_no_citizen_is_refused(change):
    assert not _validator("citizen-lookup.response.json").is_valid({**PERSON, **change})


@pytest.mark.parametrize(
    ("request_", "valid"),
    [
        ({"identity_number": "040195889861"}, True),
        ({"identity_number": "040195889861", "full_name": "Hoàng Thị Thuỳ Linh", "birth_date": "1995"}, True),
        ({"old_card_number": "040932192"}, True),
        ({"full_name": "Hoàng Thị Thuỳ Linh", "birth_date": "1995-03-02"}, True),
        ({"full_name": "Hoàng Thị Thuỳ Linh"}, False),
        ({}, False),
        ({"identity_number": "040195889861", "old_card_number": "040932192"}, False),
        ({"identity_number": "040195889861", "birth_date": "02/03/1995"}, False),
        ({"identity_number": "040195889861", "everything": True}, False),
    ],
)
def test_a_look_up_asks_by_number_or_by_name_and_date(request_, valid):
    assert _validator("citizen-lookup.request.json").is_valid(request_) is valid


@pytest.mark.parametrize(
    ("request_", "valid"),
    [
        ({"identity_number": "040195889861"}, True),
        ({"insurance_number": "4020123456"}, True),
        ({"full_name": "A", "birth_date": "1995", "sex": "female"}, True),
        ({"full_name": "A", "birth_date": "1995"}, False),
        ({"insurance_number": "40201234567"}, False),
    ],
)
def test_an_insurance_look_up(request_, valid):
    assert _validator("insurance-lookup.request.json").is_valid(request_) is valid


def test_wsdl_and_xsd_load_and_offer_the_three_operations():
    for name in ("request", "answer"):
        etree.XMLSchema(file=str(ROOT / "xsd" / f"population-{name}.xsd"))
    client = zeep.Client(str(ROOT / "wsdl" / "population.wsdl"))
    assert sorted(client.service._operations) == [
        "TraCuuThongTinCongDan",
        "XacMinhThongTinNhanThan",
        "XacThucThongTinCongDan",
    ]
