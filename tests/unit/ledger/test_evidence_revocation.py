"""Expired and revoked certificates in evidence: of the signer, of the caller, of the timestamp authority, of CAs.

What was signed before a certificate's end holds for ever; what was signed after it never did. The tables say it for each
way in which a verifier can learn of the end.
"""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ReasonFlags
from msgspec import structs

from adapters.simulators.parties import PORTAL
from gateway.keys.issue import DevelopmentAuthority, new_key
from gateway.ledger.evidence_conclusion import conclude
from gateway.ledger.evidence_findings import Verdict
from gateway.ledger.evidence_stamps import NOT_REVOKED
from gateway.ledger.evidence_verify import verify_evidence
from gateway.model.instant import plus
from gateway.signing.asice import SIGNATURES, read_container, write_container
from gateway.signing.xades import Archive, write_signatures
from gateway.signing.xades_read import read_signatures
from tests.support.evidence import bench
from tests.support.evidence_attested import Elsewhere, authority_of, crl_of, later_list, revocation_list, serial_of
from tests.support.pki import DAY, document

_SIGNER = "the signer is a listed gateway, its certificate valid then"
_CALLER = "signed by the caller, its certificate valid then"


def failed(verified):
    return [each.what.en for each in verified.findings if each.verdict is Verdict.FAILED]


def stamps(verified):
    """What is said of the authorities' revocation: of the container's stamp, then of the log's."""
    return [(each.verdict, each.detail) for each in verified.findings if each.what == NOT_REVOKED]


# -- who signed --------------------------------------------------------------------------------------------------------


def carried(made, crl):
    """In the container."""
    return {"crls": (crl,)}, {}


def brought(made, crl):
    """By the verifier: --crl."""
    return {}, {"crls": (crl,)}


def listed(made, crl):
    """In the verifier's own, newer trust list."""
    return {}, {"lists": (later_list(made, crls=(document(made.pki).crls[0], crl)),)}


WAYS = [carried, brought, listed]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("reason", [None, ReasonFlags.key_compromise, ReasonFlags.superseded])
@pytest.mark.parametrize(("seconds", "holds"), [(-60, False), (0, False), (1, True), (40 * DAY, True)])
def test_the_signers_certificate_was_revoked(way, reason, seconds, holds):
    """seconds: after the container's own timestamp."""
    made = bench("signer revoked")
    stamped = plus(made.now, 3601)
    serial = serial_of(made.gateway.certificate)
    crl = crl_of(made, {serial: (plus(stamped, seconds), reason)}, issued=plus(stamped, 5 * DAY))
    material, anchors = way(made, crl)
    # Records that the gateway itself signed nothing of: a request alone.
    ask = made.ask(PORTAL)
    data = made.container(made.material({"request": (made.request(PORTAL, ask), ask)}, **material))
    verified = verify_evidence(data, made.anchors(**anchors))
    assert verified.holds is holds
    assert failed(verified) == ([] if holds else [_SIGNER])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("seconds", "holds"), [(-60, False), (0, False), (1, True), (30, True)])
def test_the_callers_certificate_was_revoked(way, seconds, holds):
    """seconds: after the record's time, which the log's timestamp bounds."""
    made = bench("caller revoked")
    serial = serial_of(made.key(PORTAL).certificate)
    crl = crl_of(made, {serial: (plus(made.now, seconds), None)}, issued=plus(made.now, DAY))
    material, anchors = way(made, crl)
    data = made.container(made.material(made.exchange(PORTAL), **material))
    verified = verify_evidence(data, made.anchors(**anchors))
    assert verified.holds is holds
    assert failed(verified) == ([] if holds else [_CALLER])


@pytest.mark.parametrize(("seconds", "holds"), [(-60, False), (4000, True)])
def test_the_ca_of_all_of_them_was_revoked(seconds, holds):
    made = bench("ca revoked")
    serial = authority_of(made.pki).certificate.serial_number
    crl = crl_of(
        made, {serial: (plus(made.now, seconds), ReasonFlags.superseded)}, issued=plus(made.now, DAY), name="root"
    )
    data = made.container(made.material(made.exchange(PORTAL)))
    verified = verify_evidence(data, made.anchors(crls=(crl,)))
    assert verified.holds is holds
    if not holds:
        assert {_SIGNER, _CALLER} <= set(failed(verified))


def test_a_list_that_has_dropped_what_expired_does_not_make_it_good_again():
    made = bench("dropped")
    serial = serial_of(made.key(PORTAL).certificate)
    named = crl_of(made, {serial: (plus(made.now, -60), None)}, issued=plus(made.now, DAY))
    dropped = crl_of(made, {}, issued=plus(made.now, 50 * DAY))
    data = made.container(made.material(made.exchange(PORTAL), crls=(named,)))
    for crls in ((), (dropped,)):
        verified = verify_evidence(data, made.anchors(crls=crls))
        assert failed(verified) == [_CALLER]


