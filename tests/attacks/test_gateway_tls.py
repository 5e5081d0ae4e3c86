"""The callers' TLS listener: nothing but TLS 1.2 and later, in time; what is behind it is attacked as without it."""

import socket
import ssl
import time
from collections.abc import Iterator

import pytest

from tests.support.attacks import World, world
from tests.support.rawhttp import Wire

HEAD_SECONDS = 0.5


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("site"), tls=True, extra=f"[timeouts]\nhead = {HEAD_SECONDS}\n") as made:
        yield made


def context(gate: World) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(gate.site.pki.bundle))


def test_messages_are_taken_and_refused_over_tls(gate: World) -> None:
    message = gate.message()
    with gate.connect() as wire:
        wire.secure(context(gate))
        for code in (None, "client.replayed_nonce"):
            wire.send(message.encode())
            response = wire.answer()
            assert response.code == code
            assert gate.proof_of(response, message).bound
    assert gate.forwarded == 1


@pytest.mark.parametrize("data", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01"])
def test_handshake_that_does_not_come_is_cut_off(gate: World, data: bytes) -> None:
    start = time.monotonic()
    with gate.connect() as wire:
        wire.send(data)
        assert wire.rest() == b""
    assert time.monotonic() - start < HEAD_SECONDS + 1.5


def test_head_that_does_not_come_behind_a_handshake_is_cut_off(gate: World) -> None:
    start = time.monotonic()
    with gate.connect() as wire:
        wire.secure(context(gate))
        wire.send(b"GET / HTTP/1.1\r\n")
        assert wire.rest() == b""
    assert time.monotonic() - start < HEAD_SECONDS + 1.5


def test_plain_http_gets_no_answer(gate: World) -> None:
    forwarded = gate.forwarded
    with gate.connect() as wire:
        wire.send(gate.message().encode())
        assert b"HTTP/1" not in _all(wire)
    assert gate.forwarded == forwarded


def _all(wire: Wire) -> bytes:
    try:
        return wire.rest()
    except OSError:
        return b""


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_is_refused(gate: World, version: ssl.TLSVersion) -> None:
    old = context(gate)
    old.minimum_version = old.maximum_version = version
    old.set_ciphers("ALL:@SECLEVEL=0")
    with gate.connect() as wire, pytest.raises(ssl.SSLError):
        wire.secure(old)


def test_certificate_for_another_name_is_the_clients_to_refuse(gate: World) -> None:
    with (
        socket.create_connection(("127.0.0.1", gate.site.port), timeout=5) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context(gate).wrap_socket(plain, server_hostname="evil.example")
