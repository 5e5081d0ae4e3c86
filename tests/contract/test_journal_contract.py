"""What every Journal does, whatever the engine."""

import asyncio

import pytest

from gateway.model.decision import Charge
from gateway.model.storage import (
    IdempotencyEnd,
    IdempotencySeenError,
    IdempotencyStart,
    JournalUnavailableError,
    MessageIdUsedError,
    Nonce,
    NonceUsedError,
    QuotaSpentError,
)
from tests.support.storage import NOW, Store, at, blob, commit, numbers, record_id

pytestmark = pytest.mark.asyncio


def start(key: str, fingerprint: bytes = b"f" * 32, seconds: float = 600) -> IdempotencyStart:
    return IdempotencyStart(key=key, fingerprint=fingerprint, expires=at(seconds))


async def present(store: Store) -> list[int]:
    return numbers(await store.log.unsequenced(1000))


async def test_what_was_committed_is_read_back_as_it_was(store: Store) -> None:
    full = commit(1, pseudonyms=(("person", b"p" * 16), ("officer", b"o" * 16)), opens=True, ends=record_id(9))
    await store.journal.commit(full, NOW)
    (found,) = await store.log.unsequenced(10)
    assert found.row == full.row
    assert found.index is None


async def test_commits_of_many_callers_all_stand_once(store: Store) -> None:
    await asyncio.gather(*(store.journal.commit(commit(number), NOW) for number in range(500)))
    assert sorted(await present(store)) == list(range(500))


async def test_a_nonce_is_used_once(store: Store) -> None:
    await store.journal.commit(commit(1, nonce="k:n"), NOW)
    with pytest.raises(NonceUsedError):
        await store.journal.commit(commit(2, nonce="k:n"), at(359))
    assert await present(store) == [1]


async def test_of_many_at_once_one_gets_the_nonce_and_the_others_do_not_suffer(store: Store) -> None:
    calls = [commit(number, nonce="same" if number % 2 else f"own-{number}") for number in range(40)]
    results = await asyncio.gather(*(store.journal.commit(one, NOW) for one in calls), return_exceptions=True)
    assert [type(result) for result in results[::2]] == [type(None)] * 20
    assert sorted(str(type(result).__name__) for result in results[1::2]) == ["NonceUsedError"] * 19 + ["NoneType"]


async def test_a_nonce_with_another_expiry_is_the_same_nonce(store: Store) -> None:
    for first, second in ((30, 300), (300, 30), (30, 86_400), (86_400, 30)):
        key = f"{first}-{second}"
        await store.journal.commit(commit(first, nonces=(Nonce(key=key, expires=at(first)),)), NOW)
        with pytest.raises(NonceUsedError):
            await store.journal.commit(commit(second, nonces=(Nonce(key=key, expires=at(second)),)), at(29))


async def test_an_expired_nonce_is_as_if_it_were_not_there(store: Store) -> None:
    await store.journal.commit(commit(1, nonce="k:n"), NOW)
    await store.journal.commit(commit(2, nonces=(Nonce(key="k:n", expires=at(720)),)), at(360))
    with pytest.raises(NonceUsedError):
        await store.journal.commit(commit(3, nonces=(Nonce(key="k:n", expires=at(720)),)), at(361))
    assert await present(store) == [1, 2]


async def test_a_refused_commit_takes_none_of_its_nonces(store: Store) -> None:
    await store.journal.commit(commit(1, nonce="used"), NOW)
    both = (Nonce(key="other", expires=at(360)), Nonce(key="used", expires=at(360)))
    with pytest.raises(NonceUsedError):
        await store.journal.commit(commit(2, nonces=both), NOW)
    await store.journal.commit(commit(3, nonce="other"), NOW)


async def test_purged_nonces_stay_refused_when_the_clock_goes_back(store: Store) -> None:
    await store.journal.commit(commit(1, nonce="k:n"), NOW)
    assert await store.journal.purge(at(86_400)) >= 1
    assert await store.journal.nonce_watermark() == at(86_400 - 420)
    with pytest.raises(NonceUsedError):
        await store.journal.commit(commit(2, nonce="k:n"), at(1))
    assert await store.journal.purge(at(5)) == 0
    assert await store.journal.nonce_watermark() == at(86_400 - 420)


