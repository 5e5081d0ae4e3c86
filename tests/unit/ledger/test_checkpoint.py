import base64

import pytest

from gateway.ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, sign_checkpoint
from gateway.ledger.merkle import EMPTY_ROOT
from gateway.ledger.note import KeyType, VerifierKey, cosign, sign_note
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_MALFORMED, LOG_SIGNATURE_INVALID
from tests.support.ledger import ORIGIN, signing_key

# The example of C2SP tlog-checkpoint.
EXAMPLE = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
ROOT = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
KEY, SIGN = signing_key("log", ORIGIN)
HEAD = Checkpoint(ORIGIN, 5, bytes(32))


def test_the_specifications_example_reads_and_writes():
    checkpoint = parse_checkpoint(EXAMPLE)
    assert checkpoint == Checkpoint("example.com/behind-the-sofa", 20852163, ROOT)
    assert checkpoint.text == EXAMPLE


def test_extension_lines_are_kept_as_they_are():
    assert parse_checkpoint(EXAMPLE + "timestamp 5\n").extensions == ("timestamp 5",)
    assert parse_checkpoint(EXAMPLE + "timestamp 5\n").text == EXAMPLE + "timestamp 5\n"


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "a\n1\n", EXAMPLE[:-1], EXAMPLE + "\n", "\n" + EXAMPLE,
        EXAMPLE.replace("20852163", "020852163"), EXAMPLE.replace("20852163", "-1"), EXAMPLE.replace("20852163", "٣"),
        EXAMPLE.replace("20852163", "+5"), EXAMPLE.replace("20852163", "9223372036854775808"),
        EXAMPLE.replace("20852163", "0"), EXAMPLE.replace("20852163", "1 "), EXAMPLE.replace("CsUY", "Cs-Y"),
        EXAMPLE.replace("=", ""), EXAMPLE.replace("q2I=", "q2J="), EXAMPLE.replace("CsUY", ""),
        EXAMPLE.replace("CsUYapGG", "CsUY apGG"), EXAMPLE + "\nx\n",
    ],
)  # fmt: skip
def test_only_the_one_form_is_read(text):
    with pytest.raises(ExchangeError) as refused:
        parse_checkpoint(text)
    assert refused.value.kind is LOG_MALFORMED


@pytest.mark.parametrize(
    "parts", [("", 1, ROOT), ("a\nb", 1, ROOT), ("a", -1, ROOT), ("a", 2**63, ROOT), ("a", 1, ROOT[1:]), ("a", 0, ROOT)]
)
def test_impossible_checkpoints_cannot_be_built(parts):
    with pytest.raises(ValueError, match=r"checkpoint|empty tree"):
        Checkpoint(*parts)


def test_a_signed_checkpoint_opens_under_its_log():
    note = sign_checkpoint(HEAD, KEY, SIGN)
    opened = open_checkpoint(note, KEY)
    assert (opened.checkpoint, opened.note, opened.cosignatures) == (HEAD, note, ())
    empty = sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), KEY, SIGN)
    assert open_checkpoint(empty, KEY).checkpoint.size == 0


def test_another_logs_checkpoint_is_refused_even_under_the_same_key():
    elsewhere = sign_checkpoint(Checkpoint("other.example/log", 5, bytes(32)), KEY, SIGN)
    with pytest.raises(ExchangeError) as refused:
        open_checkpoint(elsewhere, KEY)
    assert refused.value.kind is LOG_SIGNATURE_INVALID
    assert open_checkpoint(elsewhere, KEY, origin="other.example/log").checkpoint.size == 5


def test_witnesses_alone_do_not_make_a_checkpoint():
    witness, sign = signing_key("w", "w", KeyType.COSIGNATURE)
    other, sign_other = signing_key("other", "other")
    note = cosign(sign_note(HEAD.text, other, sign_other), witness, sign, 9)
    with pytest.raises(ExchangeError) as refused:
        open_checkpoint(note, KEY, witnesses=[witness])
    assert refused.value.kind is LOG_SIGNATURE_INVALID


def test_cosignatures_of_trusted_witnesses_are_told():
    witness, sign = signing_key("w", "w", KeyType.COSIGNATURE)
    note = cosign(sign_checkpoint(HEAD, KEY, SIGN), witness, sign, 9)
    assert [signature.time for signature in open_checkpoint(note, KEY, witnesses=[witness]).cosignatures] == [9]
    assert open_checkpoint(note, KEY).cosignatures == ()


def test_a_log_key_cannot_pose_as_a_witness():
    with pytest.raises(ValueError, match="cosignature key"):
        open_checkpoint(sign_checkpoint(HEAD, KEY, SIGN), KEY, witnesses=[VerifierKey("w", KEY.public)])


def test_every_flipped_bit_of_the_signed_text_is_refused():
    note = sign_checkpoint(HEAD, KEY, SIGN)
    for place in range(len(note)):
        flipped = bytearray(note)
        flipped[place] ^= 1 << place % 7
        with pytest.raises(ExchangeError):
            open_checkpoint(bytes(flipped), KEY)
