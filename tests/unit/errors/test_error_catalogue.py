"""The catalogue of errors: complete, unique, in both languages, and documented."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.model.errors import ErrorKind, Fault, Text
from gateway.model.errors.catalogue import AREAS, BY_CODE, KINDS

ROOT = Path(__file__).parents[3]


def test_every_code_is_used_once():
    codes = [kind.code for kind in KINDS]
    assert sorted(codes) == sorted(set(codes))
    assert len(BY_CODE) == len(KINDS)


def test_every_area_has_kinds():
    assert {"request", "policy", "gateway", "config", "trust"} <= set(AREAS)
    assert all(AREAS.values())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_texts_stand_in_both_languages(kind):
    for text in (kind.title, kind.next):
        assert text.en.strip()
        assert text.vi.strip()
        assert text.en != text.vi
    assert re.search(r"[^\x00-\x7f]", kind.title.vi), "a Vietnamese text has diacritics"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_status_agrees_with_fault(kind):
    assert 400 <= kind.status < 600
    if kind.fault is Fault.GATEWAY and kind.code.startswith("client."):
        pytest.fail("a client code for a fault of ours")
    if kind.code.startswith("client."):
        assert kind.status < 500


@pytest.mark.parametrize(
    ("code", "legacy"),
    [
        ("server.serverproxy.access_denied", "Server.ServerProxy.AccessDenied"),
        ("server.serverproxy.unknown_service", "Server.ServerProxy.UnknownService"),
        ("server.serverproxy.service_disabled", "Server.ServerProxy.ServiceDisabled"),
        ("server.clientproxy.internal_error", "Server.ClientProxy.InternalError"),
        ("server.clientproxy.malformed_server_conf", "Server.ClientProxy.MalformedServerConf"),
        ("client.missing_header", "Client.MissingHeader"),
        ("client.duplicate_header_field", "Client.DuplicateHeaderField"),
        ("client.invalid_http_method", "Client.InvalidHttpMethod"),
        ("client.invalid_content_type", "Client.InvalidContentType"),
    ],
)
def test_codes_of_x_road_have_their_older_names(code, legacy):
    assert BY_CODE[code].legacy_code == legacy


def test_an_irregular_older_name_can_be_given():
    kind = ErrorKind(
        code="server.clientproxy.io_error",
        legacy="Server.ClientProxy.IOError",
        status=500,
        fault=Fault.GATEWAY,
        title=Text("a", "á"),
        next=Text("b", "ế"),
    )
    assert kind.legacy_code == "Server.ClientProxy.IOError"


def test_a_code_in_another_spelling_cannot_be_made():
    with pytest.raises(ValueError, match="not an X-Road error code"):
        ErrorKind(code="Client.Bad", status=400, fault=Fault.CALLER, title=Text("a", "á"), next=Text("b", "ế"))


def test_the_page_of_errors_is_what_the_generator_writes():
    written = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "make_errors.py"), "--print"], capture_output=True, check=True, cwd=ROOT
    ).stdout
    assert written.decode() == (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), "run docs/make_errors.py"
