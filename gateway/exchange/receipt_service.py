"""The gateway's own service that hands out receipts: each party of an exchange gets those of its records.

It is a target like any other, open to every listed subsystem: who asks is proved, and that it was asked is recorded.
Whoever is no party gets the same answer as for a record that never was.
"""

import re
from collections.abc import Collection, Iterable
from enum import Flag, auto

from gateway.exchange.epochs import Epochs
from gateway.exchange.judging import ProviderFailedError
from gateway.exchange.receipts import Receipts
from gateway.ledger.openings import Opening, Openings, epoch_of, open_sealed
from gateway.ledger.record import RecordKind
from gateway.ledger.skeleton import Skeleton, read_skeleton
from gateway.model.decision import EVERYTHING
from gateway.model.errors import ExchangeError
from gateway.model.errors.receipt import RECEIPT_PENDING, RECEIPT_UNKNOWN
from gateway.model.ids import RecordId, ServiceId, SubsystemId
from gateway.model.message import Body
from gateway.model.outcomes import Outcome
from gateway.model.stages import Recorded, Reply
from gateway.model.storage import StoredRecord
from gateway.ports import Countersign, LogStore

PATH = "/v1/receipts/"
"""What a record's id follows."""
MEDIA = "text/plain; charset=utf-8"

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_OUTCOMES = {RECEIPT_UNKNOWN: Outcome.NOT_FOUND, RECEIPT_PENDING: Outcome.UNAVAILABLE}

_ASKING = frozenset({RecordKind.REQUEST, RecordKind.REFUSAL})
_ENDING = frozenset({RecordKind.ANSWER, RecordKind.ABANDONED})
_SAID = frozenset(
    {
        "person", "officer", "case", "represented", "message_id", "target", "operation", "service", "purpose", "parts",
        "body_sha256", "attachment_sha256", "signature_base", "signature", "tls_certificate",
    }
)  # fmt: skip
"""Of a request, what its consumer said itself. Never its network address: that is what we saw."""
_GOT = frozenset({"body_sha256", "attachment_sha256", "signature_base", "signature"})
"""Of an answer, what its consumer got."""
_PASSED = frozenset({"body_sha256", "attachment_sha256"})
"""Of a request that reaches its provider as it came, what the provider got."""
_PROVIDED = frozenset(
    {
        "forwarded_sha256", "forwarded_base", "forwarded_signature", "envelope_base", "envelope_signature",
        "provider_sha256", "provider_base", "provider_signature", "provider_keyid",
    }
)  # fmt: skip
"""Of an answer, what was exchanged with the provider."""


class Party(Flag):
    """What a subsystem is in a recorded exchange."""

    CONSUMER = auto()
    PROVIDER = auto()
    NEITHER = 0


class ReceiptTarget:
    """Answers ``GET /v1/receipts/{id}``. passing: services whose providers get REST requests as they came."""

    def __init__(self, log: LogStore, epochs: Epochs, passing: Collection[ServiceId]) -> None:
        self._log = log
        self._epochs = epochs
        self._passing = frozenset(map(str, passing))
        self._receipts = Receipts(log)

    async def send(self, request: Recorded, countersign: Countersign, deadline: float) -> Reply:  # noqa: ARG002 - port
        """The receipt. Raises ProviderFailedError: unknown to this party, or not yet in the tree."""
        verified = request.authorized.verified
        try:
            receipt = await self._receipt(verified.parts.head.path, verified.client)
        except ExchangeError as error:
            outcome = _OUTCOMES.get(error.kind, Outcome.INVALID_REPLY)
            raise ProviderFailedError(error.kind, outcome, error.detail, retry_after=error.retry_after) from error
        return Reply(
            outcome=Outcome.FOUND,
            status=200,
            fields=(("Content-Type", MEDIA), ("Cache-Control", "no-store")),
            body=Body(receipt),
            confidence="signed_by_source",
        )

    async def close(self) -> None:
        """Nothing is held."""

    async def _receipt(self, path: str, asker: SubsystemId) -> bytes:
        name = path.removeprefix(PATH)
        stored = await self._log.record(RecordId(name)) if _ID.fullmatch(name) else None
        if stored is None:
            raise ExchangeError(RECEIPT_UNKNOWN)
        skeleton = read_skeleton(stored.row.skeleton)
        party = party_of(skeleton, asker)
        if party is Party.NEITHER:
            raise ExchangeError(RECEIPT_UNKNOWN)
        openings = self._open(stored)
        shown = None if openings is None else await self._shown(skeleton, openings, party)
        return await self._receipts.of_stored(stored, openings=shown)

    def _open(self, stored: StoredRecord) -> Openings | None:
        """The openings, if the key is still in memory and they were not erased."""
        row = stored.row
        try:
            epoch = self._epochs.find(epoch_of(row.openings))
            return None if epoch is None else open_sealed(row.openings, epoch, row.id, row.entry)
        except ExchangeError:
            return None

    async def _shown(self, skeleton: Skeleton, openings: Openings, party: Party) -> Openings:
        passing = skeleton.service in self._passing and not _has(openings, "operation")
        names = _names(RecordKind(skeleton.kind), party, passing=passing)
        persons = await self._known(skeleton) if Party.CONSUMER in party else frozenset()

        def keep(opening: Opening) -> bool:
            if opening.name == "person" and RecordKind(skeleton.kind) in _ENDING and persons is not None:
                return opening.value in persons
            return opening.name in names

        return openings.only(keep)

    async def _known(self, skeleton: Skeleton) -> frozenset[str] | None:
        """Whose numbers in an answer its consumer knows; None: everybody's, all of the answer being released.

        Else those that it asked about: a grant may release somebody's name and withhold the number.
        """
        if RecordKind(skeleton.kind) not in _ENDING or skeleton.parent is None:
            return frozenset()
        if skeleton.released == EVERYTHING:
            return None
        request = await self._log.record(RecordId(skeleton.parent))
        openings = None if request is None else self._open(request)
        return frozenset() if openings is None else frozenset(_values(openings, "person"))


def party_of(skeleton: Skeleton, asker: SubsystemId) -> Party:
    """What a subsystem is in the exchange that a record is of. A provider never saw what was refused before it."""
    if skeleton.kind not in {*_ASKING, *_ENDING}:
        return Party.NEITHER
    party = Party.CONSUMER if skeleton.client == str(asker) else Party.NEITHER
    provider = (skeleton.service or "").rpartition("/")[0]
    if provider == str(asker) and skeleton.kind != RecordKind.REFUSAL:
        party |= Party.PROVIDER
    return party


def _names(kind: RecordKind, party: Party, *, passing: bool) -> frozenset[str]:
    names: frozenset[str] = frozenset()
    if Party.CONSUMER in party:
        names |= _SAID if kind in _ASKING else _GOT | {"person"}
    if Party.PROVIDER in party:
        names |= _PROVIDED if kind in _ENDING else _PASSED if passing else frozenset()
    return names


def _has(openings: Openings, name: str) -> bool:
    return any(True for _ in _values(openings, name))


def _values(openings: Openings, name: str) -> Iterable[str]:
    return (opening.value for opening in openings.shown if opening.name == name)
