"""Containers made to deceive: by whoever carries one (without a listed key), and by a dishonest gateway (with it)."""

import hashlib
import json
import re

import pytest
from msgspec import structs

from adapters.simulators.parties import CIVIL_STATUS, LEGACY, PORTAL
from gateway.ledger.evidence import GUIDE, Piece, Stamp, files_of, media_type
from gateway.ledger.evidence_findings import Verdict
from gateway.ledger.evidence_guide import guide
from gateway.ledger.evidence_pack import Signed, pack
from gateway.ledger.evidence_verify import verify_evidence
from gateway.ledger.openings import parse_openings
from gateway.ledger.receipt import Disclosure, parse_receipt
from gateway.ledger.record import Ruling
from gateway.ledger.timestamp import token_of
from gateway.model.instant import plus
from gateway.signing.asice import MANIFEST, SIGNATURES, read_container, write_container
from gateway.signing.wsse_sign import sign_envelope
from gateway.signing.xades import Archive, SignedFile, sign_files, write_signatures
from gateway.signing.xades_read import read_signatures
from gateway.trust.jws import payload_of
from gateway.trust.wire import decode
from tests.support.evidence import ASK, Message, bench, usual
from tests.support.ledger import signing_key

MADE, MATERIAL, CONTAINER = usual()
FILES = read_container(CONTAINER)
CONTENT = {path: content for path, content in FILES.items() if not path.startswith("META-INF")}


def failed(container, anchors=None):
    """What failed, and why; something must."""
    verified = verify_evidence(container, anchors or MADE.anchors())
    wrong = [(each.subject, each.what.en, each.detail) for each in verified.findings if each.verdict is Verdict.FAILED]
    assert wrong
    assert not verified.holds
    return wrong


def resigned(files, *, key=None, at=None, stamped=True, archive=None):
    """A container of these files under a right signature: by the gateway's key, unless another is given."""
    key = key or MADE.gateway
    listed = [SignedFile(path, media_type(path), hashlib.sha256(content).digest()) for path, content in files.items()]
    old = read_signatures(FILES[SIGNATURES])
    draft = sign_files(listed, key=key, now=at or MATERIAL.made)
    signed = Signed(files, draft, archive or old.archive)
    return pack(signed, MADE.stamp(signed.stamped, plus(MATERIAL.made, 1)) if stamped else None)


def rezipped(changes, *, manifest=None):
    """The container with files replaced (None: left out) and nothing signed anew."""
    signatures = changes.pop(SIGNATURES, FILES[SIGNATURES])
    files = {path: content for path, content in {**CONTENT, **changes}.items() if content is not None}
    media = {path: media_type(path) for path in files} if manifest is None else manifest
    return write_container(files, signatures, media)


def repacked(material, **options):
    """A dishonest gateway's own: everything derived and signed anew."""
    return MADE.container(material, **options)


def test_the_tests_own_tools_make_right_containers():
    assert verify_evidence(rezipped({}), MADE.anchors()).holds
    assert verify_evidence(resigned(CONTENT), MADE.anchors()).holds
    assert verify_evidence(repacked(MATERIAL), MADE.anchors()).holds


# -- by whoever carries it ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(CONTENT))
def test_every_file_that_is_changed_is_named(path):
    ((_, _, detail),) = failed(rezipped({path: CONTENT[path] + b" "}))
    assert detail == f"{path}: changed"


@pytest.mark.parametrize("path", sorted(CONTENT))
def test_every_file_that_is_left_out_is_missed(path):
    ((_, _, detail),) = failed(rezipped({path: None}))
    assert "other files than there are" in detail


def test_an_added_file_is_not_evidence():
    ((_, _, detail),) = failed(rezipped({"notes.txt": b"he did it"}))
    assert "other files than there are" in detail


def test_a_file_left_out_of_the_manifest():
    media = {path: media_type(path) for path in CONTENT if path != "decision.json"}
    ((_, _, detail),) = failed(rezipped({}, manifest=media))
    assert "manifest" in detail


def test_a_manifest_that_gives_another_type():
    media = {path: media_type(path) for path in CONTENT} | {"decision.json": "text/html"}
    failed(rezipped({}, manifest=media))


def test_a_file_left_out_of_the_signature():
    partial = resigned({path: content for path, content in CONTENT.items() if path != "decision.json"})
    failed(rezipped({SIGNATURES: read_container(partial)[SIGNATURES]}))


