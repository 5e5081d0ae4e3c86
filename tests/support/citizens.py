"""Citizens' tokens for tests, made by another implementation of JWT than ours, and an office that gives out lists."""

import secrets
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct

from gateway.client import Call
from tests.support.exchanges import STATED, Caller, grant, make_office
from tests.support.gateways import OTHER, PORTAL, Site

ISSUER = "https://vneid.example"
AUDIENCE = "VN/GOV/G22/motlan"
ACCESSES = "VN/GOV/G22/motlan/accesses"
TYP = "motlan-citizen+jwt"

_KEYS: dict[str, Any] = {
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    "PS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
}
STRANGER_KEY = ec.generate_private_key(ec.SECP256R1())


def key_of(algorithm: str) -> Any:
    """The issuer's private key for an algorithm."""
    return _KEYS[algorithm]


def pem(key: Any) -> bytes:
    """Its public half, PEM."""
    public: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return public


def claims_of(number: str, **change: Any) -> dict[str, Any]:
    """Right claims, with changes; a claim that is None is left out."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": number,
        "iat": now,
        "exp": now + 300,
        "jti": secrets.token_urlsafe(16),
        **change,
    }
    return {name: value for name, value in claims.items() if value is not None}


def token(number: str, *, algorithm: str = "ES256", key: Any = None, typ: str | None = TYP, **change: Any) -> str:
    """A token for a person, right in all that is not asked to be wrong."""
    headers = {"typ": typ, "kid": "2026-1"}
    return jwt.encode(claims_of(number, **change), key or _KEYS[algorithm], algorithm=algorithm, headers=headers)


def make_citizens_office(folder: Path, backend: str, **site: Any) -> Site:
    """``make_office`` that gives citizens their lists, through two portals. months: of the setting."""
    months = site.pop("months", 12)
    keys = []
    for algorithm, key in _KEYS.items():
        file = folder / f"issuer-{algorithm}.pem"
        file.write_bytes(pem(key))
        keys.append(f'{{ issuer = "{ISSUER}", key = "{file}" }}')
    site["extra"] = f"[citizens]\nmonths = {months}\nissuers = [{', '.join(keys)}]\n" + site.get("extra", "")
    site["grants"] = "".join(grant(f"accesses-{each.member_code.lower()}", each, ACCESSES) for each in (PORTAL, OTHER))
    return make_office(folder, backend, **site)


class Citizen(Struct):
    """A person at a portal. place: the world. number: theirs."""

    place: Any
    number: str
    portal: Any = PORTAL

    def ask(self, path: str = "/v1/accesses", query: str | None = None, *, with_token: str | None = None) -> Any:
        """One call of the portal with a fresh token, or the one that is given; the client's answer."""

        given = token(self.number) if with_token is None else with_token
        call = Call(
            own_path=path,
            method="GET",
            query=query,
            purpose=STATED,
            extra=(("Motlan-Citizen", given),) if given else (),
        )
        return Caller(self.place, self.portal).send(call)

    def page(self, query: str | None = None) -> dict[str, Any]:
        """A page of the list."""
        answer = self.ask(query=query)
        assert answer.status == 200, answer.body.data
        return dict(answer.json())

    def list(self) -> list[dict[str, Any]]:
        """The newest entries of the list, readings of itself left out."""
        return [each for each in self.page()["accesses"] if each["service"] != ACCESSES]
