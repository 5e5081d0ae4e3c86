"""Particular witnesses are demanded: of receipts, exports, copies and logs. Whoever is not there is not made up for."""

import functools
import http.server
import threading
from pathlib import Path

import pytest

from gateway.ledger.cosignature_policy import Demand, parse_policy
from gateway.ledger.note import KeyType, add_signature, cosign
from gateway.ledger.receipt import Receipt, parse_receipt, verify_receipt, verify_receipt_by
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_SIGNATURE_INVALID
from tests.support.cli import good, refused, run
from tests.support.ledger import ORIGIN, MemoryLog, built, signing_key

A, SIGN_A = signing_key("a", "witness.example/a", KeyType.COSIGNATURE)
B, SIGN_B = signing_key("b", "witness.example/b", KeyType.COSIGNATURE)
C, SIGN_C = signing_key("c", "witness.example/c", KeyType.COSIGNATURE)
OTHER_LOG, _ = signing_key("other", "other.example/log")
NEXT, SIGN_NEXT = signing_key("next", ORIGIN)
BY = {"a": (A, SIGN_A), "b": (B, SIGN_B), "c": (C, SIGN_C)}
NAMED = f"witness a {A.encode()}\nwitness b {B.encode()}\n"
ALL = f"{NAMED}group both all a b\nquorum both\n"
ANY = f"{NAMED}group some any a b\nquorum some\n"
INDEX = 5


@pytest.fixture(scope="module")
def log() -> MemoryLog:
    made = MemoryLog()
    made.append([built(number).entry for number in range(9)])
    return made


def cosigned(note: bytes, by: str) -> bytes:
    for name in by:
        note = cosign(note, *BY[name], 1_700_000_000)
    return note


def receipt_of(log: MemoryLog, by: str) -> bytes:
    made = parse_receipt(log.receipt(INDEX, built(INDEX)))
    return Receipt(made.index, made.proof, cosigned(made.checkpoint, by), made.extra).encode()


@pytest.mark.parametrize(
    ("policy", "by", "enough"),
    [
        (ALL, "", False),
        (ALL, "a", False),
        (ALL, "ac", False),
        (ALL, "bc", False),
        (ALL, "ab", True),
        (ALL, "abc", True),
        (ANY, "", False),
        (ANY, "c", False),
        (ANY, "b", True),
        (f"{NAMED}quorum b\n", "a", False),
        (f"{NAMED}quorum b\n", "b", True),
        ("quorum none\n", "", True),
        (f"log {OTHER_LOG.encode()}\n{ANY}", "ab", False),
    ],
)
def test_a_policy_of_a_receipt(log: MemoryLog, policy: str, by: str, *, enough: bool) -> None:
    demanded, receipt = parse_policy(policy.encode()), receipt_of(log, by)
    if enough:
        proved = verify_receipt(receipt, log.key, policy=demanded)
        assert {each.key for each in proved.checkpoint.cosignatures} <= {A, B}
        return
    for verify in (
        functools.partial(verify_receipt, receipt, log.key),
        functools.partial(verify_receipt_by, receipt, [log.key]),
    ):
        with pytest.raises(ExchangeError) as caught:
            verify(policy=demanded)
        assert caught.value.kind is LOG_SIGNATURE_INVALID


def test_a_policy_for_this_log_by_its_key(log: MemoryLog) -> None:
    policy = parse_policy(f"log {log.key.encode()}\n{ANY}".encode())
    assert verify_receipt(receipt_of(log, "a"), log.key, policy=policy).index == INDEX


def test_a_quorum_counts_its_own_witnesses_only(log: MemoryLog) -> None:
    """A witness of the policy does not make up for one of the quorum, nor the other way round."""
    policy = parse_policy(f"witness b {B.encode()}\nquorum b\n".encode())
    with pytest.raises(ExchangeError):
        verify_receipt(receipt_of(log, "b"), log.key, witnesses=[A], quorum=1, policy=policy)
    with pytest.raises(ExchangeError):
        verify_receipt(receipt_of(log, "ac"), log.key, witnesses=[A, C], quorum=2, policy=policy)
    assert verify_receipt(receipt_of(log, "ab"), log.key, witnesses=[A], quorum=1, policy=policy).index == INDEX


def test_a_wrong_cosignature_is_none(log: MemoryLog) -> None:
    made = parse_receipt(receipt_of(log, "ab"))
    forged = made.checkpoint[:-20] + b"A" * 18 + b"\n"
    spoilt = Receipt(made.index, made.proof, forged, made.extra).encode()
    with pytest.raises(ExchangeError):
        verify_receipt(spoilt, log.key, policy=parse_policy(ALL.encode()))


def test_nothing_is_demanded_unless_somebody_does() -> None:
    assert not Demand(witnesses=(A,)).asks
    Demand(witnesses=(A,)).check((), ())
    assert Demand(policy=parse_policy(b"quorum none\n")).asks


# -- on the command line ----------------------------------------------------------------------------------------------


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "both.policy"
    file.write_text(ALL)
    return file


