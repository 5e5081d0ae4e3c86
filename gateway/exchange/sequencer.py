"""Puts committed records into the transparency log's tree, in commit order, and publishes its checkpoints.

One process at a time does it, by a lease with a fence. A step reads rows, appends them to the tree, signs a checkpoint
of it, and stores tiles, indexes and checkpoint by one compare-and-swap; only what is stored is published. After any
failure it re-reads and re-derives; what can only be damage, forgery or a mistake of ours stops it, with an alarm: a log
that has forked is worse than one that stands still.
"""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import NoReturn

import msgspec
from msgspec import Struct

from gateway.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from gateway.ledger.merkle import leaf_hash
from gateway.ledger.note import Signer, VerifierKey, add_signature
from gateway.ledger.skeleton import ENTRY_BYTES
from gateway.ledger.tiles import ENTRIES, WIDTH, encode_entries, tiles_of
from gateway.ledger.tree import EMPTY, TreeState, append, restore
from gateway.model import failpoints
from gateway.model.errors import ExchangeError
from gateway.model.log import TreeWrite
from gateway.model.storage import JournalUnavailableError, StoredRecord
from gateway.ports import Clock, LogStore, Observer, StaleSequencerError

BEHIND = "log_behind"
"""Alarm: committed records have been out of the tree for more than ``Pace.alarm`` seconds."""
HALTED = "log_halted"
"""Alarm: the stored tree is impossible; nothing more is published until somebody has looked."""
UNAVAILABLE = "log_store_unavailable"
"""Alarm: the log's storage fails; tried again until it works."""

_HASH = 32


class Pace(Struct, frozen=True, kw_only=True):
    """How fast the sequencer goes. All in seconds, but ``rows``.

    gather: how long to wait after a commit for others to join it. poll: how often to look for other processes' rows.
    lease: how long a leader that is silent stays the leader. rows: most in one step, since commits wait while one is
    written. alarm: how long a row may be out of the tree. retry: how long to wait after the storage failed.
    """

    gather: float = 0.1
    poll: float = 0.5
    lease: float = 10.0
    rows: int = 256
    alarm: float = 10.0
    retry: float = 0.2


_USUAL = Pace()


class LogSigner(Struct, frozen=True):
    """A key of the log with its private half."""

    key: VerifierKey
    sign: Signer


class LogHaltedError(Exception):
    """The stored tree cannot be what this log made. ``run`` ends with it, after the alarm."""


class Frontier(Struct, frozen=True, array_like=True):
    """What is stored beside the tiles, to check them by."""

    size: int
    peaks: tuple[bytes, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Frontier).decode


