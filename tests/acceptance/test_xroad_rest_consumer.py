"""An X-Road consumer of REST services works unchanged: mutual TLS, X-Road's own fields, formulas and errors."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest

from tests.support.attacks import World
from tests.support.exchanges import json_answer
from tests.support.mtls import CLOSED, LEGACY, PERMIT, SHELF, consumer, mtls_office
from tests.support.xroad_rest import Answer, Consumer, tls_context

PROVIDER = "VN/GOV/G15/registry"
HOLDING = {"owner": {"full_name": "Nguyễn Văn A", "identity_number": "001090000001"}, "area": 12.50, "price": 9}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with mtls_office(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture
def legacy(place: World) -> Consumer:
    place.provider.reply = json_answer(HOLDING)
    return consumer(place)


def check_usual(answer: Answer, service: object) -> None:
    """PR-REST §4.3, "X-Road specific headers returned in the response"."""
    assert answer.status == 200, answer
    assert not answer.is_xroads_own_error
    assert answer.fields["x-road-client"] == str(LEGACY)
    assert answer.fields["x-road-service"] == str(service)
    assert answer.fields["x-road-request-id"]
    answer.check_request_hash()


def test_a_service_is_read(place: World, legacy: Consumer) -> None:
    answer = legacy.call(str(SHELF), path="/books/7", query={"lang": "vi"}, fields=[("X-Road-Id", "m-1")])
    check_usual(answer, SHELF)
    assert answer.json() == HOLDING
    assert answer.fields["x-road-id"] == "m-1"
    assert place.provider.last.target == "/shelf/books/7?lang=vi"


def test_a_service_is_posted_to_with_what_the_caller_calls_it(place: World, legacy: Consumer) -> None:
    fields = [
        ("Content-Type", "application/json; charset=utf-8"),
        ("X-Road-UserId", "VN-cb-77"),
        ("X-Road-Issue", "000.00.01.H57-260101-0001"),
        ("Accept", "application/json"),
    ]
    answer = legacy.call(str(SHELF), method="POST", body='{"tên":"Huế"}'.encode(), fields=fields)
    check_usual(answer, SHELF)
    assert answer.fields["x-road-id"]
    received = place.provider.last
    assert received.header("Content-Type") == "application/json; charset=utf-8"
    assert received.header("X-Road-UserId") == "VN-cb-77"
    assert received.body == '{"tên":"Huế"}'.encode()


def test_user_defined_fields_are_passed_on(place: World, legacy: Consumer) -> None:
    """PR-REST §4.3, "User defined headers"."""
    answer = legacy.call(str(SHELF), fields=[("X-Powered-By", "PHP/5.2.17"), ("Cache-Control", "no-cache")])
    check_usual(answer, SHELF)
    assert place.provider.last.header("X-Powered-By") == "PHP/5.2.17"
    assert place.provider.last.header("Cache-Control") == "no-cache"


def test_a_message_id_may_come_again(legacy: Consumer) -> None:
    """X-Road does not enforce that ids are unique."""
    for _ in range(2):
        answer = legacy.call(str(PERMIT), fields=[("X-Road-Id", "the same")])
        check_usual(answer, PERMIT)
        assert answer.fields["x-road-id"] == "the same"


def test_only_granted_elements_are_in_the_answer(legacy: Consumer) -> None:
    answer = legacy.call(str(PERMIT))
    check_usual(answer, PERMIT)
    assert answer.json() == {"owner": {"full_name": "Nguyễn Văn A"}, "area": 12.5}


def test_a_providers_own_error_is_told_from_xroads(place: World, legacy: Consumer) -> None:
    place.provider.reply = json_answer({"error": "Method Not Allowed"}, status=405)
    answer = legacy.call(str(SHELF), method="PUT", body=b"{}", fields=[("Content-Type", "application/json")])
    assert (answer.status, answer.is_xroads_own_error) == (405, False)
    assert answer.json() == {"error": "Method Not Allowed"}


@pytest.mark.parametrize(
    ("service", "status", "code"),
    [
        ("VN/GOV/G15/registry/nothing", 500, "server.serverproxy.unknown_service"),
        ("VN/GOV/G15/registry/write", 500, "server.serverproxy.access_denied"),
        (str(CLOSED), 500, "server.serverproxy.service_disabled"),
        ("VN/GOV/G15", 400, "client.target_refused"),
    ],
)
def test_errors_have_xroads_form(legacy: Consumer, service: str, status: int, code: str) -> None:
    """PR-REST §4.6, examples 2 and 3."""
    answer = legacy.call(service)
    assert (answer.status, answer.fields.get("x-road-error")) == (status, code), answer
    assert answer.fields["content-type"].startswith("application/json")
    assert answer.json().keys() == {"type", "message", "detail"}
    assert answer.json()["type"] == code


def test_errors_are_xml_where_that_is_accepted(legacy: Consumer) -> None:
    answer = legacy.call("VN/GOV/G15/registry/nothing", fields=[("Accept", "application/xml")])
    root = ET.fromstring(answer.body)
    assert (root.tag, [child.tag for child in root]) == ("error", ["type", "message", "detail"])
    assert root.findtext("type") == "server.serverproxy.unknown_service"


def test_the_mandatory_header_is_mandatory(legacy: Consumer) -> None:
    answer = legacy.send("GET", f"/r1/{SHELF}")
    assert (answer.status, answer.json()["type"]) == (400, "client.missing_header")


# -- metadata ------------------------------------------------------------------------------------------------------


def test_the_services_of_a_provider(legacy: Consumer) -> None:
    found = legacy.services(PROVIDER)
    assert {"echo", "write", "holding", "permit", "shelf", "closed"} <= found.keys()
    assert not {"listMethods", "allowedMethods", "getOpenAPI", "getWsdl"} & found.keys()
    shelf = found["shelf"]
    assert {name: shelf[name] for name in ("xroad_instance", "member_class", "member_code", "subsystem_code")} == {
        "xroad_instance": "VN",
        "member_class": "GOV",
        "member_code": "G15",
        "subsystem_code": "registry",
    }
    assert (shelf["object_type"], shelf["service_type"]) == ("SERVICE", "OPENAPI")
    assert {"method": "GET", "path": "/books/*"} in shelf["endpoint_list"]
    assert found["echo"]["service_type"] == "REST"


def test_the_services_that_the_caller_may_call(legacy: Consumer) -> None:
    assert legacy.services(PROVIDER, "allowedMethods").keys() == {"echo", "permit", "shelf", "closed"}


def test_metadata_calls_are_calls(place: World, legacy: Consumer) -> None:
    before = place.rows()
    answer = legacy.call(f"{PROVIDER}/listMethods")
    check_usual(answer, f"{PROVIDER}/listMethods")
    request, ended = place.records(before)
    assert (request["kind"], request["purpose"], request["grant"]) == ("request", "metadata", "open:metadata")
    assert request["decision"]["reasons"][1] == "service.open"
    assert ended["kind"] == "answer"


def test_a_services_openapi_description_has_our_address(place: World, legacy: Consumer) -> None:
    described = legacy.call(f"{PROVIDER}/getOpenAPI", query={"serviceCode": "shelf"}).json()
    assert described["servers"] == [{"url": f"{place.site.url}/r1/{SHELF}"}]
    assert described["paths"].keys() == {"/books", "/books/{id}"}
    assert "10.0.0.1" not in str(described)
    made = legacy.call(f"{PROVIDER}/getOpenAPI", query={"serviceCode": "permit"}).json()
    assert made["openapi"].startswith("3.")
    (server,), (path,) = made["servers"], made["paths"]
    assert server["url"] + path == f"{place.site.url}/r1/{PERMIT}"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"serviceCode": "nothing"}, "server.serverproxy.unknown_service"),
        ({}, "server.serverproxy.unknown_service"),
        ({"serviceCode": "listMethods"}, "server.serverproxy.unknown_service"),
        ({"serviceCode": "echo"}, "server.serverproxy.service_type"),
        ({"serviceCode": "closed"}, "server.serverproxy.service_disabled"),
    ],
)
def test_what_has_no_description_is_said_by_its_code(legacy: Consumer, query: dict[str, str], code: str) -> None:
    answer = legacy.call(f"{PROVIDER}/getOpenAPI", query=query)
    assert (answer.status, answer.json()["type"], answer.fields["x-road-error"]) == (500, code, code)


# -- listClients ---------------------------------------------------------------------------------------------------

XRD = "{http://x-road.eu/xsd/xroad.xsd}"
ID = "{http://x-road.eu/xsd/identifiers}"


def anonymous(place: World) -> Consumer:
    return Consumer(place.site.url, "", tls_context(str(place.site.pki.bundle)))


def test_all_clients_are_listed_for_everybody_in_xml(place: World) -> None:
    """PR-META annexes A and C.1."""
    answer = anonymous(place).send("GET", "/listClients")
    assert answer.status == 200
    assert answer.fields["content-type"].startswith("text/xml")
    root = ET.fromstring(answer.body)
    assert root.tag == f"{XRD}clientList"
    members = {}
    for member in root:
        assert member.tag == f"{XRD}member"
        identifier = member.find(f"{XRD}id")
        assert identifier is not None
        parts = tuple(part.text for part in identifier)
        names = [part.tag for part in identifier]
        assert (
            names
            == [f"{ID}{name}" for name in ("xRoadInstance", "memberClass", "memberCode", "subsystemCode")][: len(names)]
        )
        assert identifier.get(f"{ID}objectType") == ("MEMBER" if len(parts) == 3 else "SUBSYSTEM")
        members[parts] = (member.findtext(f"{XRD}name"), member.findtext(f"{XRD}subsystemName"))
    assert members["VN", "GOV", "H57"] == ("Ủy ban nhân dân thành phố Huế", None)
    assert members["VN", "GOV", "H57", "one-stop"] == ("Ủy ban nhân dân thành phố Huế", "Một cửa Huế")
    assert members["VN", "GOV", "H59"] == ("Lai Châu & <Điện Biên>", None)


def test_all_clients_are_listed_in_json(place: World) -> None:
    answer = anonymous(place).send("GET", "/listClients?xRoadInstance=VN", [("Accept", "application/json")])
    assert answer.fields["content-type"].startswith("application/json")
    assert {
        "id": {
            "member_class": "GOV",
            "member_code": "H57",
            "subsystem_code": "one-stop",
            "object_type": "SUBSYSTEM",
            "xroad_instance": "VN",
        },
        "name": "Ủy ban nhân dân thành phố Huế",
        "subsystem_name": "Một cửa Huế",
    } in answer.json()["member"]


def test_nobody_is_known_of_another_instance(place: World) -> None:
    caller = anonymous(place)
    assert caller.send("GET", "/listClients?xRoadInstance=EE", [("Accept", "application/json")]).json() == {
        "member": []
    }
    assert caller.send("GET", "/listClients?xRoadInstance=VN&xRoadInstance=EE").status == 400
    assert caller.send("GET", "/listClients?" + "a=b&" * 20).status == 400