@pytest.mark.parametrize("name", ["META-INF/signatures2.xml", "META-INF/signatures001.xml", "META-INF/more/a.xml"])
def test_a_second_signature_file(name):
    ((_, _, detail),) = failed(write_container({**CONTENT, name: FILES[SIGNATURES]}, FILES[SIGNATURES], {}))
    assert "one signature file" in detail


def test_a_container_without_a_signature():
    failed(write_container(CONTENT, b"", {path: media_type(path) for path in CONTENT}))


def test_no_container_at_all():
    for data in (b"", b"PK\5\6" + bytes(18), b"%PDF-1.7", CONTAINER[:-1]):
        failed(data)


def test_a_member_that_signs_containers_is_no_gateway():
    """Anybody can sign with a listed key of their own: only a gateway's makes evidence."""
    key = MADE.key(PORTAL)
    stranger = structs.replace(MATERIAL, signer=key.certificate)
    wrong = failed(MADE.container(stranger, key=key))
    assert [subject for subject, _, _ in wrong] == ["container"]
    assert "gateway certificate" in wrong[0][2]


def test_a_key_that_speaks_for_a_member_makes_no_evidence():
    """A hosted key is the gateway's, but its certificate is for the member's messages."""
    key = MADE.hosted_key(LEGACY)
    wrong = failed(MADE.container(structs.replace(MATERIAL, signer=key.certificate), key=key))
    assert [what for _, what, _ in wrong] == ["the signer is a listed gateway, its certificate valid then"]
    assert "speaks for" in wrong[0][2]


def test_an_index_that_names_another_signer():
    other = structs.replace(MATERIAL, signer=MADE.key(PORTAL).certificate)
    content = {**files_of(other), GUIDE: b"guide"}
    assert "different times or signers" in failed(resigned(content))[0][2]


def test_a_timestamp_over_other_bytes():
    read = read_signatures(FILES[SIGNATURES])
    other = token_of(MADE.stamp(b"something else", plus(MATERIAL.made, 1)))
    forged = write_signatures(read.draft, token=other, archive=read.archive)
    wrong = failed(rezipped({SIGNATURES: forged}))
    assert wrong[0][1].startswith("a timestamp authority has seen the container's signature")


def test_a_signature_without_what_later_verifiers_need():
    read = read_signatures(FILES[SIGNATURES])
    bare = write_signatures(read.draft, token=read.token, archive=Archive())
    ((_, what, _),) = failed(rezipped({SIGNATURES: bare}))
    assert "B-LT" in what


def test_a_timestamp_taken_off_is_only_missed():
    """It is not signed itself: without it the container proves less, and says so."""
    read = read_signatures(FILES[SIGNATURES])
    bare = write_signatures(read.draft, token=None, archive=read.archive)
    verified = verify_evidence(rezipped({SIGNATURES: bare}), MADE.anchors())
    assert verified.holds
    assert [each.verdict for each in verified.findings if "container's signature" in each.what.en] == [Verdict.ABSENT]


# -- by a dishonest gateway --------------------------------------------------------------------------------------------


def altered_receipt(role, alter):
    """The material with a receipt whose disclosure is altered."""
    pieces = []
    for piece in MATERIAL.pieces:
        receipt = parse_receipt(piece.receipt)
        if piece.role == role:
            receipt = structs.replace(receipt, extra=alter(json.loads(receipt.extra)))
        pieces.append(Piece(piece.role, receipt.encode(), piece.body))
    return structs.replace(MATERIAL, pieces=tuple(pieces))


