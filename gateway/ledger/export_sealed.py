"""Personal data sealed to the data-protection officer: whoever gathers it does not get to read it.

A file of lines, each a JWE (RFC 7516, general JSON serialisation, ECDH-ES+A256KW, A256GCM) of some thousand rows, so
that neither side has to hold all of it.
"""

from collections.abc import Sequence
from typing import Any, cast

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from gateway.ledger.canonical import canonical
from gateway.ledger.epoch import Recipient
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import OPENING_UNREADABLE

TYPE = "motlan-affected+jwe"

_ALGORITHMS = ["ECDH-ES+A256KW", "A256GCM"]


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    """What of one person left the gateway in one answer. at: RFC 3339. record: the answer's. released: the elements."""

    at: str
    person: str
    record: str
    released: tuple[str, ...]
    service: str | None


def seal_rows(rows: Sequence[Affected], recipients: Sequence[Recipient]) -> bytes:
    """Rows as one line; each recipient opens it alone. Raises ValueError without recipients."""
    if not recipients:
        raise ValueError("there is nobody to seal to")
    protected = {"enc": "A256GCM", "typ": TYPE}
    sealing = jwe.GeneralJSONEncryption(protected, msgspec.json.encode(rows))
    for recipient in recipients:
        sealing.add_recipient({"alg": "ECDH-ES+A256KW", "kid": recipient.kid}, _jwk(recipient.key))
    return canonical(jwe.encrypt_json(sealing, None, algorithms=_ALGORITHMS)) + b"\n"


def open_rows(line: bytes, key: EllipticCurvePrivateKey | X25519PrivateKey) -> list[Affected]:
    """The rows of a line. Raises ExchangeError (OPENING_UNREADABLE) for another's key, or altered bytes."""
    try:
        parts = msgspec.json.decode(line, type=dict[str, Any])
        for recipient in parts.pop("recipients"):
            clear = _opened(parts, recipient, key)
            if clear is not None:
                return msgspec.json.decode(clear, type=list[Affected])
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise ExchangeError(OPENING_UNREADABLE, "this key opens nothing of the sealed rows")


def _opened(parts: dict[str, Any], recipient: Any, key: Any) -> bytes | None:
    try:
        single = cast("jwe.GeneralJSONSerialization", {**parts, "recipients": [recipient]})
        opened = jwe.decrypt_json(single, _jwk(key), algorithms=_ALGORITHMS)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return opened.plaintext if opened.protected.get("typ") == TYPE else None


def _jwk(key: Any) -> ECKey | OKPKey:
    curve = hasattr(key, "curve")
    return ECKey.import_key(key) if curve else OKPKey.import_key(key)
