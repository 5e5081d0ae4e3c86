"""``motlan sidecar``, run as its users run it, between a plain program and a real gateway with a real trust list."""

import asyncio
import contextlib
import sys

import aiohttp
import pytest

from tests.support.cli import refused
from tests.support.exchanges import records
from tests.support.gateways import BASIS, ECHO, PORTAL, PURPOSE, make_site, running
from tests.support.provider_socket import ScriptedProvider, answer
from tests.support.soap_office import ARCHIVE, CITIZENS, archive, native, soap_office, told
from tests.support.xroad_soap import envelope, headers

pytestmark = pytest.mark.asyncio(loop_scope="module")


def options(site):
    identity = site.pki.identities[PORTAL]
    signers = [each for number in (1, 2, 3) for each in ("--signer", site.folder / f"pki/signers/{number}.pub.pem")]
    return [
        "--gateway", site.url, "--as", PORTAL, "--key", identity.key, "--cert", identity.certificate,
        "--ca", site.pki.bundle, "--trust", site.folder / "pki/trust/list.jws", *signers, "--required", 2,
        "--purpose", PURPOSE, "--basis", "ND-63/2024",
    ]  # fmt: skip


@contextlib.asynccontextmanager
async def sidecar(site, *more):
    """The command in a process of its own; the URL it says it listens on."""
    command = ["-m", "gateway.cli", "--lang", "en", "sidecar", "--listen", "127.0.0.1:0", *options(site), *more]
    process = await asyncio.create_subprocess_exec(sys.executable, *map(str, command), stderr=asyncio.subprocess.PIPE)
    try:
        line = (await asyncio.wait_for(process.stderr.readline(), 15)).decode()
        assert "listening on http://127.0.0.1:" in line, line + (await process.stderr.read()).decode()
        yield line.split()[2]
    finally:
        process.terminate()
        assert await process.wait() == 0


async def test_plain_program_gets_the_verified_answer_of_a_real_gateway(tmp_path):
    script = answer(b'{"found":true}', fields=("Content-Type: application/json",))
    async with ScriptedProvider(script) as provider:
        site = make_site(tmp_path, provider.url, tls=True)
        async with running(site), sidecar(site) as url, aiohttp.ClientSession(url) as http:
            await _calls(http)
        assert len(provider.requests) == 1
        assert b"Motlan-Purpose" in provider.requests[0]


async def test_plain_soap_program_gets_the_proved_answer_of_a_real_gateway(tmp_path):
    with soap_office(tmp_path) as place:
        more = f'<m:purpose xmlns:m="urn:motlan:soap:v1" basis="{BASIS}">{PURPOSE}</m:purpose>'
        asked = envelope(headers(str(PORTAL), str(ARCHIVE), "by-sidecar", more=more), archive("<x>1</x>"))
        async with sidecar(place.site) as url, aiohttp.ClientSession(url) as http:
            kind = {"Content-Type": "text/xml; charset=utf-8"}
            async with http.post("/soap", data=asked, headers=kind) as given:
                content = await given.read()
            assert given.status == 200, content
            assert b"archiveResponse" in content
            assert b"Security" not in content
            assert b"<x>1</x>" in place.provider.last.body
            denied = asked.replace(str(ARCHIVE.service_code).encode(), b"nothing")
            async with http.post("/soap", data=denied, headers=kind) as given:
                content = await given.read()
            assert b"Fault" in content
            assert b"unknown_service" in content


async def test_client_of_the_population_database_goes_through_unchanged(tmp_path):
    more = ("--service", CITIZENS, "--purpose-element", "MaDVC", "--officer-element", "MaCanBo")
    with soap_office(tmp_path) as place:
        place.provider.reply = told('<m:CongdanCollection xmlns:m="http://www.mic.gov.vn/dancu/1.0"/>')
        async with sidecar(place.site, *more) as url, aiohttp.ClientSession(url) as http:
            kind = {"Content-Type": "text/xml; charset=utf-8"}
            async with http.post("/", data=envelope("", native()), headers=kind) as given:
                content = await given.read()
    assert given.status == 200, content
    assert b"CongdanCollection" in content
    assert b"x-road" not in content
    [request] = [each for each in records(place.site) if each["kind"] == "request"]
    assert (request["client"], request["purpose"], request.shown("officer")) == (str(PORTAL), PURPOSE, "cb-57")


async def _calls(http):
    async with http.post(f"/r1/{ECHO}", json={"a": 1}) as given:
        assert (given.status, await given.json()) == (200, {"found": True})
        assert given.headers["Motlan-Outcome"] == "FOUND"
        assert given.headers["Motlan-Receipt"]
    async with http.post("/r1/VN/GOV/G15/registry/record", json={}) as given:
        problem = await given.json(content_type="application/problem+json")
    assert given.status >= 400
    assert problem["code"] == given.headers["X-Road-Error"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("sidecar"), "http://127.0.0.1:1")


WRONG = {
    "everybody": (["--listen", "0.0.0.0:0"], "loopback"),
    "a network": (["--listen", "192.168.0.1:8080"], "loopback"),
    "no port": (["--listen", "127.0.0.1"], "--listen"),
    "no path": (["--listen", "127.0.0.1:0", "--officer-element", "a//b"], "slash"),
    "no header's value": (["--listen", "127.0.0.1:0", "--officer", "Nguyễn"], "ASCII"),
    "no service": (["--listen", "127.0.0.1:0", "--service", "VN/GOV/G01"], "instance/class/member"),
    "in clear": (["--listen", "127.0.0.1:0", "--gateway", "http://gateway.example"], "https"),
}


@pytest.mark.parametrize("case", WRONG)
async def test_what_would_not_be_safe_is_refused(site, case):
    changed, words = WRONG[case]
    assert words in refused("sidecar", *options(site), *changed, code=2)


async def test_somebody_must_be_believed(site):
    given = [each for each in map(str, options(site)) if "signers/" not in each and each != "--signer"]
    assert "--gateway-cert" in refused("sidecar", "--listen", "127.0.0.1:0", *given, code=2)
    stranger = site.folder / "pki/roles/auditor.pub.pem"
    said = refused("sidecar", "--listen", "127.0.0.1:0", *given, "--signer", stranger, "--required", 1)
    assert "trust_list_signers" in said
