"""Certificates at the message's time: chain, validity, usage, revocation; and whose they are."""

import datetime as dt
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification
from msgspec.structs import replace

from adapters.simulators import parties
from adapters.simulators import weak_certificate as asn1
from gateway.keys.issue import DevelopmentAuthority, KeyKind, Profile, new_key
from gateway.model.errors import ExchangeError
from gateway.model.errors import trust as kinds
from gateway.model.ids import parse_service, parse_subsystem
from gateway.model.instant import MICROSECONDS, Instant, plus, to_datetime
from gateway.model.usage import RoleName, Usage
from gateway.signing.algorithms import PublicKey
from gateway.trust.certificates import examine, load_authorities
from gateway.trust.document import ListedCertificate, thumbprint
from gateway.trust.store import TrustStore
from tests.support import pki as support
from tests.support.pki import DAY, NOW

PKI = support.shared()
STORE = support.store(PKI)
DOCUMENT = support.document(PKI)
PORTAL_KEY = support.signing_key(PKI, parties.PORTAL)


def der_of(path):
    return x509.load_pem_x509_certificates(path.read_bytes())[0].public_bytes(Encoding.DER)


def refusal(function, *arguments):
    with pytest.raises(ExchangeError) as refused:
        function(*arguments)
    return refused.value.kind


# -- what is right is found ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("subsystem", list(PKI.identities), ids=str)
def test_each_subsystems_key_is_found_under_its_keyid_and_verifies(subsystem):
    private = support.signing_key(PKI, subsystem)
    found = STORE.signing_key(private.keyid, NOW)
    assert found.owner == subsystem
    PublicKey(found.key, keyid=found.keyid).verify(private.sign(b"text"), b"text")


@pytest.mark.parametrize("subsystem", list(PKI.identities), ids=str)
def test_each_subsystems_tls_certificate_says_who_it_is(subsystem):
    assert STORE.tls_identity(der_of(PKI.identities[subsystem].tls_certificate), NOW) == subsystem


def test_the_gateways_and_the_hosted_keys_are_gateway_keys_and_nothing_else():
    own = support.gateway_key(PKI).keyid
    hosted = thumbprint(der_of(PKI.hosted[parties.LEGACY][1]))
    assert STORE.gateway_key(own, NOW).usage is Usage.GATEWAY_SIGN
    assert STORE.gateway_key(hosted, NOW).owner == parties.LEGACY
    for keyid in (own, hosted):
        assert refusal(STORE.signing_key, keyid, NOW) is kinds.UNKNOWN_KEY
    assert refusal(STORE.gateway_key, PORTAL_KEY.keyid, NOW) is kinds.UNKNOWN_KEY


def test_parties_are_found():
    assert STORE.member(parties.PORTAL.member).name == "Ủy ban nhân dân thành phố Hải Phòng"
    assert STORE.subsystem(parties.LEGACY).schemes == {"mtls"}
    assert STORE.subsystem(parse_subsystem("VN/GOV/H99/x")) is None
    assert STORE.service(parse_service("VN/GOV/G01/population/citizen")).type == "SOAP"
    assert [role.role for role in STORE.roles(RoleName.AUDITOR)] == [RoleName.AUDITOR]


def test_ws_security_hints_lead_to_the_listed_certificate_only():
    certificate = x509.load_der_x509_certificate(PORTAL_KEY.certificate)
    assert STORE.keyids_by_serial(certificate.serial_number) == (PORTAL_KEY.keyid,)
    assert STORE.keyid_by_sha1(certificate.fingerprint(hashes.SHA1())) == PORTAL_KEY.keyid
    assert STORE.keyid_by_der(PORTAL_KEY.certificate) == PORTAL_KEY.keyid
    assert STORE.keyids_by_serial(1) == ()
    assert STORE.keyid_by_sha1(bytes(20)) is None
    assert STORE.keyid_by_der(PORTAL_KEY.certificate + b"\0") is None


def test_another_implementation_agrees_about_every_path():
    """The library's own path validation, with its webPKI expectations about names taken away."""
    roots = x509.load_pem_x509_certificates(PKI.root.read_bytes())
    issuing = x509.load_pem_x509_certificates(PKI.bundle.read_bytes())[:1]
    lenient = verification.ExtensionPolicy.permit_all()
    verifier = (
        verification.PolicyBuilder()
        .store(verification.Store(roots))
        .time(to_datetime(NOW))
        .extension_policies(ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(), ee_policy=lenient)
        .build_client_verifier()
    )
    ec_keys = [key for key in STORE.listed() if isinstance(key.key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)]
    agreed = 0
    for key in ec_keys:
        try:
            verifier.verify(key.certificate, issuing)
            theirs = True
        except verification.VerificationError:
            theirs = False
        if key.facts.problem is not None and key.facts.problem[0] is kinds.CERTIFICATE_WRONG_USAGE:
            continue  # what a certificate is listed for is our own question
        ours = key.facts.problem is None and key.facts.not_before <= NOW <= key.facts.not_after
        assert theirs == ours, key.facts.problem
        agreed += 1
    assert agreed > 15


