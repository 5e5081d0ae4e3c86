"""The sidecar: what a plain program sends goes out signed, and only what is proved comes back to it."""

import asyncio
import contextlib
import gzip
import json
import os

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from gateway.client.believed import LOOK_AGAIN, CurrentKeys, KnownGateways, ListedGateways
from gateway.client.session import Client, now, transport
from gateway.client.sidecar import Settings, Sidecar, check_gateway, check_loopback
from gateway.client.signing import Scheme
from gateway.keys.file import load_public_key, load_signing_key
from gateway.model.envelope import Purpose
from gateway.model.errors import ExchangeError
from gateway.model.ids import parse_subsystem
from gateway.model.instant import Instant
from gateway.trust.document import Signers
from tests.support.gateways import free_port, make_site
from tests.support.signed_server import CONTENT, LIES, SignedServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

PORTAL = "VN/GOV/H31/portal"
CITIZEN = "/r1/VN/GOV/G01/population/citizen"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = SignedServer(tmp_path_factory.mktemp("sidecar"))
    made.caller.key_file.chmod(0o600)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _honest(server):
    server.lie = ""
    server.refused.clear()
    server.seen.clear()


@contextlib.asynccontextmanager
async def listening(server, *, gateway=None, soap=None, failed=lambda _: None, **changed):
    """A sidecar on a socket, and a plain program's connection to it."""
    der = server.gateway.certificate.public_bytes(_der())
    settings = Settings(
        gateway=gateway or server.url.origin, subsystem=parse_subsystem(PORTAL), language="en", **changed
    )
    key = load_signing_key(server.caller.key_file, server.caller.certificate_file)
    async with transport(server.ca.certificate_file, seconds=5.0) as http:
        client = Client(
            http, gateway=settings.gateway, subsystem=settings.subsystem, key=key,
            keys=CurrentKeys(KnownGateways((der,)), now), language="en", scheme=Scheme.HTTP_SIGNATURE,
        )  # fmt: skip
        runner = web.ServerRunner(
            web.Server(
                Sidecar(client, settings, soap=soap, failed=failed).handle, access_log=None, auto_decompress=False
            )
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as local:
                yield local
        finally:
            await runner.cleanup()


def _der():
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - a fixture's detail

    return Encoding.DER


@pytest_asyncio.fixture(loop_scope="module")
async def local(server):
    async with listening(server, purpose=Purpose("1.001193", "ND-63/2024"), limit=1000) as http:
        yield http


async def test_plain_request_goes_out_signed_and_the_proved_answer_comes_back(server, local):
    fields = {"X-Road-UserId": "ht.nam", "X-Road-Issue": "H31-1", "Content-Type": "application/json", "Cookie": "a=b"}
    async with local.post(CITIZEN + "/a%2Fb?x=1", data=b'{"a":1}', headers=fields) as answer:
        assert (answer.status, await answer.read()) == (200, CONTENT)
        assert answer.headers["Motlan-Receipt"] == "0199a5f0-0000-7000-8000-000000000002"
        assert "Signature" not in answer.headers
    [(head, content)] = server.seen
    assert server.refused == []
    assert (head.target, content) == (CITIZEN + "/a%2Fb?x=1", b'{"a":1}')
    said = {
        name: head.get(name) for name in ("x-road-client", "x-road-userid", "x-road-issue", "motlan-purpose", "cookie")
    }
    assert said == {
        "x-road-client": PORTAL,
        "x-road-userid": "ht.nam",
        "x-road-issue": "H31-1",
        "motlan-purpose": '"1.001193";basis="ND-63/2024"',
        "cookie": None,
    }


async def test_callers_own_purpose_stands(server, local):
    async with local.get(CITIZEN, headers={"Motlan-Purpose": '"2.000635"'}) as answer:
        assert answer.status == 200
    assert server.seen[0][0].get("motlan-purpose") == '"2.000635"'


@pytest.mark.parametrize("lie", LIES)
async def test_answer_that_is_not_proved_becomes_a_502(server, local, lie):
    server.lie = lie
    async with local.post(CITIZEN, json={"a": 1}) as answer:
        problem = await answer.json(content_type="application/problem+json")
        assert (answer.status, answer.headers["X-Road-Error"]) == (502, problem["code"])
    assert problem["code"].startswith("server.clientproxy.answer_")
    assert "Nguyễn" not in json.dumps(problem, ensure_ascii=False)


async def test_proved_error_of_the_gateway_is_passed_on(server, local):
    server.lie = "error"
    async with local.post(CITIZEN, json={"a": 1}) as answer:
        assert (answer.status, answer.headers["X-Road-Error"]) == (403, "server.serverproxy.access_denied")


REFUSED = {
    "web page": ({"Origin": "https://evil.example"}, 403, "client.sidecar_local_only"),
    "web page without Origin": ({"Sec-Fetch-Site": "cross-site"}, 403, "client.sidecar_local_only"),
    "rebound name": ({"Host": "evil.example"}, 403, "client.sidecar_local_only"),
    "rebound name that looks local": ({"Host": "127.0.0.1.evil.example:80"}, 403, "client.sidecar_local_only"),
    "another's name": ({"X-Road-Client": "VN/GOV/H26/one-stop"}, 400, "client.inconsistent_headers"),
    "no name": ({"X-Road-Client": "x"}, 400, "client.inconsistent_headers"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_no_local_program_sends_is_refused_and_not_signed(server, local, case):
    fields, status, code = REFUSED[case]
    async with local.post(CITIZEN, data=b"{}", headers=fields) as answer:
        assert (answer.status, answer.headers["X-Road-Error"]) == (status, code)
    assert server.seen == []


@pytest.mark.parametrize(
    ("path", "status"), [("/", 404), ("/log/checkpoint", 404), ("/r1/VN/GOV", 400), ("/r2/x", 404)]
)
async def test_other_paths_are_not_signed(server, local, path, status):
    async with local.get(path) as answer:
        assert answer.status == status
    assert server.seen == []


async def test_body_beyond_the_limit_is_refused_whether_announced_or_not(server, local):
    async def pieces():
        for _ in range(20):
            yield b"x" * 100

    for data in (b"x" * 1001, pieces()):
        async with local.post(CITIZEN, data=data) as answer:
            assert (answer.status, answer.headers["X-Road-Error"]) == (413, "client.body_too_large")
    assert server.seen == []


async def test_officer_of_calls_that_name_none(server):
    async with listening(server, officer="cb-9") as http:
        for fields, officer in (({}, "cb-9"), ({"X-Road-UserId": "ht.nam"}, "ht.nam")):
            async with http.get(CITIZEN, headers=fields) as answer:
                assert answer.status == 200
            assert server.seen[-1][0].get("x-road-userid") == officer


async def test_caller_that_waits_to_be_told_to_send_is_told(local):
    """.NET sends ``Expect: 100-continue`` with every POST."""
    host, port = local._base_url.host, local._base_url.port
    reader, writer = await asyncio.open_connection(host, port)
    head = f"POST {CITIZEN} HTTP/1.1\r\nHost: {host}:{port}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    writer.write(head.encode())
    assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"{}")
    assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 200 ")
    writer.close()


async def test_compressed_body_goes_on_as_it_is(server, local):
    data = gzip.compress(b'{"a":1}')
    async with local.post(CITIZEN, data=data, headers={"Content-Encoding": "gzip"}) as answer:
        assert answer.status == 200
    [(head, content)] = server.seen
    assert (head.get("content-encoding"), content) == ("gzip", data)


async def test_own_paths_are_not_for_a_jws(server):
    async with listening(server, needs_service=True) as http, http.post("/v1/prefill", data=b"{}") as answer:
        assert (answer.status, answer.headers["X-Road-Error"]) == (404, "client.not_found")
    assert server.seen == []


async def test_gateway_that_is_not_there_is_a_502(server):
    nowhere = f"https://127.0.0.1:{free_port()}"
    async with listening(server, gateway=nowhere) as http, http.post(CITIZEN, data=b"{}") as answer:
        assert (answer.status, answer.headers["X-Road-Error"]) == (502, "server.clientproxy.gateway_unreachable")


async def test_own_mistakes_are_told_without_their_text(server):
    class Broken:
        async def __call__(self, _head, _body):
            raise RuntimeError("031093271828")

        def fault(self, _head, error):
            return web.Response(status=500, text=error.kind.code)

    told = []
    options = {"soap": Broken(), "failed": told.append}
    async with listening(server, **options) as http, http.post("/soap", data=b"<x/>") as answer:
        assert answer.status == 500
        assert "031093271828" not in await answer.text()
    assert [type(error) for error in told] == [RuntimeError]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "8.8.8.8", "gateway.example", ""])
