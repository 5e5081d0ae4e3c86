"""What must stay inside: no personal data and no payload in logs, metrics and error texts; no metrics for callers."""

import json
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.simulators.wire import Answer
from tests.support.attacks import World, world
from tests.support.exchanges import HOLDING, Provider
from tests.support.gateways import ECHO, RECORD, WRITE
from tests.support.rawhttp import Message, Wire, send_all
from tests.support.served import outside, serving

PERSON = "031190007654"
OFFICER = "canbo-doanvanhau"
CASE = "H26-HS-770077"
NAME = "Đoàn Thị Mốc"
KEY = "idempotency-of-770078"
PAYLOAD = "payload-770079"
MARKERS = (PERSON, OFFICER, CASE, NAME, "Mốc", "M\\u1ed1c", KEY, PAYLOAD)

_NAMED: dict[str, str | None] = {"X-Road-UserId": OFFICER, "X-Road-Issue": CASE}


def attacks(world: World) -> Iterator[Message]:
    """Requests with the markers in every place, most of them refused."""
    body = json.dumps({"full_name": NAME, "identity_number": PERSON, "x": PAYLOAD}, ensure_ascii=False).encode()
    echo = {"fields": _NAMED, "body": body}
    yield world.message(**echo)
    yield (replayed := world.message(**echo))
    yield replayed
    yield world.message(service=RECORD, body=body, fields=_NAMED)
    yield world.message(service=RECORD, body=body[:-1], fields=_NAMED)
    yield world.message(service=RECORD, body=b'{"%s":1,"%s":2}' % (PERSON.encode(), PERSON.encode()))
    yield world.message(service=RECORD, body=json.dumps({PERSON: NAME}).encode())
    yield world.message(body=b'{"x":1e999,"y":"' + NAME.encode() + b'"}')
    yield world.message(body=NAME.encode("utf-16"))
    yield world.message(method="GET", path=f"/{PERSON}")
    yield world.message(method="GET", path=f"?id={PERSON}&name={PAYLOAD}")
    yield world.message(method="GET", path=f"/../{PERSON}")
    yield world.message(method="GET", path=f"/{PAYLOAD}/%zz")
    yield world.message(service=f"VN/GOV/G15/registry/{PERSON}")
    yield world.message(service=f"VN/GOV/{PERSON}")
    yield world.message(fields={"X-Road-Client": f"VN/GOV/H24/{PERSON}"})
    yield world.message(fields={"X-Road-Client": PERSON})
    yield world.message(fields={"Motlan-Purpose": f'"{PERSON}"'})
    yield world.message(fields={"Motlan-Purpose": PERSON})
    yield world.message(fields={"X-Road-UserId": f"{OFFICER}\xe9"})
    yield world.message(fields={"Idempotency-Key": KEY * 20})
    yield world.message(fields={"Content-Digest": PAYLOAD})
    yield world.message(fields={"Host": f"{PERSON}.example"})
    yield world.message(fields=_NAMED, keyid=f'"{PERSON}"')
    yield world.message(fields=_NAMED, nonce=f'"{PERSON}"')
    yield world.message(fields=_NAMED, alg=f'"{PERSON}"')
    yield world.message(fields=_NAMED, tag=f'"{PERSON}"')
    yield world.message(label=f"a{PERSON}", fields=_NAMED, left_out=["x-road-userid"])
    yield world.message(fields=_NAMED).having(signature=PERSON)
    yield world.message(fields=_NAMED).having(signature_input=f"sig1={PERSON}")
    yield world.message(fields=_NAMED).having(body=body)
    yield world.message(fields=_NAMED).having(("X-Road-UserId", OFFICER))
    yield world.message(fields=_NAMED).at(f"http://{PERSON}.example/r1/")
    yield world.message(service=WRITE, fields={**_NAMED, "Idempotency-Key": KEY}, body=body)
    yield world.message(service=WRITE, fields={**_NAMED, "Idempotency-Key": KEY}, body=b"{}")
    yield world.message(fields={**_NAMED, "X-Road-Id": CASE})
    yield world.message(fields={**_NAMED, "X-Road-Id": CASE})


BROKEN = (
    f"GET /{PERSON} HTTP/1.1\r\nHost: {PERSON}\r\nX-A : {PERSON}\r\n\r\n",
    f"GET /{PERSON} HTTP/1.1\r\nX-A: {PERSON}\r\n {PERSON}\r\n\r\n",
    f"POST /{PERSON} HTTP/1.1\r\nHost: x\r\nContent-Length: {PERSON}x\r\n\r\n",
    f"{PERSON}\r\n\r\n",
    f"GET /{PERSON} HTTP/2.0\r\nHost: x\r\n\r\n",
    f"GET /{'x' * 9000}{PERSON} HTTP/1.1\r\nHost: x\r\n\r\n",
)

