"""A whole gateway out of its configuration: started, reloaded, stopped."""

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from adapters.provider import Provider
from adapters.rest.codec import RestCodec
from gateway.config.environment import environment
from gateway.config.load import Settings, load
from gateway.config.product import product_folder
from gateway.config.secrets import resolve
from gateway.exchange.authorising import Freshness
from gateway.exchange.configuration import Configurations
from gateway.exchange.dispatching import Dispatcher
from gateway.exchange.pipeline import Parts, Pipeline
from gateway.exchange.prefill import PrefillTarget
from gateway.exchange.proving import Prover
from gateway.exchange.refusing import Refuser
from gateway.exchange.rules import Rules
from gateway.exchange.sealing import Sealer
from gateway.exchange.sequencer import Pace, Sequencer
from gateway.exchange.siblings import Siblings
from gateway.exchange.tally import Tally
from gateway.keys.file import FileKey, load_signing_key
from gateway.ledger.note import VerifierKey
from gateway.model.addresses import parse_network
from gateway.model.envelope import Claim
from gateway.model.errors import ExchangeError
from gateway.model.errors.catalogue import KINDS
from gateway.model.errors.request import BAD_HEADER
from gateway.model.ids import ServiceId, SubsystemId
from gateway.model.log import Document
from gateway.model.message import Body
from gateway.model.stages import Recorded, Released
from gateway.obs.observer import Metrics, Observer
from gateway.ports import Clock, Interface
from gateway.server.app import AdminApp, PublicApp
from gateway.server.edge import Edge, EdgeOptions
from gateway.server.identity import Identities
from gateway.server.listing import PATH as CLIENTS_PATH
from gateway.server.listing import ClientList
from gateway.server.pages import Pages, build_pages
from gateway.server.publiclog import PublicLog
from gateway.server.wsdl import PATH as WSDL_PATH
from gateway.signing.target import PublicUrl
from gateway.storage.spool import SpoolWriter
from gateway.trust.store import TrustStore
from gateway.wiring.attesting import Attesting, build_attesting, check_log_keys, log_keys, log_signers
from gateway.wiring.chores import Chores
from gateway.wiring.core import Core, build_core
from gateway.wiring.erasing import retention_step
from gateway.wiring.listeners import Listening, Opening, listen, public_tls
from gateway.wiring.metadata import clients_of
from gateway.wiring.providers import build_provider
from gateway.wiring.readers import check_readers
from gateway.wiring.rest import gateway_codec
from gateway.wiring.rules import Origins, compile_rules, own_services
from gateway.wiring.soap import Facades, facades_of, soap_codec, wsdls
from gateway.wiring.trust import KIND as TRUST_KIND
from gateway.wiring.trust import load_hosted, load_trust
from gateway.wiring.watching import watch_step


class _Adopted(Struct, frozen=True, kw_only=True):
    """A configuration that was loaded, recorded and compiled, with the connections it opened."""

    settings: Settings
    rules: Rules
    providers: dict[str, Provider]
    facades: Facades