async def test_listens_on_loopback_only(host):
    with pytest.raises(ValueError, match=r"."):
        check_loopback(host)


async def test_loopback_has_many_names():
    assert [check_loopback(host) for host in ("127.0.0.1", "localhost", "::1", "127.8.9.1")] == [
        "127.0.0.1", "127.0.0.1", "::1", "127.8.9.1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "url", ["http://gateway.example", "https://gateway.example/path", "ftp://x", "gateway.example"]
)
async def test_gateway_is_spoken_to_over_tls(url):
    with pytest.raises(ValueError, match=r"."):
        check_gateway(url)
    assert check_gateway("https://Gateway.example:443/") == "https://gateway.example"


async def test_trust_list_is_looked_at_again_and_never_goes_back(tmp_path):
    first, second = (make_site(_folder(tmp_path, name), "http://127.0.0.1:1") for name in ("a", "b"))
    file, other = (site.folder / "pki/trust/list.jws" for site in (first, second))
    signers = Signers(required=2, keys=tuple(load_public_key(key) for key in _signers(first)))
    at = now()
    listed = ListedGateways(file, signers, at)
    keyid = load_signing_key(first.pki.gateway.key, first.pki.gateway.certificate).keyid
    caller = first.key().keyid
    assert keyid in listed.keys(at)
    assert caller not in listed.keys(at)  # a member's key signs requests, never the gateway's answers
    assert set(listed.keys(at)) == {keyid}
    right = file.read_bytes()
    for wrong in (other.read_bytes(), b"", right[:-9]):
        file.write_bytes(wrong)
        os.utime(file, (1, len(wrong) + 1))
        at = Instant(at + LOOK_AGAIN)
        assert keyid in listed.keys(at)
    with pytest.raises(ExchangeError, match=r"trust_list"):
        ListedGateways(other, signers, now())


def _folder(tmp_path, name):
    (tmp_path / name).mkdir()
    return tmp_path / name


def _signers(site):
    return [site.folder / f"pki/signers/{number}.pub.pem" for number in (1, 2, 3)]


async def test_nothing_is_remembered_between_requests(server, local):
    answers = await asyncio.gather(*[_post(local, {"n": number}) for number in range(5)])
    assert answers == [200] * 5
    nonces = {head.get("signature-input") for head, _ in server.seen}
    assert len(nonces) == 5


async def _post(local, body):
    async with local.post(CITIZEN, json=body) as answer:
        return answer.status
