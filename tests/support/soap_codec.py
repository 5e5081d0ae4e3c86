"""The SOAP codec without a pipeline: messages in, claims out; replies in, envelopes out."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from adapters.soap.codec import SoapCodec
from adapters.soap.facade import Offered
from adapters.soap.faults import FaultWriter
from gateway.model.decision import EVERYTHING, Decision
from gateway.model.envelope import BY_CERTIFICATE, ProvedParts, Purpose
from gateway.model.facade import Facade
from gateway.model.ids import RecordId, ServiceId, SubsystemId
from gateway.model.instant import Instant
from gateway.model.message import EMPTY, Body, Fields, Head
from gateway.model.outcomes import Outcome
from gateway.model.stages import (
    Answer,
    Authorized,
    Claimed,
    Delegated,
    Minimised,
    Peer,
    Received,
    Recorded,
    Replied,
    Reply,
    Verified,
)
from tests.support.xroad_soap import envelope, headers

CLIENT = SubsystemId("VN", "GOV", "H57", "one-stop")
SERVICE = ServiceId("VN", "GOV", "G01", "register", "citizen")
OPAQUE = ServiceId("VN", "GOV", "G01", "register", "opaque")
FACADE = Facade(
    purpose="MaDVC",
    officer="MaCanBo",
    agency="MaDonVi",
    case="HoSo/Ma",
    basis="ND-63/2024",
    agencies={"H57": "000.00.57"},
)
NS = "urn:test"
TEXT: Fields = (("Content-Type", "text/xml; charset=utf-8"),)
REQUEST_ID = RecordId("0197a1c2-0000-7000-8000-000000000001")
ANSWER_ID = RecordId("0197a1c2-0000-7000-8000-000000000002")
NOW = Instant(1_790_000_000_000_000)


class Interface:
    """Of SERVICE: ``citizen`` and ``citizenVerify``; documents are the texts."""

    def called(self, element: str, payload: Callable[[], bytes]) -> tuple[str, str, str | None] | None:
        assert payload().startswith(b"<")
        return {f"{{{NS}}}citizen": ("POST", "", None), f"{{{NS}}}citizenVerify": ("POST", "/verify", "a=1")}.get(
            element
        )

    def document(self, payload: bytes) -> Any:
        return {"text": payload.decode()}

    def payload(self, element: str, document: Any) -> bytes:
        if "name" not in document:
            raise ValueError("misfit at /name")
        return f'<c:citizenResponse xmlns:c="{NS}">{document["name"]}</c:citizenResponse>'.encode()

    def wsdl(self, address: str) -> bytes:
        return address.encode()


INTERFACE = Interface()


def codec(**faults: Any) -> SoapCodec:
    """A codec that knows SERVICE with its interface and façade, and OPAQUE without."""
    found = {
        ("G01", "register", "citizen"): Offered(SERVICE, FACADE),
        ("G01", "register", "opaque"): Offered(OPAQUE, FACADE),
    }
    return SoapCodec(
        lambda service: INTERFACE if service == SERVICE else None,
        lambda *key: found.get(key),
        json.loads,
        FaultWriter(**faults),
    )


def head(target: str = "/soap", fields: Fields = TEXT, method: str = "POST") -> Head:
    """A request's head."""
    return Head(method=method, target=target, fields=fields)


def request(element: str = "citizen", *, more: str = "", service: ServiceId = SERVICE, inner: str = "") -> bytes:
    """A good envelope."""
    body = f'<t:{element} xmlns:t="{NS}">{inner}</t:{element}>'
    return envelope(headers(str(CLIENT), str(service), "m-1", more=more), body)


def recorded(with_codec: SoapCodec, sent: Head, body: Body, attached: Body | None = None) -> Recorded:
    """The request, as the pipeline would have it on record (mutual TLS)."""
    claim = with_codec.claim(sent, body)
    if claim.client == BY_CERTIFICATE:
        claim = replace(claim, client=CLIENT)
    root = body.root
    assert root is not None
    parts = ProvedParts(head=sent, body=Body(root), claim=claim, attached=attached)
    received = Received(
        id=REQUEST_ID,
        at=NOW,
        head=sent,
        body=body,
        peer=Peer(address="127.0.0.1"),
        public_url="https://gateway.example",
    )
    verified = Verified(
        claimed=Claimed(received=received, claim=claim), client=CLIENT, proof=Delegated(parent=REQUEST_ID), parts=parts
    )
    decision = Decision(grant="g", purpose=Purpose("1.001193"), fields=EVERYTHING, reasons=())
    authorized = Authorized(verified=verified, envelope=with_codec.open(parts), decision=decision)
    return Recorded(authorized=authorized, id=REQUEST_ID)


def minimised(of: Recorded, **reply: Any) -> Minimised:
    """A reply to it, granted whole."""
    made = Reply(**({"outcome": Outcome.FOUND, "status": 200, "body": EMPTY} | reply))
    replied = Replied(recorded=of, reply=made, at=NOW)
    return Minimised(
        replied=replied, fields=made.fields, body=made.body, attached=made.attached, document=made.document or UNSET
    )


def answered(with_codec: SoapCodec, sent: Head, asked: bytes, **reply: Any) -> Answer:
    """The answer to a request."""
    return with_codec.answer(minimised(recorded(with_codec, sent, Body(asked)), **reply), ANSWER_ID, "aGFzaA==")


def streamed(body: Body) -> bytes:
    """All of a body, as it is sent."""

    async def read() -> bytes:
        assert body.spool is not None
        return b"".join([chunk async for chunk in body.spool.chunks()])

    return body.data if body.data is not None else asyncio.run(read())
