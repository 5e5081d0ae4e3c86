"""Auditing a whole log: what was altered is found, and named."""

import re

import pytest

from gateway.ledger.checkpoint import Checkpoint, sign_checkpoint
from gateway.ledger.merkle import leaf_hash
from gateway.ledger.tiles import parse_path
from gateway.ledger.verify import StoredRecord, verify_log, verify_records
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_INVALID, LOG_MALFORMED, LOG_SIGNATURE_INVALID
from tests.support.ledger import ORIGIN, MemoryLog, built, noise, signing_key

SIZE = 70_000
"""Three levels of tiles, each with a partial one: 0/273 (112 wide), 1/1 (17) and 2/0 (1)."""


@pytest.fixture(scope="module")
def whole():
    log = MemoryLog()
    log.append([b"\x01" + noise(number, 32) for number in range(SIZE)])
    return log


@pytest.fixture
def log(whole):
    return MemoryLog(whole.state, dict(whole.files))


def faults(log, **options):
    with pytest.raises(ExchangeError) as refused:
        verify_log(log.fetch, log.key, **options)
    assert refused.value.kind is LOG_INVALID
    return list(refused.value.parts)


def flip(log, path, place):
    data = bytearray(log.files[path])
    data[place] ^= 0x10
    log.files[path] = bytes(data)


def rehash(log, number):
    """Put into its tile the hash of the entry as it is now, as someone who covers up would."""
    bundle, place = divmod(number, 256)
    [path] = [p for p in log.files if re.match(f"tile/0/{bundle:03d}(\\.p|$)", p)]
    entry = log.files[path.replace("tile/0", "tile/entries")][place * 35 + 2 : place * 35 + 35]
    data = bytearray(log.files[path])
    data[place * 32 : place * 32 + 32] = leaf_hash(entry)
    log.files[path] = bytes(data)


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 512, 65_536, SIZE])
def test_an_honest_log_verifies(size, whole):
    log = MemoryLog()
    log.append([b"\x01" + noise(number, 32) for number in range(size)] if size < SIZE else [])
    verified = verify_log((whole if size == SIZE else log).fetch, log.key)
    assert verified.checkpoint.checkpoint.size == size
    assert verified.tiles == sum(1 for path in (whole if size == SIZE else log).files if re.match(r"tile/\d", path))


def test_progress_goes_from_nothing_to_all(whole):
    told = []
    verify_log(whole.fetch, whole.key, progress=lambda done, size: told.append((done, size)))
    assert told == sorted(told)
    assert len(told) > 4
    assert (told[0], told[-1]) == ((0, SIZE), (SIZE, SIZE))


@pytest.mark.parametrize(
    ("path", "place", "fault"),
    [
        # an entry: the tile above it, which the root vouches for, tells which
        ("tile/entries/000", 20, "tile/entries/000: entry 0 is not the one logged"),
        ("tile/entries/100", 35 * 200 + 9, "tile/entries/100: entry 25800 is not the one logged"),
        ("tile/entries/273.p/112", 35 * 111 + 3, "tile/entries/273.p/112: entry 69999 is not the one logged"),
        ("tile/entries/003", 0, "tile/entries/003: a bundle does not hold the entries of its width"),
        # a hash: what is below it, which the root demands, tells which
        ("tile/0/000", 0, "tile/0/000: hash 0 is not that of what is below it"),
        ("tile/0/200", 32 * 17, "tile/0/200: hash 17 is not that of what is below it"),
        ("tile/0/273.p/112", 32 * 5 + 31, "tile/0/273.p/112: hash 5 is not that of what is below it"),
        ("tile/1/000", 32 * 255, "tile/1/000: hash 255 is not that of what is below it"),
        ("tile/1/001.p/17", 0, "tile/1/001.p/17: hash 0 is not that of what is below it"),
        ("tile/2/000.p/1", 0, "tile/2/000.p/1: hash 0 is not that of what is below it"),
    ],
)
def test_one_flipped_bit_is_found_and_named_alone(log, path, place, fault):
    flip(log, path, place)
    assert faults(log) == [fault]


