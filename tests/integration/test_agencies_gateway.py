"""The five agency systems behind a real gateway: released, recorded, minimised, told apart."""

import io

import pytest
import requests
import zeep

from adapters.simulators import business_register_companies as companies
from adapters.simulators import dossiers
from adapters.simulators.civil_status import registered
from adapters.simulators.misbehave import Mode
from gateway.model.ids import parse_service
from tests.support.adapters import canonical
from tests.support.agency_world import agency_world
from tests.support.exchanges import Caller, check_log, exchange_of
from tests.support.simulators import people

STORY = people().story
FATHER, MOTHER = STORY.father, STORY.mother
DONE = next(
    one
    for one in map(registered, map(people().__getitem__, range(60, 90)))
    if one.state == "4" and one.registration.parents()
)
COMPANY = companies.company_of(FATHER, people())

REGISTER = parse_service("VN/GOV/G15/civil-status/birth-registration")
STATUS = parse_service("VN/GOV/G15/civil-status/dossier-status")
CERTIFICATE = parse_service("VN/GOV/G15/civil-status/birth-certificate")
BUSINESS = parse_service("VN/GOV/G12/business-register/business")
REQUEST = parse_service("VN/GOV/G15/judicial-record/certificate-request")
RECORD = parse_service("VN/GOV/G15/judicial-record/certificate-status")
CITIZEN = parse_service("VN/GOV/H24/lgsp/citizen")
SYNCHRONISE = parse_service("VN/GOV/G22/public-service-portal/dossier-synchronisation")
PROGRESS = parse_service("VN/GOV/G22/public-service-portal/dossier-progress")
DOSSIER = parse_service("VN/GOV/G22/public-service-portal/dossier")
PROCEDURE = parse_service("VN/GOV/G22/public-service-portal/procedure")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with agency_world(tmp_path_factory.mktemp("agencies")) as made:
        yield made


@pytest.fixture(autouse=True)
def _well(place):
    yield
    for system in place.systems.values():
        system.behave()


def post(place, service, body):
    return Caller(place.world).post(body, service=service, officer="cb-7")


def failure(place, service, body):
    """The outcome that is told, and the error's code."""
    answer = post(place, service, body)
    return answer.outcome, answer.error_code


def birth(code="H24.15-261101-9101"):
    return {
        "dossier_code": code,
        "place": FATHER.residence.commune,
        "received_on": "2026-11-01",
        "child": {
            "name": {"full": STORY.newborn.name.full},
            "sex": "female",
            "birth_date": {"date": STORY.newborn.birth.date, "precision": "day"},
        },
        "mother": {"name": {"full": MOTHER.name.full}, "identity_number": MOTHER.identity_number},
        "father": {"name": {"full": FATHER.name.full}, "identity_number": FATHER.identity_number},
        "requester": {
            "name": {"full": FATHER.name.full},
            "relationship": "Cha",
            "identity_number": FATHER.identity_number,
        },
    }


def synchronisation(code):
    holder = {"kind": "citizen", "number": FATHER.identity_number}
    dossier = {
        "dossier_code": code,
        "procedure": {"code": "1.001193", "name": "Đăng ký khai sinh"},
        "applicant": {"name": {"full": FATHER.name.full}, "kind": "citizen", "identifications": [holder]},
        "received_at": "2026-11-01T08:30:00+07:00",
        "status": "accepted",
        "return_by": "office",
        "office": "UBND phường Lê Chân",
    }
    return {"update": False, "dossiers": [dossier]}


def certificate_request(code):
    applicant = {
        "name": {"full": FATHER.name.full},
        "sex": "male",
        "birth_date": {"date": FATHER.birth.date, "precision": "day"},
        "identity_number": FATHER.identity_number,
        "phone": "0912345678",
    }
    return {
        "dossier_code": code,
        "unit": "STP24",
        "received_on": "2026-11-01",
        "due_on": "2026-11-15",
        "applicant": applicant,
        "form": 1,
        "copies": 1,
        "declared_on": "2026-11-01",
    }


