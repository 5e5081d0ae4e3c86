"""A gateway whose callers show TLS certificates, of the handshake or (behind a terminator) in Client-Cert."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.simulators import pki
from gateway.keys.file import load_certificates, load_private_key, write_private_key
from gateway.keys.issue import DevelopmentAuthority, Profile, new_key
from gateway.keys.onboarding import certificate_pem
from gateway.model.envelope import ProofScheme
from gateway.model.ids import SubsystemId, parse_service, parse_subsystem
from gateway.model.instant import plus
from gateway.model.usage import Usage
from tests.support.attacks import World
from tests.support.exchanges import grant, office
from tests.support.gateways import BASIS, ECHO, PURPOSE
from tests.support.xroad_rest import Consumer, tls_context

LEGACY = parse_subsystem("VN/GOV/H57/one-stop")
"""Cannot sign: mutual TLS, and a hosted key."""
CONFINED = parse_subsystem("VN/GOV/H58/one-stop")
"""As LEGACY, from 127.0.0.2 only."""
KEYLESS = parse_subsystem("VN/GOV/H59/one-stop")
"""Mutual TLS, but nobody hosts a key for it."""
PERMIT = parse_service("VN/GOV/G15/registry/permit")
"""A look-up with a schema and a default purpose, granted element by element."""
SHELF = parse_service("VN/GOV/G15/registry/shelf")
"""Passes through, and has an OpenAPI description of its own."""
CLOSED = parse_service("VN/GOV/G15/registry/closed")
"""Is switched off."""

_MTLS = frozenset({ProofScheme.MUTUAL_TLS})
PARTIES = (
    pki.Party(id=LEGACY, organization="Ủy ban nhân dân thành phố Huế", name="Một cửa Huế", schemes=_MTLS, hosted=True),
    pki.Party(id=CONFINED, organization="Cà Mau", schemes=_MTLS, hosted=True, networks=("127.0.0.2/32",)),
    pki.Party(id=KEYLESS, organization="Lai Châu & <Điện Biên>", schemes=_MTLS),
)

OPENAPI = {
    "openapi": "3.0.3",
    "info": {"title": "Shelf", "version": "2"},
    "servers": [{"url": "http://10.0.0.1/inner"}],
    "security": [{"theirs": []}],
    "components": {"securitySchemes": {"theirs": {"type": "http", "scheme": "basic"}}},
    "paths": {
        "/books": {"get": {"responses": {"200": {"description": "ok"}}}},
        "/books/{id}": {
            "servers": [{"url": "http://10.0.0.1/other"}],
            "get": {"security": [{"theirs": []}], "responses": {"200": {"description": "ok"}}},
            "delete": {"responses": {"204": {"description": "gone"}}},
        },
    },
}

_SERVICES = f"""
[[service]]
id = "{PERMIT}"
path = "/permit"
title = "Giấy phép"
response_schema = "holding.json"
default_purpose = "{PURPOSE};{BASIS}"

[[service]]
id = "{SHELF}"
path = "/shelf"
openapi = "../shelf.json"
default_purpose = "{PURPOSE};{BASIS}"

[[service]]
id = "{CLOSED}"
path = "/closed"
enabled = false
response_schema = "holding.json"
default_purpose = "{PURPOSE};{BASIS}"
"""


def _grants() -> str:
    written = []
    for client in (LEGACY, CONFINED, KEYLESS):
        written.append(grant(f"{client.member_code.lower()}-permit", client, PERMIT, '["/owner/full_name", "/area"]'))
        written.append(grant(f"{client.member_code.lower()}-shelf", client, SHELF))
        written.append(grant(f"{client.member_code.lower()}-echo", client, ECHO))
        written.append(grant(f"{client.member_code.lower()}-closed", client, CLOSED))
    return "".join(written)


@contextmanager
def mtls_office(folder: Path, **site: Any) -> Iterator[World]:
    """A gateway with these parties and services, over TLS unless ``tls=False``, and a told provider."""
    (folder / "shelf.json").write_text(json.dumps(OPENAPI))
    site = {"tls": True, "more_parties": PARTIES, "services": _SERVICES, "grants": _grants()} | site
    with office(folder, **site) as made:
        yield made


def consumer(
    world: World, subsystem: SubsystemId = LEGACY, *, shows: SubsystemId | None = None, **more: Any
) -> Consumer:
    """An X-Road consumer that calls as ``subsystem``. shows: whose TLS certificate, if not its own."""
    identity = world.site.pki.identities[shows or subsystem]
    tls = tls_context(str(world.site.pki.bundle), str(identity.tls_certificate), str(identity.tls_key))
    return Consumer(world.site.url, str(subsystem), tls, **more)


def client_cert(certificate: Path) -> tuple[str, str]:
    """The field in which a TLS terminator shows a caller's certificate (RFC 9440)."""
    return "Client-Cert", f":{base64.b64encode(load_certificates(certificate)[0]).decode()}:"


def unlisted(world: World, party: SubsystemId = LEGACY) -> tuple[Path, Path]:
    """A TLS certificate and key of the listed authority, in a member's name, that the trust list does not have."""
    folder = world.site.folder / "unlisted"
    folder.mkdir(exist_ok=True)
    ca = world.site.pki.folder / "ca"
    issuer = x509.load_pem_x509_certificate((ca / "issuing.pem").read_bytes())
    issuer_key = load_private_key(ca / "issuing.key.pem")
    assert isinstance(issuer_key, EllipticCurvePrivateKey)
    now, key = world.clock.now(), new_key()
    profile = Profile(
        usage=Usage.TLS,
        common_name=str(party),
        organization="Huế",
        not_before=plus(now, -3600),
        not_after=plus(now, 3600),
    )
    der = DevelopmentAuthority(issuer, issuer_key).issue(key.public_key(), profile)
    (folder / "tls.pem").write_bytes(certificate_pem(der, issuer.public_bytes(Encoding.DER)))
    if not (folder / "tls.key.pem").exists():
        write_private_key(folder / "tls.key.pem", key)
    return folder / "tls.pem", folder / "tls.key.pem"
