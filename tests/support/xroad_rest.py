"""An X-Road consumer of REST services, written from X-Road's own documents and the standard library alone.

PR-REST (X-Road Message Protocol for REST, r1), PR-MREST (its metadata services) and PR-META §2 (``listClients``). It
knows nothing of the gateway that it calls: an information system speaks so to its Security Server. Mutual TLS says who
it is; it signs nothing, and sends none of the gateway's own header fields.
"""

import base64
import hashlib
import http.client
import json
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

FILTERED = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
        "upgrade", "host", "user-agent", "server", "expect", "content-length",
    }
)  # fmt: skip
"""PR-REST §4.3: fields that a Security Server does not pass through as they are."""

SECONDS = 15


@dataclass(frozen=True)
class Identifier:
    """A subsystem or service: its parts, each percent-encoded on its own (PR-REST §4.2)."""

    parts: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "Identifier":
        return cls(tuple(text.split("/")))

    def __str__(self) -> str:
        return "/".join(quote(part, safe="") for part in self.parts)


@dataclass(frozen=True)
class Answer:
    """What came back, and what it answers. fields: names in lower case."""

    status: int
    fields: dict[str, str]
    body: bytes
    sent_line: str
    sent: tuple[tuple[str, str], ...]
    sent_body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_xroads_own_error(self) -> bool:
        """PR-REST §4.3: only errors that arose in X-Road carry the field."""
        return "x-road-error" in self.fields

    def check_request_hash(self) -> None:
        """PR-REST §4.3: base64(SHA512(SHA512(headers)+SHA512(body))), without a body base64(SHA512(headers))."""
        lines = [self.sent_line, *(f"{n}:{v}" for n, v in self.sent if n.lower() not in FILTERED)]
        lines.append(f"X-Road-Request-Id:{self.fields['x-road-request-id']}")
        if not any(name.lower() == "x-road-id" for name, _ in self.sent):
            lines.append(f"X-Road-Id:{self.fields['x-road-id']}")
        digest = hashlib.sha512("".join(f"{line}\r\n" for line in lines).encode("latin-1")).digest()
        if self.sent_body:
            digest = hashlib.sha512(digest + hashlib.sha512(self.sent_body).digest()).digest()
        assert self.fields["x-road-request-hash"] == base64.b64encode(digest).decode()


@dataclass
class Consumer:
    """An information system. url: its Security Server. client: its subsystem. tls: with its certificate."""

    url: str
    client: str
    tls: ssl.SSLContext | None
    source: str = "127.0.0.1"
    more: tuple[tuple[str, str], ...] = field(default=())

    def call(
        self,
        service: str,
        *,
        method: str = "GET",
        path: str = "",
        query: dict[str, str] | None = None,
        body: bytes = b"",
        fields: Iterable[tuple[str, str]] = (),
    ) -> Answer:
        """PR-REST §4.1: ``{method} /r1/{serviceId}[path][?query]`` with X-Road-Client."""
        target = f"/r1/{Identifier.of(service)}{path}" + (f"?{urlencode(query)}" if query else "")
        return self.send(method, target, [("X-Road-Client", str(Identifier.of(self.client))), *fields], body)

    def send(self, method: str, target: str, fields: Iterable[tuple[str, str]] = (), body: bytes = b"") -> Answer:
        """One request on a connection of its own, its fields in this order."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        where = (parts.hostname, parts.port)
        if self.tls is None:
            connection = http.client.HTTPConnection(*where, timeout=SECONDS, source_address=(self.source, 0))
        else:
            connection = http.client.HTTPSConnection(
                *where, timeout=SECONDS, context=self.tls, source_address=(self.source, 0)
            )
        sent = (*fields, *self.more)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in sent:
                connection.putheader(name, value)
            if body:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            response = connection.getresponse()
            got = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, got, response.read(), f"{method}\r\n{target}", sent, body)
        finally:
            connection.close()

    def services(self, provider: str, question: str = "listMethods") -> dict[str, dict[str, Any]]:
        """PR-MREST §4: a provider's services by their code."""
        answer = self.call(f"{provider}/{question}", fields=[("Accept", "application/json")])
        assert answer.status == 200, answer
        return {each["service_code"]: each for each in answer.json()["service"]}


def tls_context(authorities: str, certificate: str | None = None, key: str | None = None) -> ssl.SSLContext:
    """Believes these authorities, and shows this certificate."""
    context = ssl.create_default_context(cafile=authorities)
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context