def test_prove(log: MemoryLog, policy: Path, tmp_path: Path) -> None:
    one, both = tmp_path / "one.tlog-proof", tmp_path / "both.tlog-proof"
    one.write_bytes(receipt_of(log, "a"))
    both.write_bytes(receipt_of(log, "ab"))
    key = ("--vkey", log.key.encode())
    assert "not there: b" in refused("log", "prove", one, *key, "--witness-policy", policy)
    told = good("log", "prove", both, *key, "--witness-policy", policy, "--json").values
    assert {each["name"] for each in told["cosigned"]} == {A.name, B.name}
    policy.write_text("quorum nobody\n")
    assert "line 1" in refused("log", "prove", both, *key, "--witness-policy", policy)


def test_one_key_under_two_names_makes_no_quorum_of_two(log: MemoryLog, tmp_path: Path) -> None:
    again, _ = signing_key("a", "witness.example/again", KeyType.COSIGNATURE)
    file = tmp_path / "r.tlog-proof"
    file.write_bytes(receipt_of(log, "a"))
    keys = ("--vkey", log.key.encode(), "--witness", A.encode(), "--witness", again.encode())
    assert "more cosignatures than" in refused("log", "prove", file, *keys, "--quorum", "2", code=2)


def test_a_receipt_of_either_key_of_a_log(log: MemoryLog, tmp_path: Path) -> None:
    made = parse_receipt(log.receipt(INDEX, built(INDEX)))
    both = add_signature(made.checkpoint, NEXT, SIGN_NEXT)
    for name, note in (("old", made.checkpoint), ("both", both)):
        file = tmp_path / f"{name}.tlog-proof"
        file.write_bytes(Receipt(made.index, made.proof, note, made.extra).encode())
        good("log", "prove", file, "--vkey", NEXT.encode(), "--vkey", log.key.encode())
        assert run("log", "prove", file, "--vkey", NEXT.encode()).code == (1 if name == "old" else 0)


@pytest.fixture
def copy(log: MemoryLog, tmp_path: Path) -> Path:
    """The log as files, its checkpoint cosigned by one of the two."""
    folder = tmp_path / "log"
    for path, data in {**log.files, "checkpoint.cosigned": cosigned(log.files["checkpoint"], "a")}.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return folder


def entries(log: MemoryLog, folder: Path) -> None:
    from gateway.ledger.tiles import ENTRIES, TileId, encode_entries  # noqa: PLC0415 - here only

    file = folder / TileId(ENTRIES, 0, 9).path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(encode_entries([built(number).entry for number in range(9)]))
    assert log.state.size == 9


def test_verify_of_a_copy(log: MemoryLog, copy: Path, policy: Path) -> None:
    entries(log, copy)
    verify = ("log", "verify", "--dir", copy, "--vkey", log.key.encode())
    good(*verify)
    good(*verify, "--witness", A.encode(), "--quorum", "1")
    assert "not there: b" in refused(*verify, "--witness-policy", policy)
    (copy / "checkpoint.cosigned").write_bytes(cosigned(log.files["checkpoint"], "ab"))
    assert good(*verify, "--witness-policy", policy, "--json").values["cosigned"] == 9
    old = MemoryLog()
    old.append([built(number).entry for number in range(2)])
    (copy / "checkpoint.cosigned").write_bytes(cosigned(old.files["checkpoint"], "ab"))
    assert "the first 2 are cosigned as demanded; 7 came later" in good(*verify, "--witness-policy", policy).said
    (copy / "checkpoint.cosigned").unlink()
    assert "no witness has cosigned" in refused(*verify, "--witness-policy", policy)


def test_a_log_that_does_not_extend_what_was_cosigned(log: MemoryLog, copy: Path, policy: Path) -> None:
    """The witnesses have cosigned another history: the one that is shown now is another log."""
    entries(log, copy)
    other = MemoryLog()
    other.append([built(number).entry for number in (*range(5), 77)])
    (copy / "checkpoint.cosigned").write_bytes(cosigned(other.files["checkpoint"], "ab"))
    verify = ("log", "verify", "--dir", copy, "--vkey", log.key.encode())
    good(*verify)
    refused(*verify, "--witness-policy", policy)


def test_mirror(log: MemoryLog, copy: Path, policy: Path, tmp_path: Path) -> None:
    entries(log, copy)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _quiet(copy))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        mirror = ("log", "mirror", url, tmp_path / "kept", "--vkey", log.key.encode(), "--witness-policy", policy)
        assert "not there: b" in refused(*mirror)
        assert not (tmp_path / "kept/checkpoint").exists()
        (copy / "checkpoint.cosigned").write_bytes(cosigned(log.files["checkpoint"], "ab"))
        good(*mirror)
        assert (tmp_path / "kept/checkpoint").exists()
    finally:
        server.shutdown()
        server.server_close()


def _quiet(folder: Path) -> type[http.server.SimpleHTTPRequestHandler]:
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None: ...

    return Handler
