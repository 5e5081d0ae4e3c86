"""What every LogStore does, whatever the engine."""

from typing import Any

import pytest
from msgspec.structs import replace

from gateway.model.instant import Instant
from gateway.model.log import Document, LogQuery
from gateway.model.storage import Attestation, Redaction
from gateway.ports import StaleSequencerError
from tests.support.storage import NOW, Store, at, commit, numbers, record_id, sequence, step

pytestmark = pytest.mark.asyncio


async def fill(store: Store, count: int, *, first: int = 1) -> None:
    for number in range(first, first + count):
        await store.journal.commit(commit(number), at(number))


async def found(store: Store, **asked: Any) -> list[int]:
    return numbers([record async for record in store.log.search(LogQuery(**asked))])


async def test_an_empty_log(store: Store) -> None:
    assert await store.log.state() == (0, b"")
    assert await store.log.checkpoint() is None
    assert await store.log.tile(0, 0) is None
    assert list(await store.log.entries(0, 10)) == []
    assert await store.log.record(record_id(1)) is None
    assert await found(store) == []


async def test_rows_get_their_index_in_commit_order(store: Store) -> None:
    await fill(store, 5)
    rows = list(await store.log.unsequenced(3))
    fence = await store.log.acquire("one", NOW, 10)
    await store.log.write(step(0, rows, frontier=b"f", checkpoint=b"c", tiles=((0, 0, b"h" * 96),)), fence, NOW)
    assert await store.log.state() == (3, b"f")
    assert await store.log.checkpoint() == b"c"
    assert await store.log.tile(0, 0) == b"h" * 96
    assert numbers(await store.log.unsequenced(10)) == [4, 5]
    assert [record.index for record in await store.log.by_index(0, 10)] == [0, 1, 2]
    assert list(await store.log.entries(1, 10)) == [row.row.entry for row in rows[1:]]


async def test_a_record_is_found_by_id_in_the_tree_or_before_it(store: Store) -> None:
    await fill(store, 2)
    before = await store.log.record(record_id(2))
    assert before is not None
    assert (before.row.id, before.index) == (record_id(2), None)
    await sequence(store.log)
    after = await store.log.record(record_id(2))
    assert after is not None
    assert (after.row, after.index) == (before.row, 1)
    assert await store.log.record(record_id(3)) is None


async def test_a_lease_is_held_by_one_and_its_fence_only_grows(store: Store) -> None:
    first = await store.log.acquire("one", NOW, 10)
    assert await store.log.acquire("two", at(9), 10) is None
    assert await store.log.acquire("one", at(9), 10) == first
    assert await store.log.acquire("two", at(18), 10) is None
    second = await store.log.acquire("two", at(19), 10)
    assert first is not None
    assert second is not None
    assert second > first
    third = await store.log.acquire("one", at(40), 10)
    assert third is not None
    assert third > second


async def test_a_clock_set_back_does_not_leave_the_log_without_sequencer(store: Store) -> None:
    await store.log.acquire("one", at(86_400), 10)
    assert await store.log.acquire("two", NOW, 10) is not None


async def test_a_stale_fence_changes_nothing(store: Store) -> None:
    await fill(store, 2)
    rows = list(await store.log.unsequenced(10))
    stale = await store.log.acquire("one", NOW, 10)
    fence = await store.log.acquire("two", at(11), 10)
    with pytest.raises(StaleSequencerError):
        await store.log.write(step(0, rows), stale, NOW)
    assert await store.log.state() == (0, b"")
    await store.log.write(step(0, rows[:1]), fence, NOW)
    with pytest.raises(StaleSequencerError):
        await store.log.write(step(0, rows[:1], checkpoint=b"fork"), fence, NOW)
    assert await store.log.checkpoint() == b"note"


async def test_a_checkpoint_may_be_written_without_rows_but_never_a_smaller_tree(store: Store) -> None:
    await fill(store, 2)
    await sequence(store.log)
    fence = await store.log.acquire("test", NOW, 60)
    await store.log.write(step(2, [], checkpoint=b"again"), fence, NOW)
    assert await store.log.checkpoint() == b"again"
    with pytest.raises(ValueError):
        await store.log.write(step(2, [], new_size=1), fence, NOW)
    assert await store.log.checkpoint() == b"again"


