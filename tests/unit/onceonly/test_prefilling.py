"""From a request to calls, and from their answers to a form that says where everything comes from."""

import json
import tomllib

import msgspec
import pytest
from msgspec import UNSET

from gateway.config.positions import locate
from gateway.config.problems import Document
from gateway.config.product import product_folder
from gateway.config.reader import read
from gateway.model.errors import ExchangeError
from gateway.model.outcomes import Outcome
from gateway.model.pointer import parse_pointer
from gateway.onceonly.assemble import CallResult, arrived, assemble
from gateway.onceonly.differences import same
from gateway.onceonly.plan import plan
from gateway.onceonly.procedure import Compare, Element, Lookup, Procedure, Role, Source
from gateway.onceonly.request import parse_request
from tests.support.config import at

NOW = at("2026-11-22T03:00:00+00:00")
FILE = product_folder("config") / "procedures" / "birth-registration.toml"

MOTHER = {
    "identity_number": "040194001234",
    "name": {"full": "Trần Thị Hồng Nhung"},
    "birth_date": {"date": "1994-05-17", "precision": "day"},
    "ethnicity": {"code": "01"},
    "nationality": {"code": "VN"},
    "residence": {"province": {"code": "40"}},
}
INSURED = {
    "insurance_number": "4012345678",
    "name": {"full": "Trần Thị Hồng Nhưng"},
    "birth_date": {"date": "1994", "precision": "year"},
    "identity_number": "040194001234",
}


@pytest.fixture(scope="module")
def procedures():
    problems = []
    document = Document.read(FILE, problems)
    procedure = read(document, Procedure, document.table)
    assert problems == []
    return {procedure.code: procedure}


def body(**people):
    return {
        "procedure": "1.001193",
        "case": "H24-261122-0001",
        "people": people or {"mother": {"identity_number": "040194001234"}},
    }


def request(procedures, **people):
    return parse_request(body(**people), procedures)


def found(document, **more):
    return CallResult(outcome=Outcome.FOUND, document=document, granted=("*",), retrieved_at=NOW, **more)


def failed(outcome, reason="x", **more):
    return CallResult(outcome=outcome, retrieved_at=NOW, reason=reason, **more)


def test_every_person_is_looked_up_wherever_enough_is_known(procedures):
    asked = request(
        procedures,
        mother={"identity_number": "040194001234", "full_name": "Trần Thị Hồng Nhung"},
        father={"full_name": "Lê Văn An", "birth_date": "1990"},
        child={},
    )
    calls = {call.id: call for call in plan(asked)}
    assert sorted(calls) == ["father.citizen", "father.insurance", "mother.citizen", "mother.insurance"]
    assert calls["mother.citizen"].body == {"identity_number": "040194001234"}
    assert calls["father.citizen"].body == {"full_name": "Lê Văn An", "birth_date": "1990"}
    assert calls["father.insurance"].body == {"full_name": "Lê Văn An", "birth_date": "1990", "sex": "male"}
    assert str(calls["mother.insurance"].service) == "VN/GOV/G12/social-insurance/insurance"


def test_nobody_is_looked_up_of_whom_too_little_is_known(procedures):
    assert plan(request(procedures, mother={"full_name": "Trần Thị Hồng Nhung"})) == ()


def test_what_is_also_sent_is_for_the_source_to_verify(procedures):
    procedure = procedures["1.001193"]
    citizen = msgspec.structs.replace(procedure.lookup["citizen"], also=("full_name",))
    verifying = msgspec.structs.replace(procedure, lookup={**procedure.lookup, "citizen": citizen})
    asked = parse_request(
        body(mother={"identity_number": "040194001234", "full_name": "Trần Thị Hồng Nhung"}), {"1.001193": verifying}
    )
    assert plan(asked)[0].body == {"identity_number": "040194001234", "full_name": "Trần Thị Hồng Nhung"}


def test_a_form_fills_itself(procedures):
    asked = request(procedures)
    calls = plan(asked)
    result = assemble(asked, calls, {"mother.citizen": found(MOTHER, receipt="r1"), "mother.insurance": found(INSURED)})
    name = result.elements["mother.full_name"]
    assert name.value == "Trần Thị Hồng Nhung"
    assert name.source == "VN/GOV/G01/population/citizen"
    assert name.receipt == "r1"
    assert name.retrieved_at == "2026-11-22T03:00:00.000Z"
    assert name.fresh_until == "2026-11-23T03:00:00.000Z"
    assert result.elements["mother.insurance_number"].source == "VN/GOV/G12/social-insurance/insurance"
    assert result.complete
    assert result.not_typed == 6  # not the number that was typed, nor what no source holds
    assert set(result.ask_citizen) == {
        f"child.{name}" for name in ("full_name", "birth_date", "sex", "birth_place", "ethnicity", "hometown")
    }


