"""Signed requests as raw bytes, made before a turn: the generator only sends."""

import secrets
import time
from collections.abc import Iterable

from msgspec import Struct

from gateway.client.call import Call, outbound
from gateway.model.ids import SubsystemId
from gateway.model.instant import Instant
from gateway.ports import Signer
from gateway.signing.http_sig_sign import sign_request


class Caller(Struct, frozen=True, kw_only=True):
    """Who calls what. gateway: the public URL that is signed; the socket may be another's."""

    client: SubsystemId
    key: Signer
    gateway: str
    call: Call

    def requests(self, count: int) -> Iterable[bytes]:
        """So many requests, each with a nonce of its own, good for five minutes."""
        plain = outbound(self.call, self.client, self.gateway)
        content = plain.body.data or b""
        authority = self.gateway.partition("://")[2]
        for _ in range(count):
            now = Instant(time.time_ns() // 1000)
            sent = sign_request(plain, key=self.key, now=now, nonce=secrets.token_urlsafe(18), lifetime=300)
            lines = [f"{plain.method} {self.call.target} HTTP/1.1", f"Host: {authority}"]
            lines += [f"{name}: {value}" for name, value in sent.head.fields]
            lines += [f"Content-Length: {len(content)}", "", ""]
            yield "\r\n".join(lines).encode("latin-1") + content
