"""Where holders of roles act on a log: what is read there, and how what they do is recorded before it counts."""

from collections.abc import Sequence

from msgspec import Struct

from gateway.exchange.events import Event
from gateway.exchange.ids import new_record_id
from gateway.exchange.recording import Recorder
from gateway.ledger.epoch import Recipient
from gateway.ledger.record import Facts, InForce, PrivateField, RecordKind
from gateway.model.ids import RecordId
from gateway.ports import Clock, Entropy, LogStore


class Site(Struct, frozen=True, kw_only=True):
    """A gateway's log. origin: its name. recipients: who may read what is sealed."""

    log: LogStore
    recorder: Recorder
    clock: Clock
    entropy: Entropy
    in_force: InForce
    origin: str
    recipients: Sequence[Recipient]

    async def record(
        self,
        kind: RecordKind,
        reasons: tuple[str, ...],
        private: tuple[PrivateField, ...] = (),
        *,
        persons: tuple[str, ...] = (),
    ) -> RecordId:
        """Commit a record of now. persons: whom it can be found by. Raises JournalUnavailableError."""
        now = self.clock.now()
        facts = Facts(
            id=new_record_id(now, self.entropy),
            at=now,
            kind=kind,
            in_force=self.in_force,
            reasons=reasons,
            private=private,
        )
        await self.recorder.commit(Event(facts=facts, persons=persons))
        return facts.id
