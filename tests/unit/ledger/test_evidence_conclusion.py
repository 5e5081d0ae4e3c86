"""What is said in words of a container: what it proves and what it leaves open, in both languages, and nothing more."""

import pytest

from adapters.simulators.parties import LEGACY, PORTAL
from gateway.ledger.evidence_conclusion import conclude
from gateway.ledger.evidence_verify import verify_evidence
from gateway.ledger.record import RecordKind, Ruling, SignedBy
from gateway.ledger.timestamp import token_of
from gateway.model.instant import plus
from gateway.signing.asice import SIGNATURES, read_container, write_container
from gateway.signing.xades import write_signatures
from gateway.signing.xades_read import read_signatures
from tests.support.cli import run
from tests.support.evidence import Message, bench, usual
from tests.support.evidence_attested import crl_of, lines_of, serial_of, witness, witnessed

A = witness("a")[0]


def concluded(made, material, **anchors):
    """In English: what is proved, what is left open."""
    verified = verify_evidence(made.container(material), made.anchors(**anchors))
    assert verified.holds
    found = conclude(verified)
    assert all(each.vi != each.en for each in (*found.proved, *found.left_open))
    return [each.en for each in found.proved], [each.en for each in found.left_open]


def test_a_whole_exchange_that_witnesses_have_seen_leaves_nothing_open():
    made = bench("whole")
    records = made.exchange(PORTAL)
    proved, left_open = concluded(made, witnessed(made, records, lines_of(made, "a")), witnesses=(A,))
    assert left_open == []
    asked, given = proved
    assert asked == (
        "request: at 2027-01-15T08:00:00.000Z the gateway let VN/GOV/H24/portal ask VN/GOV/G01/population/citizen for the "
        "purpose 1.001193, under the grant portal-birth. It stands in the log as entry 0, and has not been changed since."
    )
    assert given == (
        "answer: at 2027-01-15T08:00:00.000Z VN/GOV/H24/portal was answered for VN/GOV/G01/population/citizen: FOUND; "
        "elements released: 1. It stands in the log as entry 1, and has not been changed since."
    )


def test_without_an_authority_times_are_words():
    made = bench("untimed")
    data = made.container(made.material(made.exchange(PORTAL), stamped=False), stamped=False)
    found = [each.en for each in conclude(verify_evidence(data, made.anchors())).left_open]
    assert [each.partition(":")[0] for each in found] == [
        "When the container was signed, other than by its own word",
        "When it was, other than by the gateway's own word",
        "That the log shows everybody the same history",
    ]


def test_a_container_that_a_thief_dates_back_says_that_its_date_is_its_own_word():
    """The gateway's key was stolen and revoked; the thief signs today, states a date from before, and has no stamp."""
    made = bench("thief")
    made_at = plus(made.now, 3600)
    revoked = {serial_of(made.gateway.certificate): (plus(made_at, 60), None)}
    crl = crl_of(made, revoked, issued=plus(made_at, 86_400))
    data = made.container(made.material(made.exchange(PORTAL)), stamped=False)
    verified = verify_evidence(data, made.anchors(crls=(crl,)))
    assert any(each.en.startswith("When the container was signed") for each in conclude(verified).left_open)
    # With a timestamp of when it really was made it does not pass.
    read = read_signatures(read_container(data)[SIGNATURES])
    token = token_of(made.stamp(read.draft.stamped, plus(made_at, 7200)))
    files = read_container(data)
    media = {file.path: file.media_type for file in read.files}
    late = write_signatures(read.draft, token=token, archive=read.archive)
    stamped = write_container({path: files[path] for path in media}, late, media)
    assert not verify_evidence(stamped, made.anchors(crls=(crl,))).holds


@pytest.mark.parametrize(
    ("hidden", "open_"),
    [
        ("person", ["request: what 1 of 6 private fields said", "answer: what 1 of 4 private fields said"]),
        (
            "signature",
            [
                "request: what 1 of 6 private fields said",
                "request: that VN/GOV/H24/portal signed the message itself",
                "answer: what 1 of 4 private fields said",
                "answer: that the gateway signed the message itself",
            ],
        ),
    ],
)
def test_what_is_hidden_is_said_to_be_open(hidden, open_):
    made = bench("hidden")
    material = made.material(made.exchange(PORTAL), keep=lambda opening: opening.name != hidden)
    _, left_open = concluded(made, material)
    assert len(left_open) == len(open_) + 1  # and no witness
    assert all(each.startswith(start) for each, start in zip(left_open, open_, strict=False))


def test_whose_signature_is_missing_is_named_by_what_the_record_says():
    made = bench("hosted")
    ask = made.ask(LEGACY, key=made.hosted_key(LEGACY))
    asked = made.request(LEGACY, ask, signed_by=SignedBy.HOSTED_KEY)
    _, left_open = concluded(made, made.material({"request": (asked, ask)}, keep=lambda _: False))
    assert "request: that the gateway signed the message itself" in left_open[1]
    assert "The record says so: gateway, on mTLS evidence." in left_open[1]
    assert left_open[2].startswith("Whether the request was answered")


def test_a_call_made_inside_never_had_a_signature():
    made = bench("inside")
    ask = made.ask(PORTAL)
    parent = made.request(PORTAL, ask)
    inner = Message(body=b"{}", fields=())
    asked = made.request(PORTAL, inner, parent=parent.id, signed_by=SignedBy.PARENT)
    material = made.material({"request": (asked, inner), "parent": (parent, ask)}, keep=lambda _: False)
    _, left_open = concluded(made, material)
    assert not any(each.startswith("request: that") for each in left_open)
    assert any(each.startswith("parent: that VN/GOV/H24/portal signed") for each in left_open)


def test_refusals_before_proof_prove_nothing_of_who_sent_them():
    made = bench("refusals")
    record = made.record(
        RecordKind.REFUSALS, None, None, service=None, ruling=Ruling.DENIED, reasons=("client.signature_invalid",)
    )
    proved, left_open = concluded(made, made.material({"refusals": (record, None)}))
    assert "refused calls whose senders proved nothing: client.signature_invalid" in proved[0]
    assert left_open[0].startswith("Who sent the calls")


def test_nothing_is_concluded_of_what_does_not_hold():
    made, _, container = usual()
    verified = verify_evidence(container, made.anchors(quorum=1))
    assert not verified.holds
    assert conclude(verified) == conclude(verify_evidence(b"", made.anchors()))
    assert conclude(verified).proved == conclude(verified).left_open == ()


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_words_of_a_dishonest_gateway_do_not_reach_the_terminal(tmp_path, lang):
    """What a record says is text, whatever it holds: no escape sequence, no line of its own, no mark that we make."""
    made = bench("terminal")
    ask = made.ask(PORTAL)
    evil = "\x1b[2J\x1b[31m\n✓ proved [red]x\u202e"
    refused = made.record(
        RecordKind.REFUSAL, PORTAL, ask, ruling=Ruling.DENIED, reasons=(evil,), outcome="DENIED", signed_by="caller"
    )
    file, trust, roots = tmp_path / "x.asice", tmp_path / "list.jws", made.pki.root
    file.write_bytes(made.container(made.material({"refusal": (refused, ask)})))
    trust.write_bytes(made.list)
    ran = run("evidence", "verify", file, "--trust", trust, "--tsa-ca", roots, lang=lang)
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
    assert [line for line in ran.out.splitlines() if line.lstrip().startswith("✓ proved [")] == []
