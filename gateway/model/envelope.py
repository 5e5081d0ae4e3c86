"""What a caller claims, and what was proved of it: protocol-neutral, the same for REST and SOAP."""

from enum import StrEnum
from typing import Any

from msgspec import UNSET, Struct, UnsetType, structs

from gateway.model.ids import ServiceId, SubsystemId
from gateway.model.message import Body, Head


class Purpose(Struct, frozen=True):
    """Why data is asked for: the administrative procedure's code and the legal basis (``Motlan-Purpose``)."""

    code: str
    basis: str | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.code) <= 64 or (self.basis is not None and not 0 < len(self.basis) <= 128):  # noqa: PLR2004
            raise ValueError("a purpose is a code of 1 to 64 characters, its basis 1 to 128")


class MessageProtocol(StrEnum):
    """How a caller's message is written."""

    REST = "rest"
    SOAP = "soap"


class ProofScheme(StrEnum):
    """How a caller proves who it is. Exactly one per request, one that the subsystem's trust-list entry allows."""

    HTTP_SIGNATURE = "http-sig"
    JWS = "jws"
    WS_SECURITY = "wsse"
    MUTUAL_TLS = "mtls"
    NONE = "none"
    """Nothing that could prove anything is in the message: always refused."""


BY_CERTIFICATE = SubsystemId(instance="-", member_class="-", member_code="-", subsystem_code="by certificate")
"""Stands in a claim that names no client: it is whoever the TLS certificate belongs to, and nobody without one."""


class Claim(Struct, frozen=True, kw_only=True):
    """What a message says of itself; untrusted until the pipeline has proved it.

    method: the service's HTTP method (``POST`` for operations of SOAP services). path: what follows the service in
    the target, raw, ``""`` or starting with ``/``. query: raw, without ``?``; None where there is none. message_id:
    ``X-Road-Id``. officer: ``X-Road-UserId``. case: ``X-Road-Issue``. represented: ``X-Road-Represented-Party``.
    protocol: how it is written; method and path are the service's own either way. operation: of a SOAP message the
    element in Body, ``{namespace}name``.
    """

    client: SubsystemId
    service: ServiceId
    method: str
    path: str = ""
    query: str | None = None
    message_id: str | None = None
    officer: str | None = None
    case: str | None = None
    represented: str | None = None
    purpose: Purpose | None = None
    idempotency_key: str | None = None
    respond_async: bool = False
    scheme: ProofScheme = ProofScheme.NONE
    protocol: MessageProtocol = MessageProtocol.REST
    operation: str | None = None

    def proved_by(self, scheme: ProofScheme) -> "Claim":
        """The same, with another way of proving it."""
        return structs.replace(self, scheme=scheme)

    def made_by(self, client: SubsystemId) -> "Claim":
        """The same, by another client."""
        return structs.replace(self, client=client)


class ProvedParts(Struct, frozen=True, kw_only=True):
    """The only bytes that a codec may open: what the proof covers.

    head: method and target as proved, and only the covered fields. body: the proved body; of a SOAP message a new
    envelope of the proved blocks, without the rest. claim: the claim, every value of which the proof covers. attached:
    the message with its MIME parts, where it has attachments.
    """

    head: Head
    body: Body
    claim: Claim
    attached: Body | None = None


class Envelope(Struct, frozen=True, kw_only=True):
    """A proved request, opened.

    body: the content; of a SOAP message the element in Body, as proved. document: the parsed content where the service
    takes JSON, or its SOAP interface says how its elements are written so; UNSET for an empty or opaque body. attached:
    the message with its MIME parts, where it has attachments.
    """

    claim: Claim
    content_type: str | None
    body: Body
    document: Any | UnsetType = UNSET
    attached: Body | None = None
