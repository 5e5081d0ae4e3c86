"""Which witnesses have cosigned what evidence hangs from: counted, named, demanded; and those that only seem to."""

import pytest

from adapters.simulators.parties import PORTAL
from gateway.ledger.evidence_conclusion import conclude
from gateway.ledger.evidence_findings import Verdict
from gateway.ledger.evidence_verify import verify_evidence
from gateway.ledger.evidence_witnesses import COSIGNED, cosignatures_on
from gateway.ledger.note import KeyType, VerifierKey, cosign
from gateway.model.instant import plus, to_seconds
from tests.support.evidence import bench
from tests.support.evidence_attested import cosigned, later_list, lines_of, logs, witness, witnessed

A, B, C = (witness(name)[0] for name in "abc")


def told(verified):
    """The lines about witnesses: verdict and detail."""
    return [(each.verdict, each.detail) for each in verified.findings if each.what == COSIGNED]


def container(*names, seed="witnesses", lines=None, **changes):
    made = bench(seed)
    records = made.exchange(PORTAL)
    given = lines_of(made, *names) if lines is None else lines(made)
    return made, made.container(witnessed(made, records, given, **changes))


def test_nobody_has_cosigned():
    made, data = container()
    verified = verify_evidence(data, made.anchors(witnesses=(A,)))
    assert verified.holds
    assert told(verified) == [(Verdict.ABSENT, "0: whether the log shows all the same is not proved")]
    assert any("no witness" in each.en for each in conclude(verified).left_open)


def test_who_has_cosigned_and_when():
    made, data = container("a", "b", "c")
    verified = verify_evidence(data, made.anchors(witnesses=(A, B), quorum=2))
    assert verified.holds
    ((verdict, detail),) = told(verified)
    assert verdict is Verdict.PROVED
    assert detail == (
        "2: witness.example/a at 2027-01-15T08:00:10.000Z, witness.example/b at 2027-01-15T08:00:10.000Z; 2 demanded"
    )
    assert not any("witness" in each.en for each in conclude(verified).left_open)


def test_witnesses_that_the_verifier_does_not_know_prove_nothing_to_it():
    made, data = container("a", "b")
    verified = verify_evidence(data, made.anchors(witnesses=(C,)))
    assert told(verified) == [
        (
            Verdict.ABSENT,
            "0, 2 by witnesses that you have not named (--witness): whether the log shows all the same is not proved",
        )
    ]


@pytest.mark.parametrize(
    ("names", "known", "quorum", "holds"),
    [
        ("", (A,), 1, False),
        ("a", (A,), 1, True),
        ("a", (A, B), 2, False),
        ("ab", (A,), 2, False),
        ("ab", (A, B), 2, True),
        ("abc", (A, B), 2, True),
        ("aa", (A, B), 2, False),  # the same twice
        ("a", (), 1, False),  # nobody is known
        ("a", (), 0, True),
    ],
)
def test_a_demanded_quorum(names, known, quorum, holds):
    made, data = container(*names)
    verified = verify_evidence(data, made.anchors(witnesses=known, quorum=quorum))
    assert verified.holds is holds
    if not holds:
        assert f"of the {quorum} demanded" in told(verified)[0][1]


def _with_other_text(made):
    """The right key's cosignature, on another checkpoint."""
    key, sign = witness("a")
    note = made.log.files["checkpoint"]
    other = note.replace(b"\n2\n", b"\n3\n", 1)
    assert other != note
    return cosign(other, key, sign, to_seconds(plus(made.now, 10)))[len(other) :]


def _right_and_wrong(made):
    return lines_of(made, "a", "b") + _with_other_text(made)


def _impossible_time(made):
    key, sign = witness("a")
    note = made.log.files["checkpoint"]
    return cosign(note, key, sign, 2**63)[len(note) :]


@pytest.mark.parametrize("lines", [_with_other_text, _right_and_wrong, _impossible_time])
@pytest.mark.parametrize("quorum", [0, 1])
def test_a_cosignature_that_does_not_verify_is_named(lines, quorum):
    made, data = container(lines=lines)
    verified = verify_evidence(data, made.anchors(witnesses=(B, A), quorum=quorum))
    assert not verified.holds
    ((verdict, detail),) = told(verified)
    assert verdict is Verdict.FAILED
    assert "the cosignature in the name of witness.example/a is not its own" in detail
    # All else is judged all the same: the record is in the log.
    assert len(verified.proved) == 2
    assert conclude(verified).proved == ()


