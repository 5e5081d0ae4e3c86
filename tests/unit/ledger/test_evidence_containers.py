"""Evidence of every sort of exchange, verified offline: what is proved, what is not, and what is said about it."""

import asyncio
import functools
import re
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import structs
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import PathValidationError

from adapters.simulators.parties import CIVIL_STATUS, LEGACY, ONE_STOP, POPULATION, PORTAL
from adapters.simulators.pki import GATEWAY
from gateway.keys.file import load_private_key, load_public_key
from gateway.keys.issue import DevelopmentAuthority
from gateway.ledger.evidence import VERSION, authorities_of, files_of, material_of
from gateway.ledger.evidence_findings import Verdict
from gateway.ledger.evidence_verify import verify_evidence
from gateway.ledger.evidence_witnesses import COSIGNED
from gateway.ledger.record import RecordKind, Ruling, SignedBy
from gateway.model.instant import plus, to_datetime
from gateway.signing.asice import read_container
from gateway.trust.document import Signers
from gateway.trust.jws import sign, signer_key
from gateway.trust.wire import encode_list
from tests.support import pki
from tests.support.evidence import Message, bench, usual
from tests.support.pki import document, signed_list


def of(verified, verdict):
    return [(each.subject, each.what.en) for each in verified.findings if each.verdict is verdict]


def said(verified, start, subject=None):
    """The verdict and detail of the one finding that begins so."""
    ((verdict, detail),) = [
        (each.verdict, each.detail)
        for each in verified.findings
        if each.what.en.startswith(start) and each.subject == (subject or each.subject)
    ]
    return verdict, detail


SCHEMES = [
    (PORTAL, "http-sig"),
    (CIVIL_STATUS, "http-sig"),
    (ONE_STOP, "http-sig"),
    (POPULATION, "http-sig"),
    (PORTAL, "jws"),
    (ONE_STOP, "jws"),
    (POPULATION, "jws"),
    (PORTAL, "wsse"),
    (CIVIL_STATUS, "wsse"),
    (POPULATION, "wsse"),
]


@pytest.mark.parametrize(("client", "scheme"), SCHEMES)
def test_an_exchange_proves_both_halves_in_every_scheme_and_key(client, scheme):
    made = bench()
    material = made.material(made.exchange(client, scheme), bodies=("request", "answer"))
    verified = verify_evidence(made.container(material), made.anchors())
    assert verified.holds
    assert of(verified, Verdict.FAILED) == []
    assert of(verified, Verdict.ABSENT) == [("log", COSIGNED.en)]  # there is no witness
    proved, by = said(verified, "signed by the caller")
    assert proved is Verdict.PROVED
    assert by.startswith(f"{client}, {scheme}")
    assert said(verified, "signed by the gateway")[1].startswith(str(GATEWAY))
    assert said(verified, "the answer's signature is bound")[0] is Verdict.PROVED
    assert [record.role for record in verified.records] == ["request", "answer"]


def test_the_same_material_makes_the_same_files_and_comes_back():
    _, material, container = usual()
    files = read_container(container)
    assert {path: content for path, content in files.items() if not path.startswith("META-INF")} == {
        **files_of(material),
        "VERIFY.md": files["VERIFY.md"],
    }
    assert material_of({path: files[path] for path in files if not path.startswith("META-INF")}) == material
    assert VERSION == 1  # a new form needs a new number, and samples of it


def test_without_an_authority_it_says_that_the_times_are_the_gateways_word():
    made = bench()
    material = made.material(made.exchange(PORTAL), stamped=False)
    verified = verify_evidence(made.container(material, stamped=False), made.anchors(authorities=()))
    assert verified.holds
    assert said(verified, "a timestamp authority has seen the container")[0] is Verdict.ABSENT
    assert said(verified, "a timestamp authority has seen the log", "answer")[0] is Verdict.ABSENT
    assert b"the time is the gateway's own word" in read_container(made.container(material, stamped=False))["VERIFY.md"]