def test_two_faults_are_both_named(log):
    flip(log, "tile/entries/007", 35 * 3 + 8)
    flip(log, "tile/0/008", 64)
    assert faults(log) == [
        "tile/entries/007: entry 1795 is not the one logged",
        "tile/0/008: hash 2 is not that of what is below it",
    ]


def test_an_entry_altered_together_with_its_hash_is_found(log):
    flip(log, "tile/entries/100", 35 * 9 + 9)
    rehash(log, 100 * 256 + 9)
    assert faults(log) == ["tile/0/100: neither it nor what is below it has the hash that the tile above demands"]


def test_an_entry_altered_in_the_partial_tile_with_its_hash_is_found(log):
    flip(log, "tile/entries/273.p/112", 35 * 9 + 9)
    rehash(log, 273 * 256 + 9)
    assert faults(log) == ["checkpoint: its root is not that of these entries"]


@pytest.mark.parametrize("path", ["tile/entries/100", "tile/0/100", "tile/1/000", "tile/0/273.p/112", "tile/2/000.p/1"])
def test_what_is_missing_or_cut_is_named(log, path):
    kept = log.files.pop(path)
    assert f"{path}: missing" in faults(log)
    for wrong in (kept[:-1], kept + b"\x00", b""):
        log.files[path] = wrong
        assert any(fault.startswith(f"{path}: a ") for fault in faults(log))


def test_a_full_tile_stands_in_for_a_partial_one_that_is_gone(whole):
    log = MemoryLog()
    log.append([b"\x01" + noise(number, 32) for number in range(300)])
    published = log.files["checkpoint"]
    log.append([b"\x01" + noise(number, 32) for number in range(300, 600)])
    log.files["checkpoint"] = published
    for path in list(log.files):
        if path != "checkpoint" and parse_path(path).width == 44:
            del log.files[path]
    assert verify_log(log.fetch, log.key).checkpoint.checkpoint.size == 300


def test_entries_in_another_order_are_found(log):
    data = log.files["tile/entries/002"]
    log.files["tile/entries/002"] = data[35:70] + data[:35] + data[70:]
    assert faults(log) == [
        "tile/entries/002: entry 512 is not the one logged",
        "tile/entries/002: entry 513 is not the one logged",
    ]


def test_a_checkpoint_of_another_tree_is_found(log):
    log.files["checkpoint"] = sign_checkpoint(Checkpoint(ORIGIN, SIZE, bytes(32)), log.key, log.sign)
    assert faults(log) == ["checkpoint: its root is not that of these entries"]


def test_a_checkpoint_that_the_log_did_not_sign_is_refused(log):
    stranger, sign = signing_key("stranger", ORIGIN)
    log.files["checkpoint"] = sign_checkpoint(Checkpoint(ORIGIN, SIZE, log.state.root), stranger, sign)
    with pytest.raises(ExchangeError) as refused:
        verify_log(log.fetch, log.key)
    assert refused.value.kind is LOG_SIGNATURE_INVALID
    log.files["checkpoint"] = b"nonsense"
    with pytest.raises(ExchangeError) as refused:
        verify_log(log.fetch, log.key)
    assert refused.value.kind is LOG_MALFORMED


def small(count, salt=""):
    log = MemoryLog()
    log.append([noise((number, salt), 33) for number in range(count)])
    return log


@pytest.mark.parametrize("before", [0, 1, 255, 256, 257, 599, 600])
def test_a_log_extends_every_checkpoint_it_published(before):
    kept = small(before).files["checkpoint"]
    assert verify_log(small(600).fetch, small(600).key, older=kept).checkpoint.checkpoint.size == 600


def test_a_rewritten_history_is_found_by_whoever_kept_a_checkpoint():
    rewritten = small(600, "rewritten")
    assert verify_log(rewritten.fetch, rewritten.key).checkpoint.checkpoint.size == 600
    assert faults(rewritten, older=small(300).files["checkpoint"]) == [
        "checkpoint of size 300: the log was rewritten since; its first entries have another root now"
    ]


