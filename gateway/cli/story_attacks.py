"""What an attacker on the line can do with a signed request: send it again, or change it on the way."""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from gateway.client import Answer
from gateway.client.call import Call, outbound
from gateway.keys.file import load_certificates, load_signing_key
from gateway.keys.tls import client_context
from gateway.model.ids import SubsystemId
from gateway.model.instant import Instant
from gateway.model.message import AnswerHead, Body
from gateway.ports import Outbound
from gateway.signing.algorithms import PublicKey
from gateway.signing.http_sig_check import verify_response
from gateway.signing.http_sig_sign import SentRequest, sign_request
from gateway.wiring.demo import World


class Wire:
    """Sends signed requests as they are told to, and still believes only signed answers. Made by ``wiretap``."""

    def __init__(self, world: World, subsystem: SubsystemId, http: aiohttp.ClientSession, language: str) -> None:
        identity = world.files.identity(subsystem)
        self._url = world.url
        self._subsystem = subsystem
        self._key = load_signing_key(identity.key, identity.certificate)
        gateway = PublicKey.from_certificate(load_certificates(world.files.gateway_certificate)[0])
        self._keys = {gateway.keyid: gateway}
        self._http = http
        self._language = language

    def sign(self, call: Call) -> tuple[Outbound, SentRequest]:
        """A signed request, as it could be caught."""
        plain = outbound(call, self._subsystem, self._url)
        now = Instant(time.time_ns() // 1000)
        return plain, sign_request(plain, key=self._key, now=now, nonce=secrets.token_urlsafe(24))

    async def send(self, caught: tuple[Outbound, SentRequest], *, body: bytes | None = None) -> Answer:
        """Send it, with another body if one is given."""
        plain, sent = caught
        async with self._http.request(
            plain.method,
            URL(plain.url, encoded=True),
            headers=[*sent.head.fields, ("Accept-Language", self._language)],
            data=body if body is not None else plain.body.data,
            skip_auto_headers=("Accept-Encoding", "Content-Type", "User-Agent"),
        ) as response:
            answered = Body(await response.read())
            fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers)
        head = AnswerHead(status=response.status, fields=fields)
        proof = verify_response(head, answered, sent, keys=self._keys, now=Instant(time.time_ns() // 1000))
        return Answer(status=head.status, head=head, body=answered, proof=proof, sent=sent)


@asynccontextmanager
async def wiretap(world: World, subsystem: SubsystemId, language: str) -> AsyncIterator[Wire]:
    """A wire on which the requests of a subsystem can be caught."""
    context = client_context(load_certificates(world.files.authorities))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as http:
        yield Wire(world, subsystem, http, language)