def test_a_timestamp_that_nobody_can_check_proves_nothing():
    made, _, container = usual()
    verified = verify_evidence(container, made.anchors(authorities=()))
    assert not verified.holds
    assert "--tsa-ca" in said(verified, "a timestamp authority has seen the container")[1]


def test_a_refusal_proves_who_asked_for_what_and_why_not():
    made = bench()
    ask = made.ask(PORTAL)
    refused = made.record(
        RecordKind.REFUSAL,
        PORTAL,
        ask,
        ruling=Ruling.DENIED,
        reasons=("server.serverproxy.access_denied",),
        outcome="DENIED",
        signed_by=SignedBy.CALLER,
    )
    material = made.material({"refusal": (refused, ask)})
    verified = verify_evidence(made.container(material), made.anchors())
    assert verified.holds
    assert said(verified, "signed by the caller", "refusal")[0] is Verdict.PROVED
    assert said(verified, "the policy in force then")[1] == "nothing was granted"
    decided = files_of(material)["decision.json"]
    assert b'"reasons":["server.serverproxy.access_denied"],"ruling":"denied"' in decided


def test_an_abandoned_request_has_its_end_in_it():
    made = bench()
    ask = made.ask(PORTAL)
    asked = made.request(PORTAL, ask)
    end = made.record(RecordKind.ABANDONED, PORTAL, None, parent=asked.id, outcome="UNKNOWN")
    records = {"request": (asked, ask), "abandoned": (end, None)}
    verified = verify_evidence(made.container(made.material(records)), made.anchors())
    assert verified.holds
    assert said(verified, "request and end belong together")[0] is Verdict.PROVED
    assert "no message with a record of kind abandoned" in said(verified, "a signature of the message", "abandoned")[1]


def test_a_request_without_its_end_says_so():
    made = bench()
    ask = made.ask(PORTAL)
    verified = verify_evidence(
        made.container(made.material({"request": (made.request(PORTAL, ask), ask)})), made.anchors()
    )
    assert verified.holds
    assert said(verified, "an end of the request")[0] is Verdict.ABSENT


def test_an_erased_record_still_proves_that_it_was_and_what_was_decided():
    made = bench()
    records = made.exchange(PORTAL)
    material = made.material(records, keep=lambda _: False)
    container = made.container(material)
    verified = verify_evidence(container, made.anchors())
    assert verified.holds
    assert said(verified, "the record is in the log", "request")[0] is Verdict.PROVED
    assert said(verified, "the policy in force then")[0] is Verdict.PROVED
    verdict, detail = said(verified, "every private field", "request")
    assert (verdict, detail.partition(":")[0]) == (Verdict.ABSENT, "0 of 6")
    assert "withheld or erased" in said(verified, "a signature of the message", "request")[1]
    assert said(verified, "the answer's signature is bound")[0] is Verdict.ABSENT
    files = read_container(container)
    assert not any(path.startswith("messages/") for path in files)
    assert b"0 of 6 private fields are shown" in files["VERIFY.md"]
    for secret in (b"031090001234", b"nv.an", b"H26-210101"):
        assert not any(secret in content for content in files.values())


def test_a_person_can_be_hidden_and_the_rest_still_proved():
    made = bench()
    material = made.material(made.exchange(PORTAL), keep=lambda opening: opening.name != "person")
    container = made.container(material)
    verified = verify_evidence(container, made.anchors())
    assert verified.holds
    assert said(verified, "every private field", "request")[1].startswith("5 of 6")
    assert said(verified, "signed by the caller")[0] is Verdict.PROVED
    assert not any(b"031090001234" in content for content in read_container(container).values())


def test_a_hosted_key_is_named_for_what_it_is():
    made = bench()
    ask = made.ask(LEGACY, key=made.hosted_key(LEGACY))
    asked = made.request(LEGACY, ask, signed_by=SignedBy.HOSTED_KEY)
    verified = verify_evidence(made.container(made.material({"request": (asked, ask)})), made.anchors())
    assert verified.holds
    assert said(verified, "signed by the gateway with a key hosted")[1].startswith(str(LEGACY))


