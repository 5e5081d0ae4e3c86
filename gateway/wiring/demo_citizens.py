"""Who says who a citizen is, in the demo: keys and tokens of an identity provider, for development only."""

import secrets
from pathlib import Path
from typing import Final, cast

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.keys.file import load_private_key, write_private_key
from gateway.keys.issue import new_key
from gateway.model.instant import Instant, to_seconds
from gateway.signing.citizen_token import TYP

ISSUER: Final = "https://citizens.example"
"""As its tokens name it."""

_SECONDS = 120


def make_issuer(pki: Path) -> Path:
    """Its private key in ``citizens/`` of a folder that ``pki.make`` filled, the public one beside it; what is there
    already stays.
    """
    key_file, public_file = pki / "citizens/issuer.key.pem", pki / "citizens/issuer.pub.pem"
    if public_file.exists():
        return key_file
    key = new_key()
    key_file.parent.mkdir(mode=0o700, exist_ok=True)
    key_file.unlink(missing_ok=True)  # of a run that died between the two
    write_private_key(key_file, key)
    public_file.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return key_file


def citizen_token(key_file: Path, number: str, *, audience: str, now: Instant) -> str:
    """A token of a person, for one call: what a portal gets when the citizen has logged in. number: theirs."""
    at = to_seconds(now)
    claims = {
        "iss": ISSUER,
        "aud": audience,
        "sub": number,
        "iat": at,
        "exp": at + _SECONDS,
        "jti": secrets.token_urlsafe(16),
    }
    key = cast("EllipticCurvePrivateKey", load_private_key(key_file))
    return jwt.encode(claims, key, algorithm="ES256", headers={"typ": TYP})
