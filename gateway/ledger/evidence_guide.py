"""``VERIFY.md``: how to check a container with other people's tools alone, each command for what is in this one."""

from collections.abc import Iterator
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.ledger.evidence import CHECKPOINT, TIMESTAMP, Material, Shown, authorities_of, digest_of, shown
from gateway.ledger.evidence_guide_go import CHECKER, MODULES, PROGRAM, RECEIPTS
from gateway.ledger.evidence_guide_text import CLOSING, JOSE, LISTED, LOG, OPENING, RFC9421, STAMPED_SIGNATURE, TRUST
from gateway.ledger.evidence_messages import MessageSignature
from gateway.ledger.timestamp import parse_token
from gateway.model.envelope import ProofScheme
from gateway.model.instant import rfc3339, to_seconds
from gateway.signing.algorithms import keyid_of
from gateway.trust.document import ListedCertificate

_P256: Final = "ECDSA_P256_SHA256"
_P384: Final = "ECDSA_P384_SHA384"
_ED25519: Final = "ED25519"
_PSS: Final = "RSA_PSS_SHA512"


def guide(material: Material, *, stamped: bool) -> bytes:
    """The file. stamped: whether the container's signature carries a timestamp. Raises as ``shown`` does."""
    pieces = shown(material)
    parts = [_opening(material, pieces)]
    parts.append(_container(material, stamped=stamped))
    parts.append(TRUST.replace("LISTS", repr(_lists(material))))
    parts.append(_certificates(material, pieces))
    parts.append("".join(_messages(pieces)))
    parts.append(LOG.replace("ROLES", repr([each.role for each in pieces])) + _receipts(pieces))
    parts.append(_log_time(material))
    parts.append(CLOSING)
    return "\n".join(parts).encode()


def _opening(material: Material, pieces: tuple[Shown, ...]) -> str:
    return OPENING.format(
        made=rfc3339(material.made),
        build=material.build,
        records=_records(pieces),
        origin=material.vkey.partition("+")[0],
    )


def _receipts(pieces: tuple[Shown, ...]) -> str:
    return RECEIPTS.format(
        program=PROGRAM,
        modules=" ".join(MODULES),
        checker=CHECKER,
        receipts=" ".join(f"records/{each.role}.tlog-proof" for each in pieces),
    )


def _records(pieces: tuple[Shown, ...]) -> str:
    lines = [
        f"- `{each.role}`: record {each.skeleton.id} of kind {each.skeleton.kind}, {each.skeleton.at}; "
        f"{len(each.openings.shown)} of {len(each.openings.fields)} private fields are shown."
        for each in pieces
    ]
    if any(len(each.openings.shown) < len(each.openings.fields) for each in pieces):
        lines.append(
            "\nFields that are not shown were withheld or erased. What can still be proved: that the record was made, "
            "when, between whom, for which purpose, under which grant, with which outcome, and that it is in the log. "
            "What cannot: what the fields said, and whatever hangs from them (signatures, digests of bodies, persons)."
        )
    return "\n".join(lines)


def _lists(material: Material) -> list[str]:
    return [f"trust/{digest_of(data)}.jws" for data in material.trust]


def _container(material: Material, *, stamped: bool) -> str:
    trusted = " ".join(f"--trusted-pem {name}" for name in _authorities(material))
    at = rfc3339(material.made)[:19].replace("T", " ")
    text = (
        "## 2. The container's signature\n"
        "XAdES over every file: each is a Reference by its path. Only a certificate gives the key (a bare one in the\n"
        "file would prove nothing); section 4 says whose it is, and that these authorities are the trust list's.\n\n"
        "```sh xmlsec1\n"
        f"xmlsec1 --verify --enabled-key-data x509 {trusted} \\\n"
        f"  --verification-gmt-time '{at}' \\\n"
        "  --id-attr:Id http://uri.etsi.org/01903/v1.3.2#:SignedProperties META-INF/signatures.xml\n"
        "```\n\n"
        f"The signer's certificate is `certificates/{keyid_of(material.signer)}.pem`.\n"
    )
    if not stamped:
        return f"{text}\nThe signature carries no timestamp: its time is its own word.\n"
    return text + STAMPED_SIGNATURE.replace("{at}", str(to_seconds(material.made)))


def _authorities(material: Material) -> list[str]:
    certificates, _ = authorities_of(material)
    return [f"certificates/authority-{number}.pem" for number in range(1, len(certificates) + 1)]