LOOKUPS = {
    STATUS: ({"dossier_code": DONE.code, "place": str(DONE.unit)}, "civil-status"),
    CERTIFICATE: ({"dossier_code": DONE.code, "place": str(DONE.unit)}, "civil-status"),
    BUSINESS: ({"enterprise_number": COMPANY.number}, "business-register"),
    RECORD: ({"dossier_code": dossiers.code_of(FATHER)}, "judicial-record"),
    CITIZEN: ({"identity_number": FATHER.identity_number}, "lgsp"),
    DOSSIER: ({"dossier_code": dossiers.code_of(FATHER)}, "public-service-portal"),
    PROCEDURE: ({"code": "1.001193"}, "public-service-portal"),
}
SCHEMAS = {
    STATUS: "civil-status-dossier",
    CERTIFICATE: "birth-certificate",
    BUSINESS: "business-lookup",
    RECORD: "judicial-record-status",
    CITIZEN: "citizen-lookup",
    DOSSIER: "dossier-lookup",
    PROCEDURE: "procedure-lookup",
}
RELEASED = {
    CERTIFICATE: {DONE.number, *DONE.registration.parents()},
    BUSINESS: {FATHER.identity_number},
    CITIZEN: {FATHER.identity_number, MOTHER.identity_number},
    DOSSIER: {FATHER.identity_number},
}
WRITES = {
    REGISTER: (birth, "ACCEPTED", "civil-status", {FATHER.identity_number, MOTHER.identity_number}),
    REQUEST: (certificate_request, "ACCEPTED", "judicial-record", {FATHER.identity_number}),
    SYNCHRONISE: (synchronisation, "DONE", "public-service-portal", {FATHER.identity_number}),
}


@pytest.mark.parametrize("service", LOOKUPS, ids=str)
def test_a_look_up_is_canonical_minimised_and_recorded_with_whom_it_released(place, service):
    body, _ = LOOKUPS[service]
    answer = post(place, service, body)
    assert (answer.status, answer.outcome) == (200, "FOUND")
    canonical(f"{SCHEMAS[service]}.response").check(answer.json())
    assert not {"status_text", "charter_capital"} & answer.json().keys()
    request, ended = exchange_of(place.world.site, answer.receipt)
    assert set(ended.all("person")) == RELEASED.get(service, set())
    assert request.all("person") == ([FATHER.identity_number] if service is CITIZEN else [])
    assert request.shown("officer") == "cb-7"


@pytest.mark.parametrize("service", WRITES, ids=str)
def test_a_write_is_recorded_with_whom_it_is_about(place, service):
    make, outcome, _, persons = WRITES[service]
    answer = post(place, service, make("H24.15-261101-9102"))
    assert (answer.status, answer.outcome) == (200, outcome)
    request, ended = exchange_of(place.world.site, answer.receipt)
    assert set(request.all("person")) == persons
    assert ended.all("person") == []
    assert ended["outcome"] == outcome


def test_progress_needs_nobodys_number(place):
    step = {
        "dossier_code": dossiers.code_of(MOTHER),
        "officer": "Trần A",
        "done_at": "2026-11-01T09:00:00+07:00",
        "status": "processing",
    }
    answer = post(place, PROGRESS, {"steps": [step]})
    assert (answer.outcome, answer.json()) == ("DONE", {"status": "updated"})
    request, _ = exchange_of(place.world.site, answer.receipt)
    assert request.all("person") == []


NOBODY = {
    STATUS: {"dossier_code": "H24.15-261101-9999", "place": str(DONE.unit)},
    CERTIFICATE: {"dossier_code": "H24.15-261101-9999", "place": str(DONE.unit)},
    BUSINESS: {"enterprise_number": "999999999" + str(companies.check_digit("999999999"))},
    RECORD: {"dossier_code": "H24.15-261101-9999"},
    CITIZEN: {"identity_number": "031099999999"},
    DOSSIER: {"dossier_code": "H24.15-261101-9999"},
    PROCEDURE: {"code": "9.999999"},
}


