"""The consistency watch: the running gateway verifies its own log, round after round, slowly.

A round re-derives the tree under the newest checkpoint, holds it against the checkpoint of the round before, checks
every record against its entry, its commitments (while the epoch's key is in memory) and its neighbours, and lets the
store say what is damaged. What is wrong is an alarm that names the tile, entry or record, once.

It is the operator's own check, for disks and mistakes. Who does not trust the operator verifies from outside.
"""

import asyncio
from collections.abc import Callable, Generator, Iterable

from msgspec import Struct

from gateway.ledger.checkpoint import Checkpoint, LogKeys, open_checkpoint
from gateway.ledger.epoch import Epoch
from gateway.ledger.openings import epoch_of, open_bytes
from gateway.ledger.tiles import ENTRIES, WIDTH, encode_entries, narrow, parse_path
from gateway.ledger.verify import LogWalk
from gateway.ledger.verify_order import MOST_FAULTS, Order, Rhythm
from gateway.ledger.verify_record import StoredRecord, check_record
from gateway.model.errors import ExchangeError
from gateway.model.storage import JournalUnavailableError
from gateway.model.storage import StoredRecord as Kept
from gateway.ports import Clock, LogStore, Observer

DAMAGED = "log_damaged"
"""Alarm: a tile, an entry, a record or a table is not what it should be; the detail names it."""
CLOCK = "log_clock"
"""Alarm: the records' times jump."""

_AT_ONCE = 32
_TRIES = 3


class WatchPace(Struct, frozen=True, kw_only=True):
    """How fast the watch goes. per_second: entries and records in one ``step``; 0: none. pause: seconds between two
    small pieces of work. busy: if that pause took so many seconds longer, the process has better things to do, and the
    step ends. between: seconds from one round to the next.
    """

    per_second: int = 1000
    pause: float = 0.005
    busy: float = 0.005
    between: float = 60.0


class Progress(Struct, frozen=True, kw_only=True):
    """What the watch knows. size: entries that a whole round has verified; of the first round, how far it got. faults:
    what is wrong, as the last whole round found it, and the one under way so far. rounds: whole rounds.
    """

    size: int
    faults: int
    rounds: int


Tell = Callable[[Progress], None]
FindEpoch = Callable[[str], Epoch | None]


class Watch:
    """``step`` it about once a second. key: the log's, or its keys. leads: whether this process is to do it. tell: told
    of progress. epoch: the epoch of an id, while its keys are in memory.
    """

    def __init__(
        self,
        log: LogStore,
        clock: Clock,
        observer: Observer,
        *,
        key: LogKeys,
        leads: Callable[[], bool],
        tell: Tell,
        epoch: FindEpoch = lambda _: None,
        pace: WatchPace | None = None,
        rhythm: Rhythm | None = None,
    ) -> None:
        self._log = log
        self._clock = clock
        self._observer = observer
        self._key = key
        self._leads = leads
        self._tell = tell
        self._epoch = epoch
        self._pace = pace or WatchPace()
        self._rhythm = rhythm
        self._round: _Round | None = None
        self._last: Checkpoint | None = None
        self._rounds = 0
        self._verified = 0
        self._known: dict[str, None] = {}
        self._of_last: frozenset[str] = frozenset()
        self._next_at = 0.0
        self._failures = 0

    async def step(self) -> None:
        """Go on for about a second's share. Raises JournalUnavailableError where the store cannot be read now."""
        left = self._pace.per_second
        if not left or not self._leads() or (self._round is None and self._clock.monotonic() < self._next_at):
            return
        while left > 0:
            if self._round is None and not await self._begin():
                return
            left -= await self._some()
            if self._round is None or await self._is_busy():
                return

    async def _begin(self) -> bool:
        note = await self._log.checkpoint()
        if note is None:
            return False
        try:
            head = open_checkpoint(note, self._key).checkpoint
        except ExchangeError as error:
            self._name([f"checkpoint: {error.detail}"])
            self._next_at = self._clock.monotonic() + self._pace.between
            return False
        self._round = _Round(self._log, head, self._last, self._epoch, self._rhythm)
        return True

    async def _some(self) -> int:
        """A piece of the round; how much it was."""
        going = self._round
        assert going is not None
        try:
            done = await going.some()
        except JournalUnavailableError as error:
            self._failures += 1
            if self._failures < _TRIES:
                raise
            done = going.skip(str(error))
        self._failures = 0
        self._name(going.named())
        self._notice(going.order.notices.names)
        if done == 0:
            self._end(going)
            return 1
        self._say(going)
        return done

    def _end(self, going: "_Round") -> None:
        self._round, self._rounds = None, self._rounds + 1
        self._of_last = frozenset(going.faults)
        self._verified = going.head.size
        if not self._of_last:
            self._last = going.head
        self._next_at = self._clock.monotonic() + self._pace.between
        self._tell(Progress(size=self._verified, faults=len(self._of_last), rounds=self._rounds))

    def _say(self, going: "_Round") -> None:
        size = self._verified if self._rounds else going.done
        self._tell(Progress(size=size, faults=len(self._of_last | going.faults.keys()), rounds=self._rounds))

    async def _is_busy(self) -> bool:
        before = self._clock.monotonic()
        await asyncio.sleep(self._pace.pause)
        return self._clock.monotonic() - before > self._pace.pause + self._pace.busy

    def _name(self, faults: Iterable[str]) -> None:
        self._alarm(DAMAGED, faults)

    def _notice(self, notices: Iterable[str]) -> None:
        self._alarm(CLOCK, notices)

    def _alarm(self, code: str, what: Iterable[str]) -> None:
        for each in what:
            if each not in self._known and len(self._known) < MOST_FAULTS:
                self._known[each] = None
                self._observer.alarm(code, each)


