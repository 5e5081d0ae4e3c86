"""A log with persons in it, holders of roles, and a clock: what erasure, holds and retention are tested on."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from gateway.exchange.epochs import Epochs
from gateway.exchange.erasing import Eraser, Report
from gateway.exchange.events import Event
from gateway.exchange.holding import Held, Holding, Why
from gateway.exchange.ids import new_record_id
from gateway.exchange.payloads import Payloads
from gateway.exchange.recording import Recorder
from gateway.exchange.retention import Done, RetentionChore
from gateway.exchange.retrying import Retries
from gateway.exchange.site import Site
from gateway.ledger.epoch import Epoch, Recipient, open_epoch
from gateway.ledger.erasure import Retention
from gateway.ledger.openings import Openings, check_openings, open_sealed
from gateway.ledger.order import ORDER_TYP, Order, beside, committed
from gateway.ledger.order_jws import add_signature, sign
from gateway.ledger.record import Facts, RecordKind
from gateway.ledger.skeleton import read_skeleton
from gateway.ledger.verify import StoredRecord, verify_records
from gateway.model.errors import ExchangeError
from gateway.model.ids import RecordId, parse_service, parse_subsystem
from gateway.model.storage import Commit
from gateway.model.usage import RoleName
from gateway.trust.document import Role, Signers, TrustList
from gateway.trust.jws import signer_key
from tests.support.ledger import IN_FORCE, ORIGIN
from tests.support.storage import TestClock, open_store, published, sequencer, verified

DAY = 86_400.0
YEAR = 366 * DAY
LAN, MINH, HOA = "031090001234", "040195889861", "001188000777"
CLIENT = parse_subsystem("VN/GOV/H31/portal")
SERVICE = parse_service("VN/GOV/G01/population/citizen")

DPO, AUDITOR, OPERATOR, SECOND_DPO, STRANGER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(5))


def role(name: RoleName, person: str, key: Any, **more: Any) -> Role:
    return Role(role=name, name=person, key=signer_key(key), **more)


ROLES = (
    role(RoleName.DATA_PROTECTION_OFFICER, "Trần Bảo Vệ", DPO),
    role(RoleName.DATA_PROTECTION_OFFICER, "Phạm Thứ Hai", SECOND_DPO),
    role(RoleName.AUDITOR, "Lê Thị Kiểm", AUDITOR),
    role(RoleName.OPERATOR, "Vũ Vận Hành", OPERATOR),
)
WHY = Why(case="TT-7", reason="court file")
USUAL = Retention(minimum=3, months=12)


def order_of(*signers: Any, persons: tuple[str, ...] = (), clock: TestClock | None = None, **changes: Any) -> bytes:
    """An order, signed by these keys."""
    salts = tuple(os.urandom(16) for _ in persons)
    usual: dict[str, Any] = {
        "id": os.urandom(16).hex(),
        "log": ORIGIN,
        "issued": (clock or TestClock()).now() // 1000 * 1000,
        "persons": tuple(committed(each, salt) for each, salt in zip(persons, salts, strict=True)),
        "reason": "asked to be forgotten",
        "legal_basis": "Luật 91/2025/QH15",
        "case": "XD-1",
    }
    first, *others = signers or (DPO, AUDITOR)
    data = sign(ORDER_TYP, Order(**{**usual, **changes}).encode(), first, beside(persons, salts))
    for key in others:
        data = add_signature(ORDER_TYP, data, key)
    return data


class Office(Struct):
    """The log and what acts on it. folder: of its files."""

    store: Any
    clock: TestClock
    recorder: Recorder
    epochs: Epochs
    folder: Path
    roles: tuple[Role, ...] = ROLES
    retention: Retention = USUAL

    @property
    def trust(self) -> TrustList:
        now = self.clock.now()
        signers = Signers(required=1, keys=(signer_key(STRANGER),))
        return TrustList(
            serial=1, issued=now - 1, valid_until=now + int(YEAR * 1_000_000), signers=signers, roles=self.roles
        )

    @property
    def recipients(self) -> tuple[Recipient, ...]:
        return Recipient("auditor", AUDITOR.public_key()), Recipient("dpo", DPO.public_key())

    async def record(self, kind: RecordKind, persons: tuple[str, ...] = (), *private: Any, **more: Any) -> RecordId:
        """Commit a record about persons."""
        now = self.clock.now()
        named = new_record_id(now, os.urandom)
        blobs = more.pop("blobs", ())
        facts = Facts(
            id=named,
            at=now,
            kind=kind,
            in_force=IN_FORCE,
            client=CLIENT,
            service=SERVICE,
            parent=more.get("ends"),
            private=(*(("person", each) for each in persons), *private),
        )
        row = self.recorder.row(Event(facts=facts, persons=persons, **more))
        await self.store.journal.commit(Commit(row=row, blobs=blobs), now)
        return named

    async def exchange(self, asked: tuple[str, ...], released: tuple[str, ...] = ()) -> tuple[RecordId, RecordId]:
        """A request and its answer, in the tree."""
        request = await self.record(
            RecordKind.REQUEST,
            asked,
            ("officer", "nv.an"),
            ("case", "H31-1"),
            ("target", "/r1/…"),
            ("body_sha256", "aa"),
            officer=(str(CLIENT), "nv.an"),
            case="H31-1",
            opens=True,
        )
        answer = await self.record(
            RecordKind.ANSWER, released, ("body_sha256", "bb"), ("signature_base", "cc"), ends=request
        )
        await self.sequence()
        return request, answer

    async def sequence(self) -> None:
        moving = sequencer(self.store, clock=self.clock)
        while await moving.step():
            pass

    async def opened(self, key: Any = DPO) -> dict[str, Epoch]:
        found = {}
        for name, _, sealed in await self.store.log.epochs():
            try:
                found[name] = open_epoch(sealed, key)
            except ExchangeError:
                continue
        return found

    async def erase(self, data: bytes, key: Any = DPO) -> Report:
        eraser = Eraser(self.site, self.store.vault, self.retention, backup_days=35)
        report = await eraser.erase(data, self.trust, key=key, epochs=await self.opened(key))
        await self.sequence()
        return report

    @property
    def holding(self) -> Holding:
        return Holding(self.site)

    @property
    def site(self) -> Site:
        return Site(
            log=self.store.log,
            recorder=self.recorder,
            clock=self.clock,
            entropy=os.urandom,
            in_force=IN_FORCE,
            origin=ORIGIN,
            recipients=self.recipients,
        )

    async def hold(self, held: Held, key: Any = AUDITOR) -> str:
        """Place a hold; its id."""
        holder = next(each for each in self.roles if each.key == signer_key(key))
        data = await self.holding.draft(held, WHY, epochs=await self.opened(key), role=holder, key=key)
        placed = await self.holding.place(data, self.roles, why=WHY, persons=held.persons)
        await self.sequence()
        return placed.id

    async def lift(self, hold: str, key: Any = AUDITOR, as_role: RoleName = RoleName.AUDITOR) -> None:
        holder = next(each for each in self.roles if each.role is as_role)
        data = self.holding.draft_lifting(hold, WHY, role=holder, key=key)
        await self.holding.place(data, self.roles, why=WHY)
        await self.sequence()

    def chore(self, rows: int = 4) -> RetentionChore:
        return RetentionChore(
            self.store.log,
            self.store.vault,
            self.recorder,
            clock=self.clock,
            entropy=os.urandom,
            in_force=lambda: IN_FORCE,
            roles=lambda: self.roles,
            retention=self.retention,
            rows=rows,
        )

    async def retain(self, rows: int = 4) -> list[Done]:
        """The chore, until nothing is left to do."""
        done = [await self.chore(rows).step()]
        while done[-1].more:
            done.append(await self.chore(rows).step())
        await self.sequence()
        return done

    async def left(self, record: RecordId, key: Any = DPO) -> dict[str, list[Any]]:
        """What is left of a record's private part, by name; each field is held against its commitment."""
        openings = await self.openings(record, key)
        found: dict[str, list[Any]] = {}
        for each in () if openings is None else openings.shown:
            found.setdefault(each.name, []).append(each.value)
        return found

    async def openings(self, record: RecordId, key: Any = DPO) -> Openings | None:
        stored = await self.store.log.record(record)
        assert stored is not None
        if not stored.row.openings:
            return None
        epoch = (await self.opened(key))[stored.row.epoch]
        openings = open_sealed(stored.row.openings, epoch, record, stored.row.entry)
        check_openings(read_skeleton(stored.row.skeleton), openings)
        return openings

    async def marks(self, record: RecordId) -> list[str]:
        stored = await self.store.log.record(record)
        assert stored is not None
        return [kind for kind, _ in stored.row.pseudonyms]

    async def kinds(self, kind: RecordKind) -> list[tuple[str, ...]]:
        """The reasons of all records of a kind, in order."""
        size, _ = await self.store.log.state()
        said = [read_skeleton(each.row.skeleton) for each in await self.store.log.by_index(0, size)]
        return [each.decision.reasons for each in said if each.kind == kind and each.decision is not None]

    async def verify(self, older: bytes | None = None) -> int:
        """The whole log and every record with what is left of it; how many."""
        size = await verified(self.store.log, older=older)
        files = await published(self.store.log)
        stored = await self.store.log.by_index(0, size)
        records = []
        for each in stored:
            openings = await self.openings(each.row.id)
            shown = None if openings is None else openings.encode()
            records.append(StoredRecord(each.row.id, each.seq - 1, each.row.skeleton, shown))
        return verify_records(records, files.__getitem__, size, complete=True).records


@asynccontextmanager
async def office(folder: Path, engine: str = "sqlite") -> AsyncIterator[Office]:
    """An empty log with its first epoch."""
    store = open_store(engine, folder)
    clock = TestClock()
    recipients = (Recipient("auditor", AUDITOR.public_key()), Recipient("dpo", DPO.public_key()))
    epochs = Epochs(store.log, clock, os.urandom, recipients)
    recorder = Recorder(
        journal=store.journal,
        epochs=epochs,
        retries=Retries(store.vault, os.urandom(32), os.urandom, seconds=60),
        clock=clock,
        entropy=os.urandom,
        committed=lambda: None,
        payloads=Payloads(recipients, most=1000),
    )
    await epochs.renew()
    try:
        yield Office(store=store, clock=clock, recorder=recorder, epochs=epochs, folder=folder)
    finally:
        await store.close()