# -- bad input of the issue ----------------------------------------------------------------------------------------

BAD = {
    "expired": kinds.CERTIFICATE_EXPIRED,
    "not-yet-valid": kinds.CERTIFICATE_NOT_YET_VALID,
    "other-ca": kinds.CERTIFICATE_UNTRUSTED,
    "revoked": kinds.CERTIFICATE_REVOKED,
    "wrong-usage": kinds.CERTIFICATE_WRONG_USAGE,
    "sha1": kinds.CERTIFICATE_WEAK,
}


@pytest.mark.parametrize(("name", "kind"), BAD.items())
def test_bad_certificates_are_refused_each_with_its_own_code(name, kind):
    assert refusal(STORE.signing_key, support.bad_key(PKI, name).keyid, NOW) is kind


def test_the_bad_ones_are_named_as_problems_and_the_others_still_work():
    named = sorted(problem.kind.code for problem in STORE.problems(NOW) if problem.usage is Usage.SIGN)
    assert named == sorted(kind.code for kind in BAD.values())
    assert {problem.owner for problem in STORE.problems(NOW)} == {parties.PORTAL}


def test_a_key_that_is_not_listed_is_unknown():
    assert refusal(STORE.signing_key, "x" * 43, NOW) is kinds.UNKNOWN_KEY
    assert refusal(STORE.tls_identity, b"", NOW) is kinds.UNKNOWN_KEY


def test_a_tls_key_signs_nothing_and_a_signing_certificate_identifies_nobody():
    tls = der_of(PKI.identities[parties.PORTAL].tls_certificate)
    assert refusal(STORE.signing_key, thumbprint(tls), NOW) is kinds.UNKNOWN_KEY
    assert refusal(STORE.tls_identity, PORTAL_KEY.certificate, NOW) is kinds.UNKNOWN_KEY


def test_a_key_belongs_to_one_subsystem_only():
    key = STORE.signing_key(PORTAL_KEY.keyid, NOW)
    key.require_owner(parties.PORTAL)
    assert refusal(key.require_owner, parties.UNGRANTED) is kinds.KEY_OF_ANOTHER
    assert refusal(key.require_owner, replace(parties.PORTAL, subsystem_code=None)) is kinds.KEY_OF_ANOTHER


def test_refusals_name_the_key_and_no_person():
    with pytest.raises(ExchangeError) as refused:
        STORE.signing_key(support.bad_key(PKI, "expired").keyid, NOW)
    assert support.bad_key(PKI, "expired").keyid in str(refused.value)


# -- time ----------------------------------------------------------------------------------------------------------


def test_validity_is_inclusive_to_the_second():
    facts = STORE.key(PORTAL_KEY.keyid).facts
    certificate = x509.load_der_x509_certificate(PORTAL_KEY.certificate)
    assert to_datetime(facts.not_before) == certificate.not_valid_before_utc
    assert to_datetime(facts.not_after) - certificate.not_valid_after_utc == dt.timedelta(microseconds=999_999)
    key = STORE.key(PORTAL_KEY.keyid)
    key.check(facts.not_before)
    assert refusal(key.check, Instant(facts.not_before - 1)) is kinds.CERTIFICATE_NOT_YET_VALID
    assert refusal(key.check, Instant(facts.not_after + 1)) is kinds.CERTIFICATE_EXPIRED


def test_a_signature_from_before_the_revocation_stays_good():
    keyid = support.bad_key(PKI, "revoked").keyid
    revoked_from = STORE.key(keyid).facts.revoked_from
    assert STORE.signing_key(keyid, Instant(revoked_from - 1)).owner == parties.PORTAL
    assert refusal(STORE.signing_key, keyid, revoked_from) is kinds.CERTIFICATE_REVOKED


