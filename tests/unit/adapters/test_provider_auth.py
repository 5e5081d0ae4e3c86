"""Credentials: worked by hand, and checked by the simulators' own readers."""

import asyncio
import base64
import hashlib
import json
import time

import pytest

from adapters import provider_auth
from adapters.credentials import Fixed, OAuth, SignedBasic, TokenSource
from adapters.provider_auth import PlatformKeys, TimestampUnit
from adapters.rest.failures import CredentialsRefusedError, NotSentError
from adapters.rest.http1 import Client, ClientOptions, split_url
from gateway.model.instant import Instant
from tests.support.adapters import Known
from tests.support.provider_socket import ScriptedProvider, answer

NOW = Instant(1_795_316_400_987_654)


def test_basic_is_utf8():
    (field,) = provider_auth.basic("cán-bộ", Known("mật:khẩu"))
    assert field == ("Authorization", "Basic " + base64.b64encode("cán-bộ:mật:khẩu".encode()).decode())


@pytest.mark.parametrize(
    ("unit", "timestamp"), [(TimestampUnit.SECONDS, "1795316400"), (TimestampUnit.MILLISECONDS, "1795316400987")]
)
def test_signed_basic_hashes_url_user_time_and_secret(unit, timestamp):
    url = "https://register.example/population"
    fields = dict(provider_auth.signed_basic("motlan", Known("s3"), url=url, now=NOW, unit=unit))
    digest = hashlib.sha256(f"{url}motlan{timestamp}s3".encode()).hexdigest()
    assert fields["Timestamp"] == timestamp
    assert base64.b64decode(fields["Authorization"].removeprefix("Basic ")).decode() == f"motlan:{digest}"


def test_platform_token_is_base64_of_json():
    keys = PlatformKeys(access_key="a", app_name="n", partner_code="p")
    ((name, value),) = provider_auth.platform_token(keys, Known("s"))
    assert name == "lgspaccesstoken"
    expected = {"AccessKey": "a", "SecretKey": "s", "AppName": "n", "PartnerCode": "p"}
    assert json.loads(base64.b64decode(value)) == expected


def test_bearer_and_api_key():
    assert provider_auth.bearer("t") == (("Authorization", "Bearer t"),)
    assert provider_auth.api_key("ApiKey", Known("k")) == (("ApiKey", "k"),)


@pytest.mark.asyncio
async def test_fixed_fields_reveal_the_secret_anew():
    secret = Known("one")
    credentials = Fixed(lambda: provider_auth.api_key("ApiKey", secret))
    assert await credentials.fields("https://x", 0) == (("ApiKey", "one"),)
    secret._value = "two"
    assert await credentials.fields("https://x", 0) == (("ApiKey", "two"),)
    assert not credentials.refused()


@pytest.mark.asyncio
async def test_signed_basic_is_of_its_moment():
    moments = iter([Instant(1_000_000), Instant(2_000_000)])
    credentials = SignedBasic("u", Known("s"), TimestampUnit.SECONDS, lambda: next(moments))
    first, second = [await credentials.fields("https://x", 0) for _ in range(2)]
    assert (dict(first)["Timestamp"], dict(second)["Timestamp"]) == ("1", "2")
    assert not credentials.refused()


def token(value, **more):
    return answer(json.dumps({"access_token": value, "token_type": "Bearer", **more}).encode())


async def oauth(provider, clock):
    origin, _ = split_url(provider.url)
    client = Client(ClientOptions())
    return OAuth(
        TokenSource(origin=origin, path="/token", client_id="a b"), Known("p:w"), client, monotonic=lambda: clock[0]
    ), client


@pytest.mark.asyncio
async def test_token_is_fetched_once_for_many_and_again_before_it_ends():
    clock = [1000.0]
    async with ScriptedProvider(token("one", expires_in=100), token("two", expires_in=100)) as p:
        credentials, client = await oauth(p, clock)
        got = await asyncio.gather(*[credentials.fields("https://x", time.monotonic() + 5) for _ in range(10)])
        assert set(got) == {(("Authorization", "Bearer one"),)}
        assert len(p.requests) == 1
        clock[0] += 69
        assert await credentials.fields("https://x", time.monotonic() + 5) == (("Authorization", "Bearer one"),)
        clock[0] += 2
        assert await credentials.fields("https://x", time.monotonic() + 5) == (("Authorization", "Bearer two"),)
        await client.close()
    head, _, body = p.requests[0].partition(b"\r\n\r\n")
    assert body == b"grant_type=client_credentials"
    assert b"Authorization: Basic " + base64.b64encode(b"a+b:p%3Aw") in head


@pytest.mark.asyncio
async def test_refused_token_is_forgotten():
    async with ScriptedProvider(token("one"), token("two")) as p:
        credentials, client = await oauth(p, [1000.0])
        await credentials.fields("https://x", time.monotonic() + 5)
        assert credentials.refused()
        assert await credentials.fields("https://x", time.monotonic() + 5) == (("Authorization", "Bearer two"),)
        await client.close()


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (answer(b"{}", status=401), CredentialsRefusedError),
        (answer(b'{"error":"invalid_client"}', status=400), CredentialsRefusedError),
        (answer(b"{}"), NotSentError),
        (answer(b"oops"), NotSentError),
        (answer(b"[1]"), NotSentError),
        (token("a\r\nX: b"), NotSentError),
        (token(""), NotSentError),
        (token("x", expires_in=0), NotSentError),
        (token("x", expires_in="soon"), NotSentError),
        (answer(b"{}", status=503), NotSentError),
    ],
)
@pytest.mark.asyncio
async def test_no_token_is_no_call(script, error):
    async with ScriptedProvider(script) as p:
        credentials, client = await oauth(p, [1000.0])
        with pytest.raises(error) as caught:
            await credentials.fields("https://x", time.monotonic() + 5)
        await client.close()
    assert "p:w" not in str(caught.value)
