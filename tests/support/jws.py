"""Requests with ``Motlan-JWS``: as our own code signs them, and as anybody may write them, good or bad."""

import base64
import json
from typing import Any

from gateway.model.ids import parse_service, parse_subsystem
from gateway.model.instant import Instant
from gateway.model.message import Body, Fields, Head
from gateway.model.stages import Direct
from gateway.signing.digest import content_digest
from gateway.signing.http_sig_sign import SentRequest
from gateway.signing.message_jws import parse_message_jws, verify_message_jws
from gateway.signing.message_jws_sign import sign_message_jws
from tests.support.signing import BODY, NONCE, NOW, P256, TARGET, URL, Pair, outbound

CLIENT = parse_subsystem("VN/GOV/H31/portal")
SERVICE = parse_service("VN/GOV/G01/population/citizen")
REQUEST = "motlan-request+jwt"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jws_request(pair: Pair = P256, *, now: Instant = NOW, jti: str = NONCE, **changes: Any) -> SentRequest:
    """A request that satisfies every rule, signed by our own code."""
    return sign_message_jws(outbound(**changes), client=CLIENT, service=SERVICE, key=pair.private, now=now, jti=jti)


def claims_of(head: Head) -> dict[str, Any]:
    payload = head.get("motlan-jws").split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def compact(
    payload: bytes | dict[str, Any], *, pair: Pair = P256, header: bytes | None = None, sign: Any = None, **changed: Any
) -> str:
    """A compact JWS of any payload under any header. changed: header members replaced; None leaves one out."""
    made = {"alg": pair.public.jws_algorithm, "typ": REQUEST, "x5t#S256": pair.keyid}
    made |= {name.replace("x5t_S256", "x5t#S256"): value for name, value in changed.items()}
    text = header if header is not None else json.dumps({k: v for k, v in made.items() if v is not None}).encode()
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    base = f"{b64(text)}.{b64(content)}"
    return f"{base}.{b64((sign or pair.private.sign_jws)(base.encode()))}"


def with_jws(head: Head, text: str) -> Head:
    fields = tuple(pair for pair in head.fields if pair[0].lower() != "motlan-jws")
    return Head(method=head.method, target=head.target, fields=(*fields, ("Motlan-JWS", text)))


def verify(head: Head, *, pair: Pair = P256, body: Body = BODY, now: Instant = NOW, **changed: Any) -> Direct:
    """As the pipeline does it."""
    options = {"client": CLIENT, "service": SERVICE, "public_url": URL, "has_body": body.size > 0, "now": now}
    return verify_message_jws(head, parse_message_jws(head), pair.public, **(options | changed))


def stated(fields: Fields, *, target: str = TARGET, method: str = "POST", body: Body = BODY) -> dict[str, Any]:
    """The claims of a right request with these fields."""
    at = NOW // 1_000_000
    names = [n for n, _ in fields if n.lower() not in {"host", "user-agent", "content-digest"}]
    headers = {name.lower(): dict(fields)[name] for name in names}
    signed = {"method": method, "target": URL.origin + target, "digest": content_digest(body), "headers": headers}
    return {"iss": str(CLIENT), "aud": str(SERVICE), "iat": at, "exp": at + 60, "jti": NONCE, "signed": signed}
