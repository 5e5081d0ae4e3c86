"""Errors of the gateway as callers read them: two forms, two languages, signed, bound to the request, and findable."""

import json
import xml.etree.ElementTree as ET

import pytest
import requests

from adapters.simulators.wire import Answer
from gateway.model.errors.catalogue import KINDS
from tests.support.exchanges import Caller, fields_of, json_answer, office, records
from tests.support.gateways import ECHO, PORTAL, PROVIDER

DENIED = f"{PROVIDER}/nothing"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with office(tmp_path_factory.mktemp("errors")) as made:
        yield made


@pytest.fixture(scope="module")
def old_place(tmp_path_factory):
    with office(tmp_path_factory.mktemp("old"), identity='language = "en"\nlegacy_error_codes = true') as made:
        yield made


def plain(place, *, method="GET", path=f"/r1/{ECHO}", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.request(method, place.site.url + path, headers={"Accept": None, **named}, timeout=5)


def test_problem_details_say_what_whose_fault_and_what_next(place):
    got = place.refuses(place.message(service=DENIED), "server.serverproxy.unknown_service", 404, recorded=True)
    problem = got.json()
    record = records(place.site)[-1]
    kind = next(each for each in KINDS if each.code == problem["code"])
    assert fields_of(got)["content-type"] == "application/problem+json"
    assert problem["type"].endswith("#server.serverproxy.unknown_service")
    assert problem["title"] == kind.title.vi
    assert problem["next"] == kind.next.vi
    assert (problem["status"], problem["fault"], problem["retryable"]) == (404, "caller", False)
    assert problem["instance"] == f"urn:uuid:{record['id']}"
    assert record["decision"] == {"reasons": ["server.serverproxy.unknown_service"], "ruling": "denied"}
    assert (record["kind"], record["outcome"], record["client"]) == ("refusal", "DENIED", str(PORTAL))


def test_type_leads_to_what_the_error_means(place):
    got = place.send(place.message(service=DENIED))
    url = requests.compat.urljoin(place.site.url + "/r1/x", got.json()["type"])
    page = requests.get(url, timeout=5)
    assert page.status_code == 200
    assert got.json()["code"] in page.text


@pytest.mark.parametrize(
    ("wish", "language"),
    [(None, "vi"), ("vi", "vi"), ("en", "en"), ("en-GB,vi;q=0.8", "en"), ("vi,en;q=0.9", "vi"), ("fr", "vi")],
)
def test_language_is_vietnamese_unless_english_is_asked_for(place, wish, language):
    added = () if wish is None else (("Accept-Language", wish),)
    problem = place.send(place.message(service=DENIED, added=added)).json()
    kind = next(each for each in KINDS if each.code == problem["code"])
    assert problem["title"] == kind.title.in_language(language)
    assert problem["next"] == kind.next.in_language(language)
    assert problem["detail"].startswith(kind.title.in_language(language))


def test_unsigned_caller_reads_x_roads_own_error(place):
    got = plain(place, X_Road_Client=str(PORTAL))
    assert (got.status_code, got.headers["Content-Type"]) == (400, "application/json")
    error = got.json()
    assert set(error) == {"type", "message", "detail"}
    assert error["type"] == got.headers["X-Road-Error"] == "client.signature_missing"
    assert error["detail"] == got.headers["X-Road-Request-Id"]


@pytest.mark.parametrize("accept", ["text/xml", "application/xml", "application/xml, text/html;q=0.5"])
def test_unsigned_caller_reads_xml_where_it_asks_for_it(place, accept):
    got = plain(place, X_Road_Client=str(PORTAL), Accept=accept)
    assert got.status_code == 400
    assert got.headers["Content-Type"].startswith("application/xml")
    root = ET.fromstring(got.content)
    assert root.tag == "error"
    assert [child.tag for child in root] == ["type", "message", "detail"]
    assert root.findtext("type") == "client.signature_missing"


def test_unsigned_caller_reads_problem_details_where_it_names_them(place):
    got = plain(place, X_Road_Client=str(PORTAL), Accept="application/problem+json")
    assert (got.status_code, got.headers["Content-Type"]) == (401, "application/problem+json")
    assert got.json()["code"] == "client.signature_missing"


def test_refused_caller_is_told_what_to_sign(place):
    got = plain(place, method="POST", X_Road_Client=str(PORTAL), X_Road_UserId="cb", Content_Type="application/json")
    wanted = got.headers["Accept-Signature"]
    for name in ("@method", "@target-uri", "x-road-client", "x-road-userid", "content-type"):
        assert f'"{name}"' in wanted
    assert 'tag="motlan-request"' in wanted


def test_errors_of_the_server_are_500_in_x_roads_form(place):
    place.gateway.edge.closing = True
    try:
        got = plain(place, X_Road_Client=str(PORTAL))
    finally:
        place.gateway.edge.closing = False
    assert (got.status_code, got.json()["type"]) == (500, "server.clientproxy.shutting_down")
    assert got.headers["Retry-After"] == "1"
    assert got.headers["Connection"] == "close"


def test_older_consumers_can_be_given_the_codes_they_know(old_place):
    got = plain(old_place, X_Road_Client=str(PORTAL))
    assert got.json()["type"] == got.headers["X-Road-Error"] == "Client.SignatureMissing"
    answer = old_place.send(old_place.message(service=DENIED))
    assert answer.json()["code"] == answer.code == "Server.ServerProxy.UnknownService"
    assert answer.json()["title"] == "The service is not known"  # the configured language
    assert records(old_place.site)[-1]["decision"]["reasons"] == ["server.serverproxy.unknown_service"]


def test_error_repeats_the_callers_message_id_and_names_both_sides(place):
    got = fields_of(place.send(place.message(service=DENIED, fields={"X-Road-Id": "refused-1"})))
    assert (got["x-road-id"], got["x-road-client"], got["x-road-service"]) == ("refused-1", str(PORTAL), DENIED)


def test_error_after_the_request_was_recorded_names_its_answers_record(place):
    place.provider.reply = Answer(drop=True)
    message = place.message(service=f"{PROVIDER}/write")
    got = place.send(message)
    assert place.proof_of(got, message).bound
    answer = records(place.site)[-1]
    assert got.json()["instance"] == f"urn:uuid:{answer['id']}"
    assert fields_of(got)["motlan-receipt"] == answer["id"]
    assert fields_of(got)["motlan-outcome"] == answer["outcome"] == "UNKNOWN"


def test_providers_own_error_passes_through_without_our_mark(place):
    place.provider.reply = json_answer({"mã": "E17"}, status=422)
    message = place.message()
    got = place.send(message)
    assert (got.status, got.code, json.loads(got.body)) == (422, None, {"mã": "E17"})
    assert fields_of(got)["motlan-outcome"] == "REJECTED"
    assert place.proof_of(got, message).bound


def test_errors_verify_only_for_the_request_they_answer(place):
    one, other = place.message(service=DENIED), place.message(service=DENIED)
    got = place.send(one)
    assert place.proof_of(got, one).bound
    with pytest.raises(Exception, match=r"signature_invalid|answer"):
        place.proof_of(got, other)


@pytest.mark.parametrize(
    ("reply", "code", "retryable", "status"),
    [
        (Answer(status=503, headers=(("Retry-After", "7"),)), None, None, 503),
        (Answer(drop=True), "server.serverproxy.service_failed.unavailable", True, 503),
        (Answer(body=b"12345678", cut=3), "server.serverproxy.service_failed.invalid_reply", False, 502),
    ],
)
def test_retry_hints(place, reply, code, retryable, status):
    place.provider.reply = reply
    got = Caller(place).post()
    assert (got.status, got.error_code) == (status, code)
    if code is None:
        assert got.head.get("retry-after") == "7"
    else:
        assert (got.json()["retryable"], got.json()["fault"]) == (retryable, "provider")