def test_sources_that_differ_are_named_and_their_values_are_not(procedures):
    asked = request(procedures)
    result = assemble(asked, plan(asked), {"mother.citizen": found(MOTHER), "mother.insurance": found(INSURED)})
    assert [found.element for found in result.discrepancies] == ["mother.full_name"]
    assert result.discrepancies[0].between == (
        "VN/GOV/G01/population/citizen",
        "VN/GOV/G12/social-insurance/insurance",
    )
    assert "Nhưng" not in json.dumps(msgspec.to_builtins(result.discrepancies))


def test_what_the_citizen_says_otherwise_is_a_discrepancy_too(procedures):
    asked = request(procedures, mother={"identity_number": "040194001234", "full_name": "Trần Hồng Nhung"})
    result = assemble(asked, plan(asked), {"mother.citizen": found(MOTHER)})
    assert [(found.element, found.between[1]) for found in result.discrepancies] == [("mother.full_name", "declared")]


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome.UNAVAILABLE,
        Outcome.NOT_FOUND,
        Outcome.AMBIGUOUS,
        Outcome.MISMATCH,
        Outcome.INVALID_REPLY,
        Outcome.DENIED,
    ],
)
def test_a_source_that_fails_costs_its_own_elements_only_and_says_how(procedures, outcome):
    asked = request(procedures)
    results = {"mother.citizen": failed(outcome, "server.x", retry_after=5), "mother.insurance": found(INSURED)}
    result = assemble(asked, plan(asked), results)
    residence = result.elements["mother.residence"]
    assert (residence.outcome, residence.reason, residence.retry_after) == (outcome, "server.x", 5)
    assert residence.value is UNSET
    assert result.elements["mother.full_name"].value == "Trần Thị Hồng Nhưng"
    assert result.elements["mother.full_name"].source == "VN/GOV/G12/social-insurance/insurance"
    assert not result.complete
    assert "mother.residence" in result.ask_citizen
    assert "mother.full_name" not in result.ask_citizen


def test_an_answer_that_did_not_come_in_time_is_unavailable(procedures):
    asked = request(procedures)
    result = assemble(asked, plan(asked), {})
    assert result.elements["mother.full_name"].outcome is Outcome.UNAVAILABLE
    assert result.elements["mother.full_name"].retrieved_at is None


def test_not_granted_and_not_held_are_told_apart(procedures):
    asked = request(procedures)
    answer = CallResult(
        outcome=Outcome.FOUND, document={"name": {"full": "A"}}, granted=("/name", "/ethnicity"), retrieved_at=NOW
    )
    elements = assemble(asked, plan(asked), {"mother.citizen": answer}).elements
    assert (elements["mother.ethnicity"].outcome, elements["mother.ethnicity"].reason) == (
        Outcome.NOT_FOUND,
        "the source holds no value",
    )
    assert (elements["mother.residence"].outcome, elements["mother.residence"].reason) == (
        Outcome.DENIED,
        "not granted",
    )


def test_a_declared_value_stands_in_and_is_marked(procedures):
    asked = parse_request(
        body(mother={"identity_number": "040194001234", "declared": {"residence": {"detail": "x"}}})
        | {"declared": {"child.full_name": "Trần An"}},
        procedures,
    )
    results = {"mother.citizen": failed(Outcome.UNAVAILABLE, "server.x")}
    result = assemble(asked, plan(asked), results)
    residence = result.elements["mother.residence"]
    assert (residence.value, residence.confidence, residence.outcome) == (
        {"detail": "x"},
        "declared",
        Outcome.UNAVAILABLE,
    )
    assert result.elements["child.full_name"].value == "Trần An"
    assert not {"mother.residence", "child.full_name"} & set(result.ask_citizen)
    assert result.not_typed == 0


def test_elements_can_be_shown_as_they_arrive(procedures):
    asked = request(procedures)
    calls = {call.id: call for call in plan(asked)}
    assert set(arrived(asked, calls["mother.insurance"], found(INSURED))) == {"mother.insurance_number"}
    early = arrived(asked, calls["mother.citizen"], found(MOTHER))
    whole = assemble(asked, tuple(calls.values()), {"mother.citizen": found(MOTHER)}).elements
    assert early
    assert all(whole[name] == filled for name, filled in early.items())


def test_absent_members_are_left_out_of_the_answer(procedures):
    asked = request(procedures)
    result = assemble(asked, plan(asked), {"mother.citizen": found(MOTHER)})
    written = json.loads(msgspec.json.encode(result))
    assert written["elements"]["child.sex"] == {"outcome": "NOT_FOUND", "reason": "only the citizen knows it"}
    assert "retry_after" not in written["elements"]["mother.full_name"]