class _Round:
    """One verification of everything under a checkpoint, in small pieces: first the tree, then the records."""

    def __init__(
        self, log: LogStore, head: Checkpoint, before: Checkpoint | None, epoch: FindEpoch, rhythm: Rhythm | None
    ) -> None:
        self.head = head
        self.order = Order(rhythm)
        self._walk = LogWalk(head, before=() if before is None else (before,))
        self._steps: Generator[str, bytes, None] | None = self._walk.steps()
        self._wanted: str | None = None
        self._log = log
        self._epoch = epoch
        self._next = 0
        self._own: dict[str, None] = {}
        self._told = 0
        self._tables = False

    @property
    def faults(self) -> dict[str, None]:
        """All so far."""
        return {**self._walk.faults.names, **self._own, **self.order.faults.names}

    @property
    def done(self) -> int:
        """How many records are verified."""
        return self._next

    def named(self) -> Iterable[str]:
        """What was found since the last call."""
        count = len(self._walk.faults.names) + len(self._own) + len(self.order.faults.names)
        if count == self._told:
            return ()
        self._told = count
        return self.faults

    async def some(self) -> int:
        """Go on a little; about how many entries or records that were. 0: the round is over."""
        if self._steps is not None:
            return await self._climb(self._steps)
        if self._next < self.head.size:
            return await self._records()
        if not self._tables:
            self._add(await self._log.damaged_tables())
            self._tables = True
            self.order.missing(self.head.size)
            self.order.finish()
        return 0

    def skip(self, why: str) -> int:
        """The store cannot read the next piece, however often it is asked: name it, and go on behind it."""
        if self._steps is not None:
            self._add([f"{self._wanted}: the store cannot read it: {why}"])
            self._steps = None
            return 1
        if self._next < self.head.size:
            count = min(_AT_ONCE, self.head.size - self._next)
            self._add([f"entries {self._next} to {self._next + count - 1}: the store cannot read them: {why}"])
            self._pass(count)
            return count
        self._add([f"tables: the store cannot read them: {why}"])
        self._tables = True
        return 1

    async def _climb(self, steps: Generator[str, bytes, None]) -> int:
        try:
            if self._wanted is None:
                self._wanted = next(steps)
            try:
                data = await _file(self._log, self._wanted)
            except LookupError as error:
                self._wanted = steps.throw(error)
            else:
                self._wanted = steps.send(data)
        except StopIteration:
            self._steps = self._wanted = None
        return _AT_ONCE  # most of them are bundles, of more entries, which cost less each

    async def _records(self) -> int:
        count = min(_AT_ONCE, self.head.size - self._next)
        try:
            for kept in await self._log.by_index(self._next, count):
                self._check(kept)
        except ValueError:
            await self._one_by_one(self._next, self._next + count)
        self.order.missing(self._next + count)
        self._add(await self._log.damaged_rows(self._next, count))
        self._next += count
        return count

    async def _one_by_one(self, start: int, end: int) -> None:
        """Rows among which one does not parse, which the store itself names."""
        for index in range(start, end):
            try:
                for kept in await self._log.by_index(index, 1):
                    self._check(kept)
            except ValueError:
                self.order.skip(index)

    def _pass(self, count: int) -> None:
        for index in range(self._next, self._next + count):
            self.order.skip(index)
        self._next += count

    def _check(self, kept: Kept) -> None:
        row, index = kept.row, kept.seq - 1
        try:
            epoch = self._epoch(row.epoch) if row.openings else None
            openings = None
            if epoch is not None and epoch_of(row.openings) == epoch.id:
                openings = open_bytes(row.openings, epoch, row.id, row.entry)
            record = StoredRecord(row.id, index, row.skeleton, openings, row.opens, row.ends)
            self.order.add(record, check_record(record, row.entry))
        except ExchangeError as error:
            self.order.skip(index)
            self._add([f"record {row.id}: {error.detail}"])

    def _add(self, faults: Iterable[str]) -> None:
        for fault in faults:
            if len(self._own) < MOST_FAULTS:
                self._own[fault] = None


async def _file(log: LogStore, path: str) -> bytes:
    """A file of the log by its path. Raises LookupError, and JournalUnavailableError."""
    tile = parse_path(path)
    if tile.level != ENTRIES:
        data = await log.tile(tile.level, tile.index)
        if data is None:
            raise LookupError(path)
        return narrow(data, tile.level, tile.width)
    try:
        entries = list(await log.entries(tile.index * WIDTH, tile.width))
    except ValueError:
        raise LookupError(path) from None
    if len(entries) != tile.width:
        raise LookupError(path)
    return encode_entries(entries)
