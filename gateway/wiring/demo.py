"""The demo's world: simulated agency systems and a real gateway between them, in one process, on loopback."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TextIO

import structlog
from msgspec import Struct

from adapters.simulators.access import ApiKey, HashedBasic
from adapters.simulators.insurance import InsuranceSimulator
from adapters.simulators.parties import LEGACY, PORTAL, UNGRANTED
from adapters.simulators.people import DEFAULT_COUNT, People, unaccented
from adapters.simulators.person import Person
from adapters.simulators.population import PopulationSimulator
from adapters.simulators.portal import BIRTH, CITIZEN, INSURANCE, Portal
from adapters.simulators.tsa_certificate import tsa_of
from gateway import client as motlan
from gateway.client import Client
from gateway.config.demo import write_demo
from gateway.exchange.audit import Audit
from gateway.exchange.audit_desk import Reader
from gateway.keys.file import load_private_key
from gateway.model.errors import ExchangeError
from gateway.model.errors.base import Text
from gateway.model.errors.exchange import PORT_UNAVAILABLE
from gateway.model.ids import SubsystemId
from gateway.wiring import demo_contract
from gateway.wiring.attesting import ed25519_key
from gateway.wiring.audit import Auditing, Sequenced, auditing_of
from gateway.wiring.demo_contract import Desk
from gateway.wiring.demo_files import ORIGIN, DemoError, DemoFiles, choose_ports, prepared, variables_of
from gateway.wiring.demo_witness import DemoWitness, running_beside
from gateway.wiring.gateway import Gateway

__all__ = [
    "BIRTH",
    "CITIZEN",
    "INSURANCE",
    "LEGACY",
    "PORTAL",
    "UNGRANTED",
    "Client",
    "DemoError",
    "DemoFiles",
    "Person",
    "Portal",
    "World",
    "demo_world",
    "unaccented",
]


class World(Struct, frozen=True, kw_only=True):
    """What runs. population, insurance: may be made to ``misbehave``. desk: officers and dossiers never used before.
    witness: another agency's, which cosigns this log. variables: what its configuration was filled in with.
    """

    files: DemoFiles
    people: People
    population: PopulationSimulator
    insurance: InsuranceSimulator
    gateway: Gateway
    desk: Desk
    witness: DemoWitness
    variables: dict[str, str | int | Path]

    @property
    def url(self) -> str:
        """The gateway's, ``https://127.0.0.1:PORT``."""
        return self.gateway.url

    @property
    def vkey(self) -> str:
        """The log's verifier key (C2SP)."""
        return self.gateway.log_key.encode()

    def client(
        self, subsystem: SubsystemId, *, language: str = "vi", seconds: float = 30.0
    ) -> AbstractAsyncContextManager[Client]:
        """A client in the name of a member's subsystem; it can have receipts."""
        identity = self.files.identity(subsystem)
        return motlan.open(
            self.url,
            subsystem=str(subsystem),
            key=identity.key,
            certificate=identity.certificate,
            gateway_certificates=[self.files.gateway_certificate],
            authorities=self.files.authorities,
            language=language,
            seconds=seconds,
            logs=[self.vkey],
        )

    def portal(self, of: Client, *, officer: str, agency: str = "00.H24") -> Portal:
        """A desk of the provincial portal, with a new dossier."""
        return Portal(of, officer=self.desk.officer(officer), case=self.desk.case(agency))

    def publish(self) -> None:
        """Write demo.json: outside programs may call now."""
        gateway = self.gateway
        document = demo_contract.contract(
            self.files,
            self.people,
            gateway=gateway.url,
            admin=gateway.admin_url or "",
            vkey=self.vkey,
            witness=self.witness,
            desk=self.desk,
        )
        demo_contract.write(self.files, document)

    def audit(self) -> Audit:
        """The auditor's use case on this gateway's log."""
        return self.auditing().audit

    def auditing(self) -> Auditing:
        """All that auditors do on this gateway's log."""
        core, rules = self.gateway.core, self.gateway.pipeline.rules
        return auditing_of(
            core, rules.in_force, rules.trust.document, self.gateway.settings.audit, sequenced=Sequenced(core, None)
        )

    def auditor(self, *, case: str, reason: str) -> Reader:
        """The auditor with their private key, which no gateway holds."""
        return Reader(name="kiem-toan.01", case=case, reason=reason, key=load_private_key(self.files.auditor_key))


@asynccontextmanager
async def demo_world(
    folder: Path, *, port: int | None = None, count: int = DEFAULT_COUNT, log: bool = False
) -> AsyncIterator[World]:
    """Start everything in ``folder`` (made, or found with its state); stop it at the end.

    port: the gateway's; None: the one used there last, or any. count: how many people there are.
    log: this process's log goes to gateway.log in the folder.
    Raises DemoError for what its user can mend, ExchangeError for what the gateway refuses.
    """
    people = People(count=count)
    async with AsyncExitStack() as stack:
        files = stack.enter_context(prepared(folder, people))
        if log:
            _log_to(stack.enter_context((files.folder / "gateway.log").open("a", encoding="utf-8")))
        access = HashedBasic(user="motlan", secret=files.secret("population"), unit="ms")
        population = await stack.enter_async_context(PopulationSimulator(people, access=access))
        insurance = await stack.enter_async_context(
            InsuranceSimulator(people, access=ApiKey(key=files.secret("social-insurance")))
        )
        tsa = await stack.enter_async_context(tsa_of(files.pki))
        witness = await stack.enter_async_context(_witness(files))
        variables = variables_of(
            files,
            ports=choose_ports(files, port),
            population=population.url,
            insurance=insurance.url,
            tsa=tsa.url,
        )
        gateway = await _gateway(write_demo(files.config.parent, variables))
        stack.push_async_callback(gateway.stop)
        yield World(
            files=files,
            people=people,
            population=population,
            insurance=insurance,
            gateway=gateway,
            desk=Desk(),
            witness=witness,
            variables=variables,
        )


def _witness(files: DemoFiles) -> AbstractAsyncContextManager[DemoWitness]:
    return running_beside(files.state / "witness", ed25519_key(files.log_key, ORIGIN).key)


async def _gateway(file: Path) -> Gateway:
    try:
        return await Gateway.start(file)
    except ExchangeError as error:
        if error.kind is not PORT_UNAVAILABLE:
            raise
        raise DemoError(
            Text(
                f"{error.detail}: stop what listens there, or choose another port with --port N.",
                f"{error.detail}: hãy dừng chương trình đang dùng cổng đó, hoặc chọn cổng khác bằng --port N.",
            )
        ) from None


def _log_to(file: TextIO) -> None:
    """JSON lines."""
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=file),
    )
