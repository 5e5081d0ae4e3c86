"""Providers that misbehave: nothing of theirs passes for the gateway's word, and HEAD and OPTIONS are answered whole."""

from collections.abc import Iterator

import pytest

from adapters.simulators.wire import Answer
from tests.support.attacks import World, world
from tests.support.exchanges import Provider
from tests.support.gateways import RECORD, WRITE
from tests.support.rawhttp import Response

LIMIT = 20_000
IN_MEMORY = 5_000
INVALID = "server.serverproxy.service_failed.invalid_reply"
EVIL = "http://evil.example/"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    limits = f"[limits]\nanswer = {LIMIT}\nmemory = {IN_MEMORY}\n"
    with world(tmp_path_factory.mktemp("site"), provider=Provider(), provider_seconds=0.7, extra=limits) as made:
        yield made


@pytest.fixture
def provider(gate: World) -> Provider:
    assert isinstance(gate.provider, Provider)
    return gate.provider


def fails(gate: World, code: str, status: int, outcome: str, **asked: object) -> Response:
    """The call ends with an error of ours: forwarded, recorded with its end, signed."""
    rows, message = gate.rows(), gate.message(**asked)  # type: ignore[arg-type]
    response = gate.send(message)
    assert (response.code, response.status) == (code, status), response
    assert gate.proof_of(response, message).bound
    assert [(each["kind"], each["outcome"]) for each in gate.records(rows)] == [("request", None), ("answer", outcome)]
    assert response.head.get("motlan-outcome") == outcome
    assert response.head.get("motlan-receipt") == gate.records(rows)[-1]["id"]
    return response


# -- its word is not ours ----------------------------------------------------------------------------------------------

FORGED = {
    "X-Road-Error": "client.forged",
    "X-Road-Id": "forged",
    "X-Road-Client": "VN/GOV/FORGED/x",
    "X-Road-Service": "VN/GOV/FORGED/x/y",
    "X-Road-Request-Id": "forged",
    "X-Road-Request-Hash": "forged",
    "X-Road-Anything": "forged",
    "Motlan-Outcome": "DONE-forged",
    "Motlan-Receipt": "forged",
    "Motlan-Anything": "forged",
    "Content-Digest": "sha-256=:forged==:",
    "Repr-Digest": "sha-256=:forged==:",
    "Signature": "gw=:forged==:",
    "Signature-Input": 'gw=("@status");tag="motlan-response";keyid="forged"',
    "Accept-Signature": 'forged=("@method")',
    "Set-Cookie": "session=forged",
    "Server": "forged/1.0",
    "Strict-Transport-Security": "max-age=1;forged",
    "Alt-Svc": 'h3=":443";forged',
    "Keep-Alive": "timeout=1, forged",
    "Proxy-Authenticate": "Basic forged",
    "Trailer": "X-Forged",
    "Upgrade": "forged",
    "X-Hop": "forged",
}


@pytest.mark.parametrize("status", [200, 400, 404, 500])
@pytest.mark.parametrize("lower", [True, False], ids=["lower case", "as it is"])
def test_nothing_of_a_provider_passes_for_the_gateways_word(
    gate: World, provider: Provider, status: int, *, lower: bool
) -> None:
    fields = tuple((name.lower() if lower else name, value) for name, value in FORGED.items())
    provider.reply = Answer(status=status, body=b'{"its":"own"}', headers=(*fields, ("Connection", "X-Hop")))
    message = gate.message()
    response = gate.send(message)
    assert (response.status, response.body) == (status, b'{"its":"own"}')
    assert gate.proof_of(response, message).bound
    assert response.code is None
    assert "forged" not in str(response.head.fields).lower()
    names = [name.lower() for name, _ in response.head.fields]
    assert len(names) == len(set(names))


def test_errors_own_to_a_provider_are_its_and_errors_of_ours_are_ours(gate: World, provider: Provider) -> None:
    """A body in the form of ours is only a body: what counts is the signed X-Road-Error, which it cannot set."""
    lie = b'{"type":"/docs/errors#client.replayed_nonce","code":"client.replayed_nonce","status":409}'
    provider.reply = Answer(status=409, content_type="application/problem+json", body=lie)
    message = gate.message()
    response = gate.send(message)
    assert (response.status, response.code, response.body) == (409, None, lie)
    assert '"x-road-error"' not in (response.head.get("signature-input") or "")
    assert gate.proof_of(response, message).bound


INJECTED = {
    "LF in a value": ("X-A", "a\nX-Road-Error: forged"),
    "CR in a value": ("X-A", "a\rX-Road-Error: forged"),
    "NUL in a value": ("X-A", "a\0forged"),
    "folded value": ("X-A", "a\r\n forged"),
    "space in a name": ("X A", "forged"),
    "two lengths": ("Content-Length", "1"),
    "a coding beside the length": ("Transfer-Encoding", "chunked"),
}


@pytest.mark.parametrize("name", INJECTED)
def test_head_that_could_be_read_in_two_ways_is_no_answer(gate: World, provider: Provider, name: str) -> None:
    provider.reply = Answer(body=b"{}", headers=(INJECTED[name],))
    response = fails(gate, INVALID, 502, "INVALID_REPLY")
    assert "forged" not in str(response.head.fields) + response.body.decode()


