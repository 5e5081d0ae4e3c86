"""Other people's log verifiers, by the commands in docs/log.md: transparency-dev's libraries for receipts and cosignatures,
Tessera's fsck for the whole log over HTTP, against real gateways; and they see what somebody edited.
"""

import contextlib
import time

import apsw
import pytest

from gateway.ledger.checkpoint import Checkpoint, sign_checkpoint
from gateway.ledger.note import KeyType, parse_vkey
from gateway.ledger.openings import parse_openings
from gateway.ledger.receipt import Disclosure, Receipt
from gateway.ledger.witness import cosignature
from gateway.wiring.witness import new_named_key
from tests.support.attesting import witness
from tests.support.exchanges import Caller, connect, fetch_log, office
from tests.support.gateways import PORTAL
from tests.support.ledger import MemoryLog, built, noise, signing_key
from tests.support.log_tools import LogTools, missing, served
from tests.support.served import publish

pytestmark = pytest.mark.acceptance


@pytest.fixture(autouse=True, scope="module")
def _here():
    assert missing("go") == []


@pytest.fixture(scope="module")
def log():
    """Two levels of tiles, each with a partial one."""
    made = MemoryLog()
    made.append([built(number).entry for number in range(700)])
    return made


@pytest.fixture
def tools(tmp_path, log):
    return LogTools(tmp_path, "http://127.0.0.1:9", log.key.encode())


# -- whole logs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 512, 700])
def test_a_log_of_any_size(tmp_path, size):
    made = MemoryLog()
    made.append([built(number).entry for number in range(size)])
    with served(made.files) as url:
        holds, said = LogTools(tmp_path, url, made.key.encode()).whole_log()
    assert holds, said
    assert f"log with size {size} " in said


def test_three_levels_of_tiles(tmp_path):
    made = MemoryLog()
    made.append([b"\x01" + noise(number, 32) for number in range(70_000)])
    with served(made.files) as url:
        holds, said = LogTools(tmp_path, url, made.key.encode()).whole_log()
    assert holds, said


def flipped(data, place):
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


EDITS = {
    "an entry": ("tile/entries/000", 20),
    "an entry of the partial bundle": ("tile/entries/002.p/188", 35 * 187 + 9),
    "an entry's length": ("tile/entries/001", 1),
    "a hash": ("tile/0/001", 32 * 200 + 5),
    "a hash of the partial tile": ("tile/0/002.p/188", 3),
    "a hash above": ("tile/1/000.p/2", 40),
    "the root": ("checkpoint", 25),
}


@pytest.mark.parametrize(("path", "place"), EDITS.values(), ids=EDITS)
def test_what_was_edited_is_refused(tools, log, path, place):
    with served(log.files | {path: flipped(log.files[path], place)}) as tools.url:
        holds, said = tools.whole_log()
    assert not holds
    assert "fsck failed" in said


def test_an_entry_that_was_edited_with_its_hash_is_refused(tools, log):
    """Every tile fits the entries again, and only the signed root does not."""
    again = MemoryLog()
    again.append([built(number + (number == 300) * 1000).entry for number in range(700)])
    with served(again.files | {"checkpoint": log.files["checkpoint"]}) as tools.url:
        holds, said = tools.whole_log()
    assert not holds
    assert "but checkpoint claims" in said


def test_a_log_of_another_key_is_refused(tmp_path, log):
    other, _ = signing_key("other", log.key.name)
    with served(log.files) as url:
        holds, said = LogTools(tmp_path, url, other.encode()).whole_log()
    assert not holds
    assert "failed to verify signatures" in said


@pytest.mark.parametrize("path", ["tile/entries/001", "tile/0/002.p/188", "checkpoint"])
def test_a_file_that_is_gone_is_noticed(tools, log, path):
    with served({name: data for name, data in log.files.items() if name != path}) as tools.url:
        assert not tools.whole_log()[0]


# -- receipts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [0, 255, 256, 511, 512, 699])
def test_a_receipt(tools, log, index):
    record = built(index)
    holds, said = tools.receipts(log.receipt(index, record), log.receipt(index, record, lambda _: False))
    assert holds, said
    assert said.count(f"record {record.id} (request, 2026-11-22T02:51:02.123Z) is entry {index} of") == 2


def test_a_receipt_with_more_than_their_library_reads_in_a_line(tools, log):
    many = tuple(("person", f"{number:012d}") for number in range(1500))
    record = built(700, private=many)
    grown = MemoryLog(log.state, dict(log.files))
    grown.append([record.entry])
    receipt = grown.receipt(700, record)
    assert len(receipt) > 2 * 65_536
    holds, said = tools.receipts(receipt, grown.receipt(5, built(5)))
    assert holds, said
    edited = receipt.replace(b"extra e", b"extra f", 1)
    assert not tools.receipts(edited)[0]