async def test_the_watermark_stays_behind_signatures_that_are_in_time(store: Store) -> None:
    await store.journal.purge(NOW)
    oldest_created = at(-360)
    assert await store.journal.nonce_watermark() < oldest_created


async def test_purging_leaves_what_lives(store: Store) -> None:
    await store.journal.commit(commit(1, nonce="fresh"), NOW)
    lasting = Nonce(key="lasting", expires=at(86_400))
    await store.journal.commit(commit(2, message_id=lasting, idempotency=start("key")), NOW)
    await store.journal.purge(at(300))
    with pytest.raises(NonceUsedError):
        await store.journal.commit(commit(3, nonce="fresh"), at(300))
    with pytest.raises(MessageIdUsedError):
        await store.journal.commit(commit(4, message_id=lasting), at(300))
    with pytest.raises(IdempotencySeenError):
        await store.journal.commit(commit(5, idempotency=start("key")), at(300))


async def test_a_message_id_and_a_nonce_of_the_same_text_are_two_things(store: Store) -> None:
    same = Nonce(key="same", expires=at(360))
    await store.journal.commit(commit(1, nonces=(same,), message_id=same), NOW)
    with pytest.raises(NonceUsedError):
        await store.journal.commit(commit(2, nonces=(same,)), NOW)
    with pytest.raises(MessageIdUsedError):
        await store.journal.commit(commit(3, message_id=same), NOW)


async def test_idempotency_from_start_to_end(store: Store) -> None:
    await store.journal.commit(commit(1, idempotency=start("key", b"1" * 32)), NOW)
    with pytest.raises(IdempotencySeenError) as running:
        await store.journal.commit(commit(2, idempotency=start("key", b"2" * 32)), NOW)
    assert (running.value.fingerprint, running.value.answer) == (b"1" * 32, None)
    end = IdempotencyEnd(key="key", answer="blob-1")
    await store.journal.commit(commit(3, idempotency=end, blobs=(blob("blob-1"),)), NOW)
    with pytest.raises(IdempotencySeenError) as ended:
        await store.journal.commit(commit(4, idempotency=start("key", b"1" * 32)), NOW)
    assert (ended.value.fingerprint, ended.value.answer) == (b"1" * 32, "blob-1")
    await store.journal.commit(commit(5, idempotency=start("key", b"5" * 32)), at(600))
    await store.journal.commit(commit(6, idempotency=IdempotencyEnd(key="key", answer=None)), at(601))
    await store.journal.commit(commit(7, idempotency=start("key", b"7" * 32)), at(602))
    assert await present(store) == [1, 3, 5, 6, 7]


async def test_a_call_that_came_to_nothing_may_be_made_again_with_its_message_id(store: Store) -> None:
    same = Nonce(key="m", expires=at(86_400))
    nothing = IdempotencyEnd(key="key", answer=None)
    await store.journal.commit(commit(1, idempotency=start("key", b"1" * 32), message_id=same), NOW)
    await store.journal.commit(commit(2, idempotency=nothing), NOW)
    with pytest.raises(MessageIdUsedError):  # another call is no repetition of it
        await store.journal.commit(commit(3, idempotency=start("key", b"2" * 32), message_id=same), NOW)
    await store.journal.commit(commit(4, idempotency=start("key", b"1" * 32), message_id=same), NOW)
    with pytest.raises(IdempotencySeenError) as running:
        await store.journal.commit(commit(5, idempotency=start("key", b"1" * 32), message_id=same), NOW)
    assert running.value.answer is None
    await store.journal.commit(commit(6, idempotency=nothing), NOW)
    with pytest.raises(MessageIdUsedError):
        await store.journal.commit(commit(7, message_id=same), NOW)


