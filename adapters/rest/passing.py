"""What passes between consumer and provider: fields of an answer that travel on, and how a path joins a base URL."""

import re
from urllib.parse import unquote_to_bytes

from gateway.model.message import Fields

_HOP_BY_HOP = frozenset(  # RFC 9110 §7.6.1
    {
        "connection",
        "keep-alive",
        "proxy-connection",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_ANSWER_DROPPED = _HOP_BY_HOP | {
    "content-length",
    "server",
    "alt-svc",
    "set-cookie",  # consumers have no session with a provider, and one gateway's clients share its origin
    "strict-transport-security",
    # Re-made over what is released:
    "content-digest",
    "repr-digest",
    "digest",
    "signature",
    "signature-input",
    "accept-signature",
}
_OURS = ("x-road-", "motlan-")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PLAIN_TARGET = re.compile(r"[!-~]*")


def end_to_end(fields: Fields) -> Fields:
    """The fields of a provider's answer that may reach the consumer: nothing hop-by-hop, nothing that is ours to say.

    Left out too: what describes bytes that minimising may change (digests), and signatures over them.
    """
    nominated = _nominated(fields)
    return tuple(
        [
            each
            for each in fields
            if (name := each[0].lower()) not in _ANSWER_DROPPED
            and not name.startswith(_OURS)
            and (not nominated or name not in nominated)
        ]
    )


def _nominated(fields: Fields) -> frozenset[str]:
    """The fields that Connection names: they end at this hop too (RFC 9110 §7.6.1)."""
    values = [value for name, value in fields if name.lower() == "connection"]
    return frozenset(item.strip().lower() for value in values for item in value.split(",")) if values else frozenset()


def join_target(base_path: str, path: str, query: str | None) -> str:
    """The raw target below a base path. base_path: ``""`` or ``/…``. path: raw, ``""`` or ``/…``.

    Raises ValueError where the path could leave the base (RFC 3986 §5.2.4, in any encoding) or is not a target.
    """
    if path:
        check_path(path)
    target = (base_path.rstrip("/") + path if path else base_path) or "/"
    if query is not None:
        target = f"{target}?{query}"
    if not target.isascii() or "#" in target or not _PLAIN_TARGET.fullmatch(target):
        raise ValueError("a target is printable ASCII without a fragment")
    return target


def check_path(path: str) -> None:
    """Raise ValueError for dot segments, empty segments, backslashes and control bytes, encoded or not."""
    if not path.startswith("/") or "//" in path or _ESCAPE.search(path):
        raise ValueError("a path starts with one slash and is well-formed")
    if "%" in path or "\\" in path or "." in path:
        _check_decoded(path)


def _check_decoded(path: str) -> None:
    previous, octets = b"", path.encode("latin-1", "replace")
    while octets != previous:  # some servers decode twice
        if b"\\" in octets or any(byte < 0x20 or byte == 0x7F for byte in octets):  # noqa: PLR2004 - US-ASCII controls
            raise ValueError("a path holds no backslash and no control byte")
        if any(segment.partition(b";")[0] in {b".", b".."} for segment in octets.split(b"/")):
            raise ValueError("a path holds no dot segment")
        previous, octets = octets, unquote_to_bytes(octets)
