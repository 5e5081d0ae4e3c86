"""The plain REST backend."""

import asyncio
import base64
import json
import sys

import aiohttp
import pytest

from adapters.simulators.backend import Backend, sized_json
from tests.support.simulators import post

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("size", [80, 1024, 65_536])
async def test_json_of_a_size(size):
    async with Backend(size=size) as backend:
        status, kind, body = await post(backend.url + "/any/path", b"")
        _, _, other = await post(backend.url + "/any/path?size=2000", b"")
    assert (status, kind, len(body), len(other)) == (200, "application/json", size, 2000)
    assert json.loads(body)["name"] == "Nguyễn Văn An"
    assert body == sized_json(size)


async def test_echo_shows_what_arrived():
    async with Backend() as backend:
        _, _, body = await post(backend.url + "/base/echo?a=%2F", b"\x00\xff xin", X_Road_Client="VN/GOV/H24/portal")
        seen = json.loads(body)
        assert backend.last is not None
        assert backend.last.body == b"\x00\xff xin"
    assert (seen["method"], seen["target"]) == ("POST", "/base/echo?a=%2F")
    assert ["X-Road-Client", "VN/GOV/H24/portal"] in seen["headers"]
    assert base64.b64decode(seen["body"]) == b"\x00\xff xin"


async def test_a_write_is_carried_out_once_per_key():
    async with Backend() as backend:
        first = await post(backend.url + "/write", b"a", Idempotency_Key="k1")
        again = await post(backend.url + "/write", b"a", Idempotency_Key="k1")
        other = await post(backend.url + "/write", b"a", Idempotency_Key="k2")
        await post(backend.url + "/write", b"a")
        await post(backend.url + "/write", b"a")
    assert first == again != other
    assert backend.writes == {"k1": 1, "k2": 1, "": 2}
    assert backend.requests == {"write": 5}


async def test_a_signature_is_checked_where_a_check_is_given():
    def verify(received):
        return None if received.header("Signature") else "no signature"

    async with Backend(verify=verify) as backend:
        refused, _, why = await post(backend.url + "/x", b"")
        taken, _, _ = await post(backend.url + "/x", b"", Signature="sig=:AA==:")
    assert (refused, json.loads(why), taken) == (401, {"error": "no signature"}, 200)


async def test_blobs_and_status():
    async with Backend() as backend:
        _, kind, blob = await post(backend.url + "/blob?size=1000001", b"")
        status, _, _ = await post(backend.url + "/status?code=418", b"")
    assert (kind, len(blob), status) == ("application/octet-stream", 1_000_001, 418)


async def test_it_runs_in_a_process_of_its_own():
    command = (sys.executable, "-m", "adapters.simulators", "backend", "--size", "500")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        url = (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip()
        async with aiohttp.ClientSession() as session, session.get(url + "/a") as got:
            assert len(await got.read()) == 500
    finally:
        process.terminate()
        await process.wait()
        process._transport.close()