def test_after_the_lists_end_nothing_new_is_admitted():
    end = DOCUMENT.valid_until
    late = Instant(end + 1)
    assert refusal(STORE.signing_key, PORTAL_KEY.keyid, late) is kinds.TRUST_LIST_EXPIRED
    tls = der_of(PKI.identities[parties.PORTAL].tls_certificate)
    assert refusal(STORE.tls_identity, tls, late) is kinds.TRUST_LIST_EXPIRED
    assert refusal(STORE.check_current, late) is kinds.TRUST_LIST_EXPIRED
    STORE.check_current(end)


@pytest.mark.parametrize(
    ("seconds_left", "alarm"),
    [(8 * DAY, None), (7 * DAY, 7), (2 * DAY, 7), (DAY, 1), (0, 1), (-1, 0)],
)
def test_the_end_of_the_list_is_announced(seconds_left, alarm):
    assert STORE.days_left_alarm(Instant(DOCUMENT.valid_until - seconds_left * MICROSECONDS)) == alarm


def test_a_look_up_costs_a_few_comparisons():
    start = time.perf_counter()
    for _ in range(2000):
        STORE.signing_key(PORTAL_KEY.keyid, NOW)
    assert (time.perf_counter() - start) / 2000 < 20e-6  # measured: 0.3 µs; the margin is for busy machines


# -- revocation lists ----------------------------------------------------------------------------------------------


def test_after_next_update_nobody_is_believed():
    late = plus(NOW, 30 * DAY + 1)
    assert refusal(STORE.signing_key, PORTAL_KEY.keyid, late) is kinds.CRL_STALE


def authority():
    """A root with what it issued, for lists made to measure."""
    key = new_key()
    root = DevelopmentAuthority.root("Test Root", "Test", key, now=NOW, days=365)
    return root, key


def profile(usage=Usage.SIGN, **changes):
    wanted = Profile(
        usage=usage,
        common_name="VN/GOV/H24/portal",
        organization="Test",
        not_before=plus(NOW, -60),
        not_after=plus(NOW, 10 * DAY),
    )
    return replace(wanted, **changes)


def crl(root, revoked=None, *, start=-60, end=DAY):
    return root.crl(revoked or {}, this_update=plus(NOW, start), next_update=plus(NOW, end))


def der(root):
    return root.certificate.public_bytes(Encoding.DER)


def test_a_newer_revocation_list_beside_the_trust_list_takes_effect():
    issuing_key = support.load_private_key(PKI.folder / "ca/issuing.key.pem")
    issuing = DevelopmentAuthority(
        x509.load_pem_x509_certificate((PKI.folder / "ca/issuing.pem").read_bytes()), issuing_key
    )
    serial = x509.load_der_x509_certificate(PORTAL_KEY.certificate).serial_number
    newer = issuing.crl({serial: NOW}, this_update=NOW, next_update=plus(NOW, DAY), number=2)
    older = issuing.crl({serial: NOW}, this_update=plus(NOW, -2 * DAY), next_update=plus(NOW, DAY), number=0)
    assert refusal(TrustStore.load(support.verified(PKI), crls=[newer]).signing_key, PORTAL_KEY.keyid, NOW) is (
        kinds.CERTIFICATE_REVOKED
    )
    TrustStore.load(support.verified(PKI), crls=[older]).signing_key(PORTAL_KEY.keyid, NOW)


def test_an_authority_without_revocation_list_is_not_believed():
    crls = tuple(DOCUMENT.crls[:1])  # the root's only
    store = support.changed_store(PKI, crls=crls)
    assert refusal(store.signing_key, PORTAL_KEY.keyid, NOW) is kinds.CRL_MISSING


def test_a_revoked_authority_takes_its_certificates_with_it():
    root, _ = authority()
    below_key = new_key()
    below = root.subordinate("Below", "Test", below_key, now=NOW, days=100)
    leaf = x509.load_der_x509_certificate(below.issue(new_key().public_key(), profile()))
    revoked_at = plus(NOW, -10)
    crls = [crl(root, {below.certificate.serial_number: revoked_at}), crl(below)]
    facts = examine(leaf, Usage.SIGN, load_authorities([der(root), der(below)], crls))
    assert facts.problem is None
    assert facts.revoked_from == revoked_at


