"""For what a call is made: purpose, basis, consent; and whose numbers may stand in a URL."""

import pytest

from tests.support.exchanges import USUAL, Caller, json_answer, office, records
from tests.support.gateways import BASIS, PORTAL, PURPOSE

NOBODY = "001085000123"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with office(tmp_path_factory.mktemp("purpose")) as made:
        made.provider.reply = json_answer({"ok": True})
        yield made


def test_service_with_a_default_purpose_takes_consumers_that_send_none(place):
    place.accepts(place.message(service=USUAL, fields={"Motlan-Purpose": None}))
    request = records(place.site)[-2]
    assert (request["purpose"], request["basis"]) == (PURPOSE, BASIS)
    assert place.provider.last.header("Motlan-Purpose") is None


def test_service_without_one_does_not(place):
    got = place.refuses(place.message(fields={"Motlan-Purpose": None}), "client.purpose_missing", 400, recorded=True)
    assert 'Motlan-Purpose: "' in got.json()["next"]


@pytest.mark.parametrize("stated", [f'"{PURPOSE}"', f'"{PURPOSE}";basis="{BASIS}"', f'  "{PURPOSE}"; basis="{BASIS}" '])
def test_purpose_is_a_string_item_with_its_basis(place, stated):
    place.accepts(place.message(fields={"Motlan-Purpose": stated.strip()}))
    request = records(place.site)[-2]
    assert (request["purpose"], request["basis"]) == (PURPOSE, BASIS)


@pytest.mark.parametrize(
    ("stated", "code", "status"),
    [
        ('"9.999999";basis="ND-63/2024"', "server.serverproxy.purpose_not_granted", 403),
        (f'"{PURPOSE}";basis="ND-1/1999"', "server.serverproxy.basis_not_granted", 403),
    ],
)
def test_other_purpose_or_basis_is_refused(place, stated, code, status):
    got = place.refuses(place.message(fields={"Motlan-Purpose": stated}), code, status, recorded=True)
    assert PURPOSE in got.json()["detail"]  # what a grant would have taken


@pytest.mark.parametrize(
    "stated",
    [
        PURPOSE,
        f"'{PURPOSE}'",
        '""',
        f'"{PURPOSE}";basis',
        f'"{PURPOSE}";other="x"',
        f'("{PURPOSE}")',
        '"a',
        f'"{PURPOSE}", "b"',
    ],
)
def test_what_is_no_such_item_is_refused_before_proof(place, stated):
    place.refuses(place.message(fields={"Motlan-Purpose": stated}), "client.bad_header", 400, recorded=False)


def test_consent_is_refused_never_ignored(place):
    message = place.message(fields={"Motlan-Consent": "eyJ0eXAiOiJtb3RsYW4tY29uc2VudCtqd3QifQ.e30.AA"})
    place.refuses(message, "client.consent_unsupported", 400, recorded=False)
    unsigned = place.message(added=(("Motlan-Consent", "x"),))
    place.refuses(unsigned, "client.consent_unsupported", 400, recorded=False)


@pytest.mark.parametrize("below", [f"/people/{NOBODY}", f"?number={NOBODY}", "/p/123456789", f"?q=x%2C{NOBODY}"])
def test_persons_number_in_a_url_is_refused_unless_the_service_allows_it(place, below):
    got = place.refuses(place.message(method="GET", path=below), "client.person_in_url", 400, recorded=True)
    assert NOBODY not in got.body.decode()
    place.accepts(place.message(method="GET", service=USUAL, path=below))
    request = records(place.site)[-2]
    assert request.shown("target") == f"/r1/{USUAL}{below}"
    assert NOBODY not in str(request.skeleton)


def test_client_without_subsystem_parses_and_is_granted_nothing(place):
    message = place.message(fields={"X-Road-Client": "VN/GOV/H24"})
    got = place.send(message)
    assert got.status in {401, 403}
    assert got.code != "client.bad_header"


def test_client_in_percent_encoding_is_the_same_client(place):
    got = place.accepts(place.message(fields={"X-Road-Client": "VN/GOV/H24/p%6Frtal"}))
    assert got.head.get("x-road-client") == str(PORTAL)


def test_officer_and_case_may_hold_what_is_printable(place):
    caller = Caller(place)
    got = caller.post(officer="Can bo 7 (H24)", case="000.00.01.H24-251122-0001")
    request = records(place.site)[-2]
    assert got.status == 200
    assert (request.shown("officer"), request.shown("case")) == ("Can bo 7 (H24)", "000.00.01.H24-251122-0001")
