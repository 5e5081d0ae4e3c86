"""Which header fields of a request are passed on to a provider (X-Road message protocol for REST, §4.2)."""

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
        "motlan-consent",
        "motlan-jws",
        "motlan-original-target",
        "motlan-receipt",
        "signature",
        "signature-input",
        "x-road-request-hash",
        "x-road-request-id",
    }
)


def forwarded(head: Head) -> Fields:
    """The end-to-end fields of a proved head, in order. Whatever ``Connection`` names is hop-by-hop too."""
    named = head.get("connection")
    if named is None:
        return tuple([pair for pair in head.fields if pair[0].lower() not in NOT_FORWARDED])
    hop = NOT_FORWARDED | {token.strip().lower() for token in named.split(",")}
    return tuple([pair for pair in head.fields if pair[0].lower() not in hop])