@pytest.mark.parametrize("rows", [(2, 1), (1, 3), (2,), (1, 2, 3, 4, 5, 6)])
async def test_rows_out_of_order_left_out_or_invented_are_no_step(store: Store, rows: tuple[int, ...]) -> None:
    await fill(store, 5)
    fence = await store.log.acquire("one", NOW, 10)
    with pytest.raises(ValueError):
        await store.log.write(step(0, [], rows=rows, new_size=len(rows)), fence, NOW)
    assert (await store.log.state())[0] == 0


async def test_a_tile_only_grows(store: Store) -> None:
    await fill(store, 2)
    rows = list(await store.log.unsequenced(10))
    fence = await store.log.acquire("one", NOW, 10)
    await store.log.write(step(0, rows[:1], tiles=((0, 0, b"a" * 32), (1, 0, b"x" * 32))), fence, NOW)
    with pytest.raises(ValueError):
        await store.log.write(step(1, rows[1:], tiles=((0, 0, b"b" * 64),)), fence, NOW)
    assert (await store.log.state())[0] == 1
    await store.log.write(step(1, rows[1:], tiles=((0, 0, b"a" * 32 + b"b" * 32),)), fence, NOW)
    assert await store.log.tile(0, 0) == b"a" * 32 + b"b" * 32
    assert await store.log.tile(1, 0) == b"x" * 32


async def test_epochs_are_kept_and_never_replaced(store: Store) -> None:
    await store.log.save_epoch("two", at(2), b"sealed 2")
    await store.log.save_epoch("one", at(1), b"sealed 1")
    with pytest.raises(ValueError):
        await store.log.save_epoch("one", at(3), b"other")
    assert list(await store.log.epochs()) == [("one", at(1), b"sealed 1"), ("two", at(2), b"sealed 2")]


SAID = (
    {"client": "a", "service": "m/s", "purpose": "p", "kind": "request", "outcome": None},
    {"client": "b", "service": "m/s", "purpose": "p", "kind": "request", "outcome": None},
    {"client": "a", "service": "m/t", "purpose": "q", "kind": "answer", "outcome": "FOUND"},
    {"client": "a", "service": "m/s", "purpose": "p", "kind": "refusal", "outcome": "DENIED"},
)


async def searchable(store: Store) -> None:
    """Records 1 to 20, a second apart: every fourth says the same; record n is of person n % 5 and officer n % 2."""
    for number in range(1, 21):
        people = (("person", bytes([number % 5]) * 16), ("officer", bytes([100 + number % 2]) * 16))
        await store.journal.commit(commit(number, skeleton=SAID[number % 4], pseudonyms=people), at(number))
    await sequence(store.log)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, range(20, 0, -1)),
        ({"limit": 3}, [20, 19, 18]),
        ({"before_seq": 4}, [3, 2, 1]),
        ({"before_seq": 19, "limit": 2}, [18, 17]),
        ({"client": "b"}, [17, 13, 9, 5, 1]),
        ({"client": "a", "service": "m/s"}, [20, 19, 16, 15, 12, 11, 8, 7, 4, 3]),
        ({"client": "a", "service": "m/s", "kind": "refusal", "limit": 2}, [19, 15]),
        ({"client": "a", "outcome": "FOUND", "before_seq": 10}, [6, 2]),
        ({"purpose": "q"}, [18, 14, 10, 6, 2]),
        ({"client": "nobody"}, []),
        ({"client": "b", "service": "m/t"}, []),
        ({"provider": "m"}, range(20, 0, -1)),
        ({"provider": "m/t"}, []),
        ({"provider": "m", "client": "b"}, [17, 13, 9, 5, 1]),
        ({"provider": "m", "limit": 3, "before_seq": 15}, [14, 13, 12]),
        ({"provider": "m", "pseudonyms": (bytes([3]) * 16,)}, [18, 13, 8, 3]),
        ({"provider": "n", "pseudonyms": (bytes([3]) * 16,)}, []),
        ({"pseudonyms": (bytes([3]) * 16,)}, [18, 13, 8, 3]),
        ({"pseudonyms": (bytes([3]) * 16, bytes([4]) * 16)}, [19, 18, 14, 13, 9, 8, 4, 3]),
        ({"pseudonyms": (bytes([3]) * 16, bytes([100]) * 16), "limit": 4}, [20, 18, 16, 14]),
        ({"pseudonyms": (bytes([3]) * 16,), "client": "b"}, [13]),
        ({"pseudonyms": (bytes([3]) * 16,), "before_seq": 13, "limit": 1}, [8]),
        ({"pseudonyms": (bytes([99]) * 16,)}, []),
        ({"since": at(18)}, [20, 19, 18]),
        ({"until": at(3)}, [2, 1]),
        ({"since": at(5), "until": at(8)}, [7, 6, 5]),
        ({"since": at(5), "until": at(12), "client": "b"}, [9, 5]),
        ({"since": at(5), "until": at(12), "pseudonyms": (bytes([0]) * 16,)}, [10, 5]),
        ({"since": at(1000)}, []),
        ({"until": Instant(0)}, []),
    ],
)
async def test_search(store: Store, asked: dict[str, Any], expected: list[int]) -> None:
    await searchable(store)
    assert await found(store, **asked) == list(expected)


