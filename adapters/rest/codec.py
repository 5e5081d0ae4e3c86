"""The REST codec: X-Road message protocol for REST (r1) at the rim of the one pipeline.

Pure: heads and bodies in, claims, envelopes and unsealed answers out. Verifies nothing and decides nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import UNSET, UnsetType

from adapters.rest.errors import ErrorWriter
from adapters.rest.purpose import parse_purpose
from gateway.model.envelope import Claim, Envelope, MessageProtocol, ProofScheme, ProvedParts, Purpose
from gateway.model.errors import ExchangeError
from gateway.model.errors import request as kinds
from gateway.model.ids import MemberId, RecordId, ServiceId, SubsystemId, encode, parse_service, parse_subsystem
from gateway.model.message import AnswerHead, Body, Fields, Head
from gateway.model.stages import Answer, Minimised
from gateway.ports import Work

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""The methods of the protocol; nothing else is accepted."""

_PREFIX = "/r1/"
_SERVICE_PARTS = 5
_ONCE = (
    "x-road-client",
    "x-road-id",
    "x-road-userid",
    "x-road-issue",
    "x-road-represented-party",
    "x-road-security-server",
    "motlan-purpose",
    "idempotency-key",
    "prefer",
    "content-type",
    "content-digest",
    "motlan-jws",
)
_LONGEST = 255
_UNTYPED = (("Content-Type", "application/octet-stream"),)
"""What the HTTP server calls content without a type (RFC 9110 §8.3); named here, so that the signature covers it."""

ParseJson = Callable[[bytes], Any]
"""The strict parser of the gateway; raises ExchangeError."""


class RestCodec:
    """Reads and writes r1 messages.

    parse_json: the strict JSON parser. own: our own API's paths, each of them a service like any other
    (``/v1/prefill`` → ``…/motlan/prefill``); one that ends in ``/`` stands for all that have one more segment.
    """

    def __init__(self, parse_json: ParseJson, own: Mapping[str, ServiceId], errors: ErrorWriter) -> None:
        self._parse_json = parse_json
        self._own = own
        self._errors = errors

    protocol = MessageProtocol.REST

    def is_strange(self, head: Head, body: Body) -> bool:  # noqa: ARG002 - the port's signature
        """Nothing is remembered of a head."""
        return False

    def apart(self, work: Callable[[], Work]) -> Work:
        """Nothing is strange."""
        return work()

    def remember(self, body: Body, member: MemberId) -> None:
        """Nothing is."""

    def claim(self, head: Head, body: Body) -> Claim:  # noqa: ARG002 - REST claims with its head alone
        """Read what the head claims. Raises ExchangeError."""
        if head.method not in METHODS:
            raise ExchangeError(kinds.INVALID_HTTP_METHOD, "a method of the r1 protocol is needed")
        index = head.index
        for name in _ONCE:
            values = index.get(name)
            if values is None:
                continue
            if len(values) > 1:
                raise ExchangeError(kinds.DUPLICATE_HEADER, f"{name} is given more than once", parts=(name,))
            if len(values[0]) > _LONGEST and name != "motlan-jws":
                raise ExchangeError(kinds.BAD_HEADER, f"{name} is longer than {_LONGEST} characters", parts=(name,))
        if "motlan-consent" in index:
            raise ExchangeError(kinds.CONSENT_UNSUPPORTED)
        service, path = self._service(head)
        return Claim(
            client=_client(head),
            service=service,
            method=head.method,
            path=path,
            query=head.query,
            message_id=_token(head, "x-road-id"),
            officer=_token(head, "x-road-userid"),
            case=_token(head, "x-road-issue"),
            represented=_token(head, "x-road-represented-party"),
            purpose=_purpose(head),
            idempotency_key=_token(head, "idempotency-key"),
            respond_async="respond-async" in (head.get("prefer") or ""),
            scheme=_scheme(head),
        )

    def claim_proved(self, head: Head, body: Body) -> Claim:
        """The same: a head's fields stay as they are."""
        return self.claim(head, body)

    def open(self, parts: ProvedParts) -> Envelope:
        """Parse the proved body; JSON strictly, anything else stays opaque. Raises ExchangeError."""
        content_type = parts.head.get("content-type")
        document: Any | UnsetType = UNSET
        if parts.body.size and is_json(content_type) and parts.body.data is not None:
            document = self._parse_json(parts.body.data)
        return Envelope(claim=parts.claim, content_type=content_type, body=parts.body, document=document)

    def answer(self, minimised: Minimised, record_id: RecordId, request_hash: str) -> Answer:
        """The provider's answer with the protocol's own header fields."""
        reply = minimised.replied.reply
        claim = minimised.replied.recorded.claim
        request_id = minimised.replied.recorded.id
        fields = (
            *minimised.fields,
            *(_UNTYPED if minimised.body.size and not _is_typed(minimised.fields) else ()),
            ("X-Road-Id", claim.message_id or request_id),
            ("X-Road-Client", encode(claim.client)),
            ("X-Road-Service", encode(claim.service)),
            ("X-Road-Request-Id", request_id),
            ("X-Road-Request-Hash", request_hash),
            ("Motlan-Outcome", reply.outcome.value),
            ("Motlan-Receipt", record_id),
        )
        return Answer(head=AnswerHead(status=reply.status, fields=fields), body=minimised.body)

    def with_root(self, answer: Answer, root: bytes) -> Answer:  # noqa: ARG002 - nothing here is enveloped
        """Nothing that REST answers has an envelope."""
        return answer

    def refuse(self, head: Head, claim: Claim | None, error: ExchangeError, record_id: RecordId) -> Answer:
        """The error in the form that this caller reads: problem details, or X-Road's own JSON or XML."""
        return self._errors.write(head, claim, error, record_id)

    def _service(self, head: Head) -> tuple[ServiceId, str]:
        path = head.path
        if not path.startswith(_PREFIX):
            own = self._own.get(path) or self._own.get(path[: path.rfind("/") + 1])
            if own is None:
                raise ExchangeError(kinds.NOT_FOUND, "no such path; services are under /r1/")
            return own, ""
        parts = path[len(_PREFIX) :].split("/", _SERVICE_PARTS)
        try:
            service = parse_service("/".join(parts[:_SERVICE_PARTS]))
        except ValueError as error:
            detail = "the path must name instance/class/member/subsystem/service"
            raise ExchangeError(kinds.TARGET_REFUSED, detail) from error
        return service, "/" + parts[_SERVICE_PARTS] if len(parts) > _SERVICE_PARTS else ""