def test_a_call_made_inside_hangs_from_its_parent():
    made = bench()
    ask = made.ask(PORTAL)
    parent = made.request(PORTAL, ask)
    inner = Message(body=b"{}", fields=())
    asked = made.request(PORTAL, inner, parent=parent.id, signed_by=SignedBy.PARENT)
    given = made.record(RecordKind.ANSWER, PORTAL, inner, parent=asked.id, outcome="FOUND")
    records = {"request": (asked, inner), "answer": (given, inner), "parent": (parent, ask)}
    verified = verify_evidence(made.container(made.material(records)), made.anchors())
    assert verified.holds
    assert said(verified, "signed by the caller", "parent")[0] is Verdict.PROVED
    assert "under the proof of the record that led to it" in said(verified, "a signature of the message", "request")[1]


def test_any_other_record_can_be_proved_too():
    made = bench()
    record = made.record(RecordKind.CONFIGURATION, None, None, service=None, reasons=("policy", "0" * 64))
    verified = verify_evidence(made.container(made.material({"configuration": (record, None)})), made.anchors())
    assert verified.holds


def test_what_the_gateway_and_the_provider_signed_is_judged_too():
    made = bench()
    records = made.exchange(PORTAL, "wsse")
    asked, _ = records["request"]
    forwarded = made.ask(POPULATION, "wsse", key=made.gateway)
    provided = made.ask(POPULATION, "wsse")
    named = dict(forwarded.fields) | {f"provider_{name}": value for name, value in provided.fields}
    fields = (
        ("envelope_base", named["signature_base"]),
        ("envelope_signature", named["signature"]),
        ("provider_base", named["provider_signature_base"]),
        ("provider_signature", named["provider_signature"]),
        ("provider_keyid", made.key(POPULATION).keyid),
    )
    give = made.answer(records["request"][1], made.next_id(), "wsse")
    given = made.record(RecordKind.ANSWER, PORTAL, give, parent=asked.id, outcome="FOUND", private=fields)
    records = {"request": records["request"], "answer": (given, give)}
    verified = verify_evidence(made.container(made.material(records)), made.anchors())
    assert verified.holds
    assert said(verified, "the gateway signed the envelope")[1].startswith(str(GATEWAY))
    assert said(verified, "the provider signed its answer")[1].startswith(str(POPULATION))


# -- time --------------------------------------------------------------------------------------------------------------


@functools.cache
def later_list():
    """The trust list a year on: the portal's certificate is gone, its authority has revoked it, the serial grew."""
    shared = pki.shared()
    now = document(shared)
    kept = tuple(each for each in now.certificates if each.owner != PORTAL)
    issued = plus(now.issued, 30 * pki.DAY)
    return signed_list(
        shared,
        structs.replace(now, serial=2, issued=issued, valid_until=plus(issued, 365 * pki.DAY), certificates=kept),
    )


def test_evidence_outlives_the_callers_certificate_and_the_list():
    """A verifier years later has a newer list, in which the caller's certificate does not even stand any more."""
    made, _, container = usual()
    verified = verify_evidence(container, made.anchors(lists=(later_list(),)))
    assert verified.holds
    assert said(verified, "your trust list is signed")[1] == "list 2"


def test_as_many_signers_must_have_signed_as_the_verifier_demands():
    made, _, container = usual()
    keys = tuple(load_public_key(path) for path in made.pki.signer_keys)
    verified = verify_evidence(container, made.anchors(signers=Signers(required=3, keys=keys)))  # two have
    assert not verified.holds
    assert "2 of the signers" in said(verified, "your trust list is signed")[1]
    assert verify_evidence(container, made.anchors(signers=Signers(required=2, keys=keys))).holds


