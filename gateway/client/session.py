"""Sending signed calls over aiohttp, and proving the answers."""

import asyncio
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
from gateway.client.receipt import PATH as RECEIPTS
from gateway.client.receipt import Exchanged, ProvedExchange, compare, parent_of
from gateway.client.signing import Scheme, sign, verify
from gateway.keys.file import FileKey, load_certificates, load_signing_key
from gateway.ledger.cosignature_policy import Demand, WitnessPolicy
from gateway.ledger.note import VerifierKey, parse_vkey
from gateway.ledger.receipt import ProvedReceipt, verify_receipt_by
from gateway.model.envelope import Purpose
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_SIGNATURE_INVALID
from gateway.model.errors.receipt import RECEIPT_UNKNOWN
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
_NOT_YET = 503
_PATIENCE = 10.0
"""Seconds that a receipt is waited for; it takes less than one, unless the gateway's log stands still."""
_LOOK_AGAIN = 0.2
_COSIGNED_AGAIN = 2.0
COSIGNED_SECONDS = 30.0
"""So long cosignatures are waited for, where they are demanded; witnesses are asked every ten seconds by default."""


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
    bytes of the longest answer that is read. logs: keys of the gateway's log, which receipts are believed from. policy:
    which witnesses must have cosigned what a receipt leads to; None: nobody.
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
        logs: tuple[VerifierKey, ...] = (),
        policy: WitnessPolicy | None = None,
    ) -> None:
        self._http = http
        self._gateway = gateway.rstrip("/")
        self._subsystem = subsystem
        self._key = key
        self._keys = keys
        self._language = language
        self._scheme = scheme
        self._limit = limit
        self._logs = logs
        self._policy = policy

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

    async def receipt(
        self,
        answer: Answer,
        *,
        audience: str | None = None,
        witnesses: tuple[VerifierKey, ...] = (),
        quorum: int = 0,
        policy: WitnessPolicy | None = None,
        seconds: float = COSIGNED_SECONDS,
    ) -> ProvedExchange:
        """Fetch the receipts of an exchange, verify them, and compare them with what was sent and what came.

        audience: the gateway's service ``…/receipts``, which a JWS must name. quorum: how many of ``witnesses`` must
        have cosigned. policy: which ones must; what the client was opened with is demanded all the same. seconds: how
        long their cosignatures are waited for, each time the receipt being fetched anew.

        Raises ExchangeError: RECEIPT_UNKNOWN for an answer that was only counted, RECEIPT_DIFFERS, LOG_…; ValueError
        without a log's key; CallFailedError and what ``send`` raises.
        """
        if not self._logs:
            raise ValueError("a receipt is believed by the log's verifier key: open the client with logs=[vkey]")
        if answer.receipt is None:
            raise ExchangeError(RECEIPT_UNKNOWN, "the answer names no record")
        exchanged = Exchanged(sent=answer.sent, head=answer.head, body=answer.body, proof=answer.proof)
        demands = (Demand(policy=self._policy), Demand(witnesses=witnesses, quorum=quorum, policy=policy))
        until = time.monotonic() + seconds
        file, proved = await self._proved(answer.receipt, audience, demands, until)
        parent = parent_of(proved)
        if parent is None:
            return compare(exchanged, proved, None, (file,))
        before, request = await self._proved(parent, audience, demands, until)
        return compare(exchanged, proved, request, (file, before))

    async def _proved(
        self, record_id: str, audience: str | None, demands: tuple[Demand, ...], until: float
    ) -> tuple[bytes, ProvedReceipt]:
        """A receipt that verifies, and has the cosignatures that are demanded, once it has them."""
        while True:
            file = await self.fetch_receipt(record_id, audience=audience)
            proved = verify_receipt_by(file, self._logs)  # what is wrong without witnesses is wrong for good
            try:
                for each in demands:
                    if each.keys or each.asks:
                        proved = verify_receipt_by(
                            file, self._logs, witnesses=each.witnesses, quorum=each.quorum, policy=each.policy
                        )
            except ExchangeError as error:
                if error.kind is not LOG_SIGNATURE_INVALID or time.monotonic() > until:
                    raise
            else:
                return file, proved
            await asyncio.sleep(_COSIGNED_AGAIN)

    async def fetch_receipt(self, record_id: str, *, audience: str | None = None) -> bytes:
        """The ``.tlog-proof`` of a record of this subsystem's, as the gateway gives it: not verified. Waits until the
        record is in the log. Raises CallFailedError and what ``send`` raises.
        """
        service = None if audience is None else parse_service(audience)
        call = Call(own_path=f"{RECEIPTS}{record_id}", audience=service, method="GET")
        until = time.monotonic() + _PATIENCE
        while True:
            answer = await self.send(call)
            if answer.error_code is None and answer.status < _ERRORS:
                return answer.body.data or b""
            if answer.status != _NOT_YET or time.monotonic() > until:
                raise CallFailedError(answer)
            await asyncio.sleep(_LOOK_AGAIN)

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
    logs: Iterable[str] = (),
    policy: WitnessPolicy | None = None,
) -> AsyncIterator[Client]:
    """A client. gateway: its public URL. key, certificate: the subsystem's, PEM. gateway_certificates: whose answers
    to believe. authorities: CA certificates for TLS, PEM; None: the operating system's. seconds: for a whole call.
    scheme: how requests are signed; the subsystem's entry in the trust list must allow it. logs: verifier keys (C2SP
    vkey) of the gateway's log, from a source that you trust, for ``Client.receipt``. policy: which
    witnesses must have cosigned what any receipt leads to (``parse_policy`` reads a C2SP tlog-policy file).

    Raises ExchangeError (KEY_FILE_UNUSABLE; LOG_MALFORMED for no vkey) and ValueError.
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
            logs=tuple(parse_vkey(vkey) for vkey in logs),
            policy=policy,
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