@pytest.mark.parametrize("service", NOBODY, ids=str)
def test_nobody_is_not_found(place, service):
    told = failure(place, service, NOBODY[service])
    assert told == ("NOT_FOUND", "server.serverproxy.record_not_found")


@pytest.mark.parametrize("service", LOOKUPS, ids=str)
@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        (Mode.BAD_GATEWAY, "UNAVAILABLE"),
        (Mode.UNAUTHORIZED_TEXT, "DENIED"),
        (Mode.OTHER_PERSON, "INVALID_REPLY"),
        (Mode.LIE, "INVALID_REPLY"),
        (Mode.HUGE, "INVALID_REPLY"),
    ],
)
def test_trouble_is_told_apart_and_nobody_is_released(place, service, mode, outcome):
    body, name = LOOKUPS[service]
    post(place, service, body)  # a session is open, a token there
    place.systems[name].misbehave(mode)
    answer = post(place, service, body)
    assert answer.outcome == outcome
    _, ended = exchange_of(place.world.site, answer.receipt)
    assert (ended["outcome"], ended.all("person")) == (outcome, [])


@pytest.mark.parametrize("service", [BUSINESS, CITIZEN], ids=str)
def test_a_time_out_is_not_not_found(place, service):
    body, name = LOOKUPS[service]
    post(place, service, body)
    place.systems[name].misbehave(Mode.FREEZE)
    assert failure(place, service, body) == ("UNAVAILABLE", "server.serverproxy.service_failed.timeout")


@pytest.mark.parametrize("service", WRITES, ids=str)
@pytest.mark.parametrize(
    ("mode", "code"),
    [
        (Mode.FREEZE, "H24.15-261101-9111"),
        (Mode.BAD_GATEWAY, "H24.15-261101-9112"),
        (Mode.DROP, "H24.15-261101-9113"),
        (Mode.HALF, "H24.15-261101-9114"),
        (Mode.LIE, "H24.15-261101-9115"),
    ],
)
def test_a_write_without_a_clear_end_is_unknown(place, service, mode, code):
    make, _, name, _ = WRITES[service]
    post(place, PROCEDURE, {"code": "1.001193"})
    system = place.systems[name]
    system.misbehave(mode)
    before = system.requests.total()
    answer = post(place, service, make(code))
    assert (answer.outcome, answer.error_code) == ("UNKNOWN", "server.serverproxy.service_failed.end_unknown")
    assert system.requests.total() == before + 1


@pytest.mark.parametrize(
    ("service", "change"),
    [
        (REGISTER, {"child": {}}),
        (REGISTER, {"dossier_code": "1"}),
        (REQUEST, {"form": 3}),
        (SYNCHRONISE, {"dossiers": []}),
        (REGISTER, {"marriage": True}),
    ],
)
def test_what_is_no_request_is_refused_before_anything_is_sent(place, service, change):
    make, _, name, _ = WRITES[service]
    before = place.systems[name].requests.total()
    answer = post(place, service, make("H24.15-261101-9104") | change)
    assert answer.status == 422
    assert place.systems[name].requests.total() == before


def test_a_wrong_check_digit_never_reaches_the_register(place):
    before = place.systems["business-register"].requests.total()
    told = failure(place, BUSINESS, {"enterprise_number": COMPANY.number[:9] + "5"})
    assert told[0] == "REJECTED"
    assert place.systems["business-register"].requests.total() == before


@pytest.mark.parametrize("service", [*LOOKUPS, *WRITES, PROGRESS], ids=str)
def test_over_soap_a_service_is_its_one_operation(place, service):
    served = requests.get(f"{place.world.site.url}/wsdl?service={service}", timeout=10)
    client = zeep.Client(io.BytesIO(served.content))
    assert list(client.service._operations) == [service.service_code]


def test_the_whole_log_verifies_after_all_that(place):
    check_log(place.world.site)
