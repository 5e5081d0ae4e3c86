"""What leaves by side doors: header fields beside a minimised body, and what callers write into the permanent log."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.simulators.wire import Answer
from gateway.model.ids import SubsystemId
from tests.support.attacks import World
from tests.support.exchanges import HOLDING, Record, json_answer, office, records
from tests.support.gateways import ECHO, OTHER, PORTAL

NUMBER = "031190001234"
WHOLE = {"owner": {"identity_number": NUMBER, "full_name": "Đặng Thị Êm"}, "area": 1.5}
TELLING = (
    ("X-Citizen", NUMBER),
    ("ETag", f'"{NUMBER}"'),
    ("Link", f"</persons/{NUMBER}>; rel=canonical"),
    ("Location", f"/persons/{NUMBER}"),
    ("Content-Location", f"/persons/{NUMBER}"),
    ("Set-Cookie", f"who={NUMBER}"),
    ("Content-Language", "vi"),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("disclosure")
    with office(folder) as made:
        yield made


def last(place: World) -> Record:
    return records(place.site)[-1]


def all_header_text(fields: tuple[tuple[str, str], ...]) -> str:
    return " ".join(f"{name}: {value}" for name, value in fields)


def test_header_fields_do_not_carry_what_the_grant_withholds(place: World) -> None:
    place.provider.reply = json_answer(WHOLE, headers=TELLING)  # type: ignore[attr-defined]
    response = place.accepts(place.message(service=HOLDING))
    assert response.json() == {"owner": {"full_name": "Đặng Thị Êm"}, "area": 1.5}
    assert NUMBER not in all_header_text(response.head.fields)
    assert response.head.get("content-type") == "application/json"
    assert response.head.get("content-language") == "vi"


def test_header_fields_of_a_provider_error_do_not_either(place: World) -> None:
    refused = Answer(status=422, body=json.dumps(WHOLE).encode(), headers=TELLING)
    place.provider.reply = refused  # type: ignore[attr-defined]
    response = place.send(place.message(service=HOLDING))
    assert response.status == 422
    assert NUMBER not in all_header_text(response.head.fields)
    assert response.body == b""


def test_whole_grant_still_passes_the_providers_header_fields(place: World) -> None:
    place.provider.reply = json_answer(WHOLE, headers=TELLING)  # type: ignore[attr-defined]
    response = place.accepts(place.message(service=HOLDING, client=OTHER))
    assert response.head.get("x-citizen") == NUMBER
    assert response.head.get("etag") == f'"{NUMBER}"'


def test_service_that_does_not_exist_is_not_named_in_the_public_part(place: World) -> None:
    """A caller that puts a person's number where the service stands would write it where nothing can be erased."""
    message = place.message(service=f"VN/GOV/G15/registry/{NUMBER}")
    response = place.refuses(message, "server.serverproxy.unknown_service", 404, recorded=True)
    record = last(place)
    assert response.head.get("motlan-receipt") == record["id"]
    assert NUMBER not in json.dumps(record.skeleton)
    assert NUMBER in record.shown("target")


def test_purpose_that_is_not_granted_is_not_written_in_the_public_part(place: World) -> None:
    message = place.message(fields={"Motlan-Purpose": f'"check {NUMBER}";basis="ND-63/2024"'})
    assert place.send(message).code == "server.serverproxy.purpose_not_granted"
    record = last(place)
    assert NUMBER not in json.dumps(record.skeleton)
    assert record["service"] == str(ECHO)
    assert record["client"] == str(PORTAL)
    assert record.shown("purpose") == f"check {NUMBER}"


def test_names_of_members_that_a_caller_made_up_are_not_public(place: World) -> None:
    body = json.dumps({"identity_number": {"Đặng Thị Êm": 1, NUMBER: 2}}).encode()
    response = place.send(place.message(service="VN/GOV/G15/registry/record", body=body))
    assert response.code == "client.schema_mismatch"
    skeleton = json.dumps(last(place).skeleton, ensure_ascii=False)
    assert NUMBER not in skeleton
    assert "Đặng" not in skeleton
    assert last(place)["decision"]["reasons"] == ["client.schema_mismatch"]
    assert last(place).shown("parts")


@pytest.mark.parametrize("client", [OTHER, PORTAL])
def test_answer_too_large_to_look_into_is_not_released_unlooked_at(place: World, client: SubsystemId) -> None:
    """Where the records name the persons whose data leaves, an answer's size must not spare it that."""
    padded = json.dumps(WHOLE) + " " * (4 * 1024 * 1024)
    place.provider.reply = json_answer(padded)  # type: ignore[attr-defined]
    response = place.send(place.message(service=HOLDING, client=client))
    assert (response.status, response.code) == (502, "server.serverproxy.service_failed.invalid_reply")
    assert NUMBER.encode() not in response.body


def test_large_answer_of_a_service_without_schema_and_persons_passes_whole(place: World) -> None:
    place.provider.reply = json_answer(json.dumps(WHOLE) + " " * (4 * 1024 * 1024))  # type: ignore[attr-defined]
    assert len(place.accepts(place.message(service=ECHO)).body) > 1024 * 1024