@pytest.mark.parametrize("forgery", ["other key", "other name", "delta", "no next update", "indirect"])
def test_revocation_lists_that_prove_nothing_are_refused(forgery):
    root, key = authority()
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.certificate.subject)
        .last_update(to_datetime(NOW))
        .next_update(to_datetime(plus(NOW, DAY)))
    )
    if forgery == "other key":
        key = new_key()
    if forgery == "other name":
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Somebody")])
        builder = x509.CertificateRevocationListBuilder(name, to_datetime(NOW), to_datetime(plus(NOW, DAY)))
    if forgery == "delta":
        builder = builder.add_extension(x509.DeltaCRLIndicator(1), critical=True)
    if forgery == "indirect":
        point = x509.IssuingDistributionPoint(
            full_name=None,
            relative_name=None,
            only_contains_user_certs=False,
            only_contains_ca_certs=False,
            only_some_reasons=None,
            indirect_crl=True,
            only_contains_attribute_certs=False,
        )
        builder = builder.add_extension(point, critical=True)
    data = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    if forgery == "no next update":
        data = _without_next_update(root, key)
    with pytest.raises(ValueError, match="revocation list"):
        load_authorities([der(root)], [data])


def _without_next_update(root, key):
    """Cut nextUpdate out of a CRL (X.509 lets it be absent; the builder does not) and sign it again."""
    whole = crl(root)
    body, algorithm, _ = asn1._children(asn1._content(whole))
    fields = asn1._children(asn1._content(body))
    next_update = 4  # version, signature, issuer, thisUpdate, nextUpdate (RFC 5280 §5.1)
    assert fields[next_update][0] in {0x17, 0x18}
    body = asn1._element(0x30, b"".join(fields[:next_update] + fields[next_update + 1 :]))
    signature = key.sign(body, ec.ECDSA(hashes.SHA256()))
    return asn1._element(0x30, body + algorithm + asn1._element(0x03, b"\0" + signature))


# -- paths, strength, usage ----------------------------------------------------------------------------------------


def examined(certificate, root, usage=Usage.SIGN, more=()):
    authorities = load_authorities(
        [der(root), *(der(each) for each in more)], [crl(root), *(crl(each) for each in more)]
    )
    problem = examine(x509.load_der_x509_certificate(certificate), usage, authorities).problem
    return None if problem is None else problem[0]


def test_a_path_that_names_the_authority_but_is_not_signed_by_it_is_refused():
    root, _ = authority()
    impostor = DevelopmentAuthority(root.certificate, new_key())
    assert examined(impostor.issue(new_key().public_key(), profile()), root) is kinds.CERTIFICATE_UNTRUSTED


def test_an_intermediate_without_its_root_proves_nothing():
    root, _ = authority()
    below = root.subordinate("Below", "Test", new_key(), now=NOW, days=100)
    leaf = x509.load_der_x509_certificate(below.issue(new_key().public_key(), profile()))
    problem = examine(leaf, Usage.SIGN, load_authorities([der(below)], [crl(below)])).problem
    assert problem[0] is kinds.CERTIFICATE_UNTRUSTED


def test_a_member_cannot_issue_certificates():
    root, _ = authority()
    member_key = new_key()
    member = x509.load_der_x509_certificate(root.issue(member_key.public_key(), profile()))
    forged = DevelopmentAuthority(member, member_key).issue(new_key().public_key(), profile())
    assert examined(forged, root) is kinds.CERTIFICATE_UNTRUSTED
    with pytest.raises(ValueError, match="may not sign"):
        load_authorities([der(root), member.public_bytes(Encoding.DER)], [])


def test_a_path_longer_than_its_authority_allows_is_refused():
    root, _ = authority()
    first = root.subordinate("First", "Test", (first_key := new_key()), now=NOW, days=100)
    second = DevelopmentAuthority(first.certificate, first_key).subordinate(
        "Second", "Test", new_key(), now=NOW, days=50
    )
    leaf = second.issue(new_key().public_key(), profile())
    assert examined(leaf, root, more=(first, second)) is kinds.CERTIFICATE_UNTRUSTED
    assert examined(first.issue(new_key().public_key(), profile()), root, more=(first,)) is None


def test_a_certificate_is_no_longer_valid_than_its_authority():
    key = new_key()
    root = DevelopmentAuthority.root("Short", "Test", key, now=NOW, days=2)
    leaf = x509.load_der_x509_certificate(root.issue(new_key().public_key(), profile()))
    facts = examine(leaf, Usage.SIGN, load_authorities([der(root)], [crl(root)]))
    assert facts.not_after < plus(NOW, 2 * DAY + 1)


@pytest.mark.parametrize("kind", list(KeyKind))
def test_authorities_and_members_may_have_any_accepted_kind_of_key(kind):
    root = DevelopmentAuthority.root("Root", "Test", new_key(kind), now=NOW, days=10)
    assert examined(root.issue(new_key(kind).public_key(), profile()), root) is None


