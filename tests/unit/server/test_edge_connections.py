"""The callers' listener: connections, overload, pipelining, bodies that wait, and what is no exchange."""

import threading

import pytest
import requests

from gateway.client.call import Call
from tests.support.exchanges import STATED, Caller, fields_of, json_answer, office
from tests.support.gateways import ECHO, PORTAL

SETTINGS = "[capacity]\nin_flight = 2\n[timeouts]\nbody = 0.4\nhead = 0.5\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with office(tmp_path_factory.mktemp("edge"), extra=SETTINGS) as made:
        yield made


@pytest.fixture(autouse=True)
def _told(place):
    place.provider.reply = json_answer({"ok": True})


def test_connection_serves_one_exchange_after_the_other(place):
    with place.connect() as wire:
        for _ in range(5):
            wire.send(place.message().encode())
            assert wire.answer().status == 200


def test_pipelined_requests_are_answered_in_order(place):
    place.provider.reply = lambda received: json_answer({"at": received.path})
    with place.connect() as wire:
        wire.send(b"".join(place.message(method="GET", path=f"/{number}").encode() for number in range(4)))
        assert [wire.answer().json()["at"] for _ in range(4)] == [f"/echo/{number}" for number in range(4)]


def test_body_is_asked_for_where_the_caller_waits_for_it(place):
    message = place.message(added=(("Expect", "100-continue"),))
    head, _, body = message.encode().partition(b"\r\n\r\n")
    with place.connect() as wire:
        wire.send(head + b"\r\n\r\n")
        assert wire.answer().status == 100
        wire.send(body)
        assert wire.answer().status == 200
    assert place.provider.last.header("Expect") is None


def test_body_that_does_not_come_is_not_waited_for_for_ever(place):
    message = place.message()
    head, _, body = message.encode().partition(b"\r\n\r\n")
    with place.connect() as wire:
        wire.send(head + b"\r\n\r\n" + body[:3])
        got = wire.answer()
        assert (got.status, got.code) == (408, "client.timeout")
        assert fields_of(got)["connection"] == "close"
        assert wire.rest() == b""
    place.accepts(message)  # nothing of it was used up


def test_half_a_body_is_no_message(place):
    before = place.forwarded
    with place.connect() as wire:
        head, _, body = place.message().encode().partition(b"\r\n\r\n")
        wire.send(head + b"\r\n\r\n" + body[:3])
        wire.half_close()
        assert b"200" not in wire.rest()[:20]
    assert place.forwarded == before


def test_head_that_does_not_come_closes_the_connection(place):
    with place.connect() as wire:
        wire.send(b"GET /r1/ HTTP/1.1\r\nHost")
        assert b"200" not in wire.rest()[:20]


def test_overload_is_told_at_once_and_costs_nothing(place):
    gate = threading.Event()

    async def held():
        import asyncio  # noqa: PLC0415 - on the provider's loop only

        while not gate.is_set():  # noqa: ASYNC110 - set from another thread
            await asyncio.sleep(0.005)
        return json_answer({"ok": True})

    place.provider.reply = lambda _: held()
    before = place.forwarded
    wires = [place.connect() for _ in range(2)]
    for wire in wires:
        wire.send(place.message().encode())
    while place.forwarded < before + 2:
        pass
    rows = place.rows()
    got = place.send(place.message())
    assert (got.status, got.code, fields_of(got)["retry-after"]) == (503, "server.clientproxy.overloaded", "1")
    assert fields_of(got)["connection"] == "close"
    assert place.rows() == rows
    assert place.counted("server.clientproxy.overloaded") == 1
    gate.set()
    assert [wire.answer().status for wire in wires] == [200, 200]
    for wire in wires:
        wire.__exit__()
    place.accepts(place.message())
    assert place.gateway.edge.in_flight == 0


@pytest.mark.parametrize("path", ["/", "/r1", "/r1/", "/r2/VN/GOV/H24/portal/x", "/index.html", "/r1/a/b"])
def test_what_is_no_service_is_refused_in_x_roads_form(place, path):
    got = requests.get(place.site.url + path, headers={"X-Road-Client": str(PORTAL)}, timeout=5)
    assert got.status_code == 400
    assert got.json()["type"] in {"client.not_found", "client.target_refused", "client.invalid_protocol_version"}


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "get"])
def test_other_methods_are_refused(place, method):
    with place.connect() as wire:
        wire.send(f"{method} /r1/{ECHO} HTTP/1.1\r\nHost: 127.0.0.1:{place.site.port}\r\n\r\n".encode())
        got = wire.answer(method)
        assert got.status >= 400
        assert got.code in {"client.invalid_http_method", "client.bad_header", "client.target_refused"}


def test_server_names_no_versions(place):
    got = requests.get(place.site.url + "/r1/x", timeout=5)
    assert got.headers["Server"] == "motlan"


def test_two_signed_protocols_at_once_are_refused(place):
    message = place.message(added=(("Motlan-JWS", "e30.e30.AA"),))
    place.refuses(message, "client.bad_header", 400, recorded=False)


def test_calls_at_once_do_not_mix(place):
    place.provider.reply = lambda received: json_answer({"at": received.path})
    caller = Caller(place)
    results = {}

    def ask(number):
        call = Call(service=ECHO, method="GET", path=f"/n{number}", purpose=STATED)
        results[number] = caller.send(call).json()["at"]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: f"/echo/n{number}" for number in range(2)}
