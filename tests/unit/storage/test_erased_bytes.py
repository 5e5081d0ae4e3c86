"""What is erased is in no file any more: neither in the database nor in its write-ahead log, while others use both."""

import hashlib
from pathlib import Path

import apsw
import pytest

from gateway.model.storage import JournalUnavailableError, Redaction
from gateway.storage.sqlite import redacting
from gateway.storage.sqlite.store import SqliteStore
from tests.support.storage import NOW, at, blob, commit, record_id, sequence

pytestmark = pytest.mark.asyncio


def noise(name: str, size: int) -> bytes:
    """Stands for ciphertext: searched for by any piece of it."""
    return hashlib.shake_256(name.encode()).digest(size)


def found(folder: Path, secret: bytes) -> list[str]:
    """The files in which a piece of the secret stands."""
    pieces = [secret[start : start + 16] for start in range(0, len(secret) - 16, 61)] or [secret]
    files = sorted(path for path in folder.iterdir() if path.name.startswith("motlan.db"))
    return [path.name for path in files if any(piece in path.read_bytes() for piece in pieces)]


@pytest.mark.parametrize("size", [60, 1_300, 30_000], ids=["small", "usual", "overflowing"])
@pytest.mark.parametrize("checkpointed", [False, True])
async def test_sealed_openings_and_pseudonyms(tmp_path: Path, size: int, checkpointed: bool) -> None:
    store, other = SqliteStore(tmp_path / "motlan.db"), SqliteStore(tmp_path / "motlan.db")
    secrets = [noise(f"openings {number}", size) for number in range(1, 40)]
    mark = noise("mark", 16)
    for number, secret in enumerate(secrets, start=1):
        marks = (("person", noise(f"mark {number}", 16)), ("case", mark))
        await store.journal.commit(commit(number, openings=secret, pseudonyms=marks), NOW)
    await sequence(store.log)
    if checkpointed:
        await store.log.redact(())
        assert found(tmp_path, secrets[0]) == ["motlan.db"]
    assert found(tmp_path, secrets[0])
    erased = [Redaction(id=record_id(number), openings=b"") for number in range(1, 21)]
    assert await store.log.redact(erased) == 20
    for number, secret in enumerate(secrets[:20], start=1):
        assert found(tmp_path, secret) == []
        assert found(tmp_path, noise(f"mark {number}", 16)) == []
    assert all(found(tmp_path, secret) == ["motlan.db"] for secret in secrets[20:])
    await other.journal.commit(commit(99), NOW)
    await other.close()
    await store.close()


async def test_payloads_and_epoch_keys(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "motlan.db")
    kept, gone, forgotten, expired, keys = (noise(name, 20_000) for name in ("k", "g", "f", "e", "keys"))
    await store.log.save_epoch("20779-aa", NOW, keys)
    blobs = (
        blob("kept", sealed=kept, subjects=(b"k",)),
        blob("gone", sealed=gone, subjects=()),
        blob("forgotten", sealed=forgotten, subjects=(b"f",)),
        blob("expired", sealed=expired, seconds=5, subjects=()),
    )
    await store.journal.commit(commit(1, blobs=blobs), NOW)
    await sequence(store.log)
    await store.vault.destroy(["gone"])
    await store.vault.destroy(["forgotten"])
    await store.journal.purge(at(10))
    assert list(await store.log.destroy_epochs(1, at(1))) == ["20779-aa"]
    assert [found(tmp_path, each) for each in (gone, forgotten, expired, keys)] == [[], [], [], []]
    assert found(tmp_path, kept) == ["motlan.db"]
    await store.close()


async def test_a_reader_that_does_not_end_is_said_and_a_repetition_completes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redacting, "_LONGEST", 0.1)
    store = SqliteStore(tmp_path / "motlan.db")
    secret = noise("openings", 1_300)
    await store.journal.commit(commit(1, openings=secret), NOW)
    await sequence(store.log)
    reader = apsw.Connection(str(tmp_path / "motlan.db"))
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM journal").fetchall()
    with pytest.raises(JournalUnavailableError) as failed:
        await store.log.redact([Redaction(id=record_id(1), openings=b"")])
    assert failed.value.uncertain
    assert found(tmp_path, secret)
    reader.execute("COMMIT")
    reader.close()
    await store.log.redact(())
    assert found(tmp_path, secret) == []
    record = await store.log.record(record_id(1))
    assert record is not None
    assert record.row.openings == b""
    await store.close()
