"""What every Vault does, whatever the engine."""

import pytest

from tests.support.storage import NOW, Store, at, blob, commit

pytestmark = pytest.mark.asyncio


async def test_a_blob_comes_back_as_it_was_until_it_expires(store: Store) -> None:
    kept = blob("b", seconds=60, sealed=bytes(range(256)) * 100)
    await store.journal.commit(commit(1, blobs=(kept, blob("c"))), NOW)
    assert await store.vault.get("b", at(59)) == kept
    assert await store.vault.get("b", at(60)) is None
    assert await store.vault.get("other", NOW) is None


async def test_a_deleted_blob_is_gone_and_the_others_stay(store: Store) -> None:
    await store.journal.commit(commit(1, blobs=(blob("b"), blob("c"))), NOW)
    await store.vault.delete("b")
    await store.vault.delete("b")
    assert await store.vault.get("b", NOW) is None
    assert await store.vault.get("c", NOW) == blob("c")


async def test_purge_takes_expired_blobs(store: Store) -> None:
    await store.journal.commit(commit(1, blobs=(blob("b", seconds=10), blob("c", seconds=100))), NOW)
    assert await store.journal.purge(at(50)) == 1
    assert await store.vault.get("b", NOW) is None
    assert await store.vault.get("c", at(50)) is not None


async def test_blobs_are_destroyed_by_name(store: Store) -> None:
    await store.journal.commit(commit(1, blobs=(blob("b"), blob("c"), blob("d"))), NOW)
    assert await store.vault.destroy(["b", "c", "b", "none"]) == 2
    assert await store.vault.get("b", NOW) is None
    assert await store.vault.get("d", NOW) is not None
    assert await store.vault.destroy([]) == 0