async def test_a_pseudonym_is_looked_for_in_its_own_epoch(store: Store) -> None:
    """Epochs a and b take turns, as those of two processes do; the same person has another pseudonym in each."""
    people = {"a": bytes([1]) * 16, "b": bytes([2]) * 16, "c": bytes([3]) * 16}
    for number in range(1, 13):
        epoch = "c" if number > 8 else "ab"[number % 2]
        await store.journal.commit(commit(number, epoch=epoch, pseudonyms=(("person", people[epoch]),)), at(number))
    await sequence(store.log)
    asked = {"pseudonyms": tuple(people.values()), "epochs": ("a", "b", "c")}
    assert await found(store, **asked) == list(range(12, 0, -1))
    assert await found(store, **asked, limit=3, before_seq=10) == [9, 8, 7]
    assert await found(store, pseudonyms=(people["b"],), epochs=("b",)) == [7, 5, 3, 1]
    assert await found(store, pseudonyms=(people["b"],), epochs=("never used",)) == []


async def test_the_records_that_ended_requests(store: Store) -> None:
    for number in range(1, 5):
        await store.journal.commit(commit(number, opens=True), at(number))
    for number, ended in ((5, 2), (6, 4)):
        await store.journal.commit(commit(number, ends=record_id(ended)), at(number))
    asked = [record_id(number) for number in (1, 2, 4)]
    assert list(await store.log.endings(asked)) == []
    await sequence(store.log)
    assert sorted(numbers(await store.log.endings(asked))) == [5, 6]
    assert list(await store.log.endings([])) == []


async def test_search_pages_join_without_gap_or_repeat(store: Store) -> None:
    await searchable(store)
    pages: list[int] = []
    before = None
    while page := [record async for record in store.log.search(LogQuery(client="a", before_seq=before, limit=4))]:
        pages += numbers(page)
        before = page[-1].seq
    assert pages == await found(store, client="a")


async def test_search_by_time_finds_records_of_a_clock_that_went_back(store: Store) -> None:
    for number, seconds in enumerate((0, 3600, 10, 3610, 20), start=1):
        await store.journal.commit(commit(number), at(seconds))
    await sequence(store.log)
    assert await found(store, until=at(60)) == [5, 3, 1]
    assert await found(store, since=at(3600)) == [4, 2]


async def test_only_what_is_in_the_tree_is_searched(store: Store) -> None:
    await searchable(store)
    await store.journal.commit(commit(21, skeleton=SAID[1]), at(21))
    assert await found(store, client="b", limit=1) == [17]