@pytest.mark.parametrize(
    "key",
    [
        lambda: rsa.generate_private_key(65_537, 1024),
        lambda: ec.generate_private_key(ec.SECP256K1()),
        lambda: ec.generate_private_key(ec.SECP521R1()),
    ],
    ids=["rsa-1024", "secp256k1", "p-521"],
)
def test_weak_and_unlisted_keys_are_refused(key):
    root, _ = authority()
    assert examined(root.issue(key().public_key(), profile()), root) is kinds.CERTIFICATE_WEAK


def test_an_authority_that_may_sign_no_certificates_cannot_be_listed():
    root, key = authority()
    builder = (
        x509.CertificateBuilder(root.certificate.subject, root.certificate.subject, key.public_key(), 7)
        .not_valid_before(to_datetime(NOW))
        .not_valid_after(to_datetime(plus(NOW, DAY)))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            root.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value, critical=False
        )
    )
    no_usage = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    with pytest.raises(ValueError, match="may not sign"):
        load_authorities([no_usage], [])


def test_sha1_authority_cannot_be_listed():
    root, key = authority()
    weak = asn1.sign_with_sha1(der(root), key)
    with pytest.raises(ValueError, match="sha1"):
        load_authorities([weak], [])


@pytest.mark.parametrize(
    ("made_for", "bits", "used_as", "kind"),
    [
        (Usage.SIGN, {"digital_signature", "content_commitment"}, Usage.SIGN, None),
        (Usage.SIGN, {"content_commitment"}, Usage.SIGN, kinds.CERTIFICATE_WRONG_USAGE),
        (Usage.SIGN, {"key_agreement"}, Usage.SIGN, kinds.CERTIFICATE_WRONG_USAGE),
        (Usage.SIGN, {"digital_signature"}, Usage.TLS, kinds.CERTIFICATE_WRONG_USAGE),
        (Usage.SIGN, {"digital_signature"}, Usage.GATEWAY_TLS, kinds.CERTIFICATE_WRONG_USAGE),
        (Usage.SIGN, {"digital_signature"}, Usage.HOSTED_SIGN, kinds.CERTIFICATE_WRONG_USAGE),
        (Usage.HOSTED_SIGN, {"digital_signature"}, Usage.HOSTED_SIGN, None),
        (Usage.TLS, {"digital_signature"}, Usage.TLS, None),
        (Usage.TLS, {"digital_signature"}, Usage.SIGN, kinds.CERTIFICATE_WRONG_USAGE),
        (Usage.TLS, {"key_agreement"}, Usage.TLS, kinds.CERTIFICATE_WRONG_USAGE),
        (Usage.GATEWAY_TLS, {"digital_signature"}, Usage.GATEWAY_TLS, None),
    ],
)
def test_usage_is_what_the_certificate_says(made_for, bits, used_as, kind):
    root, _ = authority()
    certificate = root.issue(new_key().public_key(), profile(made_for, key_usage=frozenset(bits)))
    assert examined(certificate, root, used_as) is kind


def test_an_authoritys_own_certificate_signs_no_messages():
    root, _ = authority()
    assert examined(der(root), root) is kinds.CERTIFICATE_WRONG_USAGE


def test_a_certificate_without_key_usage_is_refused():
    root, key = authority()
    builder = (
        x509.CertificateBuilder(root.certificate.subject, root.certificate.subject, new_key().public_key(), 7)
        .not_valid_before(to_datetime(NOW))
        .not_valid_after(to_datetime(plus(NOW, DAY)))
    )
    bare = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    assert examined(bare, root) is kinds.CERTIFICATE_WRONG_USAGE


def test_a_critical_extension_that_nobody_processes_refuses_the_certificate():
    root, key = authority()
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    builder = root.certify(new_key().public_key(), profile()).add_extension(unknown, critical=True)
    assert examined(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER), root) is kinds.CERTIFICATE_UNTRUSTED


def test_a_certificate_listed_for_another_member_speaks_for_that_one_only():
    certificate = der_of(PKI.identities[parties.PORTAL].certificate)
    moved = tuple(
        replace(listed, owner=parties.UNGRANTED) if listed.der == certificate else listed
        for listed in DOCUMENT.certificates
    )
    store = support.changed_store(PKI, certificates=moved)
    key = store.signing_key(PORTAL_KEY.keyid, NOW)
    assert refusal(key.require_owner, parties.PORTAL) is kinds.KEY_OF_ANOTHER


def test_listed_certificate_and_private_key_agree_on_the_keyid():
    listed = ListedCertificate(der=PORTAL_KEY.certificate, usage=Usage.SIGN, owner=parties.PORTAL)
    assert listed.keyid == PORTAL_KEY.keyid