def test_another_key_under_a_witnesss_name_is_nobody():
    made, data = container("a")
    other = VerifierKey(A.name, B.public, KeyType.COSIGNATURE)
    verified = verify_evidence(data, made.anchors(witnesses=(other,), quorum=1))
    assert "0 of the 1 demanded, 1 by witnesses that you have not named" in told(verified)[0][1]


def test_a_key_under_two_names_is_one_witness():
    key, sign = witness("a")
    other = VerifierKey("witness.example/other", key.public, KeyType.COSIGNATURE)

    def lines(made):
        note = made.log.files["checkpoint"]
        at = to_seconds(plus(made.now, 10))
        return cosign(cosign(note, key, sign, at), other, sign, at)[len(note) :]

    made, data = container(lines=lines)
    assert not verify_evidence(data, made.anchors(witnesses=(key, other), quorum=2)).holds
    for known in ((key, other), (other, key), (other,)):
        assert verify_evidence(data, made.anchors(witnesses=known, quorum=1)).holds


def test_the_log_is_no_witness_of_itself():
    made = bench("itself")
    records = made.exchange(PORTAL)
    own = VerifierKey("witness.example/own", made.log.key.public, KeyType.COSIGNATURE)
    note = made.log.files["checkpoint"]
    lines = cosign(note, own, made.log.sign, to_seconds(plus(made.now, 10)))[len(note) :]
    data = made.container(witnessed(made, records, lines))
    assert not verify_evidence(data, made.anchors(witnesses=(own,), quorum=1)).holds


def test_a_witness_that_saw_it_before_it_was_made():
    made, data = container(lines=lambda made: lines_of(made, "a", at=plus(made.now, -1200)))
    verified = verify_evidence(data, made.anchors(witnesses=(A,)))
    assert "before the time at which a record says it was made" in told(verified)[0][1]
    assert not verified.holds


def test_a_trust_list_names_witnesses_too():
    made, data = container("a", "b")
    named = later_list(made, logs=logs(made.log.key.encode(), A.encode()))
    verified = verify_evidence(data, made.anchors(lists=(named,), quorum=1))
    assert verified.holds
    assert told(verified)[0][1].startswith("1: witness.example/a at ")
    assert not verify_evidence(data, made.anchors(lists=(named,), quorum=2)).holds
    assert verify_evidence(data, made.anchors(lists=(named,), witnesses=(B,), quorum=2)).holds


def test_a_witnesss_key_is_no_logs_key():
    """A container that names as the log's a key that a believed list names for a witness."""
    made = bench("confused")
    named = later_list(made, days=0, logs=logs(made.log.key.encode(), A.encode()))
    material = made.material(made.exchange(PORTAL), vkey=A.encode())
    verified = verify_evidence(made.container(material), made.anchors(lists=(named,)))
    wrong = {each.detail for each in verified.findings if each.verdict is Verdict.FAILED}
    assert "no trust list that you believe names this log's key" in wrong


def test_each_checkpoint_is_judged_by_itself():
    """The answer's receipt is of a cosigned checkpoint, the request's of another that nobody has cosigned."""
    made = bench("two checkpoints")
    records = made.exchange(PORTAL)
    material = witnessed(made, records, lines_of(made, "a"), stamp=None)
    made.record("configuration", None, None, service=None)
    later = made.material(records, stamp=None)
    mixed = later.pieces[0], material.pieces[1]
    data = made.container(made.material(records, stamp=None, pieces=mixed), stamped=False)
    verified = verify_evidence(data, made.anchors(witnesses=(A,), quorum=1))
    assert [verdict for verdict, _ in told(verified)] == [Verdict.FAILED, Verdict.PROVED]
    assert not verified.holds


def test_cosignatures_of_a_note_alone():
    made = bench("note")
    note = cosigned(made.log.files["checkpoint"], "a", "b", at=made.now)
    found = cosignatures_on(note, (A, C), made.log.key)
    assert [each.key for each in found.proved] == [A]
    assert (found.wrong, found.others, found.times) == ((), 1, (made.now,))
