"""Openings: shown in part, erased, sealed at rest."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from joserfc import jwe
from joserfc.jwk import ECKey

from gateway.ledger.epoch import Epoch, Recipient, open_epoch, seal_epoch
from gateway.ledger.openings import SEAL_RANDOM, check_openings, epoch_of, open_sealed, parse_openings, seal
from gateway.ledger.skeleton import check_opening, entry_of, read_skeleton
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_MALFORMED, LOG_PROOF_INVALID, OPENING_UNREADABLE
from gateway.model.instant import Instant
from tests.support.ledger import built, noise


def epoch(name="2026-11"):
    return Epoch(id=name, key=noise((name, 1), 32), pseudonym_key=noise((name, 2), 32), starts=Instant(5))


def sealed(number=1):
    return seal(built(number), epoch(), noise(("seal", number), SEAL_RANDOM))


def test_what_is_sealed_opens_again_and_shows_nothing_at_rest():
    record = built()
    opened = open_sealed(sealed(), epoch(), record.id, record.entry)
    assert opened.encode() == record.openings
    for secret in (b"031090001234", b"officer", b"nv.an", opened.shown[0].salt, epoch().key):
        assert secret not in sealed()
    assert epoch_of(sealed()) == "2026-11"


def test_every_flipped_bit_is_refused():
    record, data = built(), sealed()
    for place in range(len(data)):
        altered = bytearray(data)
        altered[place] ^= 1 << place % 8
        with pytest.raises(ExchangeError) as refused:
            open_sealed(bytes(altered), epoch(), record.id, record.entry)
        assert refused.value.kind is OPENING_UNREADABLE


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01\x07", b"\x01\x00" + bytes(60), b"\x01\x01\xff" + bytes(90)])
def test_fragments_are_refused(data):
    with pytest.raises(ExchangeError) as refused:
        open_sealed(data, epoch(), built().id, built().entry)
    assert refused.value.kind is OPENING_UNREADABLE


def test_openings_cannot_be_passed_off_as_another_records():
    first, second = built(1), built(2)
    for record, entry in ((second.id, first.entry), (first.id, second.entry)):
        with pytest.raises(ExchangeError) as refused:
            open_sealed(sealed(), epoch(), record, entry)
        assert refused.value.kind is OPENING_UNREADABLE


@pytest.mark.parametrize(
    "other", [epoch("2026-12"), Epoch(id="2026-11", key=bytes(32), pseudonym_key=b"1" * 32, starts=0)]
)
def test_another_epochs_key_opens_nothing(other):
    with pytest.raises(ExchangeError) as refused:
        open_sealed(sealed(), other, built().id, built().entry)
    assert refused.value.kind is OPENING_UNREADABLE


def test_each_record_is_under_a_key_of_its_own():
    header = len(epoch().header)
    assert sealed(1)[header:] != seal(built(1), epoch(), noise("again", SEAL_RANDOM))[header:]
    with pytest.raises(ValueError, match="44"):
        seal(built(), epoch(), bytes(43))


def test_erasing_a_field_leaves_every_other_proof_valid():
    record = built()
    erased = parse_openings(record.openings).only(lambda opening: opening.name != "person.asked")
    kept = parse_openings(erased.encode())
    assert b"031090001234" not in erased.encode()
    assert [opening.name for opening in kept.shown] == ["officer", "case"]
    check_openings(read_skeleton(record.skeleton), kept)
    assert entry_of(record.skeleton) == record.entry


def test_an_erased_field_cannot_be_confirmed_by_guessing_without_its_salt():
    record = built()
    value = {"full_name": "Nguyễn Thị Ánh", "identity_number": "031090001234"}
    for salt in (bytes(16), *(opening.salt for opening in parse_openings(record.openings).shown[1:])):
        with pytest.raises(ExchangeError) as refused:
            check_opening(record.skeleton, "person.asked", value, salt)
        assert refused.value.kind is LOG_PROOF_INVALID


def test_a_party_is_shown_its_own_fields_only():
    shown = parse_openings(built().openings).only(lambda opening: opening.name == "case")
    assert json.loads(shown.encode())["fields"] == [None, None, ["case", "000.00.01.H26-210101-0001"]]
    assert json.loads(shown.encode())["salts"][:2] == [None, None]


@pytest.mark.parametrize(
    "openings",
    [
        b"", b"[]", b"\xff", b"[" * 100_000,
        b'{"fields":[["a",1]],"id":"x","salts":[],"version":1}',
        b'{"fields":[null],"id":"x","salts":["00000000000000000000000000000000"],"version":1}',
        b'{"fields":[["a",1]],"id":"x","salts":[null],"version":1}',
        b'{"fields":[["a",1]],"id":"x","salts":["00"],"version":1}',
        b'{"fields":[["a",1]],"id":"x","salts":["AB000000000000000000000000000000"],"version":1}',
        b'{"fields":[["a",1.0]],"id":"x","salts":["00000000000000000000000000000000"],"version":1}',
        b'{"fields":[[1,1]],"id":"x","salts":["00000000000000000000000000000000"],"version":1}',
        b'{"fields":[],"id":"x","salts":[],"version":2}',
        b'{"fields":[],"id":"x","salts":[],"version":1,"more":0}',
        b'{"fields":[],"fields":[],"id":"x","salts":[],"version":1}',
    ],
)  # fmt: skip
def test_only_the_one_form_is_read(openings):
    with pytest.raises(ExchangeError) as refused:
        parse_openings(openings)
    assert refused.value.kind is LOG_MALFORMED


AUDITOR, OFFICER, STRANGER = (
    ec.generate_private_key(ec.SECP256R1()),
    x25519.X25519PrivateKey.generate(),
    ec.generate_private_key(ec.SECP384R1()),
)


CONTENT = json.dumps({"id": "x", "key": "A" * 43, "pseudonym_key": "B" * 43, "starts": 0, "version": 1}).encode()


def sealed_epoch():
    return seal_epoch(epoch(), (Recipient("auditor-1", AUDITOR.public_key()), Recipient("dpo", OFFICER.public_key())))


@pytest.mark.parametrize("key", [AUDITOR, OFFICER], ids=["P-256", "X25519"])
def test_each_recipient_alone_opens_the_epoch(key):
    opened = open_epoch(sealed_epoch(), key)
    assert (opened.id, opened.starts) == ("2026-11", 5)
    record = built()
    assert open_sealed(sealed(), opened, record.id, record.entry).encode() == record.openings
    assert opened.pseudonym_key == epoch().pseudonym_key


@pytest.mark.parametrize("key", [STRANGER, ec.generate_private_key(ec.SECP256R1()), x25519.X25519PrivateKey.generate()])
def test_nobody_else_does(key):
    with pytest.raises(ExchangeError) as refused:
        open_epoch(sealed_epoch(), key)
    assert refused.value.kind is OPENING_UNREADABLE


def altered_epochs():
    whole = json.loads(sealed_epoch())
    yield b"not json"
    yield b"{}"
    yield b'{"recipients":1}'
    yield b'{"recipients":[null]}'
    for member in ("ciphertext", "tag", "iv", "protected"):
        yield json.dumps({**whole, member: "AAAA" + whole[member][4:]}).encode()
    yield json.dumps({**whole, "recipients": []}).encode()
    for protected in (
        {"enc": "A256GCM"},
        {"enc": "A256GCM", "typ": "motlan-trust+jwe"},
        {"enc": "A128GCM", "typ": "motlan-epoch+jwe"},
    ):
        other = jwe.GeneralJSONEncryption(protected, CONTENT)
        other.add_recipient({"alg": "ECDH-ES+A256KW"}, ECKey.import_key(AUDITOR.public_key()))
        yield json.dumps(jwe.encrypt_json(other, None, algorithms=["ECDH-ES+A256KW", protected["enc"]])).encode()


@pytest.mark.parametrize("blob", list(altered_epochs()))
def test_an_altered_epoch_does_not_open(blob):
    with pytest.raises(ExchangeError) as refused:
        open_epoch(blob, AUDITOR)
    assert refused.value.kind is OPENING_UNREADABLE


def test_keys_never_show():
    assert repr(epoch()) == "Epoch(id='2026-11', starts=5)"
    assert epoch().key.hex() not in f"{epoch()} {epoch()!r}"


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": ""},
        {"id": "a/b"},
        {"id": "x" * 65},
        {"key": bytes(16)},
        {"pseudonym_key": b""},
        {"key": b"k" * 32, "pseudonym_key": b"k" * 32},
    ],
)
def test_impossible_epochs_cannot_be_built(wrong):
    with pytest.raises(ValueError, match="epoch"):
        Epoch(**{"id": "a", "key": bytes(32), "pseudonym_key": b"p" * 32, "starts": Instant(0), **wrong})


def test_recipients_are_told_apart():
    twice = Recipient("a", AUDITOR.public_key())
    for recipients in ((), (twice, twice)):
        with pytest.raises(ValueError, match="recipient"):
            seal_epoch(epoch(), recipients)
    with pytest.raises(ValueError, match="public key"):
        Recipient("a", AUDITOR)
