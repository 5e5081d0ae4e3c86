"""Mistakes in mapping files are all said at once, each with its line and the nearest valid name."""

import pytest
from msgspec.structs import replace

from adapters.mapped_answer import PARSERS
from gateway.config.mappings import load_mapping
from gateway.config.product import product_folder
from gateway.mapping.compile import MappingError, compile_mapping
from tests.support.mappings import SMALL, complaints, schemas


def changed(old, new):
    assert SMALL.count(old) == 1, old
    return SMALL.replace(old, new)


def test_the_small_mapping_has_none(tmp_path):
    assert complaints(tmp_path, SMALL) == []


@pytest.mark.parametrize(
    "file", sorted((product_folder("config") / "mappings").glob("*.toml")), ids=lambda file: file.stem
)
def test_the_products_own_mappings_have_none(file):
    made, problems = load_mapping(file, schemas())
    assert made is not None
    assert problems == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        # two fields mapped to one element, or one inside the other
        (
            'to = "/identity_number", from = "soDinhDanh"',
            'to = "/card_number", from = "soDinhDanh"',
            "21 shape.card.fields[2].to: /card_number is already made of soThe",
        ),
        (
            'to = "/identity_number", from = "soDinhDanh" }',
            'to = "/name/full", from = "soDinhDanh" }',
            "22 shape.card.fields[3].to: /name is already made of soDinhDanh",
        ),
        # and two fields of a request
        (
            '{ to = "soDinhDanh", from = "/identity_number", required = true }',
            '{ to = "canBo", from = "/identity_number" }',
            "14 request.owner.fields[2].to: canBo is already made of officer",
        ),
        # names that do not exist
        ('to = "/card_number"', 'to = "/card_nummber"', "20 shape.card.fields[1].to: /card_nummber is no element of insurance-card.json; did you mean /card_number?"),
        ('from = "officer"', 'from = "oficer"', "13 request.owner.fields[1].from: there is no source oficer; did you mean officer?; pointers begin with /"),
        ('codes = "status"', 'codes = "statuss"', "23 shape.card.fields[4].codes: there is no code table statuss; did you mean status?"),
        ('as = "whole_name"', 'as = "whole_nam"', "22 shape.card.fields[3].as: must be one of text, name, whole_name, date, day, moment, address, coded, nationality, code, boolean, integer, number, shape, any; did you mean whole_name?"),
        ('shape = "card"', 'shape = "crad"', "37 operation[1].call[1].shape: there is no [shape.…] named crad; did you mean card?"),
        ('request = ["owner"]', 'request = ["owners"]', "35 operation[1].call[1].request[1]: there is no [request.…] named owners; did you mean owner?"),
        ('schema = "insurance-card.json"', 'schema = "insurance-crad.json"', "18 shape.card.schema: there is no schema insurance-crad.json; did you mean insurance-card.json?"),
        ('"404" = "NOT_FOUND"', '"404" = "NOT_FOUNT"', "28 outcome[1].values.404: there is no outcome NOT_FOUNT; did you mean NOT_FOUND?"),
        ('items = "duLieu"', 'itemz = "duLieu"', "36 operation[1].call[1].itemz: is no setting here; did you mean items?"),
        ('asked = "/identity_number", held = "/identity_number"', 'asked = "kept.number", held = "/identity_number"', "38 operation[1].call[1].compare[1].asked: there is no value kept by an earlier call, named number"),
        ('held = "/identity_number"', 'held = "/identity_nummber"', "38 operation[1].call[1].compare[1].held: /identity_nummber is no element of insurance-card.json; did you mean /identity_number?"),
        ('"1" = "active"', '"1" = "activ"', "9 codes.status[1].values.1: activ is no value of /status; did you mean active?"),
        # what has no meaning
        ('to = "canBo", from', 'to = "Content-Length", place = "header", from', "13 request.owner.fields[1].to: is no header that a mapping can set"),
        ('to = "canBo", from', 'to = "X: y", place = "header", from', "13 request.owner.fields[1].to: is no header that a mapping can set"),
        ('"401" = "DENIED"', '"401" = "STALE_SESSION"', "28 outcome[1].values.401: there is no [login], so no session can be stale"),
        ('path = "/the"', 'path = "/the/../that"', "34 operation[1].call[1].path: is no path of a URL: it starts with a slash"),
        ('path = "/the"', 'path = "/the/{id}"', "34 operation[1].call[1].path: {id} and a field with place = path go together"),
        ('path = "/the"', 'operation = "The"', "33 operation[1].call[1]: operation and answer are of SOAP; the contract is REST"),
        ('from = "officer", required', 'value = "x", from = "officer", required', "13 request.owner.fields[1]: needs one of from, join, value"),
        ('from = "hoTen", as = "whole_name"', 'from = "hoTen", as = "name"', "22 shape.card.fields[3]: as = name needs parts"),
        ('from = "soThe", required', 'from = "soThe", as = "day", format = "dd/MMM", required', "20 shape.card.fields[1].format: is no format of yyyy, MM, dd"),
        ('protocol = "rest"', 'protocol = "soap"', "3 contract: a SOAP contract names its wsdl, a REST contract has none"),
    ],
)  # fmt: skip
def test_each_mistake_is_said_with_its_line(tmp_path, old, new, said):
    assert said in complaints(tmp_path, changed(old, new))