def _certificates(material: Material, pieces: tuple[Shown, ...]) -> str:
    times = {keyid_of(material.signer): material.made}
    for each in pieces:
        for _, listed in each.signatures:
            if listed is not None:
                times.setdefault(listed.keyid, each.skeleton.instant)
    commands = "\n".join(
        f"openssl verify -attime {to_seconds(at)} -CAfile certificates/authorities.pem \\\n"
        f"  -crl_check_all -CRLfile certificates/crls.pem certificates/{keyid}.pem"
        for keyid, at in sorted(times.items())
    )
    belonging = (
        LISTED.replace("LISTS", repr(_lists(material)))
        .replace("KEYIDS", repr(sorted(times)))
        .replace("AUTHORITIES", repr(_authorities(material)))
        .replace("SIGNER", keyid_of(material.signer))
    )
    return (
        "## 4. Certificates\n"
        "Each at the time of what it signed, with the revocation lists of then; that it has expired since, or been\n"
        "revoked, changes nothing. Whose it is stands in the trust list, beside `x5t#S256` (its file's name).\n\n"
        f"```sh\n{commands}\n```\n{belonging}"
    )


def _messages(pieces: tuple[Shown, ...]) -> Iterator[str]:
    yield (
        "## 5. The messages' own signatures\n"
        "`.base` holds the exact bytes that were signed (of RFC 9421 the signature base, of WS-Security the canonical\n"
        "SignedInfo), `.signature` the signature, `.der` the same as openssl reads ECDSA.\n"
    )
    for each in pieces:
        for signature, listed in each.signatures:
            if listed is not None:
                yield _one(f"messages/{each.role}-{signature.name}", signature, listed)


def _one(stem: str, signature: MessageSignature, listed: ListedCertificate) -> str:
    heading = f"\n### {stem}: {signature.scheme.value}, by {listed.owner}\n"
    certificate = f"certificates/{listed.keyid}.pem"
    key = x509.load_der_x509_certificate(listed.der).public_key()
    if signature.scheme is ProofScheme.JWS:
        return heading + JOSE.format(certificate=certificate, token=f"{stem}.jwt", **_jose(key))
    public = f'openssl x509 -in {certificate} -noout -pubkey > "$TMPDIR/key.pem"'
    text = f"{heading}\n```sh\n{public}\n{_openssl(stem, signature, key)}\n```\n"
    if signature.scheme is ProofScheme.HTTP_SIGNATURE:
        text += RFC9421.format(stem=stem, certificate=certificate, algorithm=_algorithm(key))
    return text


def _openssl(stem: str, signature: MessageSignature, key: object) -> str:
    """The command for one signature, by the key's kind and, of RSA, the scheme."""
    verify = '-verify "$TMPDIR/key.pem" -signature'
    if isinstance(key, Ed25519PublicKey):
        return (
            f'openssl pkeyutl -verify -pubin -inkey "$TMPDIR/key.pem" -rawin -in {stem}.base -sigfile {stem}.signature'
        )
    if isinstance(key, EllipticCurvePublicKey):
        digest = "sha256" if isinstance(key.curve, SECP256R1) else "sha384"
        return f"openssl dgst -{digest} {verify} {stem}.der {stem}.base"
    if signature.scheme is ProofScheme.HTTP_SIGNATURE:
        pss = "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:64"
        return f"openssl dgst -sha512 {pss} {verify} {stem}.signature {stem}.base"
    digest = "sha512" if b"#rsa-sha512" in signature.base else "sha256"
    return f"openssl dgst -{digest} {verify} {stem}.signature {stem}.base"


def _jose(key: object) -> dict[str, str]:
    if isinstance(key, EllipticCurvePublicKey):
        return {"kind": "ECKey", "algorithm": "ES256" if isinstance(key.curve, SECP256R1) else "ES384"}
    if isinstance(key, Ed25519PublicKey):
        return {"kind": "OKPKey", "algorithm": "EdDSA"}
    return {"kind": "RSAKey", "algorithm": "PS256"}


def _algorithm(key: object) -> str:
    if isinstance(key, EllipticCurvePublicKey):
        return _P256 if isinstance(key.curve, SECP256R1) else _P384
    return _ED25519 if isinstance(key, Ed25519PublicKey) else _PSS


def _log_time(material: Material) -> str:
    if material.stamp is None:
        return "## 7. The log's time\nNo authority has stamped the log since: the time is the gateway's own word.\n"
    at = to_seconds(parse_token(material.stamp.response).at)
    return (
        "## 7. The log's time\n"
        f"`{TIMESTAMP}` says when an authority has seen `{CHECKPOINT}`, and so the records below it. openssl judges\n"
        "its certificate at the time given (else today); the second command shows the time that is stamped.\n\n"
        f'```sh\nopenssl ts -verify -attime {at} -in {TIMESTAMP} -data {CHECKPOINT} -CAfile "$TSA_ROOTS"\n'
        f"openssl ts -reply -in {TIMESTAMP} -text\n```\n"
    )
