"""What every reading of the log goes through: the reader proves a role, what they read is recorded, then it is shown.

A reader is known by a private key whose public half the trust list in force names for a role. The record says who, in
which case, why, what was asked and how much was found, and takes the reader's daily quota in the same commit: if that
cannot be done, nothing is shown. However it is asked, in one export or in many pages, the persons of a day add up.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct

from gateway.exchange.events import Event
from gateway.exchange.ids import new_record_id
from gateway.exchange.recording import Recorder
from gateway.ledger.epoch import Epoch, open_epoch
from gateway.ledger.order_jws import same_person
from gateway.ledger.record import Facts, InForce, PrivateField, RecordKind, Ruling
from gateway.model.decision import Charge
from gateway.model.errors import ExchangeError
from gateway.model.errors.audit import AUDIT_QUOTA_SPENT, SECOND_AUDITOR_NEEDED
from gateway.model.ids import RecordId
from gateway.model.instant import MICROSECONDS, Instant, vietnam_day
from gateway.model.storage import QuotaSpentError
from gateway.model.usage import RoleName
from gateway.ports import Clock, Entropy, LogStore
from gateway.trust.document import Role, TrustList
from gateway.trust.roles import holder_of

READERS = (RoleName.AUDITOR, RoleName.DATA_PROTECTION_OFFICER)
"""Who may read records. An operator may not."""

_ALONE = "alone"
"""The charge of persons whom a reader is shown without a second auditor."""

_LONGEST_EPOCH = 2 * 86_400 * MICROSECONDS
"""An epoch is changed daily; the rest is for clocks that were set."""


Begin = Callable[[Any], Awaitable[object]]


class Reader(Struct, frozen=True, kw_only=True):
    """Who reads, and why. name: the reader's own. case: of the investigation. reason: in words. key: their private key.
    second: another auditor's private key, where two must act together.
    """

    name: str
    case: str
    reason: str
    key: Any
    second: Any = None

    def __post_init__(self) -> None:
        if not all(any(map(str.isalnum, said)) for said in (self.name, self.case, self.reason)):
            raise ValueError("an auditor states a name, a case number and a reason")


class Quota(Struct, frozen=True, kw_only=True):
    """What one reader may do in a Vietnamese day. reads: questions asked. persons: shown in answers, counted in each.
    second: how many of these without a second auditor, all answers together: so neither pages nor several small exports
    get around it.
    """

    reads: int = 500
    persons: int = 20_000
    second: int = 1000


class Admitted(Struct, frozen=True, kw_only=True):
    """A reader whose role was proved. epochs: those that their key opens, by id. day: whose quota is taken."""

    reader: Reader
    role: Role
    second: Role | None
    epochs: dict[str, Epoch]
    day: int


class Reading(Struct, frozen=True, kw_only=True):
    """What is about to be shown. action: a word for it, public. question: what was asked, plain values. found: how many
    records. persons: how many people they name. about: the persons that the reading can be found by: those asked about,
    those of a record that was opened by its id. more: further private fields.
    """

    action: str
    question: Any
    found: int
    persons: int
    about: tuple[str, ...] = ()
    more: tuple[PrivateField, ...] = ()


_USUAL = Quota()


class Desk:
    """Admits readers and records what they read. trust: the list in force. begin: begins an epoch for the records of
    a reader, given their private key; None: a running gateway did.
    """

    def __init__(
        self,
        log: LogStore,
        recorder: Recorder,
        *,
        clock: Clock,
        entropy: Entropy,
        in_force: InForce,
        trust: TrustList,
        quota: Quota = _USUAL,
        begin: Begin | None = None,
    ) -> None:
        self.log = log
        self.quota = quota
        self.trust = trust
        self._recorder = recorder
        self._clock = clock
        self._entropy = entropy
        self._in_force = in_force
        self._begin = begin
        self._opened: dict[str, dict[str, Epoch | None]] = {}

    async def admit(self, reader: Reader, since: Instant | None = None, until: Instant | None = None) -> Admitted:
        """Prove the reader's role, and open the epochs that records of this time can be of.

        Raises ExchangeError: ROLE_UNKNOWN, ROLE_DENIED, ROLE_ENDED; SECOND_AUDITOR_NEEDED for a second key that is not
        another auditor's; OPENING_UNREADABLE for a key that opens no epoch at all.
        """
        role = self.prove(reader.key)
        second = None if reader.second is None else self._second(role, reader.second)
        listed = await self.log.epochs()
        epochs = self._epochs(listed, reader, role, since, until)
        if self._begin is not None:  # only now: who may not read leaves nothing behind, not even an epoch
            await self._begin(reader.key)
            self._begin = None
        # A clock that was set back gives no day's quota a second time: an epoch began on each day that there was.
        day = max(vietnam_day(at) for at in (self._clock.now(), *(starts for _, starts, _ in listed)))
        return Admitted(reader=reader, role=role, second=second, epochs=epochs, day=day)

    def prove(self, key: Any) -> Role:
        """The role by which a private key may read. Raises ExchangeError: ROLE_UNKNOWN, ROLE_DENIED, ROLE_ENDED."""
        return holder_of(self.trust, _public(key), READERS, self._clock.now())

    async def record(self, admitted: Admitted, reading: Reading) -> RecordId:
        """Record what is about to be shown, and charge it.

        Raises ExchangeError, after recording that too: AUDIT_QUOTA_SPENT, and SECOND_AUDITOR_NEEDED where one reader
        alone would be shown too many persons in a day; JournalUnavailableError.
        """
        event = self._event(admitted, reading, None)
        try:
            await self._recorder.commit(event, charges=self._charges(admitted, reading))
        except QuotaSpentError as error:
            spent = error.key.partition(":")[0].removeprefix("audit-")
            refused = ExchangeError(AUDIT_QUOTA_SPENT, f"of {spent}", parts=(spent,))
            if spent == _ALONE:
                refused = ExchangeError(SECOND_AUDITOR_NEEDED, f"more than {self.quota.second} persons in a day")
            await self._recorder.commit(self._event(admitted, reading, refused.kind.code))
            raise refused from error
        return event.facts.id

    def _second(self, first: Role, key: Any) -> Role:
        second = holder_of(self.trust, _public(key), (RoleName.AUDITOR,), self._clock.now())
        if second.name == first.name or same_person(first, second):
            raise ExchangeError(SECOND_AUDITOR_NEEDED, "the second key is of the same person")
        return second

    def _epochs(
        self,
        listed: Sequence[tuple[str, Instant, bytes]],
        reader: Reader,
        role: Role,
        since: Instant | None,
        until: Instant | None,
    ) -> dict[str, Epoch]:
        opened = self._opened.setdefault(role.id, {})
        refused: ExchangeError | None = None
        for epoch_id, starts, sealed in listed:
            if epoch_id in opened or (until is not None and starts > until + _LONGEST_EPOCH):
                continue
            if since is not None and starts + _LONGEST_EPOCH < since:
                continue
            try:
                opened[epoch_id] = open_epoch(sealed, reader.key)
            except ExchangeError as error:  # from before this reader's time: sealed to others
                opened[epoch_id], refused = None, error
        found = {name: epoch for name, epoch in opened.items() if epoch is not None}
        if refused is not None and not found:
            raise refused
        return found

    def _charges(self, admitted: Admitted, reading: Reading) -> tuple[Charge, ...]:
        """What a reading costs. Who lacks a second auditor is told so first."""
        limits = {_ALONE: self.quota.second, "persons": self.quota.persons, "reads": self.quota.reads}
        amounts = {"persons": reading.persons, "reads": 1}
        if admitted.second is None:
            amounts = {_ALONE: reading.persons, **amounts}
        return tuple(
            Charge(key=f"audit-{name}:{admitted.role.id}", window=admitted.day, limit=limits[name], amount=amount)
            for name, amount in amounts.items()
            if amount
        )

    def _event(self, admitted: Admitted, reading: Reading, refused: str | None) -> Event:
        now, reader = self._clock.now(), admitted.reader
        private: list[PrivateField] = [
            ("auditor", reader.name),
            ("audit_case", reader.case),
            ("reason", reader.reason),
            ("question", msgspec.to_builtins(reading.question)),
            ("role", admitted.role.role.value),
            ("listed_as", admitted.role.name),
            ("key", admitted.role.id),
            ("found", reading.found),
            ("persons", reading.persons),
            ("quota", msgspec.to_builtins(self.quota)),  # the settings are whoever's who gave them: say which they were
            *reading.more,
        ]
        if admitted.second is not None:
            private += [("second_auditor", admitted.second.name), ("second_key", admitted.second.id)]
        facts = Facts(
            id=new_record_id(now, self._entropy),
            at=now,
            kind=RecordKind.AUDIT,
            in_force=self._in_force,
            ruling=None if refused is None else Ruling.DENIED,
            reasons=(reading.action,) if refused is None else (refused, reading.action),
            private=tuple(private),
        )
        return Event(facts=facts, persons=reading.about)


def _public(key: Any) -> bytes:
    public: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return public
