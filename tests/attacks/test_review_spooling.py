"""Who has proved nothing costs neither disk nor much memory, however large the body that it announces."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.storage.spool import SpoolWriter
from tests.support.attacks import World, world
from tests.support.gateways import OTHER, STRANGER
from tests.support.rawhttp import Message, Response

MEGABYTE = 1024 * 1024
HUGE = 200 * MEGABYTE


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("spooling")
    with world(folder) as made:
        yield made


@pytest.fixture
def spools(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many spools were opened."""
    opened: list[int] = []
    real = SpoolWriter.__init__

    def counted(self: SpoolWriter, *given: object, **more: object) -> None:
        opened.append(1)
        real(self, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(SpoolWriter, "__init__", counted)
    return opened


def begin(gate: World, message: Message, body: bytes, *, chunked: bool) -> Response:
    """Announce a huge body, send the beginning of it, and wait for an answer."""
    framing = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(HUGE))
    head = message.encode(framing=(framing,)).removesuffix(message.body)
    with gate.connect() as wire:
        wire.send(head)
        wire.send(b"%x\r\n%b\r\n" % (len(body), body) if chunked else body)
        answer = wire.answer()
        assert wire.rest() == b""  # the connection is closed
        return answer


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Signature": "sig1=:" + "A" * 86 + "==:"}, "client.signature_invalid"),
        ({"Signature": None, "Signature-Input": None}, "client.signature_missing"),
        ({"X-Road-Client": str(OTHER)}, "client.key_of_another_subsystem"),
        ({"Host": "elsewhere.example"}, "client.misdirected"),
    ],
    ids=["signature", "unsigned", "client", "host"],
)
def test_unproved_body_is_not_kept(
    gate: World, spools: list[int], change: dict[str, Any], code: str, *, chunked: bool
) -> None:
    message = gate.message().having(**{name.replace("-", "_"): value for name, value in change.items()})
    rows, counted = gate.rows(), gate.counted(code)
    answer = begin(gate, message, b"x" * 70_000, chunked=chunked)
    assert answer.code == code
    gate.proof_of(answer, message)
    assert not spools
    assert gate.rows() == rows
    assert gate.counted(code) == counted + 1


def test_unproved_body_is_not_asked_for(gate: World) -> None:
    """No 100 Continue before the proof."""
    message = gate.message(client=STRANGER).having(Signature="sig1=:AAAA:")
    with gate.connect() as wire:
        framing = (("Content-Length", str(HUGE)), ("Expect", "100-continue"))
        wire.send(message.encode(framing=framing).removesuffix(message.body))
        assert wire.answer().status == 401


@pytest.mark.parametrize("size", [65_537, 2 * MEGABYTE])
def test_proved_body_passes(gate: World, spools: list[int], size: int) -> None:
    message = gate.message(body=b"x" * size, fields={"Content-Type": "application/octet-stream"})
    gate.accepts(message)
    assert bool(spools) == (size > MEGABYTE)


def test_tampered_large_body_is_refused(gate: World) -> None:
    message = gate.message(body=b"x" * (2 * MEGABYTE), fields={"Content-Type": "application/octet-stream"})
    gate.refuses(message.having(body=b"y" * (2 * MEGABYTE)), "client.digest_mismatch", 400, recorded=True)


def test_a_used_head_before_a_huge_body(gate: World, spools: list[int]) -> None:
    """Whoever caught one may not fill the disk behind it."""
    used = gate.message()
    gate.accepts(used)
    rows, counted = gate.rows(), gate.counted("client.replayed_nonce")
    answer = begin(gate, used, b"x" * 70_000, chunked=True)
    assert answer.code == "client.replayed_nonce"
    assert not spools
    assert gate.rows() == rows
    assert gate.counted("client.replayed_nonce") == counted + 1