async def test_an_ended_request_is_not_open_wherever_the_tree_stands(store: Store) -> None:
    """Open and end on either side of a sequencer's step."""
    await store.journal.commit(commit(1, opens=True), at(1))
    await store.journal.commit(commit(2, opens=True), at(2))
    await store.journal.commit(commit(3, ends=record_id(1)), at(3))
    await sequence(store.log)
    assert numbers(await store.journal.open_requests(at(10))) == [2]
    await store.journal.commit(commit(4, opens=True), at(4))
    await store.journal.commit(commit(5, ends=record_id(2)), at(5))
    assert numbers(await store.journal.open_requests(at(10))) == [4]
    await sequence(store.log)
    assert numbers(await store.journal.open_requests(at(10))) == [4]


async def test_what_others_said_of_the_tree_is_kept_once_and_found_by_size(store: Store) -> None:
    def said(size: int, name: str = "", content: bytes = b"c", kind: str = "timestamp") -> Attestation:
        return Attestation(size=size, kind=kind, name=name, content=content, at=NOW)

    for one in (said(5, "b"), said(5, "a"), said(9), said(2), said(9, content=b"another"), said(7, kind="checkpoint")):
        await store.log.attest(one)
    sizes = [(one.size, one.name) for one in await store.log.attestations("timestamp", size=3)]
    assert sizes == [(5, "a"), (5, "b"), (9, "")]
    newest = await store.log.attestations("timestamp", limit=2)
    assert [(one.size, one.content) for one in newest] == [(9, b"c"), (5, b"c")]
    assert [one.size for one in await store.log.attestations("checkpoint")] == [7]
    assert list(await store.log.attestations("cosignature")) == []


async def test_documents_of_a_kind_come_in_their_order(store: Store) -> None:
    for number, kind in enumerate(("policy", "hold", "policy")):
        await store.log.keep_document(
            Document(kind=kind, digest=f"{number:064}", content=bytes([number]), at=at(number))
        )
    assert [one.content for one in await store.log.documents("policy")] == [b"\0", b"\2"]
    assert list(await store.log.documents("none")) == []


async def test_what_is_redacted_is_gone_and_nothing_else(store: Store) -> None:
    pseudonyms = (("person", b"p" * 16), ("case", b"c" * 16))
    for number in (1, 2):
        await store.journal.commit(commit(number, pseudonyms=pseudonyms), at(number))
    await sequence(store.log)
    before = list(await store.log.by_index(0, 10))
    left = Redaction(id=record_id(1), openings=b"less", pseudonyms=(("case", b"c" * 16),))
    assert await store.log.redact([left, Redaction(id=record_id(9), openings=b"")]) == 1
    first, second = await store.log.by_index(0, 10)
    assert first.row == replace(before[0].row, openings=b"less", pseudonyms=(("case", b"c" * 16),))
    assert second == before[1]
    assert await found(store, pseudonyms=(b"p" * 16,)) == [2]
    assert await found(store, pseudonyms=(b"c" * 16,)) == [2, 1]


async def test_redacting_nothing_is_allowed(store: Store) -> None:
    assert await store.log.redact(()) == 0


async def test_epochs_lose_their_keys_when_all_of_their_records_are_settled(store: Store) -> None:
    for number, epoch in enumerate(("a", "b", "unused", "c"), start=1):
        await store.log.save_epoch(epoch, at(number), b"sealed " + epoch.encode())
    for number, epoch in ((1, "a"), (2, "b"), (3, "a"), (4, "c")):
        await store.journal.commit(commit(number, epoch=epoch), at(number))
    await sequence(store.log)
    assert list(await store.log.destroy_epochs(2, at(9))) == ["b", "unused"]
    assert list(await store.log.destroy_epochs(4, at(4))) == ["a"]
    assert [(name, sealed) for name, _, sealed in await store.log.epochs()] == [
        ("a", b""),
        ("b", b""),
        ("unused", b""),
        ("c", b"sealed c"),
    ]
    assert list(await store.log.destroy_epochs(4, at(4))) == []
    await store.journal.commit(commit(5, epoch="c"), at(5))  # not in the tree yet, and needs its key all the same
    assert list(await store.log.destroy_epochs(4, at(9))) == []