def _is_typed(fields: Fields) -> bool:
    return any(name.lower() == "content-type" for name, _ in fields)


def is_json(content_type: str | None) -> bool:
    """Whether a media type is JSON: ``application/json`` or any ``+json`` (RFC 6839 §3.1)."""
    if content_type is None:
        return False
    media = content_type.partition(";")[0].strip().lower()
    return media == "application/json" or media.endswith("+json")


def _client(head: Head) -> SubsystemId:
    value = head.get("x-road-client")
    if value is None:
        raise ExchangeError(kinds.MISSING_HEADER, "X-Road-Client is required", parts=("x-road-client",))
    try:
        return parse_subsystem(value)
    except ValueError as error:
        detail = "X-Road-Client is written instance/class/member/subsystem"
        raise ExchangeError(kinds.BAD_HEADER, detail, parts=("x-road-client",)) from error


def _token(head: Head, name: str) -> str | None:
    """A header that must be printable ASCII when it is there, and not empty."""
    value = head.get(name)
    if value is None:
        return None
    if not value or not value.isascii() or not value.isprintable():
        raise ExchangeError(kinds.BAD_HEADER, f"{name} must be printable ASCII", parts=(name,))
    return value


def _purpose(head: Head) -> Purpose | None:
    value = head.get("motlan-purpose")
    if value is None:
        return None
    try:
        return parse_purpose(value)
    except ValueError as error:
        raise ExchangeError(kinds.BAD_HEADER, str(error), parts=("motlan-purpose",)) from error


def _scheme(head: Head) -> ProofScheme:
    signed = "signature-input" in head.index or "signature" in head.index
    jws = "motlan-jws" in head.index
    if signed and jws:
        raise ExchangeError(kinds.BAD_HEADER, "exactly one way of signing per request", parts=("motlan-jws",))
    if signed:
        return ProofScheme.HTTP_SIGNATURE
    return ProofScheme.JWS if jws else ProofScheme.NONE
