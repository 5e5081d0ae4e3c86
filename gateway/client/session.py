"""Sending signed calls over aiohttp, and proving the answers."""

import json
import os
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from msgspec import UNSET, Struct
from yarl import URL

from gateway.client.call import Call, outbound
from gateway.keys.file import FileKey, load_certificates, load_signing_key
from gateway.model.envelope import Purpose
from gateway.model.ids import SubsystemId, parse_service, parse_subsystem
from gateway.model.instant import Instant
from gateway.model.message import AnswerHead, Body
from gateway.signing.algorithms import PublicKey
from gateway.signing.http_sig_check import AnswerProof, verify_response
from gateway.signing.http_sig_sign import SentRequest, sign_request

DEFAULT_SECONDS = 60.0
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

    keys: the gateway's signing keys that answers are believed from, by keyid.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        *,
        gateway: str,
        subsystem: SubsystemId,
        key: FileKey,
        keys: Mapping[str, PublicKey],
        language: str,
    ) -> None:
        self._http = http
        self._gateway = gateway.rstrip("/")
        self._subsystem = subsystem
        self._key = key
        self._keys = keys
        self._language = language

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
        plain = outbound(call, self._subsystem, self._gateway)
        sent = sign_request(plain, key=self._key, now=_now(), nonce=secrets.token_urlsafe(24))
        async with self._http.request(
            plain.method,
            URL(plain.url, encoded=True),
            headers=[*sent.head.fields, ("Accept-Language", self._language)],
            data=plain.body.data or None,
            skip_auto_headers=_AUTOMATIC,
            allow_redirects=False,
        ) as response:
            body = Body(await response.read())
            fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers)
            head = AnswerHead(status=response.status, fields=fields)
        proof = verify_response(head, body, sent, keys=self._keys, now=_now())
        return Answer(status=head.status, head=head, body=body, proof=proof, sent=sent)


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
) -> AsyncIterator[Client]:
    """A client. gateway: its public URL. key, certificate: the subsystem's, PEM. gateway_certificates: whose answers
    to believe. authorities: CA certificates for TLS, PEM; None: the operating system's. seconds: for a whole call.

    Raises ExchangeError(KEY_FILE_UNUSABLE) and ValueError.
    """
    signing_key = load_signing_key(Path(key), Path(certificate), passphrase=passphrase)
    known = [PublicKey.from_certificate(load_certificates(Path(file))[0]) for file in gateway_certificates]
    context = ssl.create_default_context(cafile=authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    connector = aiohttp.TCPConnector(ssl=context)
    timeout = aiohttp.ClientTimeout(total=seconds)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as http:
        yield Client(
            http,
            gateway=gateway,
            subsystem=parse_subsystem(subsystem),
            key=signing_key,
            keys={public.keyid: public for public in known},
            language=language,
        )


def _now() -> Instant:
    return Instant(time.time_ns() // 1000)