def _extra(told):
    openings = parse_openings(
        json.dumps(told["openings"], ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    )
    return Disclosure(told["skeleton"].encode(), openings).encode()


def _other_person(told):
    told["openings"]["fields"][0][1] = "031090009999"
    return _extra(told)


def _other_purpose(told):
    told["skeleton"] = told["skeleton"].replace("1.001193", "1.009999")
    return _extra(told)


@pytest.mark.parametrize("alter", [_other_person, _other_purpose])
def test_a_record_that_says_something_else_is_not_in_the_log(alter):
    wrong = failed(repacked(altered_receipt("request", alter)))
    assert wrong[0][:2] == ("request", "the record is in the log, and what is shown of it is its own")


def other_log(name):
    """A bench whose log is not the one that the trust list names."""
    made = bench("other log")
    made.log.key, made.log.sign = signing_key("other", name)
    made.log.publish()
    return made


@pytest.mark.parametrize("name", ["motlan.example/log", "evil.example/log"])
def test_a_receipt_of_another_log(name):
    made = other_log(name)
    material = made.material(made.exchange(PORTAL))
    wrong = failed(made.container(material), made.anchors())
    assert [detail for _, _, detail in wrong] == ["no trust list that you believe names this log's key"] * 2
    wrong = failed(made.container(structs.replace(material, vkey=MATERIAL.vkey)), made.anchors())
    assert [subject for subject, _, _ in wrong] == ["request", "answer"]
    assert verify_evidence(
        made.container(material), made.anchors(vkeys=(material.vkey,))
    ).holds  # if the verifier says so


def test_an_answer_of_another_exchange():
    made = bench("two")
    first, second = made.exchange(PORTAL), made.exchange(PORTAL)
    material = made.material({"request": first["request"], "answer": second["answer"]})
    wrong = failed(made.container(material), made.anchors())
    assert ("exchange", "request and end belong together", "the answer is of another exchange") in wrong
    assert any(what.startswith("the answer's signature is bound") for _, what, _ in wrong)


def test_an_answer_whose_record_says_the_right_request_but_whose_signature_another():
    made = bench("three")
    first = made.exchange(PORTAL)
    ask = made.ask(PORTAL)
    asked = made.request(PORTAL, ask)
    give = made.answer(first["request"][1], made.next_id())
    given = made.record("answer", PORTAL, give, parent=asked.id, outcome="FOUND", signed_by="gateway")
    material = made.material({"request": (asked, ask), "answer": (given, give)})
    wrong = failed(made.container(material), made.anchors())
    assert [what for _, what, _ in wrong] == ["the answer's signature is bound to the request's"]


@pytest.mark.parametrize("scheme", ["http-sig", "jws", "wsse"])
def test_an_answer_that_confirms_another_request(scheme):
    made = bench("confirms")
    first = made.exchange(PORTAL, scheme)
    ask = made.ask(PORTAL, scheme)
    asked = made.request(PORTAL, ask)
    give = made.answer(first["request"][1], made.next_id(), scheme)
    given = made.record("answer", PORTAL, give, parent=asked.id, outcome="FOUND", signed_by="gateway")
    wrong = failed(made.container(made.material({"request": (asked, ask), "answer": (given, give)})), made.anchors())
    assert [what for _, what, _ in wrong] == ["the answer's signature is bound to the request's"]


def test_an_answer_that_was_signed_in_another_way():
    made = bench("mixed")
    ask = made.ask(PORTAL, "jws")
    asked = made.request(PORTAL, ask)
    give = made.answer(made.ask(PORTAL), made.next_id())
    given = made.record("answer", PORTAL, give, parent=asked.id, outcome="FOUND", signed_by="gateway")
    wrong = failed(made.container(made.material({"request": (asked, ask), "answer": (given, give)})), made.anchors())
    assert wrong[-1][2] == "request and answer are signed in different ways"


def test_an_answer_that_names_other_parties():
    made = bench("parties")
    ask = made.ask(PORTAL)
    asked = made.request(PORTAL, ask)
    given = made.record("answer", CIVIL_STATUS, None, parent=asked.id, outcome="FOUND")
    wrong = failed(made.container(made.material({"request": (asked, ask), "answer": (given, None)})), made.anchors())
    assert "names other parties" in wrong[0][2]


def test_an_answer_that_the_log_had_before_its_request():
    made = bench("order")
    given = made.record("answer", PORTAL, None, parent="01932d3e-8f1c-7abc-8def-000000000002", outcome="FOUND")
    ask = made.ask(PORTAL)
    asked = made.request(PORTAL, ask)
    wrong = failed(made.container(made.material({"request": (asked, ask), "answer": (given, None)})), made.anchors())
    assert "another exchange" in wrong[0][2]


def test_an_end_without_its_request():
    made = bench("end")
    records = made.exchange(PORTAL)
    verified = verify_evidence(made.container(made.material({"answer": records["answer"]})), made.anchors())
    assert verified.holds  # it claims nothing of a request
    other = made.record("abandoned", PORTAL, None, parent=records["request"][0].id, outcome="UNKNOWN")
    both = {"answer": records["answer"], "abandoned": (other, None)}
    assert "without its request" in failed(made.container(made.material(both)), made.anchors())[0][2]


def test_a_soap_request_that_no_listed_key_signed():
    made = bench("unlisted")
    ask = made.ask(PORTAL, "wsse", key=made.key(CIVIL_STATUS))
    asked = made.request(PORTAL, ask)
    wrong = failed(made.container(made.material({"request": (asked, ask)})), made.anchors())
    assert wrong[0][2] == "no certificate of the trust list in force then made it"


def test_a_list_that_was_not_in_force_yet():
    """The record states a time before the list that it names was issued."""
    made = bench("early")
    made.now = plus(made.now, -1800)
    ask = made.ask(PORTAL)
    asked = made.request(PORTAL, ask)
    material = made.material({"request": (asked, ask)}, made=plus(made.now, 3600))
    wrong = failed(made.container(material), made.anchors())
    assert "was not valid at that time" in wrong[0][2]


def test_a_container_signed_when_its_newest_list_was_over():
    """A gateway that newer lists no longer name signs with an older one, which still does."""
    over = decode(payload_of(MADE.list)).valid_until
    late = structs.replace(MATERIAL, made=plus(over, 60))
    wrong = failed(MADE.container(late, stamped=False), MADE.anchors())
    assert "trust list 1 was over at that time" in [each[2] for each in wrong]


@pytest.mark.parametrize("role", ["answer", "refusal", "abandoned", "configuration"])
def test_a_record_under_another_role(role):
    made = bench("roles")
    records = made.exchange(PORTAL)
    material = made.material({role: records["request"]})
    wrong = failed(made.container(material), made.anchors())
    assert wrong[0][0] == "exchange"


def test_two_unrelated_records():
    made = bench("unrelated")
    first, second = made.exchange(PORTAL), made.exchange(PORTAL)
    material = made.material({"request": first["request"], "parent": second["request"]})
    assert "another exchange" in failed(made.container(material), made.anchors())[0][2]


def test_a_caller_whose_signature_is_another_members():
    """A gateway that records somebody's request under another client's name."""
    made = bench("impostor")
    ask = made.ask(PORTAL, key=made.key(CIVIL_STATUS))
    asked = made.request(PORTAL, ask)
    wrong = failed(made.container(made.material({"request": (asked, ask)})), made.anchors())
    assert "who may not sign this" in wrong[0][2]


def test_a_request_that_the_caller_never_signed():
    made = bench("forged")
    ask = made.ask(PORTAL)
    fields = [(name, _flipped(value) if name == "signature" else value) for name, value in ask.fields]
    asked = made.request(PORTAL, Message(body=ask.body, fields=tuple(fields)))
    wrong = failed(made.container(made.material({"request": (asked, ask)})), made.anchors())
    assert wrong[0][1].startswith("signed by the caller")


def _flipped(value):
    return f":{'B' if value[1] == 'A' else 'A'}{value[2:]}"


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [("officer", "nv.binh", "officer"), ("case", "other", "case"), ("body_sha256", "0" * 64, "body")],
)
def test_a_record_that_says_other_than_what_was_signed(field, value, named):
    made = bench("differs")
    ask = made.ask(PORTAL)
    body = hashlib.sha256(ask.body).hexdigest()
    fields = {"officer": "nv.an", "case": "000.00.01.H26-210101-0001", "body_sha256": body, field: value}
    asked = made.request(PORTAL, Message(body=b"", fields=ask.fields), private=tuple(fields.items()))
    material = made.material({"request": (asked, ask)})
    wrong = failed(made.container(material), made.anchors())
    assert [detail for _, _, detail in wrong] == [
        f"the signed {named} is not the recorded one"
    ] or field == "body_sha256"