class Gateway:
    """A running gateway. Build it with ``start``; stop it from the same event loop.

    settings, core, pipeline, observer, metrics, sequencer, chores: its parts, for tools and tests. url, admin_url:
    where it listens.
    """

    def __init__(self, settings: Settings, core: Core, key: FileKey, log_key: VerifierKey, worker: int) -> None:
        self.settings = settings
        self._worker = worker
        self.core = core
        self.key = key
        self.log_key = log_key
        self.metrics = Metrics()
        self.observer = Observer(self.metrics)
        self.tally = Tally()
        self._providers: dict[str, Provider] = {}
        self._reloading = asyncio.Lock()
        self._public: Listening | None = None
        self._admin: Listening | None = None

    @classmethod
    async def start(
        cls, file: Path, *, worker: int = 0, clock: Clock | None = None, siblings: Siblings | None = None
    ) -> "Gateway":
        """Start from a configuration file. worker: which of several processes this is; its admin port is that far on.
        clock: another than the machine's, for tests. siblings: what the processes share.

        Raises ExchangeError for what is wrong with configuration, keys, trust list or ports, and
        JournalUnavailableError.
        """
        settings = load(file)
        key = load_signing_key(settings.keys.signing_key, settings.keys.signing_certificate)
        hosted = load_hosted(settings.keys)
        log_signer, *former = log_signers(settings)
        wake: list[Callable[[], None]] = []
        core = await build_core(settings, lambda: wake[0]() if wake else None, clock, siblings, begin=False)
        gateway = cls(settings, core, key, log_signer.key, worker)
        gateway.hosted = hosted
        gateway.identities = Identities(parse_network(text) for text in settings.listener.certificate_proxies)
        try:
            gateway.sequencer = Sequencer(
                core.store.log,
                core.clock,
                gateway.observer,
                key=log_signer.key,
                sign=log_signer.sign,
                former=former,
                holder=f"{os.getpid()}-{core.entropy(8).hex()}",
                pace=Pace(gather=settings.ledger.checkpoint_seconds / 10, poll=settings.ledger.checkpoint_seconds / 2),
            )
            wake.append(gateway.sequencer.wake)
            await gateway._begin()
        except BaseException:
            await core.store.close()
            raise
        return gateway

    sequencer: Sequencer
    pipeline: Pipeline
    chores: Chores
    edge: Edge
    hosted: dict[SubsystemId, FileKey]
    """Keys that sign for subsystems which show nothing but their TLS certificate."""
    identities: Identities
    """Says who sent a request."""
    attesting: Attesting
    """What witnesses and timestamp authorities are asked, and have said."""

    @property
    def url(self) -> str:
        """The callers' listener."""
        assert self._public is not None
        return self._public.url

    @property
    def admin_url(self) -> str | None:
        """The operator's listener; None if there is none."""
        return None if self._admin is None else self._admin.url

    async def reload(self) -> None:
        """Take up a changed trust list, policy and services; connections stay. Listeners, keys and ledger need a
        restart.

        Raises ExchangeError and JournalUnavailableError: what is in force stays in force then.
        """
        async with self._reloading:  # else what was read first could come into force last
            adopted = await self._adopt(load(self.settings.file))
            replaced = self._providers
            self._providers = adopted.providers
            self.pipeline.rules = adopted.rules
            self._facades = adopted.facades
        for provider in replaced.values():
            await provider.close()

    async def stop(self) -> None:
        """Stop taking calls, let those under way finish, write what is counted, close everything."""
        self.edge.closing = True
        for listening in (self._public, self._admin):
            if listening is not None:
                await listening.stop(self.settings.timeouts.drain)
        for route in self.pipeline.rules.routes.values():
            await route.target.close()
        await self.chores.stop()
        await self.attesting.close()
        await self.core.store.close()

    # -- building --------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        await check_log_keys(self.core.store.log, log_keys(self.settings))
        adopted = await self._adopt(self.settings)
        self._providers = adopted.providers
        self._facades = adopted.facades
        codec = gateway_codec(self.settings)
        self.attesting = build_attesting(self.settings, self.core, self.observer, asks=self._worker == 0)
        self.pipeline = Pipeline(self._parts(_public_urls(self.settings), codec), adopted.rules)
        self.chores = Chores(
            core=self.core,
            pipeline=self.pipeline,
            sequencer=self.sequencer,
            tally=self.tally,
            observer=self.observer,
            metrics=self.metrics,
            steps=(
                *self.attesting.steps,
                retention_step(self.settings, self.core, lambda: self.pipeline.rules, self.observer),
                watch_step(
                    self.settings,
                    self.core,
                    keys=log_keys(self.settings),
                    sequencer=self.sequencer,
                    observer=self.observer,
                    metrics=self.metrics,
                ),
            ),
        )
        await self.chores.recover()
        self.edge = Edge(
            self.pipeline,
            clock=self.core.clock,
            entropy=self.core.entropy,
            limits=self.settings.limits,
            options=EdgeOptions(body_seconds=self.settings.timeouts.body, in_flight=self.settings.capacity.in_flight),
            new_sink=self._new_sink,
            identities=self.identities,
        )
        await self._listen(codec, adopted.rules.trust)
        self.chores.start()

    async def _adopt(self, settings: Settings) -> _Adopted:
        """Trust list first, then policy and services: each is recorded before it is used."""
        core = self.core
        now = core.clock.now()
        trust, listed = load_trust(settings.trust, await core.store.log.newest_document(TRUST_KIND), now)
        await self._check_readers(trust)
        providers = {name: self._provider(settings, name) for name in settings.providers}
        prefill = PrefillTarget(settings.procedures, self._call_inside, self.key, core.clock)
        facades = facades_of(settings)
        origins = Origins(
            settings=settings,
            trust=trust,
            providers=providers,
            prefill=prefill,
            clock=core.clock,
            log=core.store.log,
            epochs=core.epochs,
            citizens=core.citizens,
        )
        rules = compile_rules(origins)
        configurations = Configurations(core.store.log, core.recorder, core.clock, core.entropy)
        policy = Document(kind="policy", digest=settings.policy_digest, content=settings.policy_files, at=now)
        services = Document(kind="services", digest=settings.services_digest, content=settings.services_files, at=now)
        for document in (listed, policy, services):
            await configurations.adopt(document, rules.in_force)
        return _Adopted(settings=settings, rules=rules, providers=providers, facades=facades)

    async def _check_readers(self, trust: TrustStore) -> None:
        """Nothing is sealed to who may not read it: else there is no first epoch, and later there is an alarm."""
        epochs = self.core.epochs
        try:
            check_readers(self.settings, trust.document)
        except ExchangeError as error:
            if not epochs.begun:
                raise
            self.observer.alarm("reader_not_listed", error.detail)
        if not epochs.begun:
            await epochs.renew()

    def _provider(self, settings: Settings, name: str) -> Provider:
        return build_provider(
            settings.providers[name],
            settings.limits,
            self.core.clock,
            lambda ref: resolve(ref, settings.secrets, environment()),
            self._new_sink,
        )

    def _parts(self, urls: dict[str, PublicUrl], codec: RestCodec) -> Parts:
        core = self.core
        origins = {url.origin: url for url in urls.values()}
        sealer = Sealer(self.key, core.clock, origins)
        refuser = Refuser(
            recorder=core.recorder,
            sealer=sealer,
            retries=core.retries,
            tally=self.tally,
            clock=core.clock,
            entropy=core.entropy,
            observer=self.observer,
            per_minute=self.settings.capacity.refusals_per_minute,
        )
        return Parts(
            prover=Prover(origins, self.hosted, core.entropy),
            recorder=core.recorder,
            dispatcher=Dispatcher(self.key, core.clock, origins),
            sealer=sealer,
            refuser=refuser,
            freshness=Freshness(),
            clock=core.clock,
            entropy=core.entropy,
            observer=self.observer,
            limits=self.settings.limits,
            public_urls=urls,
            quota_pseudonym=core.quota_pseudonym,
            inside=codec,
            closed=self.attesting.closed,
        )

    def _app(self, codec: RestCodec) -> PublicApp:
        settings = self.settings
        clients = ClientList(
            settings.gateway.subsystem.instance,
            lambda: self.pipeline.rules.trust.digest,
            lambda: clients_of(self.pipeline.rules.trust),
        )
        return PublicApp(
            self.edge,
            codec,
            PublicLog(self.core.store.log, self.attesting.cosigned),
            own=own_services(settings),
            pages=_pages(),
            lists={CLIENTS_PATH: clients.handle, WSDL_PATH: wsdls(settings, self._interface).handle},
            soap=soap_codec(settings, self._interface, lambda: self._facades, self.pipeline.rules.interfaces.values()),
        )

    async def _listen(self, codec: RestCodec, trust: TrustStore) -> None:
        settings = self.settings
        app = self._app(codec)
        self._public = await listen(
            Opening(
                host=settings.listener.host,
                port=settings.listener.port,
                handler=app.handle,
                framing_refused=self._framing_refused,
                failed=self.observer.failed,
                head_seconds=settings.timeouts.head,
                tls=public_tls(settings, trust),
                shared=settings.gateway.workers > 1,
            )
        )
        if settings.admin is not None:
            admin = AdminApp(self.metrics.registry, self._unready)
            self._admin = await listen(
                Opening(
                    host=settings.admin.host,
                    port=settings.admin.port + (self._worker if settings.admin.port else 0),
                    handler=admin.handle,
                    framing_refused=lambda _: None,
                    failed=self.observer.failed,
                    head_seconds=settings.timeouts.head,
                )
            )

    def _interface(self, service: ServiceId) -> Interface | None:
        return self.pipeline.rules.interfaces.get(service)

    async def _call_inside(self, parent: Recorded, said: Claim, body: Body) -> Released:
        return await self.pipeline.call_inside(parent, said, body)  # which is built after its targets

    def _new_sink(self) -> SpoolWriter:
        folder = self.settings.folders.spool or Path(tempfile.gettempdir())
        return SpoolWriter(folder, self.core.entropy, limit=self.settings.limits.answer)

    def _framing_refused(self, address: str) -> None:
        self.pipeline.count_framing(ExchangeError(BAD_HEADER, "not HTTP"), address)

    def _unready(self) -> str | None:
        try:
            self.pipeline.rules.trust.check_current(self.core.clock.now())
            if self.attesting.closed is not None:
                self.attesting.closed()
        except ExchangeError as error:
            return error.kind.code
        return self.chores.halted


def _public_urls(settings: Settings) -> dict[str, PublicUrl]:
    urls = [PublicUrl.parse(text) for text in settings.gateway.public_urls]
    return {url.authority: url for url in urls}


def _pages() -> Pages:
    return build_pages(product_folder("schemas") / "openapi/motlan.json", tuple(KINDS))