@pytest.mark.parametrize(
    ("change", "places"),
    [
        ({"case": ""}, ["/case form"]),
        ({"case": 1}, ["/case form"]),
        ({"people": []}, ["/people type"]),
        ({"people": {}}, ["/people/mother missing"]),
        ({"people": {"mother": {}, "aunt": {}}}, ["/people unknown role"]),
        ({"people": {"mother": {"identity_number": "1"}}}, ["/people/mother/identity_number form"]),
        ({"people": {"mother": {"identity_number": 31}}}, ["/people/mother/identity_number form"]),
        ({"people": {"mother": {"birth_date": "17/05/1994"}}}, ["/people/mother/birth_date form"]),
        ({"people": {"mother": {"number": "1"}}}, ["/people/mother unknown member"]),
        ({"people": {"mother": {"declared": {"x": 1}}}}, ["/people/mother/declared unknown element"]),
        ({"declared": {"aunt.x": 1}}, ["/declared unknown role"]),
        ({"deadline_ms": 0}, ["/deadline_ms form"]),
        ({"deadline_ms": True}, ["/deadline_ms form"]),
        ({"basis": "ND-1/2000"}, ["/basis is not the procedure's"]),
        ({"extra": 1, "case": ""}, ["/extra unknown", "/case form"]),
    ],
)
def test_bad_requests_name_every_wrong_place_and_no_value(procedures, change, places):
    with pytest.raises(ExchangeError) as refused:
        parse_request(body() | change, procedures)
    assert refused.value.kind.code == "client.schema_mismatch"
    assert list(refused.value.parts) == places


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ([], "client.schema_mismatch"),
        ({}, "client.schema_mismatch"),
        ({"procedure": "9.999999"}, "client.unknown_procedure"),
        ({"procedure": "1.001193", "consent": "ey"}, "client.consent_unsupported"),
    ],
)
def test_requests_that_cannot_be_taken(procedures, document, code):
    with pytest.raises(ExchangeError) as refused:
        parse_request(document, procedures)
    assert refused.value.kind.code == code


@pytest.mark.parametrize(
    ("one", "other", "how", "expected"),
    [
        ("Nguyễn Văn An", "NGUYỄN  VĂN AN", Compare.NAME, True),
        ("Nguyễn Văn An", "NGUYEN VAN AN", Compare.NAME, False),
        ("Hòa", "Hòa".encode().decode(), Compare.EXACT, True),
        ("Hòa", "Ho\u0300a", Compare.EXACT, True),
        ("An", "an", Compare.EXACT, False),
        ("Nguyễn Thị Thuỳ Hoà", "NGUYỄN THỊ THÙY HÒA", Compare.NAME, True),
        ("Trần Thị Hồng Nhung", "Trần Thị Hồng Nhưng", Compare.NAME, False),
        ("Hồng", "Hống", Compare.NAME, False),
        ({"date": "1994-05-17"}, {"date": "1994"}, Compare.DATE, True),
        ({"date": "1994-05-17"}, "1994-05-17", Compare.DATE, True),
        ({"date": "1994-05-17"}, {"date": "1994-06"}, Compare.DATE, False),
        ({"code": "VN", "name": "Ho\u0300a"}, {"name": "Hòa", "code": "VN"}, Compare.EXACT, True),
        (["a"], ["A"], Compare.NAME, True),
    ],
)
def test_same(one, other, how, expected):
    assert same(one, other, how) is expected


def test_a_procedure_that_contradicts_itself_cannot_be_built(procedures):
    good = procedures["1.001193"]
    element = Element(name="x", roles=("mother",), title="x")
    for changes in (
        {"element": (element, element)},
        {"element": (msgspec.structs.replace(element, roles=("aunt",)),)},
        {"element": (msgspec.structs.replace(element, name="X"),)},
        {"element": (msgspec.structs.replace(element, sources=(Source(lookup="none", pointer="/x"),)),)},
        {"element": (msgspec.structs.replace(element, sources=(Source(lookup="citizen", pointer="x"),)),)},
        {"lookup": {"a": Lookup(service=good.lookup["citizen"].service, roles=("mother",), needs=(("age",),))}},
    ):
        with pytest.raises(ValueError):
            msgspec.structs.replace(good, **changes)
    assert Role(title="x").known == {}


def test_the_procedure_asks_for_nothing_that_the_example_policy_does_not_grant(procedures):
    tables = tomllib.loads(
        (product_folder("config") / "policy" / "birth-registration.toml").read_text(encoding="utf-8")
    )
    granted = {
        grant["service"]: [parse_pointer(text) for text in grant["fields"] if text != "*"] for grant in tables["grant"]
    }
    procedure = procedures["1.001193"]
    for element in procedure.element:
        for source in element.sources:
            allowed = granted[str(procedure.lookup[source.lookup].service)]
            pointer = parse_pointer(source.pointer)
            assert any(pointer.steps[: len(grant.steps)] == grant.steps for grant in allowed), source
    assert locate(FILE.read_text(encoding="utf-8"))
