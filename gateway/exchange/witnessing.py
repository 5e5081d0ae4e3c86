"""Asks witnesses to cosign the log's checkpoints, and keeps what they say. Nothing waits for it but the alarm.

A checkpoint that is not cosigned in time is an alarm, never a fork: the log goes on, and receipts carry what there is.
A witness that has seen more than we have, or something else, is an alarm too: the log was forked, or lost records.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct

from gateway.exchange.attesting import COSIGNATURE, Alarms, as_published, keep, newest
from gateway.ledger.checkpoint import LogKeys, open_checkpoint
from gateway.ledger.cosignature_policy import Witness, WitnessPolicy
from gateway.ledger.note import VerifierKey
from gateway.ledger.proofs import consistency_proof
from gateway.ledger.tiles import narrow
from gateway.ledger.witness import AddCheckpoint, Status, read_cosignature, size_in, tiles_for
from gateway.model import failpoints
from gateway.model.errors import ExchangeError
from gateway.model.errors.attesting import ATTESTING_UNAVAILABLE, LOG_FORKED, WITNESS_REFUSED
from gateway.model.errors.ledger import LOG_INVALID
from gateway.model.instant import to_seconds
from gateway.ports import Clock, LogStore, Observer, WitnessClient

UNCOSIGNED = "checkpoint_uncosigned"
"""Alarm: no checkpoint of the last ``Pace.alarm`` seconds has the cosignatures that the policy asks for."""
WITNESS_FAILED = "witness_failed"
"""Alarm: a witness did not answer, or not as it should."""
WITNESS_AHEAD = "witness_ahead"
"""Alarm: a witness has cosigned a larger tree than ours: records were lost, or somebody else signs with our key."""
WITNESS_FORK = "witness_fork"
"""Alarm: a witness has cosigned a tree that ours does not extend."""

_ATTEMPTS = 3
"""With one witness in one round: its 409 says from where the proof must lead."""


class WitnessPace(Struct, frozen=True, kw_only=True):
    """In seconds. every: between checkpoints that are shown while the log grows. idle: between any two rounds. alarm:
    how long a record may be without enough cosignatures. skew: how far a witness's clock may be from ours.
    """

    every: float = 10.0
    idle: float = 60.0
    alarm: float = 120.0
    skew: float = 300.0


class Witnessing:
    """``step`` it about once a second, in one process.

    clients: how each witness of the policy is reached, by its name there; others are not asked.
    """

    def __init__(
        self,
        log: LogStore,
        clock: Clock,
        observer: Observer,
        *,
        keys: LogKeys,
        policy: WitnessPolicy,
        clients: Mapping[str, WitnessClient],
        pace: WitnessPace,
    ) -> None:
        self._log = log
        self._clock = clock
        self._keys = keys
        self._policy = policy
        self._clients = clients
        self._pace = pace
        self._alarm = Alarms(observer, clock.monotonic, pace.alarm)
        self._asked_at: float | None = None
        self._cosigned = -1
        self._waiting_since: float | None = None
        self._last: dict[str, int] = {}

    @property
    def cosigned(self) -> int:
        """The largest tree that this process has seen enough cosignatures of; -1 before the first."""
        return self._cosigned

    async def step(self) -> None:
        """Ask, if it is time. Raises ExchangeError for a checkpoint that is not ours, JournalUnavailableError."""
        head = await newest(self._log, self._keys)
        if head is None:
            return
        now, size = self._clock.monotonic(), head.checkpoint.size
        grown = size > self._cosigned
        if grown and self._waiting_since is None:
            self._waiting_since = now
        wait = self._pace.every if grown else self._pace.idle
        if self._asked_at is None or now - self._asked_at >= wait:
            self._asked_at = now
            note = await as_published(self._log, head)
            by = await asyncio.gather(*[self._tried(each, note, size) for each in self._asked])
            if self._policy.satisfied({key for key in by if key is not None}):
                self._cosigned, self._waiting_since = size, None
        waited = None if self._waiting_since is None else self._clock.monotonic() - self._waiting_since
        if waited is not None and waited > self._pace.alarm:
            self._alarm(UNCOSIGNED, f"{size} records, {max(self._cosigned, 0)} of them cosigned, {waited:.0f} s")

    async def close(self) -> None:
        """Let go of connections."""
        for client in self._clients.values():
            await client.close()

    @property
    def _asked(self) -> list[Witness]:
        return [witness for witness in self._policy.witnesses if witness.name in self._clients]

    async def _tried(self, witness: Witness, note: bytes, size: int) -> VerifierKey | None:
        """The witness's key, if it cosigned."""
        try:
            await self._ask(witness, note, size)
        except ExchangeError as error:
            code = WITNESS_FORK if error.kind is LOG_FORKED else WITNESS_FAILED
            self._alarm(code, f"{witness.key.name}: {error.detail}", witness.name)
            return None
        return witness.key

    async def _ask(self, witness: Witness, note: bytes, size: int) -> None:
        old = await self._from(witness)
        for _ in range(_ATTEMPTS):
            request = AddCheckpoint(min(old, size), await self._proof(min(old, size), size), note)
            reply = await self._clients[witness.name].add_checkpoint(request.encode())
            match reply.status:
                case Status.COSIGNED:
                    await self._take(witness, note, size, reply.body)
                    return
                case Status.CONFLICT:
                    seen = size_in(reply)
                    await self._compare(witness, request.old, seen, size)
                    old = seen
                case Status.INCONSISTENT:
                    raise ExchangeError(LOG_FORKED, f"it has cosigned {request.old} records that ours do not extend")
                case _:
                    raise ExchangeError(WITNESS_REFUSED, f"it answers {reply.status}")
        raise ExchangeError(WITNESS_REFUSED, "it names another tree each time")

    async def _compare(self, witness: Witness, told: int, seen: int, size: int) -> None:
        """What a witness that was told another size than it has seen gives reason to fear."""
        if seen == told:
            raise ExchangeError(LOG_FORKED, f"it has cosigned another tree of {seen} records")
        if seen > size:
            stored, _ = await self._log.state()
            if seen > stored:
                detail = f"{witness.key.name} has cosigned {seen} records, here are {stored}"
                self._alarm(WITNESS_AHEAD, detail, witness.name)
            # Else another process of ours showed it a newer checkpoint meanwhile.
            raise ExchangeError(WITNESS_REFUSED, f"it has cosigned a larger tree, of {seen} records")

    async def _take(self, witness: Witness, note: bytes, size: int, body: bytes) -> None:
        line, signature = read_cosignature(note, body, witness.key)
        apart = abs((signature.time or 0) - to_seconds(self._clock.now()))
        if apart > self._pace.skew:
            raise ExchangeError(ATTESTING_UNAVAILABLE, f"its clock and ours are {apart} s apart")
        failpoints.reached("witnessing.answered")
        await keep(self._log, self._clock, size, note, kind=COSIGNATURE, name=witness.key.name, content=line)
        self._last[witness.name] = size

    async def _from(self, witness: Witness) -> int:
        """The tree that it cosigned last, as far as we know."""
        if witness.name not in self._last:
            kept = await self._log.attestations(COSIGNATURE)
            self._last[witness.name] = next((each.size for each in kept if each.name == witness.key.name), 0)
        return self._last[witness.name]

    async def _proof(self, old: int, new: int) -> tuple[bytes, ...]:
        read: dict[tuple[int, int, int], bytes] = {}
        for tile in tiles_for(old, new):
            data = await self._log.tile(tile.level, tile.index)
            if data is None:
                raise ExchangeError(LOG_INVALID, f"the tile {tile.path} is missing")
            read[tile.level, tile.index, tile.width] = narrow(data, tile.level, tile.width)
        return tuple(consistency_proof(old, new, lambda *place: read[place]))


def cosigned_checkpoint(log: LogStore, keys: LogKeys, policy: WitnessPolicy) -> Callable[[], Awaitable[bytes | None]]:
    """Gives the newest checkpoint that enough witnesses have cosigned, with these cosignatures; None without one."""

    async def find() -> bytes | None:
        lines: dict[int, list[bytes]] = {}
        for each in await log.attestations(COSIGNATURE):
            lines.setdefault(each.size, []).append(each.content)
        for size in sorted(lines, reverse=True):
            kept = await log.attestations("checkpoint", size=size, limit=1)
            if not kept or kept[0].size != size:
                continue
            note = kept[0].content + b"".join(lines[size])
            signed = open_checkpoint(note, keys, witnesses=policy.keys)
            if policy.satisfied({each.key for each in signed.cosignatures}):
                return note
        return None

    return find
