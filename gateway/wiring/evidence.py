"""Exporting evidence of one exchange out of a gateway's database: what there is of it, under the gateway's signature.

An export is a reading like any other: the reader proves a role, and it is recorded before anything leaves.
"""

import contextlib
import os
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from gateway.config.load import Settings, load
from gateway.exchange.audit_desk import Desk, Reader, Reading
from gateway.exchange.audit_question import Found, found_of, persons_in
from gateway.exchange.payloads import PAYLOAD_TYP, blob_id
from gateway.exchange.receipts import CHECKPOINT, COSIGNATURE, Receipts
from gateway.keys.file import FileKey, load_signing_key
from gateway.ledger.evidence import Material, Piece, Stamp
from gateway.ledger.evidence_findings import Verdict
from gateway.ledger.evidence_pack import pack, sign_material
from gateway.ledger.evidence_trust import Anchors
from gateway.ledger.evidence_verify import verify_evidence
from gateway.ledger.note import VerifierKey, parse_vkey
from gateway.ledger.openings import Opening
from gateway.ledger.receipt import verify_receipt
from gateway.ledger.record import RecordKind
from gateway.ledger.sealed import open_with
from gateway.ledger.skeleton import Skeleton, read_skeleton
from gateway.model.errors import ExchangeError
from gateway.model.errors.evidence import EVIDENCE_UNAVAILABLE
from gateway.model.ids import RecordId
from gateway.model.instant import Instant
from gateway.model.storage import StoredRecord
from gateway.ports import Clock, Vault
from gateway.storage.sqlite.store import SqliteStore
from gateway.trust.jws import payload_of
from gateway.trust.wire import decode
from gateway.wiring.audit import open_audit
from gateway.wiring.build import BUILD
from gateway.wiring.core import SystemClock
from gateway.wiring.evidence_stamping import Stamper, crls_of, roots_of, stamper_of
from gateway.wiring.tools import log_key_of
from gateway.wiring.trust import KIND as TRUST_KIND

TIMESTAMP: Final = "timestamp"
"""Kind of attestation: an authority's answer."""

_NEXT: Final = 16
"""Timestamps that are looked at, for one over a checkpoint that was cosigned."""
_JWS = re.compile(r"eyJ[A-Za-z0-9_-]+\.")
_ENDS = frozenset({RecordKind.ANSWER, RecordKind.ABANDONED})


class Wanted(Struct, frozen=True, kw_only=True):
    """What is to be exported. record: any of the exchange. hide: names of private fields that are not to be shown, nor
    what tells their values. bodies: role → the message's body, from whoever kept it; those that the gateway kept come
    too, unless something is hidden, which they might show. stamped: whether the container's signature shall carry a
    timestamp, where there is an authority.
    """

    record: RecordId
    hide: frozenset[str] = frozenset()
    bodies: Mapping[str, bytes] = {}
    stamped: bool = True


class Exported(Struct, frozen=True, kw_only=True):
    """A container. records: role → id. log_stamped, stamped: whether the log's checkpoint, and the container's own
    signature, carry a timestamp. opened, private: how many fields are shown, of how many. wrong: what a verifier with
    this gateway's own trust list would find wrong with it.
    """

    data: bytes
    records: dict[str, RecordId]
    log_stamped: bool
    stamped: bool
    opened: int
    private: int
    wrong: tuple[str, ...] = ()


class Source(Struct, frozen=True, kw_only=True):
    """Where evidence comes from. key: signs containers. log_key: the log's verifier key. crls: revocation lists, DER,
    beside those that the trust lists carry: newer ones, and the timestamp authorities'. stamper: stamps containers;
    None: there is no authority. vault: holds kept bodies.
    """

    key: FileKey
    log_key: VerifierKey
    crls: tuple[bytes, ...]
    clock: Clock
    vault: Vault
    stamper: Stamper | None = None
    authorities: tuple[bytes, ...] = ()
    """Roots of the timestamp authorities, DER."""