def test_an_altered_tile_is_not_taken_for_a_rewritten_history():
    log, older = small(600), small(300).files["checkpoint"]
    flip(log, "tile/1/000.p/2", 0)
    assert faults(log, older=older) == ["tile/1/000.p/2: hash 0 is not that of what is below it"]


def test_a_shrunken_log_is_found():
    assert faults(small(300), older=small(600).files["checkpoint"]) == [
        "checkpoint of size 600: the log has shrunk to 300 entries since"
    ]


def test_the_older_checkpoint_must_be_this_logs():
    stranger, sign = signing_key("stranger", ORIGIN)
    older = sign_checkpoint(Checkpoint(ORIGIN, 5, bytes(32)), stranger, sign)
    with pytest.raises(ExchangeError) as refused:
        verify_log(small(6).fetch, small(6).key, older=older)
    assert refused.value.kind is LOG_SIGNATURE_INVALID


def test_so_many_faults_that_they_are_cut_off():
    log = small(2000)
    for path in [path for path in log.files if "entries" in path]:
        log.files[path] = (b"\x00\x21" + bytes(33)) * (len(log.files[path]) // 35)
    assert len(faults(log)) == 1000


RECORDS = [built(number) for number in range(300)]


def stored(number, **changes):
    record = RECORDS[number]
    usual = {"id": record.id, "index": number, "skeleton": record.skeleton, "openings": record.openings}
    return StoredRecord(**{**usual, **changes})


@pytest.fixture(scope="module")
def recorded():
    log = MemoryLog()
    log.append([record.entry for record in RECORDS])
    return log


def test_honest_records_verify(recorded):
    records = [stored(number, openings=None if number % 3 else RECORDS[number].openings) for number in range(300)]
    verified = verify_records(iter(records), recorded.fetch, 300, complete=True)
    assert (verified.records, verified.opened) == (300, 100)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"skeleton": RECORDS[7].skeleton.replace(b"caller", b"parent")}, "its skeleton is not that of entry 7"),
        ({"skeleton": RECORDS[8].skeleton}, "its skeleton is not that of entry 7"),
        ({"index": 8}, "its skeleton is not that of entry 8"),
        ({"index": 300}, "index 300 is beyond the log, or another record's"),
        ({"index": -1}, "index -1 is beyond the log, or another record's"),
        ({"index": 6}, "index 6 is beyond the log, or another record's"),
        ({"openings": RECORDS[8].openings}, "the openings are of another record"),
        ({"openings": RECORDS[7].openings.replace(b"nv.an", b"nv.bo")}, "the record commits to no such field"),
        ({"openings": b"{}"}, "the openings do not parse"),
    ],
)
def test_an_altered_record_is_named(recorded, changes, fault):
    records = [stored(number, **(changes if number == 7 else {})) for number in range(8)]
    with pytest.raises(ExchangeError) as refused:
        verify_records(records, recorded.fetch, 300)
    assert refused.value.parts == (f"record {RECORDS[7].id}: {fault}",)


def test_a_record_under_another_records_id_is_named(recorded):
    with pytest.raises(ExchangeError) as refused:
        verify_records([stored(7, id=RECORDS[9].id)], recorded.fetch, 300)
    assert refused.value.parts == (f"record {RECORDS[9].id}: it is stored under another record's id",)


def test_records_that_were_deleted_are_named(recorded):
    kept = [stored(number) for number in range(300) if number not in {5, 299}]
    with pytest.raises(ExchangeError) as refused:
        verify_records(kept, recorded.fetch, 300, complete=True)
    assert refused.value.parts == ("entry 5: its record is missing", "entry 299: its record is missing")


def test_records_whose_openings_were_erased_still_verify(recorded):
    erased = RECORDS[7].openings.replace(b'["officer","nv.an"]', b"null")
    salts = RECORDS[7].openings.split(b'"salts":[')[1].split(b",")
    erased = erased.replace(salts[1], b"null")
    assert verify_records([stored(7, openings=erased)], recorded.fetch, 300).opened == 1
