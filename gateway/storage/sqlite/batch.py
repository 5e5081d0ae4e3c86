"""One transaction for the commits of many callers: check all, then write those that passed.

So one commit's refusal disturbs no other, a value used twice within a batch is found as one used before, and a counter
that many take from is written once.
"""

from collections.abc import Sequence

import apsw

from gateway.model import failpoints
from gateway.model.decision import Charge
from gateway.model.instant import Instant
from gateway.model.storage import (
    IdempotencyEnd,
    IdempotencySeenError,
    IdempotencyStart,
    MessageIdUsedError,
    NonceUsedError,
    QuotaSpentError,
)
from gateway.storage.sqlite.nonces import NonceEntry, Nonces
from gateway.storage.sqlite.prepared import Prepared
from gateway.storage.sqlite.statements import SQL, insert_many
from gateway.storage.sqlite.sums import row_sum

RELEASED = ""
"""Stands for the answer of a call that came to nothing: its key is free again."""

_Known = tuple[bytes, str | None, Instant]
"""An idempotency key's fingerprint, answer and expiry."""


def apply(connection: apsw.Connection, nonces: Nonces, batch: Sequence[Prepared]) -> list[Exception | None]:
    """Within an open transaction, do what can be done of the batch; of each commit, its refusal or None.

    Raises apsw.Error, after which the transaction must be rolled back.
    """
    nonces.catch_up()
    checks = _Checks(connection, nonces, batch)
    refusals = [checks.refusal(prepared) for prepared in batch]
    failpoints.reached("journal.checked")
    accepted = [prepared for prepared, refusal in zip(batch, refusals, strict=True) if refusal is None]
    if accepted:
        packed = tuple([prepared.packed for prepared in accepted])
        connection.execute(SQL["rows_append"], (apsw.carray(packed),))
        checks.write()
        blobs = [blob for prepared in accepted for blob in prepared.blobs]
        for blob in blobs:
            values = (blob.id, blob.owner, blob.subjects, blob.purpose, blob.expires, blob.sealed)
            connection.execute(SQL["vault_put"], values)
    failpoints.reached("journal.written")
    return refusals


class _Checks:
    """What is known before the batch, and what its commits add to it, one after the other."""

    def __init__(self, connection: apsw.Connection, nonces: Nonces, batch: Sequence[Prepared]) -> None:
        self._connection = connection
        self._nonces = nonces
        keys = [key for prepared in batch for key, _ in prepared.nonces]
        keys += [prepared.message_id[0] for prepared in batch if prepared.message_id is not None]
        self._used = nonces.find(keys)
        self._new_nonces: dict[bytes, Instant] = {}
        self._spent = self._find_charges([charge for prepared in batch for charge in prepared.charges])
        self._charged: set[tuple[int, str]] = set()
        steps = [prepared.idempotency for prepared in batch if prepared.idempotency is not None]
        self._known = self._find_idempotency(steps)
        self._steps: list[IdempotencyStart | IdempotencyEnd] = []
        self._now = max(prepared.now for prepared in batch)

    def refusal(self, prepared: Prepared) -> Exception | None:
        """Why the commit is refused; if it is not, count what it takes."""
        now = prepared.now
        if prepared.nonces and any(self._is_used(entry, now) for entry in prepared.nonces):
            return NonceUsedError()
        step, again = prepared.idempotency, False
        if isinstance(step, IdempotencyStart):
            known = self._known.get(step.key)
            if known is not None and known[2] > now:
                if known[1] != RELEASED:
                    return IdempotencySeenError(known[0], known[1])
                again = known[0] == step.fingerprint  # the same call again may repeat its message id
        if prepared.message_id is not None and not again and self._is_used(prepared.message_id, now):
            return MessageIdUsedError()
        if prepared.charges:
            overdrawn = self._overdrawn(prepared.charges)
            if overdrawn is not None:
                return QuotaSpentError(overdrawn)
        self._take(prepared)
        return None

    def write(self) -> None:
        """Write what the accepted commits took, their rows and blobs apart."""
        if self._new_nonces:
            self._nonces.add(self._new_nonces, self._now)
        if self._charged:
            rows = [
                (window, key, self._spent[window, key], row_sum(window, key, self._spent[window, key]))
                for window, key in self._charged
            ]
            insert_many(self._connection, "charge_set", rows)
        for step in self._steps:
            if isinstance(step, IdempotencyStart):
                self._connection.execute(SQL["idempotency_start"], (step.key, step.fingerprint, step.expires))
            else:
                self._connection.execute(SQL["idempotency_end"], (step.answer or RELEASED, step.key))

    def _is_used(self, entry: NonceEntry, now: Instant) -> bool:
        key, expires = entry
        # What expires by the watermark may have been used and forgotten: the clock was set back.
        return self._used.get(key, 0) > now or expires <= self._nonces.watermark

    def _overdrawn(self, charges: tuple[Charge, ...]) -> str | None:
        wanted: dict[tuple[int, str], int] = {}
        for charge in charges:
            slot = (charge.window, charge.key)
            wanted[slot] = wanted.get(slot, self._spent.get(slot, 0)) + charge.amount
            if wanted[slot] > charge.limit:
                return charge.key
        return None

    def _take(self, prepared: Prepared) -> None:
        entries = prepared.nonces if prepared.message_id is None else (*prepared.nonces, prepared.message_id)
        for key, expires in entries:
            self._used[key] = self._new_nonces[key] = expires
        for charge in prepared.charges:
            slot = (charge.window, charge.key)
            self._spent[slot] = self._spent.get(slot, 0) + charge.amount
            self._charged.add(slot)
        step = prepared.idempotency
        if step is None:
            return
        self._steps.append(step)
        if isinstance(step, IdempotencyStart):
            self._known[step.key] = (step.fingerprint, None, step.expires)
        elif step.key in self._known:
            fingerprint, _, expires = self._known[step.key]
            self._known[step.key] = (fingerprint, step.answer or RELEASED, expires)

    def _find_charges(self, charges: list[Charge]) -> dict[tuple[int, str], int]:
        keys: dict[int, set[str]] = {}
        for charge in charges:
            keys.setdefault(charge.window, set()).add(charge.key)
        found: dict[tuple[int, str], int] = {}
        for window, names in keys.items():
            asked = (apsw.carray(tuple(names)), window)
            for key, used in self._connection.execute(SQL["charges_find"], asked):
                found[window, key] = used
        return found

    def _find_idempotency(self, steps: list[IdempotencyStart | IdempotencyEnd]) -> dict[str, _Known]:
        if not steps:
            return {}
        keys = tuple({step.key for step in steps})
        rows = self._connection.execute(SQL["idempotency_find"], (apsw.carray(keys),))
        return {key: (fingerprint, answer, Instant(expires)) for key, fingerprint, answer, expires in rows}
