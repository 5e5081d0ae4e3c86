"""Sending signed calls over aiohttp, and proving the answers."""

import json
import os
import ssl
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from msgspec import UNSET, Struct
from yarl import URL

from gateway.client.call import Call, outbound
from gateway.client.signing import Scheme, sign, verify
from gateway.keys.file import FileKey, load_certificates, load_signing_key
from gateway.model.envelope import Purpose
from gateway.model.ids import ServiceId, SubsystemId, parse_service, parse_subsystem
from gateway.model.instant import Instant
from gateway.model.message import AnswerHead, Body
from gateway.ports import Outbound
from gateway.signing.algorithms import PublicKey
from gateway.signing.http_sig_check import AnswerProof, Keys
from gateway.signing.http_sig_sign import SentRequest

DEFAULT_SECONDS = 60.0
DEFAULT_LIMIT = 256 * 1024 * 1024
_AUTOMATIC = ("Accept-Encoding", "Content-Type", "User-Agent")
_ERRORS = 400


class Answer(Struct, frozen=True, kw_only=True):
    """An answer whose signature was verified. receipt: the id of its record in the log."""

    status: int
    head: AnswerHead
    body: Body
    proof: AnswerProof
    sent: SentRequest

    @property
    def outcome(self) -> str | None:
        """``Motlan-Outcome``; None for a refusal."""
        return self.head.get("motlan-outcome")

    @property
    def receipt(self) -> str | None:
        """``Motlan-Receipt``."""
        return self.head.get("motlan-receipt")

    @property
    def error_code(self) -> str | None:
        """The gateway's own error code; None for an answer of the provider."""
        return self.head.get("x-road-error")

    def json(self) -> Any:
        """The body as JSON. Raises ValueError."""
        return json.loads(self.body.data or b"null")


class CallFailedError(Exception):
    """The gateway refused the call or has no answer. answer: verified, its body holds the problem details.

    code, fault, retryable, next: as the problem details say.
    """

    def __init__(self, answer: Answer) -> None:
        problem = answer.json()
        problem = problem if isinstance(problem, dict) else {}
        self.answer = answer
        self.code = answer.error_code or ""
        self.fault = str(problem.get("fault", ""))
        self.retryable = problem.get("retryable") is True
        self.next = str(problem.get("next", ""))
        super().__init__(f"{self.code}: {problem.get('detail', '')}")


class Client:
    """Calls services in the name of one subsystem. Build it with ``open``.

    keys: the gateway's signing keys that answers are believed from, by keyid. scheme: how requests are signed. limit:
    bytes of the longest answer that is read.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        *,
        gateway: str,
        subsystem: SubsystemId,
        key: FileKey,
        keys: Keys,
        language: str,
        scheme: Scheme = Scheme.HTTP_SIGNATURE,
        limit: int = DEFAULT_LIMIT,
    ) -> None:
        self._http = http
        self._gateway = gateway.rstrip("/")
        self._subsystem = subsystem
        self._key = key
        self._keys = keys
        self._language = language
        self._scheme = scheme
        self._limit = limit

    async def call(
        self,
        service: str,
        body: Any = None,
        *,
        purpose: str | None = None,
        basis: str | None = None,
        officer: str | None = None,
        case: str | None = None,
    ) -> Answer:
        """POST JSON (nothing where body is None) to a service and return its verified answer. For everything else build
        a ``Call`` and ``send`` it.

        Raises CallFailedError for an error of the gateway, ExchangeError for an answer that proves nothing,
        aiohttp.ClientError and TimeoutError where there is none.
        """
        stated = None if purpose is None else Purpose(purpose, basis)
        content = UNSET if body is None else body
        call = Call(service=parse_service(service), body=content, purpose=stated, officer=officer, case=case)
        answer = await self.send(call)
        if answer.error_code is not None:
            raise CallFailedError(answer)
        return answer

    async def send(self, call: Call) -> Answer:
        """Sign and send a call; the answer may be an error of the gateway. Raises as ``call`` does, CallFailedError
        apart.
        """
        return await self.exchange(outbound(call, self._subsystem, self._gateway), service=call.signed_for)

    async def exchange(self, plain: Outbound, *, service: ServiceId | None) -> Answer:
        """Sign and send a request as it is, but for Accept-Language where it has none. service: what it calls; needed
        for a JWS only. Raises as ``send`` does.
        """
        sent = sign(plain, self._scheme, client=self._subsystem, service=service, key=self._key, now=now())
        head, body = await self._sent(plain, sent)
        proof = verify(head, body, sent, keys=self._keys, now=now())
        return Answer(status=head.status, head=head, body=body, proof=proof, sent=sent)

    async def _sent(self, plain: Outbound, sent: SentRequest) -> tuple[AnswerHead, Body]:
        spoken = () if "accept-language" in sent.head.index else (("Accept-Language", self._language),)
        async with self._http.request(
            plain.method,
            URL(plain.url, encoded=True),
            headers=[*sent.head.fields, *spoken],
            data=plain.body.data or None,
            skip_auto_headers=_AUTOMATIC,
            allow_redirects=False,
        ) as response:
            body = Body(await self._read(response))
            fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers)
            return AnswerHead(status=response.status, fields=fields), body

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        pieces, size = [], 0
        async for piece in response.content.iter_any():
            size += len(piece)
            if size > self._limit:
                raise aiohttp.ClientPayloadError(f"the answer has more than {self._limit} bytes")
            pieces.append(piece)
        return b"".join(pieces)


@asynccontextmanager
async def open(  # noqa: A001 - gateway.client.open reads as what it does
    gateway: str,
    *,
    subsystem: str,
    key: str | os.PathLike[str],
    certificate: str | os.PathLike[str],
    gateway_certificates: Iterable[str | os.PathLike[str]],
    authorities: str | os.PathLike[str] | None = None,
    passphrase: str | None = None,
    language: str = "vi",
    seconds: float = DEFAULT_SECONDS,
    scheme: Scheme = Scheme.HTTP_SIGNATURE,
) -> AsyncIterator[Client]:
    """A client. gateway: its public URL. key, certificate: the subsystem's, PEM. gateway_certificates: whose answers
    to believe. authorities: CA certificates for TLS, PEM; None: the operating system's. seconds: for a whole call.
    scheme: how requests are signed; the subsystem's entry in the trust list must allow it.

    Raises ExchangeError(KEY_FILE_UNUSABLE) and ValueError.
    """
    signing_key = load_signing_key(Path(key), Path(certificate), passphrase=passphrase)
    known = [PublicKey.from_certificate(load_certificates(Path(file))[0]) for file in gateway_certificates]
    async with transport(authorities, seconds=seconds) as http:
        yield Client(
            http,
            gateway=gateway,
            subsystem=parse_subsystem(subsystem),
            key=signing_key,
            keys={public.keyid: public for public in known},
            language=language,
            scheme=scheme,
        )


@asynccontextmanager
async def transport(
    authorities: str | os.PathLike[str] | None, *, seconds: float = DEFAULT_SECONDS
) -> AsyncIterator[aiohttp.ClientSession]:
    """HTTP for a ``Client``, over TLS 1.2 or later. Arguments as of ``open``."""
    context = ssl.create_default_context(cafile=authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    connector = aiohttp.TCPConnector(ssl=context)
    timeout = aiohttp.ClientTimeout(total=seconds)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as http:
        yield http


def now() -> Instant:
    """The machine's time."""
    return Instant(time.time_ns() // 1000)
