"""Where a message was sent: the configured public URL that supplies scheme and authority (RFC 9421 §2.2)."""

import re
from functools import lru_cache
from urllib.parse import urlsplit

from msgspec import Struct

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")


class PublicUrl(Struct, frozen=True):
    """Scheme and authority under which a server is reached.

    scheme: ``http`` or ``https``. authority: host, and port unless it is the scheme's default; lower case
    (RFC 9421 §2.2.3). origin: ``scheme://authority``.
    """

    scheme: str
    authority: str
    origin: str

    @classmethod
    def parse(cls, url: str) -> "PublicUrl":
        """From ``https://host[:port][/…]``; a path is ignored. Raises ValueError for anything else."""
        parts = urlsplit(url)
        if parts.scheme not in _DEFAULT_PORTS or "@" in parts.netloc:
            raise ValueError("a public URL is http://host[:port] or https://host[:port]")
        return cls.of(parts.scheme, parts.netloc)

    @classmethod
    def of(cls, scheme: str, authority: str) -> "PublicUrl":
        """From a scheme and a Host header's value, normalised. Raises ValueError for an impossible authority."""
        host, _, port = authority.lower().rpartition(":")
        if not host or port.endswith("]"):  # no port, or the last colon is one of an IPv6 address
            host, port = authority.lower(), ""
        if not _HOST.fullmatch(host) or (port and not (port.isascii() and port.isdigit() and int(port) < 65_536)):  # noqa: PLR2004 - TCP's ports
            raise ValueError("an authority is host or host:port")
        kept = f":{int(port)}" if port and int(port) != _DEFAULT_PORTS[scheme] else ""
        return cls(scheme, host + kept, f"{scheme}://{host}{kept}")


@lru_cache(maxsize=1024)
def public_url(url: str) -> PublicUrl:
    """``PublicUrl.parse``, remembered: the URLs of a deployment are few. Raises ValueError."""
    return PublicUrl.parse(url)


def split_url(url: str) -> tuple[PublicUrl, str]:
    """An absolute URL as its origin and its raw request target. Raises ValueError.

    An empty path becomes ``/`` (RFC 9421 §2.2.6); the rest stays as it is written.
    """
    scheme, mark, rest = url.partition("://")
    if not mark or "#" in rest:
        raise ValueError("not an absolute URL without fragment")
    cut = min((position for position in (rest.find("/"), rest.find("?")) if position >= 0), default=len(rest))
    target = rest[cut:]
    return public_url(f"{scheme}://{rest[:cut]}"), target if target.startswith("/") else f"/{target}"