class Exporter:
    """Makes containers."""

    def __init__(self, desk: Desk, source: Source) -> None:
        self._desk = desk
        self._log = desk.log
        self._source = source

    async def export(self, wanted: Wanted, reader: Reader) -> Exported:
        """Gather, record the export, then give it.

        Raises ExchangeError: EVIDENCE_UNAVAILABLE without such a record, RECEIPT_PENDING while it is not in the log,
        as ``Desk``, SIGNATURE_ALGORITHM for a gateway key that XML Signature has no method for, and what the timestamp
        authorities' clients raise; JournalUnavailableError.
        """
        admitted = await self._desk.admit(reader)
        stored = await self._exchange(wanted.record)
        found = _without(wanted.hide, {role: found_of(each, admitted.epochs) for role, each in stored.items()})
        _check_roles(wanted, found)
        bodies = {**await self._kept(found, reader, wanted), **wanted.bodies}
        material = await self._material(stored, found, bodies)
        await self._desk.record(admitted, _reading(wanted, found, bodies))
        stamper = self._source.stamper if wanted.stamped else None
        data = await self._packed(material, stamper)
        fields = [each.openings.fields if each.openings is not None else () for each in found.values()]
        return Exported(
            data=data,
            records={role: each.id for role, each in found.items()},
            log_stamped=material.stamp is not None,
            stamped=stamper is not None,
            opened=sum(field is not None for each in fields for field in each),
            private=sum(len(each.skeleton["private"]) for each in found.values()),
            wrong=self._wrong(data, material),
        )

    async def _exchange(self, record_id: RecordId) -> dict[str, StoredRecord]:
        """The records of the exchange that this one is of, by role."""
        asked = await self._there(record_id)
        skeleton = read_skeleton(asked.row.skeleton)
        if skeleton.kind in _ENDS and skeleton.parent is not None:
            asked = await self._there(RecordId(skeleton.parent))
            skeleton = read_skeleton(asked.row.skeleton)
        records = {skeleton.kind: asked}
        if skeleton.kind == RecordKind.REQUEST:
            ends = await self._log.endings([asked.row.id])
            records |= {read_skeleton(each.row.skeleton).kind: each for each in ends}
        parent = await self._parent(skeleton)
        return records if parent is None else {**records, "parent": parent}

    async def _parent(self, skeleton: Skeleton) -> StoredRecord | None:
        """The request under whose proof a call was made inside."""
        if skeleton.kind not in {RecordKind.REQUEST, RecordKind.REFUSAL} or skeleton.parent is None:
            return None
        return await self._log.record(RecordId(skeleton.parent))

    async def _there(self, record_id: RecordId) -> StoredRecord:
        found = await self._log.record(record_id)
        if found is None:
            raise ExchangeError(EVIDENCE_UNAVAILABLE, record_id)
        return found

    async def _kept(self, found: Mapping[str, Found], reader: Reader, wanted: Wanted) -> dict[str, bytes]:
        """The bodies that were kept and that the reader's key opens."""
        if wanted.hide:
            return {}
        bodies = {}
        for role, each in found.items():
            blob = await self._source.vault.get(blob_id(each.id), self._source.clock.now())
            if blob is not None:
                with contextlib.suppress(ValueError):  # sealed before this reader's time
                    bodies[role] = open_with(PAYLOAD_TYP, blob.sealed, reader.key)
        return bodies

    async def _material(
        self, stored: Mapping[str, StoredRecord], found: Mapping[str, Found], bodies: Mapping[str, bytes]
    ) -> Material:
        receipts = Receipts(self._log)
        size, stamp = await self._stamp(max(each.index or 0 for each in stored.values()))
        pieces = []
        for role, each in stored.items():
            receipt = await receipts.of_stored(each, openings=found[role].openings, size=size)
            pieces.append(Piece(role, receipt, bodies.get(role)))
        skeletons = [read_skeleton(each.row.skeleton) for each in stored.values()]
        return Material(
            made=Instant(self._source.clock.now() // 1000 * 1000),  # as it will be written
            build=BUILD,
            signer=self._source.key.certificate,
            vkey=await self._vkey([piece.receipt for piece in pieces]),
            pieces=tuple(pieces),
            trust=await self._trust(skeletons),
            crls=self._source.crls,
            documents=(
                *await self._documents("policy", [each.digests.policy for each in skeletons]),
                *await self._documents("services", [each.digests.mapping for each in skeletons]),
            ),
            stamp=stamp,
        )

    async def _vkey(self, receipts: Sequence[bytes]) -> str:
        """The log's key that signed these receipts' checkpoints: keys are replaced, trust lists name those of then."""
        documents = reversed(await self._log.documents(TRUST_KIND))
        listed = [log.vkey for each in documents for log in decode(payload_of(each.content)).logs]
        own = self._source.log_key
        named = [key for key in map(parse_vkey, dict.fromkeys(listed)) if (key.name, key.type) == (own.name, own.type)]
        return next((key for key in (own, *named) if all(_proves(key, each) for each in receipts)), own).encode()

    async def _stamp(self, index: int) -> tuple[int | None, Stamp | None]:
        """The first timestamped checkpoint that covers an index and that witnesses have cosigned too (else the first
        one), and its size.
        """
        stamped = await self._log.attestations(TIMESTAMP, size=index + 1, limit=_NEXT)
        cosigned = {
            each.size for each in await self._log.attestations(COSIGNATURE, size=index + 1, limit=_NEXT * _NEXT)
        }
        for each in sorted(stamped, key=lambda each: each.size not in cosigned):
            for kept in await self._log.attestations(CHECKPOINT, size=each.size, limit=1):
                if kept.size == each.size:
                    return each.size, Stamp(kept.content, each.content)
        return None, None

    async def _trust(self, skeletons: Sequence[Skeleton]) -> tuple[bytes, ...]:
        """Those in force at the records' times, and the newest, last."""
        kept = {each.digest: each.content for each in await self._log.documents(TRUST_KIND)}
        newest = await self._log.newest_document(TRUST_KIND)
        if newest is None:
            raise ExchangeError(EVIDENCE_UNAVAILABLE, "no trust list was ever in force here")
        then = dict.fromkeys(each.digests.trust or "" for each in skeletons)
        then.pop(newest.digest, None)
        return (*(kept[digest] for digest in then if digest in kept), newest.content)

    async def _documents(self, kind: str, digests: Sequence[str | None]) -> list[tuple[str, bytes]]:
        kept = {each.digest: each.content for each in await self._log.documents(kind)}
        return [(kind, kept[digest]) for digest in dict.fromkeys(digests) if digest in kept]

    def _wrong(self, data: bytes, material: Material) -> tuple[str, ...]:
        anchors = Anchors(lists=material.trust[-1:], authorities=self._source.authorities)
        findings = verify_evidence(data, anchors).findings
        failed = [each for each in findings if each.verdict is Verdict.FAILED]
        return tuple(f"{each.subject}: {each.what.en}: {each.detail}" for each in failed)

    async def _packed(self, material: Material, stamper: Stamper | None) -> bytes:
        signed = sign_material(material, self._source.key, stamped=stamper is not None)
        return pack(signed, None if stamper is None else await stamper(signed.stamped))


@asynccontextmanager
async def open_evidence(config: Path) -> AsyncIterator[Exporter]:
    """The exporter on a gateway's database. The gateway may run meanwhile; it puts the export's record into the log.

    Raises ExchangeError and JournalUnavailableError.
    """
    settings = load(config)
    async with open_audit(config) as audit:
        store = SqliteStore(settings.ledger.database)
        try:
            yield Exporter(audit.desk, source_of(settings, store.vault))
        finally:
            await store.close()


def source_of(settings: Settings, vault: Vault) -> Source:
    """What a configuration brings. Raises ExchangeError."""
    return Source(
        key=load_signing_key(settings.keys.signing_key, settings.keys.signing_certificate),
        log_key=log_key_of(settings),
        crls=(*(file.read_bytes() for file in settings.trust.crls), *crls_of(settings.timestamps)),
        clock=SystemClock(),
        vault=vault,
        stamper=stamper_of(settings.timestamps, os.urandom),
        authorities=roots_of(settings.timestamps),
    )


def _reading(wanted: Wanted, found: Mapping[str, Found], bodies: Mapping[str, bytes]) -> Reading:
    about = tuple(sorted(persons_in(found.values())))
    records = [each.id for each in found.values()]
    return Reading(
        action="evidence",
        question={"bodies": sorted(bodies), "hide": sorted(wanted.hide), "records": records},
        found=len(found),
        persons=len(about),
        about=about,
        more=(("record", wanted.record),),
    )


def _check_roles(wanted: Wanted, found: Mapping[str, Found]) -> None:
    missing = sorted(wanted.bodies.keys() - found.keys())
    if missing:
        raise ExchangeError(EVIDENCE_UNAVAILABLE, f"this exchange has no {', '.join(missing)}")


def _proves(key: VerifierKey, receipt: bytes) -> bool:
    try:
        verify_receipt(receipt, key)
    except ExchangeError:
        return False
    return True


def _without(hide: frozenset[str], found: Mapping[str, Found]) -> dict[str, Found]:
    """The records without the fields of these names, and without every other field that holds one's value: a signature
    base names officer, case and target again, a JWS (in base64, so all of it) any of them.
    """
    if not hide:
        return dict(found)
    opened = [opening for each in found.values() if each.openings is not None for opening in each.openings.shown]
    values = [str(opening.value) for opening in opened if opening.name in hide]

    def keep(opening: Opening) -> bool:
        text = str(opening.value)
        return opening.name not in hide and not _JWS.match(text) and not any(value in text for value in values)

    return {
        role: each if each.openings is None else msgspec.structs.replace(each, openings=each.openings.only(keep))
        for role, each in found.items()
    }
