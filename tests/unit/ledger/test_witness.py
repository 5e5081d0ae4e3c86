import base64
import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger import proofs
from gateway.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from gateway.ledger.note import KeyType, VerifierKey, add_signature
from gateway.ledger.witness import (
    SIZE_TYPE,
    AddCheckpoint,
    Refusal,
    Seen,
    Status,
    consider,
    cosignature,
    parse_add_checkpoint,
    read_cosignature,
    size_in,
)
from gateway.model.errors import ExchangeError
from gateway.ports import WitnessReply
from tests.support.ledger import ORIGIN, MemoryLog, noise, signing_key

WITNESS, WITNESS_SIGN = signing_key("witness", "witness.example/w1", KeyType.COSIGNATURE)
OTHER, OTHER_SIGN = signing_key("other witness", "witness.example/w2", KeyType.COSIGNATURE)
NEW_KEY, NEW_SIGN = signing_key("the log's next key", ORIGIN)


def grown(*sizes: int) -> tuple[MemoryLog, list[bytes]]:
    """A log that had these sizes, and its checkpoints then."""
    log, notes = MemoryLog(), []
    for size in sizes:
        log.append([noise(number, 33) for number in range(log.state.size, size)])
        notes.append(log.files["checkpoint"])
    return log, notes


LOG, (AT_5, AT_9) = grown(5, 9)
ROOTS = {5: open_checkpoint(AT_5, LOG.key).checkpoint.root, 9: open_checkpoint(AT_9, LOG.key).checkpoint.root}
PROOF = tuple(proofs.consistency_proof(5, 9, LOG.read_tile))
FORK = MemoryLog()
FORK.append([noise(("fork", number), 33) for number in range(9)])
SEEN = {ORIGIN: Seen(5, ROOTS[5], 1000)}
LOGS = {ORIGIN: (LOG.key,)}


# -- an oracle written from the text of C2SP tlog-cosignature alone ----------------------------------------------------


def oracle(note: bytes, line: bytes, name: str, public: bytes) -> int:
    """The time of an Ed25519 cosignature/v1; raises where it is none."""
    text, _ = note.decode().split("\n\n", 1)
    dash, signer, encoded = line.decode().removesuffix("\n").split(" ")
    data = base64.b64decode(encoded, validate=True)
    assert dash == "\u2014"
    assert signer == name
    assert data[:4] == hashlib.sha256(name.encode() + b"\n\x04" + public).digest()[:4]
    time, signature = int.from_bytes(data[4:12], "big"), data[12:]
    assert len(signature) == 64
    message = b"cosignature/v1\n" + f"time {time}\n".encode() + text.encode() + b"\n"
    Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    return time


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**63 - 1))
def test_a_cosignature_is_what_the_standard_says(time: int) -> None:
    line = cosignature(AT_9, WITNESS, WITNESS_SIGN, time)
    assert oracle(AT_9, line, "witness.example/w1", WITNESS.public) == time
    found, signature = read_cosignature(AT_9, line, WITNESS)
    assert (found, signature.time) == (line, time)
    signed = open_checkpoint(AT_9 + line, LOG.key, witnesses=(WITNESS,))
    assert [each.key for each in signed.cosignatures] == [WITNESS]
    with pytest.raises(InvalidSignature):
        oracle(AT_5, line, "witness.example/w1", WITNESS.public)


def test_the_standards_own_example_of_a_request_is_read() -> None:
    body = (
        "old 20852014\n"
        "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
        "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
        "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
        "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
        "\n"
        "example.com/behind-the-sofa\n"
        "20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        "\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE"
        "+xeMcTOAYQ8=\n"
        "— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovn"
        "zv++qbSzm9Q=\n"
    ).encode()
    request = parse_add_checkpoint(body)
    assert (request.old, len(request.proof)) == (20852014, 4)
    assert request.checkpoint.startswith(b"example.com/behind-the-sofa\n20852163\n")
    assert request.encode() == body


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63))
def test_requests_come_back_as_they_were(old: int, proof: list[bytes]) -> None:
    request = AddCheckpoint(old, tuple(proof), AT_9)
    assert parse_add_checkpoint(request.encode()) == request


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 5\n",
        b"old 5\n\n"[:-1] + AT_9,
        b"old 05\n\n" + AT_9,
        b"old -1\n\n" + AT_9,
        b"old  5\n\n" + AT_9,
        b"size 5\n\n" + AT_9,
        b"old 5\nAAAA\n\n" + AT_9,
        b"old 5\nnot base64\n\n" + AT_9,
        b"old 5\n" + base64.b64encode(bytes(31)) + b"\n\n" + AT_9,
        b"old 5\n" + (base64.b64encode(bytes(32)) + b"\n") * 64 + b"\n" + AT_9,
        b"old 5\r\n\r\n" + AT_9,
        b"old \xff\n\n" + AT_9,
        b"old 99999999999999999999\n\n" + AT_9,
        b"old 5\n\n" + AT_9 + bytes(70_000),
    ],
)
def test_a_body_that_is_no_request(body: bytes) -> None:
    with pytest.raises(ExchangeError):
        parse_add_checkpoint(body)


