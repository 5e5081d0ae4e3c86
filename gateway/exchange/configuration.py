"""What is in force: each change of trust list, policy or services is kept and recorded before it is used."""

from gateway.exchange.events import Event
from gateway.exchange.ids import new_record_id
from gateway.exchange.recording import Recorder
from gateway.ledger.record import Facts, InForce, RecordKind
from gateway.model.log import Document
from gateway.ports import Clock, Entropy, LogStore


class Configurations:
    """Keeps and records what comes into force."""

    def __init__(self, log: LogStore, recorder: Recorder, clock: Clock, entropy: Entropy) -> None:
        self._log = log
        self._recorder = recorder
        self._clock = clock
        self._entropy = entropy

    async def adopt(self, document: Document, in_force: InForce) -> bool:
        """Keep and record a document that differs from the newest of its kind; whether it did.

        Raises JournalUnavailableError: it must not be used then.
        """
        newest = await self._log.newest_document(document.kind)
        if newest is not None and newest.digest == document.digest and newest.note == document.note:
            return False
        now = self._clock.now()
        facts = Facts(
            id=new_record_id(now, self._entropy),
            at=now,
            kind=RecordKind.CONFIGURATION,
            in_force=in_force,
            reasons=(document.kind, document.digest),
        )
        await self._recorder.commit(Event(facts=facts))
        await self._log.keep_document(document)  # after its record: what is kept counts as recorded
        return True
