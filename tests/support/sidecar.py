"""A sidecar between plain programs and a whole gateway, in that gateway's own loop."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from gateway.client.believed import CurrentKeys, KnownGateways
from gateway.client.session import Client, now, transport
from gateway.client.sidecar import Sidecar
from gateway.client.sidecar_settings import Plain, Settings
from gateway.client.sidecar_soap import SoapSidecar
from gateway.keys.file import FileKey, load_certificates
from gateway.model.ids import SubsystemId
from gateway.validation.mime import split
from tests.support.attacks import World
from tests.support.gateways import PORTAL


class RunningSidecar:
    """In the name of one subsystem. url: where plain programs reach it."""

    def __init__(self, place: World, settings: Settings, key: FileKey, believes: bytes | None) -> None:
        self._place = place
        self._settings = settings
        self._key = key
        self._believes = believes or load_certificates(place.site.pki.gateway.certificate)[0]
        self.url = ""

    async def start(self) -> None:
        settings, key = self._settings, self._key
        believed = KnownGateways((self._believes,))
        self._transport = transport(self._place.site.pki.bundle, seconds=10.0)
        http = await self._transport.__aenter__()
        client = Client(
            http, gateway=settings.gateway, subsystem=settings.subsystem, key=key, keys=CurrentKeys(believed, now),
            language="en",
        )  # fmt: skip
        soap = SoapSidecar(http, settings, key, believed, split)
        self._runner = web.ServerRunner(
            web.Server(Sidecar(client, settings, soap=soap).handle, access_log=None, auto_decompress=False)
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        await self._runner.cleanup()
        await self._transport.__aexit__(None, None, None)


@contextmanager
def sidecar(
    place: World,
    *,
    subsystem: SubsystemId = PORTAL,
    key: FileKey | None = None,
    gateway: str | None = None,
    believes: bytes | None = None,
    limit: int = 16 * 1024 * 1024,
    **plain: Any,
) -> Iterator[str]:
    """A sidecar's URL. key: another one than the subsystem's. gateway: another one than the place's. believes: a
    certificate in place of its gateway's. plain: as of ``Plain``."""
    settings = Settings(
        gateway=gateway or place.site.url, subsystem=subsystem, plain=Plain(**plain), language="en", limit=limit
    )
    running = RunningSidecar(place, settings, key or place.key(subsystem), believes)
    place.run(running.start())
    try:
        yield running.url
    finally:
        place.run(running.stop())
