"""A real gateway whose log an outside authority stamps, and the commands that export and verify evidence of it."""

import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from adapters.simulators import pki
from gateway.model.ids import parse_service
from gateway.model.instant import Instant, to_datetime
from tests.support import attacks
from tests.support.attacks import MovableClock, World, world
from tests.support.cli import auditor, good, run
from tests.support.evidence_attested import OtherAuthority
from tests.support.exchanges import Provider, grant, make_office
from tests.support.gateways import PORTAL, Site
from tests.support.pki import DAY

KEPT = parse_service("VN/GOV/G15/registry/kept")
"""Its payloads are kept, sealed to the readers."""
TSA = OtherAuthority(Instant(time.time_ns() // 1000))

_SERVICE = f"""
[[service]]
id = "{KEPT}"
path = "/kept"
payload = "sealed"
asked = ["/identity_number"]
"""
_TIMESTAMPS = """
[timestamps]
interval_seconds = 1.0
stale_seconds = 60.0
[[timestamps.authorities]]
name = "tsa"
url = "{url}"
roots = "{roots}"
crls = ["{crls[0]}", "{crls[1]}"]
"""
_OFFICER = """
[retention]
level = 3
"""


class Office(Provider):
    """The provider, and the timestamp authority beside it. clock: the gateway's."""

    def __init__(self, clock: MovableClock) -> None:
        super().__init__()
        self.clock = clock

    async def start(self) -> None:
        await super().start()
        self.tsa = TSA.simulator(lambda: to_datetime(self.clock.now()))
        await self.tsa.start()

    async def stop(self) -> None:
        await self.tsa.stop()
        await super().stop()


@contextmanager
def stamped_office(folder: Path, *, days_ago: float = 0, extra: str = "") -> Iterator[World]:
    """days_ago: what gateway, PKI and authority take for now, until somebody sets ``world.clock.ahead``; what is
    certified holds for 400 days then. extra: of gateway.toml.
    """
    clock = MovableClock()
    clock.ahead = -days_ago * DAY
    provider = Office(clock)
    days = 400 if days_ago else 90

    def make(folder: Path, backend: str, **site: Any) -> Site:
        roots, crls = TSA.write(folder)
        stamps = _TIMESTAMPS.format(url=provider.tsa.url, roots=roots, crls=crls)
        services, grants = site.pop("services") + _SERVICE, site.pop("grants") + grant("kept", PORTAL, KEPT)
        more = {"services": services, "grants": grants, "extra": stamps + extra, "now": clock.now()}
        made = make_office(folder, backend, **{**site, **more})
        if days_ago:  # the watch would tell everybody of the months in which nothing happened
            quiet = made.config.read_text().replace("[ledger]\n", "[ledger]\nverify_per_second = 0\n", 1)
            made.config.write_text(quiet)
        return made

    long = functools.partial(pki.make, days=days, crl_days=days)
    with (
        mock.patch.object(attacks, "MovableClock", return_value=clock),
        mock.patch.object(pki, "make", long),
        world(folder, provider=provider, make=make) as made,
    ):
        yield made


@contextmanager
def erasable_office(folder: Path) -> Iterator[World]:
    """Of 200 days ago, so that what is recorded may be erased today; its data-protection officer reads too."""
    with stamped_office(folder, days_ago=200, extra=_OFFICER) as made:
        yield made


def forward(office: World) -> None:
    """To today, by a gateway that is started then: leases of before have ended."""
    office.stop()
    office.clock.ahead = 0.0
    office.start()


def wait_for_stamp(office: World, record: Any) -> None:
    """Until the log was stamped with this record in it."""
    log = office.gateway.core.store.log
    for _ in range(200):
        stored = office.run(log.record(record))
        if stored.index is not None and office.run(log.attestations("timestamp", size=stored.index + 1, limit=1)):
            return
        time.sleep(0.05)  # the authority is asked once a second
    raise AssertionError("no timestamp came")


def export(office: World, record: Any, file: Path, *options: object) -> Any:
    """What the command says of the container that it made."""
    return good("evidence", "export", record, *auditor(office.site), "--out", file, "--json", *options).values


def verify(office: World, file: Path, *options: object, roots: bool = True) -> tuple[int, Any]:
    """Exit code and findings."""
    given = ["--tsa-ca", TSA.write(office.site.folder)[0]] if roots else []
    ran = run("evidence", "verify", file, "--trust", office.site.pki.trust_list, *given, "--json", *options)
    return ran.code, ran.values


def in_words(office: World, file: Path, lang: str) -> str:
    """What the command says to people."""
    roots = TSA.write(office.site.folder)[0]
    return run("evidence", "verify", file, "--trust", office.site.pki.trust_list, "--tsa-ca", roots, lang=lang).out