def test_a_body_that_is_not_the_recorded_one():
    made = bench("body")
    records = made.exchange(PORTAL)
    asked, ask = records["request"]
    lying = Message(body=b'{"identity_number":"031090009999"}', fields=ask.fields)
    material = made.material({"request": (asked, lying), "answer": records["answer"]}, bodies=("request",))
    wrong = failed(made.container(material), made.anchors())
    assert wrong == [("request", "the kept body is the recorded one", wrong[0][2])]


def test_a_soap_envelope_whose_signature_is_another():
    """The body's digest fits its record, but the envelope's own signature is not the one recorded."""
    made = bench("soap")
    ask = made.ask(PORTAL, "wsse")
    other = sign_envelope(ASK.format("031090009999").encode(), key=made.key(PORTAL), now=made.now)
    mixed = Message(body=other.envelope, fields=ask.fields)
    asked = made.request(PORTAL, mixed)
    material = made.material({"request": (asked, mixed)}, bodies=("request",))
    wrong = failed(made.container(material), made.anchors())
    assert wrong[0][1] == "the kept body is the recorded one"


def test_a_policy_that_was_not_in_force():
    material = structs.replace(MATERIAL, documents=(("policy", b"another"), MATERIAL.documents[1]))
    verified = verify_evidence(repacked(material), MADE.anchors())
    found = [each for each in verified.findings if each.what.en.startswith("the policy in force")]
    assert [each.verdict for each in found] == [Verdict.ABSENT]


