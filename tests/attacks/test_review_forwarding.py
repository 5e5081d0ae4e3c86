"""What was decided is what the provider gets to see: no second method, path, caller or segment beside it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.attacks import World
from tests.support.exchanges import HOLDING, USUAL, Provider, json_answer, office, records
from tests.support.gateways import BASIS, ECHO, PURPOSE, STRANGER, WRITE

NUMBER = "031190001234"
_STEPS = f"""
[[grant]]
name = "portal-steps"
client = "{STRANGER}"
service = "{USUAL}"
methods = ["GET"]
paths = ["/cases/*", "/open/*/state"]
fields = ["*"]
purpose = [{{ code = "{PURPOSE}", bases = ["{BASIS}"] }}]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("forwarding")
    with office(folder, grants=_STEPS) as made:
        yield made


@pytest.fixture
def provider(place: World) -> Provider:
    told = place.provider
    assert isinstance(told, Provider)
    told.reply = json_answer({"owner": {"full_name": "An"}})
    return told


@pytest.mark.parametrize(
    "name",
    [
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-Original-Method",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Prefix",
        "X-Forwarded-Client-Cert",
        "Forwarded",
        "X-Real-IP",
        "X_Road_UserId",
        "X_Road_Client",
        "X-Road_UserId",
        "Motlan_Receipt",
    ],
)
def test_signed_field_that_says_otherwise_than_was_decided_is_not_forwarded(
    place: World, provider: Provider, name: str
) -> None:
    """Frameworks take the method or URL from the first, and what CGI, WSGI and PHP make of ``X_Road`` is ``X-Road``."""
    message = place.message(fields={name: "DELETE", "X-Road-UserId": "officer-1", "X-Plain": "kept"})
    place.accepts(message)
    names = {each.lower() for each, _ in provider.last.headers}
    assert name.lower() not in names
    assert {"x-road-userid", "x-plain"} <= names


@pytest.mark.parametrize("path", ["/cases/12", "/open/7/state", "/cases/a%20b", "/cases/100%25"])
def test_one_step_of_a_granted_path_is_one_segment(place: World, provider: Provider, path: str) -> None:
    place.accepts(place.message(method="GET", service=USUAL, client=STRANGER, path=path))
    assert provider.last.target == f"/usual{path}"


@pytest.mark.parametrize(
    "path",
    ["/cases/12%2Fsealed", "/cases/12%2fsealed", "/cases/12%252Fsealed", "/cases/12%25252fsealed", "/open/7%2f8/state"],
)
def test_encoded_slash_does_not_pass_for_one_step(place: World, provider: Provider, path: str) -> None:
    """Many servers decode a path before they route it: there ``/cases/12%2Fsealed`` is ``/cases/12/sealed``."""
    seen = len(provider.seen)
    response = place.send(place.message(method="GET", service=USUAL, client=STRANGER, path=path))
    assert response.status in {400, 403, 405}
    assert len(provider.seen) == seen


ASKED = json.dumps({"identity_number": NUMBER}).encode()


def test_persons_asked_about_are_recorded(place: World, provider: Provider) -> None:
    place.accepts(place.message(service=HOLDING, body=ASKED))
    assert records(place.site)[-2].all("person") == [NUMBER]
    assert provider.seen


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", ASKED),
        ("application/x-www-form-urlencoded", f"identity_number={NUMBER}".encode()),
        (None, ASKED),
        ("application/json", ASKED + b" " * (1024 * 1024)),
    ],
    ids=["text", "form", "untyped", "spooled"],
)
def test_nobody_is_asked_about_unseen(place: World, provider: Provider, content_type: str | None, body: bytes) -> None:
    """A service whose records name the persons asked about takes only what they can be read from."""
    seen = len(provider.seen)
    message = place.message(service=HOLDING, body=body, fields={"Content-Type": content_type})
    response = place.send(message)
    assert (response.status, response.code) == (415, "client.invalid_content_type")
    assert len(provider.seen) == seen


def test_services_that_name_nobody_take_any_content(place: World, provider: Provider) -> None:
    for service in (ECHO, WRITE):
        place.accepts(place.message(service=service, body=b"x", fields={"Content-Type": "text/plain"}))


@pytest.mark.parametrize(
    "path",
    [
        f"/{NUMBER}",
        f"/by-number?id={NUMBER}&x=1",
        f"/%30{NUMBER[1:]}",
        f"/%2530{NUMBER[1:]}",
        f"/x?a={NUMBER}&b={NUMBER}",
    ],
)
def test_persons_asked_about_in_a_url_are_found_too(place: World, provider: Provider, path: str) -> None:
    """Where a service lets them stand there, the log is searched by them as by those in a body."""
    place.accepts(place.message(method="GET", service=USUAL, path=path))
    request = records(place.site)[-2]
    assert request.all("person") == [NUMBER]
    assert NUMBER not in json.dumps(request.skeleton)
