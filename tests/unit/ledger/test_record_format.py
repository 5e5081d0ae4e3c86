"""The permanent formats: skeleton, commitments, entry, openings. The vectors here are what outsiders rely on."""

import hashlib
import json

import msgspec
import pytest
import rfc8785

from gateway.ledger.openings import check_openings, parse_openings
from gateway.ledger.record import Facts, InForce, RecordKind, build, random_needed
from gateway.ledger.skeleton import check_opening, commitment, entry_of, read_skeleton
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_MALFORMED, LOG_PROOF_INVALID
from gateway.model.instant import rfc3339
from tests.support.ledger import IN_FORCE, built, facts, noise, record_id

PERSON = {"full_name": "Nguyễn Thị Ánh", "identity_number": "031090001234"}


def test_the_skeleton_has_exactly_these_members_in_canonical_form():
    record = built(parent=record_id(7))
    skeleton = json.loads(record.skeleton)
    assert rfc8785.dumps(skeleton) == record.skeleton
    private = skeleton.pop("private")
    assert [len(bytes.fromhex(commitment)) for commitment in private] == [32, 32, 32]
    assert skeleton == {
        "at": rfc3339(facts().at),
        "basis": "ND-63/2024",
        "build": "motlan 0.1.0",
        "client": "VN/GOV/H31/portal",
        "decision": {"reasons": ["grant portal-birth"], "ruling": "allowed"},
        "digests": {"mapping": None, "policy": "01" * 32, "schema": "03" * 32, "trust": "02" * 32},
        "grant": "portal-birth",
        "id": record_id(1),
        "kind": "request",
        "method": "POST",
        "outcome": None,
        "parent": record_id(7),
        "purpose": "1.001193",
        "released": ["citizen.full_name"],
        "salt": noise(("record", 1), 16).hex(),
        "service": "VN/GOV/G01/population/citizen",
        "signed_by": "caller",
        "version": 1,
    }


def test_commitments_and_entry_are_as_specified_by_nothing_but_hashlib():
    record = built()
    random = noise(("record", 1), random_needed(3))
    preimage = b"motlan/field/v1\n" + random[16:32] + rfc8785.dumps(["person.asked", PERSON])
    assert json.loads(record.skeleton)["private"][0] == hashlib.sha256(preimage).hexdigest()
    assert record.entry == b"\x01" + hashlib.sha256(b"motlan/record/v1\n" + record.skeleton).digest()
    assert record.entry.hex() == "01e569b6bfadfaee31ebbdf7842d27f59cb19e3a3caddd7c6507495a13640f9433"


def test_openings_hold_each_salt_and_value_as_plain_json():
    record = built()
    random = noise(("record", 1), random_needed(3))
    assert json.loads(record.openings) == {
        "fields": [["person.asked", PERSON], ["officer", "nv.an"], ["case", "000.00.01.H26-210101-0001"]],
        "id": record_id(1),
        "salts": [random[16:32].hex(), random[32:48].hex(), random[48:64].hex()],
        "version": 1,
    }
    assert rfc8785.dumps(json.loads(record.openings)) == record.openings
    check_openings(read_skeleton(record.skeleton), parse_openings(record.openings))


def test_nothing_personal_stands_in_skeleton_or_entry():
    record = built()
    for secret in ("031090001234", "Ánh", "nv.an", "H26-210101", "person.asked"):
        assert secret.encode() not in record.skeleton + record.entry


def test_commitments_hide_equal_fields_of_two_records_have_nothing_in_common():
    first, second = json.loads(built(1).skeleton), json.loads(built(2).skeleton)
    assert not set(first["private"]) & set(second["private"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("person.asked", {**PERSON, "identity_number": "031090001235"}),
        ("person.released", PERSON),
        ("person.asked", [PERSON]),
        ("person.asked", None),
        ('person.asked",', PERSON),
    ],
)
def test_commitments_bind_another_field_does_not_open_them(name, value):
    record = built()
    salt = parse_openings(record.openings).shown[0].salt
    assert check_opening(record.skeleton, "person.asked", PERSON, salt) == 0
    with pytest.raises(ExchangeError) as refused:
        check_opening(record.skeleton, name, value, salt)
    assert refused.value.kind is LOG_PROOF_INVALID


def test_an_opening_of_another_record_is_refused():
    with pytest.raises(ExchangeError) as refused:
        check_openings(read_skeleton(built(1).skeleton), parse_openings(built(2).openings))
    assert refused.value.kind is LOG_PROOF_INVALID


def test_openings_in_another_order_are_refused():
    record = built(private=(("a", 1), ("b", 2)))
    swapped = json.loads(record.openings)
    swapped["fields"].reverse()
    swapped["salts"].reverse()
    with pytest.raises(ExchangeError) as refused:
        check_openings(read_skeleton(record.skeleton), parse_openings(rfc8785.dumps(swapped)))
    assert refused.value.kind is LOG_PROOF_INVALID