def test_a_grant_that_the_policy_does_not_hold():
    made = bench("grant")
    ask = made.ask(PORTAL)
    asked = made.request(PORTAL, ask, grant="no-such-grant", ruling=Ruling.ALLOWED)
    wrong = failed(made.container(made.material({"request": (asked, ask)})), made.anchors())
    assert wrong[0][2] == "there is no such grant in it"


def test_the_log_stamped_at_another_size():
    made = bench("stamp")
    records = made.exchange(PORTAL)
    before = made.log.files["checkpoint"]
    made.record("configuration", None, None, service=None)
    material = made.material(records, stamp=Stamp(before, made.stamp(before, plus(made.now, 60))))
    wrong = failed(made.container(material), made.anchors())
    assert "another checkpoint" in wrong[0][2]


def test_a_log_stamped_before_the_record_says_it_was_made():
    made = bench("early")
    records = made.exchange(PORTAL)
    note = made.log.files["checkpoint"]
    material = made.material(records, stamp=Stamp(note, made.stamp(note, plus(made.now, -1200))))
    wrong = failed(made.container(material), made.anchors())
    assert "later time than the log's timestamp" in wrong[0][2]


def test_a_container_dated_after_it_was_stamped():
    """A gateway whose key was withdrawn cannot make old evidence: the authority's time counts, not the one stated."""
    late = structs.replace(MATERIAL, made=plus(MATERIAL.made, 86_400))
    signed_late = MADE.container(late)
    assert verify_evidence(signed_late, MADE.anchors()).holds
    files = {**read_container(signed_late)}
    content = {path: data for path, data in files.items() if not path.startswith("META-INF")}
    draft = read_signatures(files[SIGNATURES])
    early = token_of(MADE.stamp(draft.draft.stamped, MADE.now))
    forged = write_signatures(draft.draft, token=early, archive=draft.archive)
    wrong = failed(write_container(content, forged, {path: media_type(path) for path in content}))
    assert "stamped before" in wrong[0][2]


def test_derived_files_that_say_something_else_than_the_records():
    """Files that openssl would verify, but that are not what the log holds."""
    for path in sorted(CONTENT):
        if path.startswith(("messages/", "certificates/auth", "certificates/crls")) or path in {
            "decision.json",
            "log/log.vkey",
        }:
            wrong = failed(resigned({**CONTENT, path: b"forged"}))
            assert any(f"{path}: not what the records say" in detail for _, _, detail in wrong), path


def test_the_guide_is_for_people_only():
    """Its words may differ from release to release; it still has to be there, and to be signed."""
    assert verify_evidence(resigned({**CONTENT, GUIDE: b"other words"}), MADE.anchors()).holds
    failed(resigned({path: content for path, content in CONTENT.items() if path != GUIDE}))
    assert guide(MATERIAL, stamped=True) == CONTENT[GUIDE]


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told | {"version": 2},
        lambda told: told | {"more": 1},
        lambda told: told | {"trust": []},
        lambda told: told | {"trust": ["../../etc/passwd"]},
        lambda told: told | {"records": []},
        lambda told: told | {"records": told["records"] * 2},
        lambda told: told | {"records": [told["records"][0] | {"role": "../x"}]},
        lambda told: told | {"records": [told["records"][0] | {"kind": "answer"}]},
        lambda told: told | {"timestamp": False},
        lambda told: told | {"made": "yesterday"},
        lambda told: told | {"signer": "x"},
        lambda told: told | {"documents": ["evidence.json"]},
    ],
)
def test_an_index_that_says_something_else(change):
    index = json.dumps(change(json.loads(CONTENT["evidence.json"]))).encode()
    failed(resigned({**CONTENT, "evidence.json": index}))


def test_files_that_make_libraries_stumble():
    """Signed by a listed gateway, and still nothing but a finding."""
    for path in sorted(CONTENT):
        for content in (
            b"",
            b"\xff" * 64,
            b"{" * 5000,
            b"[" * 100_000,
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ):
            if path != GUIDE:
                failed(resigned({**CONTENT, path: content}, stamped=False))


def test_nothing_private_is_in_what_a_verifier_says():
    verified = verify_evidence(CONTAINER, MADE.anchors())
    told = " ".join(f"{each.detail} {each.what.en} {each.what.vi}" for each in verified.findings)
    assert not re.search("031090001234|nv.an|H26-210101", told)
    assert MANIFEST in FILES