@pytest.mark.parametrize(
    ("days", "newer", "holds"),
    [
        (1, False, True),
        (29, False, True),
        (31, False, False),  # the revocation lists of the trust list ended after 30 days
        (31, True, True),  # and newer ones show what they could not
        (89, True, True),
        (91, True, False),  # the certificate itself ended after 90, and so did the authority's
    ],
)
def test_a_container_that_was_signed_so_many_days_later(days, newer, holds):
    made = bench("late")
    crls = [crl_of(made, {}, issued=plus(made.now, 30 * DAY), name=name, days=100) for name in ("root", "issuing")]
    material = made.material(made.exchange(PORTAL), made=plus(made.now, days * DAY))
    verified = verify_evidence(made.container(material), made.anchors(crls=tuple(crls) if newer else ()))
    assert verified.holds is holds
    assert (_SIGNER in failed(verified)) is not holds


def test_a_revocation_list_of_a_stranger_changes_nothing():
    """Under the CA's name, by another key."""
    made = bench("stranger")
    key = new_key()
    serial = serial_of(made.gateway.certificate)
    forged = revocation_list(
        authority_of(made.pki).certificate, key, {serial: (plus(made.now, -60), None)}, issued=plus(made.now, DAY)
    )
    data = made.container(made.material(made.exchange(PORTAL)))
    assert verify_evidence(data, made.anchors(crls=(forged,))).holds
    assert verify_evidence(data, made.anchors(crls=(b"no list", b""))).holds


def test_how_far_revocation_lists_reach_is_said():
    """Of signer and caller: as of the oldest list that is needed, of the newest of each CA."""
    made = bench("as of")
    data = made.container(made.material(made.exchange(PORTAL)))
    newer = tuple(
        crl_of(made, {}, issued=plus(made.now, days * DAY), name=name) for days, name in ((5, "root"), (9, "issuing"))
    )
    for crls, said in (
        ((), "2027-01-15T07:00:00.000Z"),
        (newer[:1], "2027-01-15T07:00:00.000Z"),
        (newer, "2027-01-20T08:00:00.000Z"),
    ):
        found = verify_evidence(data, made.anchors(crls=crls)).findings
        details = [each.detail for each in found if each.what.en in {_SIGNER, _CALLER}]
        assert [each.partition("; ")[2] for each in details] == [f"revocations as of {said}"] * 2


# -- who stamped -------------------------------------------------------------------------------------------------------


def test_the_development_authority_stands_under_a_ca_whose_list_is_published():
    made = bench("development")
    verified = verify_evidence(made.container(made.material(made.exchange(PORTAL))), made.anchors())
    assert verified.holds
    assert [verdict for verdict, _ in stamps(verified)] == [Verdict.PROVED] * 2


@pytest.fixture(scope="module")
def elsewhere():
    made = Elsewhere()
    material = made.material(made.exchange(PORTAL))
    return made, material, made.container(material)


def test_without_its_revocation_lists_it_is_said_that_nothing_is_known(elsewhere):
    made, _, data = elsewhere
    for crls in ((), (made.authority.crl("issuing"),), (made.authority.crl("root"),)):
        verified = verify_evidence(data, made.anchors(crls=crls))
        assert verified.holds
        assert [verdict for verdict, _ in stamps(verified)] == [Verdict.ABSENT] * 2
        assert all("not judged: no revocation list of CN=Other TSA" in detail for _, detail in stamps(verified))
        assert any("timestamp authority's certificate" in each.en for each in conclude(verified).left_open)


def _container(made, material, crls):
    return made.container(structs.replace(material, crls=crls)), made.anchors()


def _values(made, material, crls):
    """Beside the signature, in RevocationValues, as somebody may add them later."""
    files = read_container(made.container(material))
    read = read_signatures(files.pop(SIGNATURES))
    archive = Archive(read.archive.certificates, (*read.archive.crls, *crls))
    signatures = write_signatures(read.draft, token=read.token, archive=archive)
    media = {file.path: file.media_type for file in read.files}
    return write_container({path: files[path] for path in media}, signatures, media), made.anchors()


def _brought(made, material, crls):
    return made.container(material), made.anchors(crls=crls)


@pytest.mark.parametrize("way", [_container, _values, _brought])
def test_with_them_it_is_judged(elsewhere, way):
    made, material, _ = elsewhere
    data, anchors = way(made, material, (made.authority.crl("root"), made.authority.crl("issuing")))
    verified = verify_evidence(data, anchors)
    assert verified.holds
    assert stamps(verified) == [(Verdict.PROVED, "as its CAs said at 2027-01-15T07:00:00.000Z")] * 2


