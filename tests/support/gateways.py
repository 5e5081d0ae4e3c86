"""A whole gateway for tests and benchmarks: its PKI, its configuration in a folder, and one REST provider behind it."""

import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from adapters.simulators import pki
from adapters.simulators.pki import Pki
from gateway.keys.file import FileKey, load_signing_key
from gateway.model.ids import ServiceId, SubsystemId, parse_service, parse_subsystem
from gateway.model.instant import Instant
from gateway.model.usage import ServiceType
from gateway.wiring.core import SystemClock
from gateway.wiring.gateway import Gateway

PORTAL = parse_subsystem("VN/GOV/H24/portal")
OTHER = parse_subsystem("VN/GOV/H26/one-stop")
STRANGER = parse_subsystem("VN/GOV/H31/portal")
PROVIDER = parse_subsystem("VN/GOV/G15/registry")
ECHO = parse_service("VN/GOV/G15/registry/echo")
"""Passes through, granted whole."""
WRITE = parse_service("VN/GOV/G15/registry/write")
"""A write, granted whole, not idempotent."""
RECORD = parse_service("VN/GOV/G15/registry/record")
"""Has a schema: granted field by field."""
PURPOSE = "1.001193"
BASIS = "ND-63/2024"

_GATEWAY = """
[gateway]
subsystem = "VN/GOV/G22/motlan"
public_urls = ["{scheme}://127.0.0.1:{port}", "{scheme}://localhost:{port}"]
workers = {workers}

[listener]
host = "127.0.0.1"
port = {port}
{listener}
{tls}
{admin}
[ledger]
database = "{folder}/motlan.sqlite"
origin = "motlan.example/log"
log_key = "{pki}/gateway/log.key.pem"
readers = [{{ id = "auditor", key = "{pki}/roles/auditor.pub.pem" }}]

[keys]
signing_key = "{pki}/gateway/sign.key.pem"
signing_certificate = "{pki}/gateway/sign.pem"
vault_key = "{folder}/vault.key"
{hosted}
[trust]
list = "{pki}/trust/list.jws"
signers = ["{pki}/signers/1.pub.pem", "{pki}/signers/2.pub.pem", "{pki}/signers/3.pub.pem"]
threshold = 2

[folders]
services = "services"
policy = "policy"
{extra}
"""

_HOSTED = """
[[keys.hosted]]
subsystem = "{subsystem}"
key = "{key}"
certificate = "{pem}"
"""

_SERVICES = """
[provider]
name = "registry"
base_url = "{backend}"
timeout_seconds = {provider_seconds}
attempts = 2
[provider.breaker]
minimum_calls = 1000

[[service]]
id = "{echo}"
path = "/echo"
timeout_seconds = {provider_seconds}

[[service]]
id = "{write}"
path = "/write"
kind = "write"
timeout_seconds = {provider_seconds}
{services}
"""

_GRANT = """
[[grant]]
name = "{name}"
client = "{client}"
service = "{service}"
methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]
paths = ["", "/**"]
fields = ["*"]
purpose = [{{ code = "{purpose}", bases = ["{basis}"] }}]
{quota}
"""


class Site(Struct, frozen=True, kw_only=True):
    """A configured gateway that can be started. url: where callers reach it."""

    folder: Path
    config: Path
    pki: Pki
    url: str
    port: int

    def key(self, subsystem: SubsystemId = PORTAL) -> FileKey:
        """A subsystem's signing key."""
        identity = self.pki.identities[subsystem]
        return load_signing_key(identity.key, identity.certificate)


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def make_site(
    folder: Path,
    backend: str,
    *,
    tls: bool = False,
    workers: int = 1,
    admin: bool = False,
    quota: str = "",
    provider_seconds: float = 5.0,
    extra: str = "",
    services: str = "",
    grants: str = "",
    bad: bool = False,
    now: Instant | None = None,
    port: int | None = None,
    more_parties: tuple[pki.Party, ...] = (),
    listener: str = "",
) -> Site:
    """Write PKI and configuration. backend: the provider's base URL. quota: TOML of the portal's grant for ECHO.
    more_parties: beside the usual ones; hosted keys are configured. listener: more TOML of that table.
    """
    parties = (
        pki.Party(id=PORTAL, organization="Hải Phòng"),
        pki.Party(id=OTHER, organization="Huế", kind=pki.KeyKind.ED25519),
        pki.Party(id=STRANGER, organization="Hưng Yên", kind=pki.KeyKind.RSA3072),
        pki.Party(
            id=PROVIDER,
            organization="Bộ Tư pháp",
            kind=pki.KeyKind.P384,
            services=tuple(pki.Offer(each.service_code, ServiceType.REST) for each in (ECHO, WRITE, RECORD)),
        ),
        *more_parties,
    )
    made = pki.make(folder / "pki", parties, now=now or SystemClock().now(), bad=bad)
    port = port or free_port()
    scheme = "https" if tls else "http"
    tls_table = (
        f'[listener.tls]\ncertificate = "{folder}/pki/gateway/tls.pem"\nkey = "{folder}/pki/gateway/tls.key.pem"\n'
    )
    values = {
        "scheme": scheme,
        "port": port,
        "workers": workers,
        "folder": folder,
        "pki": folder / "pki",
        "tls": tls_table if tls else "",
        "listener": listener,
        "hosted": "".join(_HOSTED.format(subsystem=each, key=key, pem=pem) for each, (key, pem) in made.hosted.items()),
        "admin": f'[admin]\nhost = "127.0.0.1"\nport = {free_port()}\n' if admin else "",
        "extra": extra,
    }
    (folder / "services").mkdir()
    (folder / "policy").mkdir()
    key = folder / "vault.key"
    key.write_text(secrets.token_hex(32))
    key.chmod(0o600)
    config = folder / "gateway.toml"
    config.write_text(_GATEWAY.format(**values))
    (folder / "services/registry.toml").write_text(
        _SERVICES.format(backend=backend, echo=ECHO, write=WRITE, services=services, provider_seconds=provider_seconds)
    )
    written = [
        _grant("portal-echo", PORTAL, ECHO, quota),
        _grant("portal-write", PORTAL, WRITE),
        _grant("other-echo", OTHER, ECHO),
    ]
    (folder / "policy/grants.toml").write_text("\n".join([*written, grants]))
    return Site(folder=folder, config=config, pki=made, url=f"{scheme}://127.0.0.1:{port}", port=port)


def _grant(name: str, client: SubsystemId, service: ServiceId, quota: str = "") -> str:
    return _GRANT.format(name=name, client=client, service=service, purpose=PURPOSE, basis=BASIS, quota=quota)


@asynccontextmanager
async def running(site: Site) -> AsyncIterator[Gateway]:
    """The site's gateway, in this process."""
    gateway = await Gateway.start(site.config)
    try:
        yield gateway
    finally:
        await gateway.stop()
