"""Request targets (RFC 9112 §3.2.1, RFC 3986 §3.3), refused where a provider could read them otherwise than we do.

Refused in every encoding, also a double one: dot segments (with a path parameter or a look-alike character too),
backslashes, control characters. Refused as they stand: ``//``, fragments, characters outside printable ASCII, broken
percent-encoding, bytes that are not UTF-8. An encoded ``/`` inside a segment stays inside it.
"""

import re
import unicodedata
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors import request as kinds

_PLAIN = re.compile(r"(?:/[A-Za-z0-9_~!$&'()*+,=:@-][A-Za-z0-9._~!$&'()*+,=:@-]*)+/?|/")
"""Paths with nothing to decode and no segment that begins with a dot: nearly all of them."""
_PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
_QUERY = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]{}|-]|%[0-9A-Fa-f]{2})*")
"""RFC 3986, and the brackets, braces and bar that clients send unencoded."""
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ROUNDS = 4
"""How often a segment is decoded again; one that is still encoded then is refused."""


class Target(Struct, frozen=True):
    """A target that is sane. path, query: raw (no ``?`` in it; None where there is none). segments: of the path,
    decoded once; a slash at the end makes no segment.
    """

    path: str
    query: str | None
    segments: tuple[str, ...]


def parse_target(target: str) -> Target:
    """Check a raw request target in origin form and take it apart. Raises ExchangeError (client.target_refused)."""
    path, mark, query = target.partition("?")
    if mark and (not _QUERY.fullmatch(query) or "%00" in query):
        raise _refused("the query has a character that it may not have")
    if _PLAIN.fullmatch(path):
        segments = path[1:].split("/")
    else:
        _check_path(path)
        segments = [_decoded(segment) for segment in path[1:].split("/")]
    if not segments[-1]:
        segments.pop()
    return Target(path, query if mark else None, tuple(segments))


def _refused(reason: str) -> ExchangeError:
    return ExchangeError(kinds.TARGET_REFUSED, reason)


def _check_path(path: str) -> None:
    if not path.startswith("/"):
        raise _refused("a target begins with a slash")
    if not _PATH.fullmatch(path):
        raise _refused("the path has a character that it may not have, or broken percent-encoding")
    if "//" in path:
        raise _refused("the path has an empty segment")


def _decoded(segment: str) -> str:
    once = _unquote(segment)
    text = once
    for _ in range(_ROUNDS):
        _check_text(text)
        if not _ENCODED.search(text):
            return once
        text = _unquote(text)
    raise _refused("a segment is percent-encoded over and over")


def _unquote(text: str) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise _refused("a segment is not UTF-8") from None


def _check_text(text: str) -> None:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)  # full-width dots, slashes and backslashes become plain ones
    if "\\" in text:
        raise _refused("the path has a backslash")
    if _CONTROL.search(text):
        raise _refused("the path has a control character")
    if any(part.partition(";")[0] in {".", ".."} for part in text.split("/")):
        raise _refused("the path has a dot segment")