@pytest.mark.parametrize("way", [_container, _values, _brought])
def test_an_authority_that_was_revoked_before_it_stamped(elsewhere, way):
    made, material, _ = elsewhere
    serial = made.authority.certificates["tsa"].serial_number
    crl = made.authority.crl("issuing", {serial: (made.now, ReasonFlags.superseded)}, issued=plus(made.now, DAY))
    verified = verify_evidence(*way(made, material, (crl,)))
    assert not verified.holds
    assert "a timestamp authority has seen the container's signature" in failed(verified)
    assert "a timestamp authority has seen the log with this record in it" in failed(verified)
    assert conclude(verified).proved == ()


@pytest.mark.parametrize("further", [0, 1], ids=["of its name and number", "of others"])
def test_certificates_added_to_a_stolen_keys_token_hide_no_revocation(further):
    """A token's certificates are not signed: whoever stole a revoked key puts others before the right one."""
    made = Elsewhere()
    right = made.authority.certificates["tsa"]
    made.authority.beside = tuple(_decoy(right, further * number) for number in range(1, 301 if further else 9))
    crl = made.authority.crl("issuing", {right.serial_number: (plus(made.now, -DAY), ReasonFlags.key_compromise)})
    verified = verify_evidence(
        made.container(made.material(made.exchange(PORTAL))), made.anchors(crls=(made.authority.crl("root"), crl))
    )
    assert not verified.holds
    assert "a timestamp authority has seen the container's signature" in failed(verified)


def _decoy(right, further):
    """Signed by nobody in particular, of the same issuer, and of a number so much further."""
    key = new_key()
    builder = x509.CertificateBuilder(right.issuer, right.subject, key.public_key(), right.serial_number + further)
    ends = builder.not_valid_before(right.not_valid_before_utc).not_valid_after(right.not_valid_after_utc)
    return ends.sign(key, hashes.SHA256())


AFTER = 2 * DAY
REVOKED = {
    # RFC 3161 §4: what was stamped before stays good only where the list says a reason that is not the key's.
    "superseded after": (ReasonFlags.superseded, AFTER, True),
    "superseded before": (ReasonFlags.superseded, 30, False),
    "affiliation changed after": (ReasonFlags.affiliation_changed, AFTER, True),
    "ceased after": (ReasonFlags.cessation_of_operation, AFTER, True),
    "ceased before": (ReasonFlags.cessation_of_operation, -DAY, False),
    "unspecified after": (ReasonFlags.unspecified, AFTER, True),
    "compromised after": (ReasonFlags.key_compromise, AFTER, False),
    "compromised before": (ReasonFlags.key_compromise, -DAY, False),
    "its CA's key, after": (ReasonFlags.ca_compromise, AFTER, False),
    "on hold after": (ReasonFlags.certificate_hold, AFTER, False),
    "no reason, after": (None, AFTER, False),
    "no reason, before": (None, 30, False),
}


@pytest.mark.parametrize(("reason", "seconds", "holds"), REVOKED.values(), ids=REVOKED)
@pytest.mark.parametrize("whose", ["tsa", "issuing"])
def test_an_authority_that_was_revoked(elsewhere, whose, reason, seconds, holds):
    """seconds: after the exchange; the log was stamped 60 s after it, the container 3,601 s."""
    made, _, data = elsewhere
    above = {"tsa": "issuing", "issuing": "root"}[whose]
    revoked = {made.authority.certificates[whose].serial_number: (plus(made.now, seconds), reason)}
    others = {"issuing", "root"} - {above}
    crls = (
        made.authority.crl(above, revoked, issued=plus(made.now, 3 * DAY)),
        *(made.authority.crl(name) for name in others),
    )
    verified = verify_evidence(data, made.anchors(crls=crls))
    assert verified.holds is holds
    if holds:
        assert all("after it stamped" in detail for _, detail in stamps(verified))


def test_lists_that_say_nothing_of_that_time(elsewhere):
    made, _, data = elsewhere
    good = made.authority.crl("root")
    early = made.authority.crl("issuing", issued=plus(made.now, -DAY), days=0.5)
    partial = made.authority.crl("issuing", extension=x509.DeltaCRLIndicator(1))
    other = DevelopmentAuthority(made.authority.certificates["issuing"], new_key())
    forged = other.crl({}, this_update=plus(made.now, -60), next_update=plus(made.now, DAY))
    for crl in (early, partial, forged):
        verified = verify_evidence(data, made.anchors(crls=(good, crl)))
        assert verified.holds
        assert [verdict for verdict, _ in stamps(verified)] == [Verdict.ABSENT] * 2


def test_an_authority_that_the_verifier_trusts_by_itself(elsewhere):
    made, _, data = elsewhere
    own = made.authority.certificates["tsa"].public_bytes(Encoding.DER)
    verified = verify_evidence(data, made.anchors(authorities=(*made.roots, own)))
    assert verified.holds
    assert stamps(verified) == [(Verdict.PROVED, "it is one of those that you trust by themselves")] * 2
