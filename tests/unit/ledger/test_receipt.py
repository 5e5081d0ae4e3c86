"""Receipts: verified offline, by our code and by a reader that knows nothing but the specifications."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from gateway.ledger.note import KeyType, cosign
from gateway.ledger.receipt import Receipt, check_inclusion, parse_receipt, verify_receipt
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_MALFORMED, LOG_PROOF_INVALID, LOG_SIGNATURE_INVALID
from tests.support.ledger import ORIGIN, MemoryLog, built, noise, signing_key

INDEX = 5


@pytest.fixture(scope="module")
def log():
    made = MemoryLog()
    made.append([built(number).entry for number in range(9)])
    return made


def test_a_receipt_proves_record_place_and_openings(log):
    receipt = log.receipt(INDEX, built(INDEX), lambda opening: opening.name == "case")
    proved = verify_receipt(receipt, log.key)
    assert (proved.index, proved.skeleton.id, proved.checkpoint.checkpoint.size) == (INDEX, built(INDEX).id, 9)
    assert [opening.name for opening in proved.openings.shown] == ["case"]
    assert b"031090001234" not in base64.b64decode(receipt.split(b"\n")[1][6:])


def test_the_file_is_as_c2sp_tlog_proof_says():
    receipt = Receipt(5, (noise(1, 32), noise(2, 32)), b"the checkpoint\n", b"extra data")
    expected = (
        "c2sp.org/tlog-proof@v1\n"
        f"extra {base64.b64encode(b'extra data').decode()}\n"
        "index 5\n"
        f"{base64.b64encode(noise(1, 32)).decode()}\n"
        f"{base64.b64encode(noise(2, 32)).decode()}\n"
        "\n"
        "the checkpoint\n"
    )
    assert receipt.encode().decode() == expected
    assert Receipt(0, (), b"checkpoint\n").encode() == b"c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n"


@given(
    st.integers(0, 2**62),
    st.lists(st.binary(min_size=32, max_size=32), max_size=8),
    st.binary(min_size=1, max_size=90),
    st.none() | st.binary(max_size=80),
)
def test_encoding_round_trips(index, proof, checkpoint, extra):
    receipt = Receipt(index, tuple(proof), checkpoint, extra)
    assert parse_receipt(receipt.encode()) == receipt


def test_every_altered_byte_is_refused(log):
    receipt = log.receipt(INDEX, built(INDEX))
    for place in range(len(receipt)):
        altered = bytearray(receipt)
        altered[place] ^= 1 << place % 7
        with pytest.raises(ExchangeError):
            verify_receipt(bytes(altered), log.key)


def test_every_truncation_is_refused(log):
    receipt = log.receipt(INDEX, built(INDEX))
    for end in range(0, len(receipt), 7):
        with pytest.raises(ExchangeError):
            verify_receipt(receipt[:end], log.key)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"c2sp.org/tlog-proof@v1\n\nx\n", b"c2sp.org/tlog-proof@v2\nindex 0\n\nx\n",
        b"c2sp.org/tlog-proof@v1\nindex 00\n\nx\n", b"c2sp.org/tlog-proof@v1\nindex -1\n\nx\n",
        b"c2sp.org/tlog-proof@v1\nindex 1\nextra AAAA\n\nx\n", b"c2sp.org/tlog-proof@v1\nextra A\nindex 1\n\nx\n",
        b"c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nx\n", b"c2sp.org/tlog-proof@v1\r\nindex 1\n\nx\n",
        b"c2sp.org/tlog-proof@v1\nindex 1\n\n", b"\xff\nindex 1\n\nx\n", b" c2sp.org/tlog-proof@v1\nindex 1\n\nx\n",
        b"c2sp.org/tlog-proof@v1\nindex 1\n" + (b"A" * 43 + b"=\n") * 64 + b"\nx\n",
    ],
)  # fmt: skip
def test_what_is_not_a_proof_is_refused(data):
    with pytest.raises(ExchangeError) as refused:
        parse_receipt(data)
    assert refused.value.kind is LOG_MALFORMED


def swapped(log, **parts):
    """A receipt with other parts than its own."""
    receipt = parse_receipt(log.receipt(INDEX, built(INDEX)))
    usual = {"index": receipt.index, "proof": receipt.proof, "checkpoint": receipt.checkpoint, "extra": receipt.extra}
    return Receipt(**{**usual, **parts}).encode()


def extra_of(log, change):
    extra = json.loads(parse_receipt(log.receipt(INDEX, built(INDEX))).extra)
    change(extra)
    return json.dumps(extra, separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode()


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        (lambda log: {"index": 4}, LOG_PROOF_INVALID),
        (lambda log: {"index": 900}, LOG_PROOF_INVALID),
        (lambda log: {"proof": ()}, LOG_PROOF_INVALID),
        (lambda log: {"extra": parse_receipt(log.receipt(4, built(4))).extra}, LOG_PROOF_INVALID),
        (lambda log: {"extra": None}, LOG_MALFORMED),
        (lambda log: {"extra": b"{}"}, LOG_MALFORMED),
        (lambda log: {"extra": b"[" * 100_000}, LOG_MALFORMED),
        (lambda log: {"extra": extra_of(log, lambda extra: extra.update(more=1))}, LOG_MALFORMED),
        (lambda log: {"extra": extra_of(log, lambda extra: extra.update(skeleton=5))}, LOG_MALFORMED),
        (lambda log: {"extra": extra_of(log, lambda e: e["openings"].update(id=built(4).id))}, LOG_PROOF_INVALID),
        (
            lambda log: {"extra": extra_of(log, lambda e: e["openings"]["fields"][1].__setitem__(1, "x"))},
            LOG_PROOF_INVALID,
        ),
        (
            lambda log: {"checkpoint": sign_checkpoint(Checkpoint(ORIGIN, 9, bytes(32)), log.key, log.sign)},
            LOG_PROOF_INVALID,
        ),
        (
            lambda log: {
                "checkpoint": sign_checkpoint(Checkpoint(ORIGIN, 9, log.state.root), *signing_key("x", ORIGIN))
            },
            LOG_SIGNATURE_INVALID,
        ),
    ],
)
def test_no_part_can_be_replaced(log, parts, kind):
    with pytest.raises(ExchangeError) as refused:
        verify_receipt(swapped(log, **parts(log)), log.key)
    assert refused.value.kind is kind


def test_a_quorum_counts_witnesses_not_names(log):
    one, sign_one = signing_key("w1", "witness.example/1", KeyType.COSIGNATURE)
    again, _ = signing_key("w1", "witness.example/1-again", KeyType.COSIGNATURE)
    two, sign_two = signing_key("w2", "witness.example/2", KeyType.COSIGNATURE)
    twice = cosign(cosign(log.files["checkpoint"], one, sign_one, 1), again, sign_one, 2)
    receipt = swapped(log, checkpoint=twice)
    assert verify_receipt(receipt, log.key, witnesses=[one, two], quorum=1).index == INDEX
    with pytest.raises(ExchangeError) as refused:
        verify_receipt(receipt, log.key, witnesses=[one, again, two], quorum=2)
    assert refused.value.kind is LOG_SIGNATURE_INVALID
    whole = swapped(log, checkpoint=cosign(twice, two, sign_two, 3))
    assert len(verify_receipt(whole, log.key, witnesses=[one, two], quorum=2).checkpoint.cosignatures) == 2


def test_an_entry_that_one_knows_is_checked_without_its_record(log):
    receipt = parse_receipt(log.receipt(INDEX, built(INDEX)))
    check_inclusion(receipt, open_checkpoint(receipt.checkpoint, log.key), built(INDEX).entry)
    with pytest.raises(ExchangeError):
        check_inclusion(receipt, open_checkpoint(receipt.checkpoint, log.key), built(4).entry)
    older = sign_checkpoint(Checkpoint(ORIGIN, 9, log.state.root, ("older",)), log.key, log.sign)
    with pytest.raises(ExchangeError):
        check_inclusion(receipt, open_checkpoint(older, log.key), built(INDEX).entry)


def test_a_receipt_outlives_the_growth_of_the_log(log):
    grown = MemoryLog()
    grown.append([built(number).entry for number in range(9)])
    early = grown.receipt(INDEX, built(INDEX))
    grown.append([built(number).entry for number in range(9, 300)])
    assert (
        verify_receipt(early, grown.key).skeleton
        == verify_receipt(grown.receipt(INDEX, built(INDEX)), grown.key).skeleton
    )
