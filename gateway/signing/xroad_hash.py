"""X-Road-Request-Hash: what binds an X-Road answer to its request (X-Road Message Protocol for REST, §4.3)."""

from hashlib import sha512

from gateway.model.message import Body, Fields
from gateway.signing.sf import base64_text


def request_hash(
    *, method: str, target: str, forwarded: Fields, body: Body, request_id: str, made_id: str | None = None
) -> str:
    """base64(SHA-512(SHA-512(head) ‖ SHA-512(body))), or base64(SHA-512(head)) where there is no body.

    target: the raw path with its query, as received. forwarded: the header fields that are passed on, in order, values
    as received (they are hashed as the bytes that they were). request_id: ``X-Road-Request-Id``, ours. made_id: the
    ``X-Road-Id`` if the gateway made it; None where the caller sent one, which is then among ``forwarded``.
    """
    lines = [f"{method}\r\n{target}\r\n", *[f"{name}:{value}\r\n" for name, value in forwarded]]
    lines.append(f"X-Road-Request-Id:{request_id}\r\n")
    if made_id is not None:
        lines.append(f"X-Road-Id:{made_id}\r\n")
    digest = sha512("".join(lines).encode("latin-1")).digest()
    if body.size:
        digest = sha512(digest + body.sha512).digest()
    return base64_text(digest)
