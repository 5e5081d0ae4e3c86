"""What only certain people can open: a JWE (RFC 7516) to their public keys, in general JSON serialisation (§7.2.1).

ECDH-ES+A256KW and A256GCM. Any one recipient opens it alone. Each use has a ``typ`` of its own, always checked, so that
one kind of sealed thing is never taken for another.
"""

from collections.abc import Iterable
from typing import Any, cast

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from gateway.ledger.canonical import canonical

_ALGORITHMS = ["ECDH-ES+A256KW", "A256GCM"]


def seal_to(typ: str, clear: bytes, recipients: Iterable[tuple[str, Any]], *, content: str | None = None) -> bytes:
    """The bytes sealed. recipients: (kid, public key: P-256, P-384, P-521 or X25519), at least one. content: their
    media type, which stands in the protected header (``cty``), not encrypted.

    Ephemeral keys are drawn by the library from the operating system.
    """
    header = {"enc": "A256GCM", "typ": typ} | ({} if content is None else {"cty": content})
    sealing = jwe.GeneralJSONEncryption(header, clear)
    for kid, key in recipients:
        sealing.add_recipient({"alg": "ECDH-ES+A256KW", "kid": kid}, _jwk(key))
    return canonical(jwe.encrypt_json(sealing, None, algorithms=_ALGORITHMS))


def open_with(typ: str, sealed: bytes, private_key: Any) -> bytes:
    """What ``seal_to`` sealed, opened with one recipient's private key.

    Raises ValueError, quoting nothing, for another's key, altered bytes, another typ.
    """
    try:
        parts = msgspec.json.decode(sealed, type=dict[str, Any])
        recipients = parts.pop("recipients")
        return next(clear for each in recipients if (clear := _opened(typ, parts, each, private_key)) is not None)
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError, AttributeError, StopIteration):
        raise ValueError("this key opens no part of it") from None


def _opened(typ: str, parts: dict[str, Any], recipient: Any, private_key: Any) -> bytes | None:
    try:
        single = cast("jwe.GeneralJSONSerialization", {**parts, "recipients": [recipient]})
        opened = jwe.decrypt_json(single, _jwk(private_key), algorithms=_ALGORITHMS)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return opened.plaintext if opened.protected.get("typ") == typ else None


def _jwk(key: Any) -> ECKey | OKPKey:
    curve = isinstance(key, EllipticCurvePublicKey | EllipticCurvePrivateKey)
    return ECKey.import_key(key) if curve else OKPKey.import_key(key)