def test_text_is_written_in_nfc_wherever_it_stands():
    decomposed, composed = "Ca\u0302\u0300n Tho\u031b", "Cần Thơ"
    record = built(purpose=decomposed, reasons=("x\n\u0303", decomposed), private=((decomposed, decomposed),))
    assert json.loads(record.skeleton)["purpose"] == composed
    assert json.loads(record.skeleton)["decision"]["reasons"] == ["x\n\u0303", composed]
    assert json.loads(record.openings)["fields"] == [[composed, composed]]
    salt = parse_openings(record.openings).shown[0].salt
    assert check_opening(record.skeleton, decomposed, composed, salt) == 0


@pytest.mark.parametrize("value", [2**63 - 1, 1e17, 0.1, [1.0, -0.0, 1e-9], {"z": 1, "a": [None, True]}])
def test_numbers_survive_other_peoples_json_readers(value):
    record = built(private=(("query", value),))
    [[_, read]] = json.loads(record.openings)["fields"]
    [salt] = json.loads(record.openings)["salts"]
    assert check_opening(record.skeleton, "query", read, bytes.fromhex(salt)) == 0


def test_a_record_of_a_gateway_itself_may_say_little():
    minimal = Facts(id=record_id(3), at=facts().at, kind=RecordKind.CONFIGURATION, in_force=IN_FORCE)
    record = build(minimal, bytes(16))
    skeleton = read_skeleton(record.skeleton)
    assert (skeleton.decision, skeleton.client, skeleton.private, skeleton.signed_by) == (None, None, (), None)
    assert parse_openings(record.openings).fields == ()
    assert rfc8785.dumps(json.loads(record.skeleton)) == record.skeleton


def test_every_kind_and_outcome_round_trips_through_the_reader():
    for kind in RecordKind:
        skeleton = read_skeleton(built(kind=kind, outcome="NOT_FOUND", ruling=None, reasons=()).skeleton)
        assert (skeleton.kind, skeleton.outcome, skeleton.decision) == (kind, "NOT_FOUND", None)
        assert skeleton.instant == facts().at // 1000 * 1000


@pytest.mark.parametrize("count", [0, 1, 63, 65, 80])
def test_takes_exactly_the_random_bytes_it_needs(count):
    with pytest.raises(ValueError, match="16 random bytes"):
        build(facts(), bytes(count))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "01932d3e-8f1c-4abc-8def-000000000001"},
        {"id": record_id(0xABC).upper()},
        {"parent": "x"},
        {"at": -1},
    ],
)
def test_impossible_facts_cannot_be_built(changes):
    with pytest.raises(ValueError, match="record's"):
        facts(**changes)


def test_a_digest_in_force_is_32_bytes():
    with pytest.raises(ValueError, match="32 bytes"):
        InForce(policy=b"short", trust=None, build="x")


@pytest.mark.parametrize("private", [("a", object()), ("a", "\ud800"), ("a\ud800", 1), ("a", float("nan"))])
def test_a_private_value_that_is_not_json_is_refused_without_quoting_it(private):
    with pytest.raises(ValueError) as refused:
        build(facts(private=(private,)), bytes(32))
    assert not isinstance(refused.value, UnicodeError)


def damaged_skeletons():
    good = built().skeleton
    parsed = json.loads(good)
    yield "whitespace", good.replace(b'":', b'": ', 1)
    yield "order", json.dumps(dict(reversed(parsed.items())), separators=(",", ":"), ensure_ascii=False).encode()
    yield "unknown member", rfc8785.dumps({**parsed, "extra": 1})
    yield "version", rfc8785.dumps({**parsed, "version": 2})
    yield "short salt", rfc8785.dumps({**parsed, "salt": "00"})
    yield "salt not hex", rfc8785.dumps({**parsed, "salt": "zz" * 16})
    yield "upper-case hex", rfc8785.dumps({**parsed, "salt": "AB" * 16})
    yield "commitment", rfc8785.dumps({**parsed, "private": ["00"]})
    yield "missing member", rfc8785.dumps({name: value for name, value in parsed.items() if name != "kind"})
    yield "duplicate member", good.replace(b"{", b'{"at":"x",', 1)
    yield "not json", b"\xff"
    yield "deep", b"[" * 100_000
    yield "escaped", good.replace(b"portal", b"\\u0070ortal", 1)
    yield "time", rfc8785.dumps({**parsed, "at": "yesterday"})


@pytest.mark.parametrize("skeleton", [pytest.param(data, id=name) for name, data in damaged_skeletons()])
def test_only_the_one_form_of_a_skeleton_is_read(skeleton):
    with pytest.raises(ExchangeError) as refused:
        read_skeleton(skeleton)
    assert refused.value.kind is LOG_MALFORMED


def test_salt_length_is_fixed():
    with pytest.raises(ValueError, match="16 bytes"):
        commitment("a", 1, bytes(15))
    with pytest.raises(ExchangeError):
        check_opening(built().skeleton, "a", 1, b"")


def test_the_entry_follows_every_bit_of_the_skeleton():
    skeleton = built().skeleton
    assert entry_of(skeleton) != entry_of(skeleton.replace(b"portal", b"Portal"))
    assert msgspec.json.decode(skeleton)["salt"] != msgspec.json.decode(built(2).skeleton)["salt"]