def test_signers_that_nobody_trusts_are_not_believed():
    """A list of the forger's own, with right signatures of theirs, makes nothing true."""
    made, _, container = usual()
    other = ec.generate_private_key(ec.SECP256R1())
    signers = Signers(required=1, keys=(signer_key(other),))
    own = sign(encode_list(structs.replace(document(made.pki), serial=9, signers=signers)), [other])
    verified = verify_evidence(container, made.anchors(lists=(own,)))
    assert not verified.holds
    assert said(verified, "the trust lists in it")[0] is Verdict.FAILED


@functools.cache
def revoking(seconds):
    """A newer revocation list of the issuing authority: the portal's certificate is revoked so long after the call."""
    made, _, _ = usual()
    folder = made.pki.folder / "ca"
    certificate = x509.load_pem_x509_certificate((folder / "issuing.pem").read_bytes())
    authority = DevelopmentAuthority(certificate, load_private_key(folder / "issuing.key.pem"))
    serial = x509.load_der_x509_certificate(made.key(PORTAL).certificate).serial_number
    until = plus(made.now, 60 * pki.DAY)
    return authority.crl(
        {serial: plus(made.now, seconds)}, this_update=plus(made.now, 600), next_update=until, number=2
    )


def test_a_certificate_revoked_since_was_good_then():
    made = bench()
    material = made.material(made.exchange(PORTAL), crls=(revoking(300),))
    assert verify_evidence(made.container(material), made.anchors()).holds


def test_a_certificate_revoked_before_was_not():
    made = bench()
    material = made.material(made.exchange(PORTAL), crls=(revoking(-1),))
    verified = verify_evidence(made.container(material), made.anchors())
    assert of(verified, Verdict.FAILED) == [("request", "signed by the caller, its certificate valid then")]


def test_another_library_judges_the_certificates_alike():
    """pyhanko-certvalidator, at the call's time, with the revocation lists of the container."""
    made, material, _ = usual()
    authorities, crls = authorities_of(material)
    loaded = [asn1x509.Certificate.load(der) for der in authorities]
    roots = [each for each in loaded if each.subject == each.issuer]
    for at, crl_of, good in (
        (made.now, crls, True),
        (plus(made.now, 700), (revoking(710), crls[0]), True),
        (plus(made.now, 700), (revoking(-1), crls[0]), False),
    ):
        context = ValidationContext(
            trust_roots=roots,
            other_certs=[each for each in loaded if each not in roots],
            crls=list(crl_of),
            moment=to_datetime(at),
            allow_fetching=False,
            revocation_mode="require",
        )
        checker = CertificateValidator(
            asn1x509.Certificate.load(made.key(PORTAL).certificate), validation_context=context
        )
        if good:
            asyncio.run(checker.async_validate_usage({"digital_signature"}))
        else:
            with pytest.raises(PathValidationError):
                asyncio.run(checker.async_validate_usage({"digital_signature"}))


def test_the_documentation_names_every_file():
    page = (Path(__file__).parents[3] / "docs/evidence.md").read_text()
    rows = [cell for line in page.splitlines() if line.startswith("| `") for cell in re.findall(r"`([^`]+)`", line)]
    made = bench("docs")
    for scheme in ("http-sig", "jws"):
        container = made.container(
            made.material(made.exchange(PORTAL, scheme), bodies=("request",), crls=(revoking(300),))
        )
        for path in read_container(container):
            general = re.sub(r"[A-Za-z0-9_-]{43}", "KEYID", re.sub(r"[0-9a-f]{64}", "DIGEST", path))
            general = re.sub(r"-\d+\.pem", "-N.pem", re.sub(r"/\d+\.crl", "/N.crl", general))
            general = re.sub(r"(request|answer)-(signature)(?=\.)", "ROLE-NAME", general)
            general = re.sub(r"/(request|answer)\.", "/ROLE.", general)
            name = general.rpartition("/")[2]
            dotted = f".{name.partition('.')[2]}"
            assert {general, name, dotted} & set(rows), path
