"""Signed notes: the vectors of Go's sumdb/note (the reference implementation), and cosignatures."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.ledger.note import KeyType, VerifierKey, cosign, open_note, parse_vkey, sign_note
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_MALFORMED, LOG_SIGNATURE_INVALID
from tests.support.ledger import signing_key

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)


def test_a_vkey_round_trips():
    assert parse_vkey(PETER).encode() == PETER
    assert parse_vkey(PETER).id.hex() == "c74f20a3"


def test_every_mangling_of_a_vkey_is_refused():
    mangled = [PETER[i:j] for i in range(len(PETER)) for j in range(i + 1, len(PETER) + 1) if (i, j) != (0, len(PETER))]
    mangled += [PETER[:i] + chr(ord(PETER[i]) + 1) + PETER[i + 1 :] for i in range(len(PETER))]
    mangled += ["", PETER + "A", PETER + "\n", PETER.replace("c74f20a3", "C74F20A3")]
    mangled += [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ]
    for vkey in mangled:
        with pytest.raises(ExchangeError) as refused:
            parse_vkey(vkey)
        assert refused.value.kind is LOG_MALFORMED


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\u2003b", "a\nb", "a\tb"])
def test_a_key_has_a_name_that_fits_a_line(name):
    with pytest.raises(ValueError, match="name"):
        VerifierKey(name, bytes(32))


def test_signing_gives_the_bytes_of_the_reference_implementation():
    sign = Ed25519PrivateKey.from_private_bytes(PETER_SEED).sign
    assert sign_note(TEXT, parse_vkey(PETER), sign).decode() == TEXT + "\n" + PETER_LINE


def test_opening_gives_back_only_what_was_proved():
    note = (TEXT + "\n" + PETER_LINE + ENOCH_LINE).encode()
    peter, enoch = parse_vkey(PETER), parse_vkey(ENOCH)
    assert [proved.key for proved in open_note(note, [peter]).signatures] == [peter]
    both = open_note(note, [enoch, peter])
    assert both.text == TEXT
    assert both.signed_by(peter)
    assert both.signed_by(enoch)
    with pytest.raises(ExchangeError) as refused:
        open_note(note, [])
    assert refused.value.kind is LOG_SIGNATURE_INVALID


def test_a_repeated_signature_counts_once():
    note = (TEXT + "\n" + PETER_LINE * 3).encode()
    assert len(open_note(note, [parse_vkey(PETER)]).signatures) == 1


@pytest.mark.parametrize(
    "note",
    [
        TEXT + "\n" + PETER_LINE[:60] + "ABCD" + PETER_LINE[60:],
        TEXT.replace("answer", "Answer") + "\n" + PETER_LINE,
        TEXT + "\n\n" + PETER_LINE,
        TEXT + "\n" + PETER_LINE.replace("x08go", "x08gp"),
        TEXT + "\n" + PETER_LINE + PETER_LINE.replace("ZJku", "ZJkv"),
    ],
    ids=["longer", "other text", "another newline", "unknown key", "good, then wrong"],
)
def test_a_wrong_signature_in_a_trusted_name_refuses_the_note(note):
    with pytest.raises(ExchangeError) as refused:
        open_note(note.encode(), [parse_vkey(PETER)])
    assert refused.value.kind is LOG_SIGNATURE_INVALID


@pytest.mark.parametrize(
    "note",
    [
        TEXT.encode(),
        (TEXT + "\n").encode(),
        (TEXT + "\n" + PETER_LINE[:-1]).encode(),
        ("\x01" + TEXT + "\n" + PETER_LINE).encode(),
        b"\xff" + (TEXT + "\n" + PETER_LINE).encode(),
        (TEXT.replace("\n", "\r\n") + "\n" + PETER_LINE).encode(),
        (TEXT + "\n" + PETER_LINE.replace("PeterNeumann", "Bad Name")).encode(),
        (TEXT + "\n" + PETER_LINE + "Unexpected line.\n").encode(),
        (TEXT + "\n" + PETER_LINE + "\n").encode(),
        (TEXT + "\n" + PETER_LINE.replace("—", "-")).encode(),
        (TEXT + "\n" + PETER_LINE.replace("=", "")).encode(),
        (TEXT + "\n" + PETER_LINE.replace("nAM=", "nAN=")).encode(),
        (TEXT + "\n" + PETER_LINE.replace(" x08go", "  x08go")).encode(),
        (TEXT + "\n— PeterNeumann x08gow==\n").encode(),
        (TEXT + "\n" + PETER_LINE * 65).encode(),
        ("x" * (1 << 20) + "\n\n" + PETER_LINE).encode(),
        b"",
    ],
)
def test_what_is_not_a_note_is_refused(note):
    with pytest.raises(ExchangeError) as refused:
        open_note(note, [parse_vkey(PETER)])
    assert refused.value.kind is LOG_MALFORMED


@pytest.mark.parametrize("text", ["", "no newline", "carriage\r\n", "nul\x00\n", "\ud800\n"])
def test_only_text_that_a_note_can_carry_is_signed(text):
    key, sign = signing_key("k", "k")
    with pytest.raises(ValueError):
        sign_note(text, key, sign)


def test_a_witness_cosigns_text_and_time():
    log, sign_log = signing_key("log", "log.example")
    witness, sign_witness = signing_key("w", "witness.example/w1", KeyType.COSIGNATURE)
    signed = sign_note(TEXT, log, sign_log)
    cosigned = cosign(signed, witness, sign_witness, 1_795_315_862)
    assert cosigned.startswith(signed)
    proved = open_note(cosigned, [log, witness]).signatures
    assert [(signature.key, signature.time) for signature in proved] == [(log, None), (witness, 1_795_315_862)]
    assert open_note(cosigned, [log]).signatures[0].key == log
    # C2SP tlog-cosignature, "Ed25519 signed message", written down
    line = cosigned.decode().rstrip("\n").rpartition(" ")[2]
    message = b"cosignature/v1\ntime 1795315862\n" + TEXT.encode()
    assert base64.b64decode(line) == witness.id + (1_795_315_862).to_bytes(8, "big") + sign_witness(message)


def test_a_cosignature_of_another_time_or_text_or_kind_is_refused():
    log, sign_log = signing_key("log", "log.example")
    witness, sign_witness = signing_key("w", "w", KeyType.COSIGNATURE)
    plain = VerifierKey("w", witness.public)
    signed = sign_note(TEXT, log, sign_log)
    good = cosign(signed, witness, sign_witness, 5)
    data = base64.b64decode(good.decode().rstrip("\n").rpartition(" ")[2])
    later = data[:4] + (6).to_bytes(8, "big") + data[12:]
    as_plain = plain.id + data[12:]
    for forged in (later, as_plain, data[:-1], data[:4] + data[12:]):
        note = signed + b"\xe2\x80\x94 w " + base64.b64encode(forged) + b"\n"
        with pytest.raises(ExchangeError) as refused:
            open_note(note, [witness, plain])
        assert refused.value.kind is LOG_SIGNATURE_INVALID


def test_a_cosignature_of_an_impossible_time_is_refused():
    log, sign_log = signing_key("log", "log.example")
    witness, sign_witness = signing_key("w", "w", KeyType.COSIGNATURE)
    note = cosign(sign_note(TEXT, log, sign_log), witness, sign_witness, 2**63)
    with pytest.raises(ExchangeError) as refused:
        open_note(note, [log, witness])
    assert refused.value.kind is LOG_MALFORMED


def test_a_witness_key_does_not_sign_notes():
    witness, sign = signing_key("w", "w", KeyType.COSIGNATURE)
    with pytest.raises(ValueError, match="cosign"):
        sign_note(TEXT, witness, sign)
