"""A call to a service, as a client states it, and the request that it becomes."""

import json
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from gateway.model.envelope import Purpose
from gateway.model.ids import ServiceId, SubsystemId, encode
from gateway.model.message import EMPTY, Body, Fields
from gateway.ports import Outbound
from gateway.signing.sf import purpose_item


class Call(Struct, frozen=True, kw_only=True):
    """What to ask of which service.

    path, query: raw, below the service; an empty query is none, since HTTP clients send none. body: JSON, or bytes
    with their content_type. officer: ``X-Road-UserId``. case: ``X-Road-Issue``. message_id: ``X-Road-Id``.
    idempotency_key: repeats are answered from the first answer.
    own_path: one of the gateway's own paths (``/v1/prefill``) in place of a service. audience: the service behind that
    path (``…/motlan/prefill``), which a JWS must name.
    """

    service: ServiceId | None = None
    own_path: str | None = None
    audience: ServiceId | None = None
    method: str = "POST"
    path: str = ""
    query: str | None = None
    body: Any | UnsetType = UNSET
    content_type: str = "application/json"
    purpose: Purpose | None = None
    officer: str | None = None
    case: str | None = None
    represented: str | None = None
    message_id: str | None = None
    idempotency_key: str | None = None
    extra: Fields = ()

    def __post_init__(self) -> None:
        if (self.service is None) == (self.own_path is None):
            raise ValueError("a call names a service, or one of the gateway's own paths")
        if self.path and not self.path.startswith("/"):
            raise ValueError("a path below the service begins with /")

    @property
    def signed_for(self) -> ServiceId | None:
        """The service that a JWS names as ``aud``; None where nobody said."""
        return self.service or self.audience

    @property
    def target(self) -> str:
        """The raw request target."""
        base = self.own_path if self.service is None else f"/r1/{encode(self.service)}"
        return f"{base}{self.path}" + (f"?{self.query}" if self.query else "")


def outbound(call: Call, client: SubsystemId, gateway: str) -> Outbound:
    """The request without its signature. gateway: scheme and authority."""
    body = _body(call)
    named = (
        ("X-Road-Client", encode(client)),
        ("X-Road-Id", call.message_id),
        ("X-Road-UserId", call.officer),
        ("X-Road-Issue", call.case),
        ("X-Road-Represented-Party", call.represented),
        ("Motlan-Purpose", None if call.purpose is None else purpose_item(call.purpose)),
        ("Idempotency-Key", call.idempotency_key),
        ("Content-Type", call.content_type if body.size else None),
    )
    fields = tuple((name, value) for name, value in named if value is not None)
    return Outbound(method=call.method, url=gateway + call.target, fields=fields + call.extra, body=body)


def _body(call: Call) -> Body:
    if call.body is UNSET:
        return EMPTY
    if isinstance(call.body, bytes):
        return Body(call.body)
    return Body(json.dumps(call.body, ensure_ascii=False, separators=(",", ":")).encode())