async def test_of_fifty_at_once_no_more_than_the_quota_are_charged(store: Store) -> None:
    charge = Charge(key="daily:officer", window=20_000, limit=30)
    calls = [store.journal.commit(commit(number, charges=(charge,)), NOW) for number in range(50)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    spent = [result for result in results if isinstance(result, QuotaSpentError)]
    assert len(spent) == 20
    assert {error.key for error in spent} == {"daily:officer"}
    assert len(await present(store)) == 30
    with pytest.raises(QuotaSpentError):
        await store.journal.commit(commit(60, charges=(charge,)), NOW)
    await store.journal.commit(commit(61, charges=(Charge(key="daily:officer", window=20_001, limit=30),)), NOW)


async def test_of_two_charges_neither_is_taken_unless_both_can_be(store: Store) -> None:
    small, large = Charge(key="a", window=1, limit=1), Charge(key="b", window=1, limit=3, amount=2)
    await store.journal.commit(commit(1, charges=(small, large)), NOW)
    with pytest.raises(QuotaSpentError):
        await store.journal.commit(commit(2, charges=(Charge(key="c", window=1, limit=1), large)), NOW)
    await store.journal.commit(commit(3, charges=(Charge(key="c", window=1, limit=1),)), NOW)
    twice = (Charge(key="d", window=1, limit=1), Charge(key="d", window=1, limit=1))
    with pytest.raises(QuotaSpentError):
        await store.journal.commit(commit(4, charges=twice), NOW)


async def test_checks_go_nonce_idempotency_message_id_charge(store: Store) -> None:
    everything = {
        "nonces": (Nonce(key="n", expires=at(360)),),
        "idempotency": start("key"),
        "message_id": Nonce(key="m", expires=at(360)),
        "charges": (Charge(key="q", window=1, limit=1),),
    }
    await store.journal.commit(commit(1, **everything), NOW)
    for expected, dropped in (
        (NonceUsedError, "nonces"),
        (IdempotencySeenError, "idempotency"),
        (MessageIdUsedError, "message_id"),
        (QuotaSpentError, "charges"),
    ):
        with pytest.raises(expected):
            await store.journal.commit(commit(2, **everything), NOW)
        del everything[dropped]
    await store.journal.commit(commit(2, **everything), NOW)


async def test_nothing_of_a_refused_commit_remains(store: Store) -> None:
    await store.journal.commit(commit(1, nonce="n", opens=True), NOW)
    refused = commit(
        2,
        nonce="n",
        charges=(Charge(key="q", window=1, limit=1),),
        idempotency=start("key"),
        message_id=Nonce(key="m", expires=at(360)),
        blobs=(blob("b"),),
        opens=True,
    )
    with pytest.raises(NonceUsedError):
        await store.journal.commit(refused, NOW)
    assert await store.vault.get("b", NOW) is None
    assert numbers(await store.journal.open_requests(at(1))) == [1]
    retry = commit(
        3,
        charges=(Charge(key="q", window=1, limit=1),),
        idempotency=start("key"),
        message_id=Nonce(key="m", expires=at(360)),
    )
    await store.journal.commit(retry, NOW)


async def test_open_requests_are_those_without_an_end(store: Store) -> None:
    for number in (1, 2, 3, 4):
        await store.journal.commit(commit(number, opens=True), at(number))
    await store.journal.commit(commit(5, ends=record_id(2)), at(5))
    assert numbers(await store.journal.open_requests(at(4))) == [1, 3]
    assert numbers(await store.journal.open_requests(at(100))) == [1, 3, 4]


async def test_what_cannot_be_stored_is_refused_alone(store: Store) -> None:
    good = [store.journal.commit(commit(number), NOW) for number in range(5)]
    if type(store).__name__ == "MemoryStore":
        await asyncio.gather(*good)
        return
    bad = store.journal.commit(commit(9, nonce="\ud800"), NOW)
    results = await asyncio.gather(*good, bad, return_exceptions=True)
    assert [result for result in results if result is None] == [None] * 5
    assert isinstance(results[-1], ValueError)


async def test_a_closed_journal_says_so(store: Store) -> None:
    await store.journal.commit(commit(1), NOW)
    await store.journal.close()
    with pytest.raises(JournalUnavailableError):
        await store.journal.commit(commit(2), NOW)