def test_answer_smuggled_behind_another_answers_nobody(gate: World, provider: Provider) -> None:
    """What comes behind an answer is not taken for the answer to the next request."""
    behind = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nforged"
    provider.reply = Answer(headers=(("Content-Length", "2"),), content_type=None, pieces=[b"{}", behind])
    for _ in range(3):
        assert gate.send(gate.message()).code == INVALID


UNSIGNABLE = {
    "content type that is not ASCII": Answer(body=b"{}", content_type="text/pl\xe9in"),
    "two content types": Answer(body=b"{}", headers=(("Content-Type", "text/html"),)),
    "two content encodings": Answer(
        body=b"{}", headers=(("Content-Encoding", "identity"), ("Content-Encoding", "identity"))
    ),
}


@pytest.mark.parametrize("name", UNSIGNABLE)
def test_answer_that_cannot_be_signed_is_not_released(gate: World, provider: Provider, name: str) -> None:
    provider.reply = UNSIGNABLE[name]
    fails(gate, "server.serverproxy.answer_unsignable", 502, "INVALID_REPLY")


# -- sizes -------------------------------------------------------------------------------------------------------------

TOO_LARGE = {
    "declared": Answer(body=b"x" * (LIMIT + 1)),
    "streamed with a length": Answer(pieces=[b"x" * 1000] * 21, length=21_000),
    "in chunks": Answer(pieces=[b"x" * 1000] * 21),
    "in one chunk": Answer(pieces=[b"x" * (LIMIT + 1)]),
    "a head of 100 KB": Answer(body=b"{}", headers=tuple((f"X-{number}", "a" * 100) for number in range(1000))),
    "a field of 100 KB": Answer(body=b"{}", headers=(("X-A", "a" * 100_000),)),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_answer_that_is_too_large_is_no_answer(gate: World, provider: Provider, name: str) -> None:
    provider.reply = TOO_LARGE[name]
    fails(gate, INVALID, 502, "INVALID_REPLY")


@pytest.mark.parametrize("size", [0, 1, IN_MEMORY, IN_MEMORY + 1, LIMIT])
@pytest.mark.parametrize("streamed", [True, False])
def test_answer_within_the_limit_passes_whole(gate: World, provider: Provider, size: int, *, streamed: bool) -> None:
    body = b"x" * size
    provider.reply = Answer(pieces=[body] if size else []) if streamed else Answer(body=body)
    assert gate.accepts(gate.message()).body == body


def test_write_answered_too_largely_may_have_been_done(gate: World, provider: Provider) -> None:
    provider.reply = TOO_LARGE["in chunks"]
    fails(gate, "server.serverproxy.service_failed.end_unknown", 504, "UNKNOWN", service=WRITE)


REDIRECTS = [301, 302, 303, 307, 308]


@pytest.mark.parametrize("status", REDIRECTS)
def test_redirect_is_not_followed_and_not_passed_on(gate: World, provider: Provider, status: int) -> None:
    provider.reply = Answer(status=status, body=b"{}", headers=(("Location", EVIL),))
    response = fails(gate, INVALID, 502, "INVALID_REPLY")
    assert EVIL not in str(response.head.fields) + response.body.decode()


@pytest.mark.parametrize("status", [100, 101, 600, 999])
def test_status_that_ends_nothing_is_no_answer(gate: World, provider: Provider, status: int) -> None:
    provider.reply = Answer(status=status, body=b"{}")
    fails(gate, INVALID, 502, "INVALID_REPLY")


# -- HEAD and OPTIONS --------------------------------------------------------------------------------------------------


def test_head_is_answered_without_a_body_and_verifies(gate: World, provider: Provider) -> None:
    provider.reply = Answer(body=b"{}")
    response = gate.accepts(gate.message(method="HEAD"))
    assert response.body == b""
    assert provider.last.method == "HEAD"


def test_refused_head_has_no_body_but_says_why_and_verifies(gate: World) -> None:
    unproved = gate.message(method="HEAD", keyid='"unknown"')
    proved = gate.message(method="HEAD", service=RECORD)
    for message, code, status in (
        (unproved, "client.unknown_key", 401),
        (proved, "server.serverproxy.method_not_granted", 403),
    ):
        with gate.connect() as wire:
            wire.send(message.having(("Connection", "close")).encode())
            answer = wire.answer("HEAD")
            assert (answer.status, answer.code) == (status, code)
            assert wire.rest() == b""
        assert gate.proof_of(answer, message).bound


def test_head_answered_wrongly_is_signed_too(gate: World, provider: Provider) -> None:
    provider.reply = Answer(status=302, headers=(("Location", EVIL),))
    message = gate.message(method="HEAD")
    response = gate.send(message)
    assert (response.status, response.code) == (502, INVALID)
    assert gate.proof_of(response, message).bound


def test_options_is_a_call_like_any_other(gate: World, provider: Provider) -> None:
    provider.reply = Answer(body=b"", headers=(("Allow", "GET"),), content_type=None)
    response = gate.accepts(gate.message(method="OPTIONS"))
    assert response.head.get("allow") == "GET"
    gate.refuses(
        gate.message(method="OPTIONS", service=RECORD), "server.serverproxy.method_not_granted", 403, recorded=True
    )


def test_options_without_a_signature_tells_a_browser_nothing(gate: World) -> None:
    """No preflight is answered: nothing here is for pages of other origins."""
    message = gate.message(method="OPTIONS").having(("Origin", EVIL), signature=None, signature_input=None)
    response = gate.send(message)
    assert response.code == "client.signature_missing"
    assert not [name for name, _ in response.head.fields if name.lower().startswith("access-control-")]