def test_all_mistakes_are_said_at_once(tmp_path):
    text = changed('codes = "status"', 'codes = "statuss"').replace('"officer"', '"oficer"')
    assert [line.partition(" ")[0] for line in complaints(tmp_path, text)] == ["13", "23"]


@pytest.mark.parametrize(
    ("span", "overlaps"),
    [
        ("valid_from = 2025-01-01", True),
        ("valid_to = 2024-01-01", True),
        ("valid_from = 2020-01-01\nvalid_to = 2030-01-01", True),
        ("", True),
        ("valid_to = 2023-12-31", False),
    ],
)
def test_code_tables_of_one_name_do_not_hold_at_the_same_time(tmp_path, span, overlaps):
    more = f'[[codes.status]]\nsource = "annex A"\n{span}\nvalues = {{ "1" = "expired" }}\n'
    said = complaints(tmp_path, changed("[request.owner]", more + "\n[request.owner]"))
    line = "11 codes.status[2]: holds at the same time as the table status number 1"
    assert said == ([line] if overlaps else [])


def test_fields_that_exclude_one_another_may_make_one(tmp_path):
    more = """{ to = "ngay", from = "/birth_date", as = "date", precision = ["day"] },
  { to = "ngay", from = "/birth_date", as = "date", format = "yyyy", precision = ["year"] },
  { to = "so", from = "/identity_number" },
  { to = "so", from = "/old_card_number", unless = ["/identity_number"] },
]"""
    text = SMALL.replace("required = true },\n]", f"required = true }},\n  {more}", 1)
    assert complaints(tmp_path, text) == []


def test_shapes_that_hold_each_other_are_refused(tmp_path):
    circle = '[shape.a]\nfields = [{ to = "/b", from = "b", shape = "b" }]\n[shape.b]\nfields = [{ to = "/a", from = "a", shape = "a" }]\n'
    said = complaints(tmp_path, changed("[[outcome]]", circle + "\n[[outcome]]"))
    assert [line.partition(" ")[2] for line in said] == [
        "shape.a.fields[1]: b leads back to a",
        "shape.b.fields[1]: a leads back to b",
    ]


def test_a_wsdl_that_is_not_there_is_said(tmp_path):
    text = changed('protocol = "rest"', 'protocol = "soap"\nwsdl = "none.wsdl"').replace(
        'path = "/the"', 'operation = "A"\nanswer = "B"'
    )
    assert complaints(tmp_path, text) == [
        "5 contract.wsdl: there is no file none.wsdl beside this one, nor below the schemas"
    ]


def test_a_document_that_is_wrong_does_not_compile():
    made, _ = load_mapping(product_folder("config") / "mappings" / "population.toml", schemas())
    (first, *others) = made.document.operation
    wrong = replace(made.document, operation=(first, first, *others), shape={})
    with pytest.raises(MappingError) as caught:
        compile_mapping(wrong, schemas(), PARSERS)
    said = str(caught.value)
    assert "operation.1.path: there is another operation POST (none)" in said
    assert "operation.0.call.0.shape: there is no [shape.…] named citizen" in said