class Sequencer:
    """``run`` it as a task in every process, and ``wake`` it after each commit.

    key: the log's own, its name the origin. sign: signs with its private half. holder: names this process, and no
    other ever. former: keys that this one replaces; they sign beside it.
    """

    def __init__(
        self,
        store: LogStore,
        clock: Clock,
        observer: Observer,
        *,
        key: VerifierKey,
        sign: Signer,
        holder: str,
        pace: Pace = _USUAL,
        former: Sequence[LogSigner] = (),
    ) -> None:
        self._store = store
        self._clock = clock
        self._observer = observer
        self._key = key
        self._sign = sign
        self._former = tuple(former)
        self._keys = (key, *(signer.key for signer in former))
        self._holder = holder
        self._pace = pace
        self._woken = asyncio.Event()
        self._tree: TreeState | None = None
        self._fence = 0
        self._renew_at = 0.0
        self._largest = 0
        self._stuck_at = -1
        self._behind_since: float | None = None
        self._alarmed_at: float | None = None

    @property
    def size(self) -> int:
        """The largest tree that this process has seen published."""
        return self._largest

    @property
    def leads(self) -> bool:
        """Whether this process is the one that moves the tree now."""
        return self._tree is not None

    def wake(self) -> None:
        """A record was committed."""
        self._woken.set()

    async def run(self) -> NoReturn:
        """Until cancelled. Raises LogHaltedError."""
        while True:
            try:
                more = await self.step()
            except (StaleSequencerError, JournalUnavailableError) as error:
                more = False
                if isinstance(error, JournalUnavailableError):
                    self._alarm(UNAVAILABLE, str(error))
                self._watch(None)
                await asyncio.sleep(self._pace.retry)
            if not more:
                await self._wait()

    async def step(self) -> bool:
        """Put what is there into the tree, as far as one step goes; whether there may be more.

        Raises LogHaltedError, StaleSequencerError and JournalUnavailableError; after these two, step again.
        """
        try:
            if not await self._lead():
                await self._follow()
                return False
            return await self._advance()
        except ExchangeError as error:
            self._halt(error.detail)
        except ValueError as error:
            # The store refuses the step itself: rows that are not there, a tile that would change.
            self._halt(str(error))
        except (StaleSequencerError, JournalUnavailableError, asyncio.CancelledError):
            # A write that failed, or was not waited for, may have been done all the same: what is stored decides.
            self._tree, self._renew_at = None, 0.0
            raise

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._pace.poll):
                await self._woken.wait()
        except TimeoutError:
            return
        await asyncio.sleep(self._pace.gather)
        self._woken.clear()

    async def _lead(self) -> bool:
        """Be the leader, and know the tree."""
        now = self._clock.monotonic()
        if now >= self._renew_at:
            fence = await self._store.acquire(self._holder, self._clock.now(), self._pace.lease)
            if fence is None:
                self._tree = None
                return False
            if fence != self._fence:
                self._fence, self._tree = fence, None
            self._renew_at = now + self._pace.lease / 3
        if self._tree is None:
            self._tree = await self._restored()
        return True

    async def _follow(self) -> None:
        """Another process leads: see that it does."""
        rows = await self._store.unsequenced(1)
        seq = rows[0].seq if rows else None
        self._watch(seq, moving=seq != self._stuck_at)
        self._stuck_at = -1 if seq is None else seq

    async def _advance(self) -> bool:
        tree = self._tree
        assert tree is not None
        rows = await self._store.unsequenced(self._pace.rows)
        failpoints.reached("sequencer.read")
        if not rows:
            self._watch(None, moving=True)
            return False
        grown, writes = append(tree, self._entries(rows))
        failpoints.reached("sequencer.appended")
        tiles = tuple(
            (write.tile.level, write.tile.index, write.data) for write in writes if write.tile.level != ENTRIES
        )
        await self._publish(grown, tiles, rows)
        more = len(rows) == self._pace.rows
        self._watch(rows[-1].seq if more else None, moving=not more)
        return more

    async def _publish(
        self, grown: TreeState, tiles: tuple[tuple[int, int, bytes], ...], rows: Sequence[StoredRecord]
    ) -> None:
        note = sign_checkpoint(Checkpoint(self._key.name, grown.size, grown.root), self._key, self._sign)
        for signer in self._former:
            note = add_signature(note, signer.key, signer.sign)
        step = TreeWrite(
            old_size=grown.size - len(rows),
            new_size=grown.size,
            frontier=_encode(Frontier(grown.size, grown.peaks)),
            tiles=tiles,
            checkpoint=note,
            rows=tuple([record.seq for record in rows]),
        )
        failpoints.reached("sequencer.signed")
        await self._store.write(step, self._fence, self._clock.now())
        self._tree, self._largest = grown, grown.size
        failpoints.reached("sequencer.published")

    def _entries(self, rows: Sequence[StoredRecord]) -> list[bytes]:
        entries = [record.row.entry for record in rows]
        if any(len(entry) != ENTRY_BYTES for entry in entries):
            self._halt("a committed row's entry is not 33 bytes")
        if any(later.seq <= earlier.seq for earlier, later in pairwise(rows)):
            self._halt("the store gives rows out of order")
        return entries

    # Taking over: what is stored must hang together, or nothing is built on it.

    async def _restored(self) -> TreeState:
        size, frontier = await self._store.state()
        note = await self._store.checkpoint()
        if size < self._largest:
            self._halt(f"the stored tree has {size} records, and had {self._largest}")
        if size == 0 and note is None:
            self._tree = EMPTY
            await self._publish(EMPTY, (), ())
            return EMPTY
        if note is None:
            self._halt("the tree has records but no checkpoint")
        head = open_checkpoint(note, self._keys).checkpoint
        if head.size != size:
            self._halt(f"the checkpoint is of {head.size} records, the tree has {size}")
        tree = await self._from_tiles(size)
        if tree.root != head.root:
            self._halt("the stored tiles are not those of the checkpoint")
        self._check_frontier(tree, frontier)
        self._largest = size
        return tree

    async def _from_tiles(self, size: int) -> TreeState:
        parts: dict[tuple[int, int], bytes] = {}
        for tile in tiles_of(size):
            data = await self._store.tile(tile.level, tile.index)
            if data is None:
                self._halt(f"the tile {tile.path} is missing")
            parts[tile.level, tile.index] = data
        bundle, width = divmod(size, WIDTH)
        entries = list(await self._store.entries(bundle * WIDTH, width)) if width else []
        parts[ENTRIES, bundle] = encode_entries(entries)
        leaves = b"".join([leaf_hash(entry) for entry in entries])
        if len(entries) != width or leaves != parts.get((0, bundle), b"")[: width * _HASH]:
            self._halt("the last rows are not those of the tree")
        return restore(size, lambda level, index, _: parts[level, index])

    def _check_frontier(self, tree: TreeState, frontier: bytes) -> None:
        try:
            stored = _decode(frontier)
        except msgspec.MsgspecError:
            self._halt("the stored frontier does not parse")
        if stored != Frontier(tree.size, tree.peaks):
            self._halt("the stored frontier is not that of the tiles")

    # Alarms.

    def _halt(self, why: str) -> NoReturn:
        self._tree = None
        self._observer.alarm(HALTED, why)
        raise LogHaltedError(why)

    def _watch(self, waiting: int | None, *, moving: bool = False) -> None:
        """Note whether rows wait. waiting: a row that does. moving: nothing is left waiting, or another leads well."""
        now = self._clock.monotonic()
        if moving:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = now
        elif now - self._behind_since > self._pace.alarm:
            which = "" if waiting is None else f" (row {waiting})"
            self._alarm(BEHIND, f"records are out of the tree for {now - self._behind_since:.0f} s{which}")

    def _alarm(self, code: str, detail: str) -> None:
        """At most one for each ``Pace.alarm`` seconds."""
        now = self._clock.monotonic()
        if self._alarmed_at is None or now - self._alarmed_at >= self._pace.alarm:
            self._alarmed_at = now
            self._observer.alarm(code, detail)
