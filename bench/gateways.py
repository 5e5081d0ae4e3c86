"""Gateways to measure: each with its own keys, configuration and database, started by ``motlan serve``."""

import json
import sys
from pathlib import Path

from adapters.simulators.people import People
from adapters.simulators.person import Person
from adapters.simulators.population_xml import citizen, collection, envelope
from bench import envelopes
from bench.harness import Requests, Server
from bench.signed import Caller
from gateway.client.call import Call
from gateway.keys.issue import KeyKind
from gateway.model.envelope import Purpose
from gateway.model.ids import ServiceId
from tests.support.gateways import BASIS, ECHO, PORTAL, PURPOSE, RECORD, STRANGER, Site, make_site

OFFICER = "ht.nam"
CASE = "000.00.01.H24-261122-0001"

_POPULATION = """
[provider]
name = "population"
base_url = "{backend}"
timeout_seconds = 30.0

[[service]]
id = "{service}"
adapter = "population"
kind = "lookup"
request_schema = "citizen-lookup.request.json"
response_schema = "citizen-lookup.response.json"
asked = ["/identity_number"]
released = ["/identity_number"]
timeout_seconds = 30.0
"""

_GRANT = """
[[grant]]
name = "portal-citizen"
client = "{client}"
service = "{service}"
methods = ["POST"]
fields = ["/identity_number", "/name", "/sex", "/birth_date", "/ethnicity", "/residence"]
purpose = [{{ code = "{purpose}", bases = ["{basis}"] }}]
"""


_SOAP = """
[provider]
name = "records"
base_url = "{backend}"
timeout_seconds = 30.0

[[service]]
id = "{service}"
adapter = "soap"
kind = "lookup"
wss = "sign"
timeout_seconds = 30.0
"""

_WHOLE = """
[[grant]]
name = "caller-record"
client = "{client}"
service = "{service}"
methods = ["POST"]
fields = ["*"]
purpose = [{{ code = "{purpose}", bases = ["{basis}"] }}]
"""

SIGNERS = {KeyKind.P256: PORTAL, KeyKind.RSA3072: STRANGER}
"""Who calls with which kind of key."""


def rest_gateway(
    folder: Path, backend: int, *, body: bytes, workers: int = 1, baseline: str | None = None
) -> tuple[Server, Site]:
    """A gateway that passes REST on, plain HTTP on loopback. body: of each request."""
    folder.mkdir()
    site = make_site(folder, f"http://127.0.0.1:{backend}", workers=workers, provider_seconds=30.0)
    requests = signed(site, ECHO, "/cards", body)
    return server(site, f"motlan REST → REST, {workers}", requests, workers=workers, baseline=baseline), site


def soap_gateway(folder: Path, backend: int, *, baseline: str | None = None) -> Server:
    """A gateway that asks the population database over SOAP; ``soap_answer`` is what stands behind it."""
    folder.mkdir()
    grant = _GRANT.format(client=PORTAL, service=RECORD, purpose=PURPOSE, basis=BASIS)
    site = make_site(folder, "http://127.0.0.1:9", provider_seconds=30.0, grants=grant)
    text = _POPULATION.format(backend=f"http://127.0.0.1:{backend}/population", service=RECORD)
    (folder / "services" / "population.toml").write_text(text)
    body = json.dumps({"identity_number": _mother().identity_number}).encode()
    return server(site, "motlan REST → SOAP, 1", signed(site, RECORD, "", body), workers=1, baseline=baseline)


def wsse_gateway(folder: Path, backend: int, *, kind: KeyKind = KeyKind.P256, baseline: str | None = None) -> Server:
    """A gateway between a SOAP consumer and a SOAP provider: the caller's envelope is verified, the one to the provider
    signed, its answer taken over TLS as it is, the answer to the caller signed. kind: of the caller's key.
    """
    folder.mkdir()
    grant = _WHOLE.format(client=SIGNERS[kind], service=RECORD, purpose=PURPOSE, basis=BASIS)
    site = make_site(folder, "http://127.0.0.1:9", provider_seconds=30.0, grants=grant)
    text = _SOAP.format(backend=f"http://127.0.0.1:{backend}", service=RECORD)
    (folder / "services" / "soap.toml").write_text(text)
    client = SIGNERS[kind]
    caller = envelopes.SoapCaller(
        client=client, service=RECORD, key=site.key(client), gateway=site.url, purpose=(PURPOSE, BASIS)
    )
    return server(site, f"motlan SOAP → SOAP, {kind.value}", caller.requests, workers=1, baseline=baseline)


def plain_answer() -> bytes:
    """What a SOAP provider of records answers: an envelope of 3 KB."""
    return envelopes.envelope(PORTAL, RECORD, "recordResponse", purpose=(PURPOSE, BASIS))


def soap_answer() -> bytes:
    """What the population database answers about one person."""
    return envelope(collection([citizen(_mother())], as_of="20261122000000")).encode()


def _mother() -> Person:
    return People(count=200).story.mother


def server(site: Site, name: str, requests: Requests, *, workers: int, baseline: str | None) -> Server:
    """The command that serves a site."""
    argv = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(site.config)]
    return Server(
        name=name, argv=argv, port=site.port, workers=workers, once=True, baseline=baseline, requests=requests
    )


def signed(site: Site, service: ServiceId, path: str, body: bytes, *, method: str = "POST") -> Requests:
    """Signed requests of the portal, each with a nonce of its own."""
    call = Call(
        service=service,
        method=method,
        path=path,
        body=body or None,
        purpose=Purpose(PURPOSE, BASIS),
        officer=OFFICER,
        case=CASE,
    )
    return Caller(client=PORTAL, key=site.key(), gateway=site.url, call=call).requests