def forgeries(log):
    """What proves nothing, or something else."""
    honest = log.receipt(300, built(300))
    shown = Disclosure(built(301).skeleton, parse_openings(built(301).openings))
    head, note = honest.split(b"\n\n", 1)
    lines = head.split(b"\n")
    yield "another record", log.receipt(300, built(301))
    yield "another index", honest.replace(b"\nindex 300\n", b"\nindex 301\n")
    yield "a hash less", b"\n".join(lines[:-1]) + b"\n\n" + note
    yield "a hash twice", b"\n".join([*lines, lines[-1]]) + b"\n\n" + note
    yield "two hashes exchanged", b"\n".join([*lines[:-2], lines[-1], lines[-2]]) + b"\n\n" + note
    yield "another header", honest.replace(b"@v1", b"@v2", 1)
    yield "another size", honest.replace(b"\n700\n", b"\n701\n")
    yield "no signature", honest[: honest.rindex("—".encode())]
    yield "half a receipt", honest[: len(honest) // 2]
    yield "no receipt", b""
    other = MemoryLog()
    other.key, other.sign = signing_key("other", log.key.name)
    other.append([built(number).entry for number in range(700)])
    yield "another key", other.receipt(300, built(300))
    yield "no proof", Receipt(300, (), log.files["checkpoint"], shown.encode()).encode()


def test_no_forgery_is_believed(tools, log):
    assert tools.receipts(log.receipt(300, built(300)))[0]
    for name, data in forgeries(log):
        holds, said = tools.receipts(data)
        assert not holds, name
        assert "NOT VERIFIED" in said, name


def test_cosignatures(tmp_path, log):
    keys = [signing_key(name, f"witness.example/{name}", KeyType.COSIGNATURE) for name in "abc"]
    vkeys = [key.encode() for key, _ in keys]
    made = MemoryLog(log.state, dict(log.files))
    tools = LogTools(tmp_path, "", made.key.encode())
    text = sign_checkpoint(Checkpoint(made.key.name, made.state.size, made.state.root), made.key, made.sign)
    made.files["checkpoint"] = text + b"".join(
        cosignature(text, key, sign, 1_800_000_000 + number) for number, (key, sign) in enumerate(keys[:2])
    )
    receipt = made.receipt(300, built(300))
    holds, said = tools.receipts(receipt, witnesses="\n".join(vkeys))
    assert holds, said
    assert "cosigned by witness.example/a at 2027-01-15T08:00:00Z" in said
    assert "witness.example/b" in said
    assert "witness.example/c" not in said
    # A witness that has not cosigned is not counted, and one that was made up is refused.
    assert not tools.receipts(receipt, witnesses=vkeys[2])[0]
    at = receipt.rindex(b" ") + 30
    assert not tools.receipts(receipt[:at] + (b"A" if receipt[at : at + 1] != b"A" else b"B") + receipt[at + 1 :],
                              witnesses=vkeys[1])[0]  # fmt: skip


def test_a_log_that_does_not_extend_a_receipt_is_refused(tools, log):
    receipt = log.receipt(300, built(300))
    assert tools.receipts(receipt)[0]
    longer = MemoryLog(log.state, dict(log.files))
    longer.append([built(number).entry for number in range(700, 900)])
    with served(longer.files) as tools.url:
        holds, said = tools.receipts_online(receipt)
        assert holds, said
        assert "the log's tree of 900 extends it" in said
    shorter, forked = MemoryLog(), MemoryLog()
    shorter.append([built(number).entry for number in range(699)])
    forked.append([built(number + (number == 10) * 5000).entry for number in range(900)])
    for other in (shorter, forked):
        with served(other.files) as tools.url:
            assert not tools.receipts_online(receipt)[0]


# -- real gateways -----------------------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path):
    with office(tmp_path / "site") as made:
        yield made


@pytest.fixture
def theirs(tmp_path, place):
    return LogTools(tmp_path, f"{place.site.url}/log", place.site.pki.log_vkey)


def verified(result):
    """What was said by a program that verified."""
    holds, said = result
    assert holds, said
    return said


def receipts_of(place, answer, subsystem=PORTAL):
    """Both halves' receipts of an exchange, answer first, fetched by a party."""

    async def work():
        async with connect(place.site, subsystem, logs=[place.site.pki.log_vkey]) as client:
            return (await client.receipt(answer)).files

    return place.run(work())


def until(condition):
    """What this gives, as soon as it gives something."""
    for _ in range(400):
        if found := condition():
            return found
        time.sleep(0.05)  # a gateway tells nobody what it did by itself
    raise AssertionError("it never came")


def size_of(place, path="checkpoint"):
    try:
        return int(fetch_log(place.site)(path).split(b"\n")[1])
    except LookupError:
        return 0


def configure(place, change):
    """Change the configuration, and start again."""
    place.stop()
    place.site.config.write_text(change(place.site.config.read_text()))
    place.start()


def test_a_running_gateway_and_what_is_edited_in_its_database(place, theirs):
    caller = Caller(place)
    first = receipts_of(place, caller.post())
    said = verified(theirs.receipts(*first))
    assert "(answer, " in said
    assert "(request, " in said
    verified(theirs.whole_log())
    for _ in range(140):
        caller.post()
    until(lambda: size_of(place) >= 280)
    verified(theirs.whole_log())
    assert verified(theirs.receipts_online(*first, *receipts_of(place, caller.post()))).count("extends it") == 4
    for edit in (
        "UPDATE tile SET hashes = CAST(x'00' || substr(hashes, 2) AS BLOB) WHERE id = 0",
        "UPDATE journal SET row = (SELECT other.row FROM journal AS other WHERE other.seq = 7) WHERE seq = 20",
    ):
        place.stop()
        database = place.site.folder / "motlan.sqlite"
        good = database.read_bytes()
        with contextlib.closing(apsw.Connection(str(database))) as connection:
            connection.execute(edit)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        place.start()
        holds, said = theirs.whole_log()
        assert not holds, edit
        assert "fsck failed" in said
        place.stop()
        for file in place.site.folder.glob("motlan.sqlite-*"):
            file.unlink()
        database.write_bytes(good)
        place.start()
        verified(theirs.whole_log())


def test_a_receipt_that_witnesses_have_cosigned(place, theirs, tmp_path):
    key = parse_vkey(place.site.pki.log_vkey)
    with contextlib.ExitStack() as ends:
        running = contextlib.AsyncExitStack()
        ends.callback(lambda: place.run(running.aclose()))
        seen = [
            place.run(running.enter_async_context(witness(tmp_path, name, {key.name: (key,)}))) for name in ("a", "b")
        ]
        policy = "".join(f"witness {n} {each.key.encode()} {each.url}/\n" for n, each in enumerate(seen))
        (place.site.folder / "witnesses.policy").write_text(f"log {key.encode()}\n{policy}group g all 0 1\nquorum g\n")
        settings = '\n[witnesses]\npolicy = "witnesses.policy"\nevery_seconds = 1.0\nalarm_seconds = 5.0\n'
        configure(place, lambda text: text + settings)
        before = size_of(place)
        answer = Caller(place).post()
        until(lambda: size_of(place, "checkpoint.cosigned") >= before + 2)
        vkeys = "\n".join(each.key.encode() for each in seen)
        said = verified(theirs.receipts(*receipts_of(place, answer), witnesses=vkeys))
        assert said.count("cosigned by witness.example/a") == 2
        assert said.count("cosigned by witness.example/b") == 2


def test_a_log_whose_key_is_replaced(place, theirs):
    keys = place.site.pki.folder / "gateway"
    old = parse_vkey(place.site.pki.log_vkey)
    new = new_named_key(keys / "log-new.key.pem", old.name, KeyType.ED25519)
    caller = Caller(place)

    def by(key):
        (theirs.folder / "log.vkey").write_text(key.encode())
        return theirs

    def verify(*keys):
        size = size_of(place)
        caller.post()
        until(lambda: size_of(place) >= size + 2)
        assert [key for key in (old, new) if by(key).whole_log()[0]] == list(keys)

    verify(old)
    first = receipts_of(place, caller.post())
    verified(by(old).receipts(*first))
    logs = [{"origin": each.name, "vkey": each.encode()} for each in (old, new)]
    publish(place.site, serial=2, logs=logs)
    line, former = f'log_key = "{keys}/log.key.pem"', f'former_log_keys = ["{keys}/log.key.pem"]'
    configure(place, lambda text: text.replace(line, f'log_key = "{keys}/log-new.key.pem"\n{former}'))
    verify(old, new)
    # While both sign, the log of now extends an old receipt by the old key, and a new receipt is good by either.
    verified(by(old).receipts_online(*first))
    second = receipts_of(place, caller.post())
    for each in (old, new):
        verified(by(each).receipts(*second))
    configure(place, lambda text: text.replace(former, ""))
    verify(new)
    verified(by(new).receipts_online(*second))
    verified(by(old).receipts(*first))
    assert not theirs.receipts_online(*first)[0]
