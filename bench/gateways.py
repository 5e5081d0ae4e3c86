"""Gateways to measure: each with its own keys, configuration and database, started by ``motlan serve``."""

import sys
from pathlib import Path

from bench.harness import Requests, Server
from bench.signed import Caller
from gateway.client.call import Call
from gateway.model.envelope import Purpose
from tests.support.gateways import BASIS, ECHO, PORTAL, PURPOSE, Site, make_site

OFFICER = "ht.nam"
CASE = "000.00.01.H24-261122-0001"


def rest_gateway(folder: Path, backend: int, *, workers: int = 1, baseline: str | None = None) -> tuple[Server, Site]:
    """A gateway that passes REST on, plain HTTP on loopback."""
    folder.mkdir()
    site = make_site(folder, f"http://127.0.0.1:{backend}", workers=workers, provider_seconds=30.0)
    return server(site, f"motlan REST, {workers}", workers=workers, baseline=baseline), site


def server(site: Site, name: str, *, workers: int, baseline: str | None) -> Server:
    """The command that serves a site."""
    argv = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(site.config)]
    return Server(name=name, argv=argv, port=site.port, workers=workers, once=True, baseline=baseline)


def signed(site: Site, body: bytes) -> Requests:
    """Signed POSTs to the echo service, each with a nonce of its own."""
    call = Call(
        service=ECHO,
        path="/cards",
        body=body,
        purpose=Purpose(PURPOSE, BASIS),
        officer=OFFICER,
        case=CASE,
    )
    return Caller(client=PORTAL, key=site.key(), gateway=site.url, call=call).requests
