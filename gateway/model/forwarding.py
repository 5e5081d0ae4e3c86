"""Which header fields of a request are passed on to a provider (X-Road message protocol for REST, §4.2)."""

from functools import lru_cache
from typing import Final

from gateway.model.message import Fields, Head

NOT_FORWARDED: Final = frozenset(
    {
        # hop-by-hop (RFC 9110 §7.6.1)
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        # re-made for the provider's connection, or about this one
        "content-length",
        "expect",
        "host",
        "server",
        "user-agent",
        # ours to say
        "client-cert",
        "client-cert-chain",
        "motlan-citizen",
        "motlan-consent",
        "motlan-jws",
        "motlan-original-target",
        "motlan-receipt",
        "signature",
        "signature-input",
        "x-road-request-hash",
        "x-road-request-id",
        # another method, URL or origin than was decided on, to those frameworks that listen to them
        "forwarded",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-original-method",
        "x-original-url",
        "x-real-ip",
        "x-rewrite-url",
    }
)
_OF_PROXIES: Final = "x-forwarded-"


@lru_cache(maxsize=1024)
def travels(name: str) -> bool:
    """Whether a field of this name, in whatever case, may be passed on.

    None with an underscore may: what CGI, WSGI and PHP make of ``X_Road_UserId`` is what they make of
    ``X-Road-UserId``, so a provider could be told of another officer than the record names.
    """
    lower = name.lower()
    return lower not in NOT_FORWARDED and "_" not in name and not lower.startswith(_OF_PROXIES)


def forwarded(head: Head) -> Fields:
    """The end-to-end fields of a proved head, in order. Whatever ``Connection`` names is hop-by-hop too."""
    named = head.get("connection")
    if named is None:
        return tuple([pair for pair in head.fields if travels(pair[0])])
    hop = {token.strip().lower() for token in named.split(",")}
    return tuple([pair for pair in head.fields if travels(pair[0]) and pair[0].lower() not in hop])
