"""The text of a compact JWS (RFC 7515 §7.1), read strictly: what two parsers could read differently is refused.

Refused: base64url with padding, white space or left-over bits, a name given twice in an object, NaN, JSON that is no
object, anything in the protected header beside ``alg``, ``typ``, ``x5t#S256`` and the hints ``kid`` and ``x5t``, which
are not looked at. So there is no ``crit``, no ``b64``, no key or certificate in it, and no place to fetch one from.
"""

import binascii
import json
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from gateway.model.errors import ErrorKind, ExchangeError
from gateway.ports import Signer

MAX_CHARACTERS: Final = 16 * 1024
"""A longer compact JWS is refused unread; half of what a whole head may have."""
_MAX_HEADER: Final = 1024
_ALGORITHMS: Final = frozenset({"ES256", "ES384", "EdDSA", "PS256"})
_NEEDED: Final = frozenset({"alg", "typ", "x5t#S256"})
_HINTS: Final = frozenset({"kid", "x5t"})
_THUMBPRINT: Final = 43
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_PLAIN: Final = bytes.maketrans(b"-_+/", b"+/!!")


class JwsTextError(ValueError):
    """The text is no such JWS. The message says why, never what stands there."""


class Compact(Struct, frozen=True):
    """A compact JWS, unverified. base: the signing input. payload, signature: decoded."""

    text: str
    algorithm: str
    keyid: str
    payload: bytes
    base: bytes
    signature: bytes


def base64url(data: bytes) -> str:
    """base64url without padding (RFC 7515 §2)."""
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").translate(_URL_SAFE).decode()


def from_base64url(text: str) -> bytes:
    """The bytes of canonical base64url without padding. Raises JwsTextError."""
    try:
        plain = text.encode("ascii").translate(_PLAIN)
        data = binascii.a2b_base64(plain + b"=" * (-len(plain) % 4), strict_mode=True)
    except (UnicodeEncodeError, binascii.Error):
        raise JwsTextError("a part is not base64url without padding") from None
    if base64url(data) != text:  # bits left over in the last character
        raise JwsTextError("a part is not canonical base64url")
    return data


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise JwsTextError("an object gives a name twice")
    return members


def _no_constant(_name: str) -> Any:
    raise JwsTextError("NaN and Infinity are not JSON")


_DECODE: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant).decode


def parse_object(data: bytes) -> dict[str, Any]:
    """The members of a JSON object. Raises JwsTextError."""
    try:
        value = _DECODE(data.decode())
    except JwsTextError:
        raise
    except (ValueError, RecursionError):
        raise JwsTextError("a part is not JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise JwsTextError("a part is not a JSON object")
    return value


@lru_cache(maxsize=512)
def _protected(text: str, typ: str) -> tuple[str, str]:
    """``alg`` and ``x5t#S256``. Remembered: a client's header is the same every time."""
    header = parse_object(from_base64url(text))
    unknown = header.keys() - _NEEDED - _HINTS
    if unknown:
        raise JwsTextError(f"the protected header may not hold {', '.join(sorted(unknown))[:100]}")
    if not all(isinstance(value, str) for value in header.values()) or not header.keys() >= _NEEDED:
        raise JwsTextError("the protected header needs alg, typ and x5t#S256, each a string")
    if header["typ"] != typ:
        raise JwsTextError(f"typ is not {typ}")
    if header["alg"] not in _ALGORITHMS:
        raise JwsTextError("alg is none of ES256, ES384, EdDSA and PS256")
    if len(header["x5t#S256"]) != _THUMBPRINT:
        raise JwsTextError("x5t#S256 is not a SHA-256 in base64url without padding")
    return header["alg"], header["x5t#S256"]


def parse_compact(text: str, *, typ: str) -> Compact:
    """Take a compact JWS apart; nothing of it is verified but its form and ``typ``. Raises JwsTextError."""
    if len(text) > MAX_CHARACTERS:
        raise JwsTextError(f"it is longer than {MAX_CHARACTERS} characters")
    header, first, rest = text.partition(".")
    payload, second, signature = rest.partition(".")
    if not first or not second or "." in signature or len(header) > _MAX_HEADER:
        raise JwsTextError("it is not three parts with a dot between them, or its header is too long")
    algorithm, keyid = _protected(header, typ)
    decoded = from_base64url(payload), from_base64url(signature)
    return Compact(text, algorithm, keyid, decoded[0], text[: text.rindex(".")].encode("ascii"), decoded[1])


def write_compact(payload: bytes, *, typ: str, key: Signer) -> Compact:
    """Sign a payload: ``header.payload.signature``, the key named by its certificate (RFC 7515 §4.1.8)."""
    header = _header(key.jws_algorithm, typ, key.keyid)
    base = f"{header}.{base64url(payload)}".encode()
    signature = key.sign_jws(base)
    text = f"{base.decode()}.{base64url(signature)}"
    return Compact(text, key.jws_algorithm, key.keyid, payload, base, signature)


@lru_cache(maxsize=64)
def _header(algorithm: str, typ: str, keyid: str) -> str:
    header = {"alg": algorithm, "typ": typ, "x5t#S256": keyid}
    return base64url(json.dumps(header, separators=(",", ":")).encode())


def reason(kind: ErrorKind, error: Exception) -> ExchangeError:
    """The product's error for a text that cannot be read; a library's words are cut."""
    return ExchangeError(kind, str(error)[:200])
