"""WS-Security on one envelope of 3 KB: our verifier and signer beside signxml's, turn by turn, and the bare operations.

Run: ``python -m bench.bench_wsse``. Both sides parse the same bytes, check the same five or more references and the
same signature; signxml is given the certificate, and told not to look at schemas or chains.
"""

import datetime as dt
import statistics
import time
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree
from rich.console import Console
from rich.table import Table
from signxml import SignatureConfiguration, XMLSigner, XMLVerifier, methods

from bench.envelopes import envelope
from gateway.keys.file import FileKey
from gateway.model.ids import parse_service, parse_subsystem
from gateway.model.instant import Instant
from gateway.signing.algorithms import PublicKey
from gateway.signing.wsse import parse_security, verify_envelope
from gateway.signing.wsse_sign import sign_envelope

NOW = Instant(time.time_ns() // 1000)
TURNS, ROUNDS = 7, 60
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"


def certified(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> FileKey:
    """A key with a certificate of its own."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    today = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    builder = builder.serial_number(1).not_valid_before(today).not_valid_after(today + dt.timedelta(days=1))
    return FileKey(private, builder.sign(private, hashes.SHA256()).public_bytes(Encoding.DER))


def microseconds(work: Callable[[], object]) -> float:
    """Of processor time for one run."""
    started = time.process_time()
    for _ in range(ROUNDS):
        work()
    return (time.process_time() - started) / ROUNDS * 1e6


def floor(signed: bytes, verify: Callable[[], object]) -> Callable[[], object]:
    """Parse, canonicalise every signed element once, verify: what no verifier can leave out."""

    def run() -> None:
        root = etree.fromstring(signed)
        for element in (*root[0][1:], root[1], root[0][0][1]):
            etree.tostring(element, method="c14n", exclusive=True)
        verify()

    return run


def measure(title: str, private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, name: str) -> list[str]:
    """One row: our times beside signxml's."""
    key = certified(private)
    public = PublicKey.from_certificate(key.certificate)
    plain = envelope(
        parse_subsystem("VN/GOV/H24/portal"),
        parse_service("VN/GOV/G01/population/citizen"),
        "citizen",
        purpose=("1.001193", "ND-63/2024"),
    )
    ours = sign_envelope(plain, key=key, now=NOW)
    root = etree.fromstring(ours.envelope)
    ids = [f"#{each.get(f'{{{WSU}}}Id')}" for each in (*root[0][1:], root[1], root[0][0][1])]
    certificate = x509.load_der_x509_certificate(key.certificate)
    signer = XMLSigner(
        method=methods.detached,
        signature_algorithm=name,
        digest_algorithm="sha256",
        c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#",
    )
    verifier = XMLVerifier()
    expected = SignatureConfiguration(expect_references=len(ids))

    def verify_ours() -> None:
        verify_envelope(parse_security(ours.envelope), public, now=NOW)

    def verify_theirs() -> None:
        verifier.verify(
            etree.fromstring(ours.envelope),
            x509_cert=certificate,
            expect_config=expected,
            validate_schema=False,
        )

    def sign_ours() -> None:
        sign_envelope(plain, key=key, now=NOW)

    def sign_theirs() -> None:
        copy = etree.fromstring(ours.envelope)
        security = copy[0][0]
        security.remove(security.find("{http://www.w3.org/2000/09/xmldsig#}Signature"))
        signer.sign(copy, key=private, cert=[certificate], reference_uri=ids)

    works = [verify_ours, verify_theirs, sign_ours, sign_theirs]
    works.append(floor(ours.envelope, lambda: public.verify_xml(key.xml_algorithm, ours.signature, ours.base)))
    turns = [[microseconds(work) for work in works] for _ in range(TURNS)]
    verify, verify_other, sign, sign_other, least = (statistics.median(column) for column in zip(*turns, strict=True))
    return [
        title,
        f"{len(ours.envelope):,}",
        f"{verify:.0f}",
        f"{verify_other:.0f}",
        f"{statistics.median(turn[1] / turn[0] for turn in turns):.1f} ×",
        f"{least:.0f}",
        f"{sign:.0f}",
        f"{sign_other:.0f}",
        f"{statistics.median(turn[3] / turn[2] for turn in turns):.1f} ×",
    ]


def main() -> None:
    """Print the table."""
    table = Table(title="WS-Security, µs of processor time (wanted: verify ≥ 0.5 ×, sign ≥ 2 × signxml's rate)")
    for heading in ("key", "bytes", "verify", "signxml", "rate", "floor", "sign", "signxml", "rate"):
        table.add_column(heading, justify="left" if heading == "key" else "right")
    table.add_row(*measure("P-256", ec.generate_private_key(ec.SECP256R1()), "ecdsa-sha256"))
    table.add_row(*measure("RSA-2048", rsa.generate_private_key(65_537, 2048), "rsa-sha256"))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