def test_what_extends_the_last_is_cosigned() -> None:
    assert consider(AddCheckpoint(5, PROOF, AT_9), LOGS, SEEN) == Checkpoint(ORIGIN, 9, ROOTS[9])
    assert consider(AddCheckpoint(0, (), AT_9), LOGS, {}) == Checkpoint(ORIGIN, 9, ROOTS[9])
    assert consider(AddCheckpoint(5, (), AT_5), LOGS, SEEN) == Checkpoint(ORIGIN, 5, ROOTS[5])


def test_a_log_that_changes_its_key_goes_on() -> None:
    both = add_signature(AT_9, NEW_KEY, NEW_SIGN)
    alone = sign_checkpoint(Checkpoint(ORIGIN, 9, ROOTS[9]), NEW_KEY, NEW_SIGN)
    for note, keys in ((both, (LOG.key,)), (both, (NEW_KEY,)), (alone, (LOG.key, NEW_KEY)), (AT_9, (LOG.key, NEW_KEY))):
        assert isinstance(consider(AddCheckpoint(5, PROOF, note), {ORIGIN: keys}, SEEN), Checkpoint)
    refusal = consider(AddCheckpoint(5, PROOF, alone), LOGS, SEEN)
    assert isinstance(refusal, Refusal)
    assert refusal.status is Status.UNSIGNED


def _signed(head: Checkpoint) -> bytes:
    return sign_checkpoint(head, LOG.key, LOG.sign)


@pytest.mark.parametrize(
    ("request_", "status", "size"),
    [
        (AddCheckpoint(5, PROOF, FORK.files["checkpoint"]), Status.INCONSISTENT, None),
        (AddCheckpoint(5, PROOF[:-1], AT_9), Status.INCONSISTENT, None),
        (AddCheckpoint(5, (), AT_9), Status.INCONSISTENT, None),
        (AddCheckpoint(5, (*PROOF, bytes(32)), AT_9), Status.INCONSISTENT, None),
        (AddCheckpoint(5, PROOF, AT_5), Status.INCONSISTENT, None),
        (AddCheckpoint(0, (), AT_9), Status.CONFLICT, 5),
        (AddCheckpoint(4, PROOF, AT_9), Status.CONFLICT, 5),
        (AddCheckpoint(9, (), AT_9), Status.CONFLICT, 5),
        (AddCheckpoint(5, (), _signed(Checkpoint(ORIGIN, 5, bytes(32)))), Status.CONFLICT, 5),
        (AddCheckpoint(9, (), AT_5), Status.MALFORMED, None),
        (AddCheckpoint(5, PROOF, AT_9[:-10] + b"AAAAAAAAA\n"), Status.UNSIGNED, None),
        (AddCheckpoint(5, PROOF, AT_9.partition(b"\n\n")[0] + b"\n"), Status.MALFORMED, None),
        (AddCheckpoint(5, PROOF, AT_9.replace(b"9\n", b"09\n", 1)), Status.UNSIGNED, None),
        (AddCheckpoint(5, PROOF, b"elsewhere.example/log" + AT_9[len(ORIGIN) :]), Status.UNKNOWN_LOG, None),
        (AddCheckpoint(5, PROOF, b"\xff" + AT_9), Status.UNKNOWN_LOG, None),
    ],
)
def test_what_is_not_cosigned(request_: AddCheckpoint, status: Status, size: int | None) -> None:
    refusal = consider(request_, LOGS, SEEN)
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.size) == (status, size)


def test_a_signature_of_another_log_does_not_count_under_this_origin() -> None:
    stranger, sign = signing_key("stranger", "stranger.example/log")
    note = sign_checkpoint(Checkpoint(ORIGIN, 9, ROOTS[9]), stranger, sign)
    refusal = consider(AddCheckpoint(5, PROOF, note), LOGS | {"stranger.example/log": (stranger,)}, SEEN)
    assert isinstance(refusal, Refusal)
    assert refusal.status is Status.UNSIGNED


def test_cosignatures_of_others_in_an_answer_are_ignored_and_wrong_ones_are_no_cosignature() -> None:
    right = cosignature(AT_9, WITNESS, WITNESS_SIGN, 7)
    other = cosignature(AT_9, OTHER, OTHER_SIGN, 7)
    elsewhere = cosignature(AT_5, WITNESS, WITNESS_SIGN, 7)
    plain = VerifierKey(WITNESS.name, WITNESS.public)  # the same key as a log's: another type, another id
    assert read_cosignature(AT_9, other + right, WITNESS)[0] == right
    for wrong in (b"", other, elsewhere, right[:-5] + b"AAA=\n", b"<html>\n", right.replace(b"w1", b"w2"), bytes(99)):
        with pytest.raises(ExchangeError):
            read_cosignature(AT_9, wrong, WITNESS)
    with pytest.raises(ExchangeError):
        read_cosignature(AT_9, add_signature(AT_9, plain, WITNESS_SIGN)[len(AT_9) :], WITNESS)


def test_the_size_in_a_conflict() -> None:
    assert size_in(WitnessReply(409, SIZE_TYPE, b"1200\n")) == 1200
    for reply in (
        WitnessReply(409, "text/plain", b"1200\n"),
        WitnessReply(409, SIZE_TYPE, b"1200"),
        WitnessReply(409, SIZE_TYPE, b"-1\n"),
        WitnessReply(409, SIZE_TYPE, b"01\n"),
        WitnessReply(409, SIZE_TYPE, b"9" * 5000 + b"\n"),
    ):
        with pytest.raises(ExchangeError):
            size_in(reply)