_OWN = json.dumps({"owner": {"identity_number": PERSON, "full_name": NAME}, "note": PAYLOAD}).encode()
REPLIES = (
    Answer(body=_OWN[:-1]),
    Answer(body=b'{"owner":"' + NAME.encode() + b'"}'),
    Answer(body=_OWN, headers=(("X-A", f"{PERSON}\0"),)),
    Answer(body=_OWN, content_type=f"text/{NAME}".encode().decode("latin-1")),
    Answer(body=_OWN, cut=20),
    Answer(status=302, body=_OWN, headers=(("Location", f"/{PERSON}"),)),
    Answer(drop=True),
    Answer(body=b"x", headers=(("Transfer-Encoding", PERSON),)),
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Everything that a served gateway said while it was attacked: by where it said it."""
    folder: Path = tmp_path_factory.mktemp("site")
    errors: list[str] = []
    with outside(folder, admin=True) as made, serving(made.site) as process:
        for message in attacks(made):
            response = made.send(message)
            if response.code is not None:
                errors.append(response.body.decode())
        for text in BROKEN:
            with made.connect() as wire:
                send_all(wire, text.encode())
                errors.append(wire.rest().decode())
        assert isinstance(made.provider, Provider)
        for reply in REPLIES:
            made.provider.reply = reply
            response = made.send(
                made.message(service=HOLDING, fields=_NAMED, body=b'{"identity_number":"%s"}' % PERSON.encode())
            )
            assert response.code is not None, response
            errors.append(response.body.decode())
        metrics = _get(_admin(made), "/metrics")
        process.signal(signal.SIGHUP)
        process.until("reloaded")
        process.signal(signal.SIGTERM)
        assert process.wait() == 0
    return {"errors": "\n".join(errors), "metrics": metrics, "log": "".join(process.said)}


def _admin(made: World) -> str:
    lines = made.site.config.read_text().partition("[admin]")[2].splitlines()
    port = next(line.partition("= ")[2] for line in lines if line.startswith("port"))
    return f"http://127.0.0.1:{port}"


def _get(url: str, path: str) -> str:
    with urllib.request.urlopen(url + path, timeout=10) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize("where", ["errors", "metrics", "log"])
def test_nothing_of_a_person_or_a_payload_is_told(told: dict[str, str], where: str) -> None:
    assert told[where]
    found = {marker: line for marker in MARKERS for line in told[where].splitlines() if marker in line}
    assert found == {}


def test_what_happened_is_told_all_the_same(told: dict[str, str]) -> None:
    for code in ("client.bad_json", "client.person_in_url", "client.replayed_nonce", "client.bad_header"):
        assert f'code="{code}"' in told["metrics"]
        assert code in told["errors"]
    assert "serving" in told["log"]


def test_metrics_have_labels_of_the_configuration_only(told: dict[str, str]) -> None:
    """However many claims are made, there are no more lines."""
    services = {line.partition('service="')[2].partition('"')[0] for line in told["metrics"].splitlines()} - {""}
    assert services == {str(ECHO), str(WRITE)}


# -- two listeners -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("site"), admin=True) as made:
        yield made


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz", "/metrics/", "/admin", "/debug", "/console"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_callers_listener_has_nothing_of_the_operators(gate: World, path: str, method: str) -> None:
    data = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{gate.site.port}\r\nAccept: */*\r\n\r\n"
    with gate.connect() as wire:
        wire.send(data.encode())
        response = wire.answer(method)
    assert response.code == "client.not_found"
    assert b"motlan_" not in response.body


@pytest.mark.parametrize("path", ["/r1/VN/GOV/G15/registry/echo", "/log/checkpoint", "/v1/prefill", "/", "/console/"])
def test_operators_listener_takes_no_calls(gate: World, path: str) -> None:
    rows, forwarded = gate.rows(), gate.forwarded
    with _operators(gate) as wire:
        wire.send(gate.message(method="GET").at(path).encode())
        assert wire.answer().status == 404
    assert (gate.rows(), gate.forwarded) == (rows, forwarded)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_operators_listener_answers_the_operator(gate: World, path: str) -> None:
    assert _get(gate.gateway.admin_url or "", path)


def test_operators_listener_refuses_broken_bytes_without_quoting_them(gate: World) -> None:
    with _operators(gate) as wire:
        wire.send(f"GET /metrics HTTP/1.1\r\nX-A : {PERSON}\r\n\r\n".encode())
        response = wire.answer()
        assert response.status == 400
        assert PERSON.encode() not in response.body + wire.rest()


def _operators(gate: World) -> Wire:
    assert gate.gateway.admin_url is not None
    return Wire(int(gate.gateway.admin_url.rpartition(":")[2]))


def test_public_log_shows_hashes_only(gate: World) -> None:
    """After calls with markers: nothing of them is among what anybody may fetch."""
    gate.accepts(gate.message(fields=_NAMED, body=json.dumps({"n": PERSON}).encode()))
    gate.until(lambda: gate.gateway.sequencer.size == gate.rows())
    for path in ("/log/checkpoint", f"/log/tile/entries/000.p/{gate.rows()}", f"/log/tile/0/000.p/{gate.rows()}"):
        with gate.connect() as wire:
            wire.send(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{gate.site.port}\r\n\r\n".encode())
            response = wire.answer()
        assert response.status == 200
        assert not [marker for marker in MARKERS if marker.encode() in response.body]
        assert b"VN/GOV" not in response.body


TILES = ["../checkpoint", "tile/0/../../x", "tile/0/%2e%2e", "tile/0/-1", "tile/64/000", "tile/0/1", "tile/0/000.p/0",
         "tile/0/000.p/257", "tile/0/x000", "tile/entries/x001/000", "tile//000", "", "checkpoint/", "\xe1"]  # fmt: skip


@pytest.mark.parametrize("path", TILES)
def test_public_log_serves_nothing_else(gate: World, path: str) -> None:
    with gate.connect() as wire:
        wire.send(f"GET /log/{path} HTTP/1.1\r\nHost: 127.0.0.1:{gate.site.port}\r\n\r\n".encode("latin-1"))
        assert wire.answer().status in {400, 404}
