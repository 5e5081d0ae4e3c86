"""Orderly records of a small gateway, with real skeletons, in a store: what verifiers and watches look at."""

from typing import Any

from gateway.ledger.epoch import Epoch
from gateway.ledger.openings import SEAL_RANDOM, seal
from gateway.ledger.record import RecordKind
from gateway.model.instant import MICROSECONDS, Instant
from gateway.model.storage import Commit, Row
from tests.support.ledger import built, noise, record_id
from tests.support.storage import NOW, Store, sequencer

EPOCH = Epoch(id="20779-aa", key=noise("key", 32), pseudonym_key=noise("pseudonyms", 32), starts=NOW)


def record(number: int, kind: RecordKind, parent: int | None = None, seconds: float = 0.0, **changes: Any) -> Commit:
    """A record as the gateway would commit it: it says the same in its skeleton and beside it."""
    at = Instant(NOW + int(seconds * MICROSECONDS))
    made = built(number, kind=kind, parent=None if parent is None else record_id(parent), at=at)
    ends = kind in {RecordKind.ANSWER, RecordKind.ABANDONED}
    usual: dict[str, Any] = {
        "id": made.id,
        "entry": made.entry,
        "skeleton": made.skeleton,
        "openings": seal(made, EPOCH, noise(("seal", number), SEAL_RANDOM)),
        "epoch": EPOCH.id,
        "pseudonyms": (("person", noise(("person", number), 16)), ("officer", b"o" * 16)),
        "opens": kind is RecordKind.REQUEST,
        "ends": None if not ends or parent is None else record_id(parent),
    }
    return Commit(row=Row(**{**usual, **changes}))


def exchange(number: int, seconds: float = 0.0) -> list[Commit]:
    """A request and its answer."""
    asked = record(2 * number, RecordKind.REQUEST, seconds=seconds)
    return [asked, record(2 * number + 1, RecordKind.ANSWER, 2 * number, seconds)]


async def put(store: Store, commits: list[Commit], holder: str = "one") -> None:
    """Commit one after the other, and bring them into the tree."""
    for commit in commits:
        await store.journal.commit(commit, NOW)
    one = sequencer(store, holder=holder)
    while await one.step():
        pass


async def filled(store: Store, exchanges: int = 40) -> Store:
    """The store with so many exchanges in its tree."""
    await put(store, [commit for number in range(exchanges) for commit in exchange(number, number)])
    return store
