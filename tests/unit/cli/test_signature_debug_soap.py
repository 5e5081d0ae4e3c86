"""``motlan signature debug`` of SOAP: each usual mistake of a WS-Security stack gets its right diagnosis."""

import hashlib
import re

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree

from gateway.model.instant import plus, rfc3339
from gateway.signing.wsse_names import DS, SOAP11
from gateway.signing.wsse_sign import sign_envelope
from tests.support.cli import run
from tests.support.wsse import (
    BODY_REF,
    DOCUMENT,
    NOW,
    REFS,
    Ref,
    certificate_pem,
    craft,
    envelope,
    key,
    other_key,
    pem,
    timestamp,
    token,
)

SHA1 = f"{DS}sha1"


def debug(tmp_path, body: bytes, *options, kind="text/xml; charset=utf-8", at=NOW, signer=None):
    head = (
        f"POST /soap HTTP/1.1\r\nHost: gateway.example\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    (tmp_path / "request").write_bytes(head.encode() + body)
    (tmp_path / "cert.pem").write_bytes(certificate_pem(signer))
    known = ["--cert", tmp_path / "cert.pem", "--url", "https://gateway.example", "--at", rfc3339(at)]
    ran = run("signature", "debug", tmp_path / "request", *known, "--json", *options)
    assert "Traceback" not in ran.said, ran.said
    return ran.code, ran.values


class Signer:
    """Signs something else, or otherwise, than it should."""

    def __init__(self, sign) -> None:
        self.certificate = key().certificate
        self.sign_xml = sign


def _raw():
    return load_pem_private_key(pem(), None)


CROWDED = DOCUMENT.replace("xmlns:wsu=", 'xmlns:unused="urn:u" xmlns:wsu=', 1)
"""Declares a prefix that inclusive canonical form repeats in Body, and exclusive does not."""


def _canonical_body(*, exclusive: bool) -> bytes:
    tree = etree.fromstring(craft(CROWDED))
    (body,) = tree.xpath("/s:Envelope/s:Body", namespaces={"s": SOAP11})
    return etree.tostring(body, method="c14n", exclusive=exclusive)


def _without_id() -> bytes:
    return _canonical_body(exclusive=True).replace(
        b' xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd" wsu:Id="body"',
        b"",
    )


def _body(octets: bytes) -> tuple[Ref, ...]:
    return tuple(ref._replace(octets=octets) if ref is BODY_REF else ref for ref in REFS)


def _indented(data: bytes) -> bytes:
    return data.replace(b"<p:number>", b"\n    <p:number>").replace(b"</p:ask>", b"\n  </p:ask>")


CASES = {
    # what the caller did → step, code, words of a hint
    "nothing wrong": (craft, None, None, None),
    "signed by ours": (lambda: sign_envelope(envelope(), key=key(), now=NOW, nonce=b"x" * 16).envelope, None, None, None),
    "no signature": (envelope, "envelope", "client.security_missing", None),
    "SHA-1": (lambda: craft(refs=[ref._replace(digest=SHA1) for ref in REFS]), "envelope", "client.security_algorithm", None),
    "Body not covered": (
        lambda: craft(refs=[ref for ref in REFS if ref is not BODY_REF]),
        "envelope", "client.security_cover_incomplete", None,
    ),
    "two ids": (lambda: craft().replace(b"<p:number>", b'<p:number wsu:Id="body">'), "envelope", "client.security_id_duplicate", None),
    "inclusive c14n": (
        lambda: craft(CROWDED, refs=_body(_canonical_body(exclusive=False))),
        "proof", "client.security_digest_mismatch", "inclusive canonical XML",
    ),
    "digested before the id": (
        lambda: craft(refs=_body(_without_id())), "proof", "client.security_digest_mismatch", "before it got its wsu:Id",
    ),
    "indented afterwards": (lambda: _indented(craft()), "proof", "client.security_digest_mismatch", "indented after"),
    "changed afterwards": (
        lambda: craft().replace(b"079085000001", b"079085000002"), "proof", "client.security_digest_mismatch", "was changed",
    ),
    "signature in DER": (
        lambda: craft(signer=Signer(lambda base: _raw().sign(base, ec.ECDSA(hashes.SHA256())))),
        "proof", "client.signature_invalid", "in DER",
    ),
    "hashed before": (
        lambda: craft(signer=Signer(lambda base: key().sign_xml(hashlib.sha256(base).digest()))),
        "proof", "client.signature_invalid", "hashes by itself",
    ),
    "another key": (
        lambda: craft(signer=other_key(), tokens=token(key().certificate)), "proof", "client.signature_invalid", None,
    ),
    "another certificate": (lambda: craft(signer=other_key()), "key", "client.unknown_key", "another certificate"),
    "expired": (lambda: craft(times=timestamp(plus(NOW, -900))), "proof", "client.signature_expired", "--at"),
    "lives too long": (
        lambda: craft(times=timestamp(NOW, plus(NOW, 900))), "proof", "client.security_timestamp", None,
    ),
    "no XML": (lambda: b"hello", "envelope", "client.invalid_xml", None),
    "DOCTYPE": (lambda: b"<!DOCTYPE a>" + craft(), "envelope", "client.xml_forbidden", None),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_step_and_reason(tmp_path, case):
    make, step, expected, words = CASES[case]
    code, found = debug(tmp_path, make())
    assert (found["scheme"], found["step"], found["code"]) == ("wsse", step, expected)
    assert code == (0 if step is None else 1)
    if words:
        assert any(words in hint for hint in found["hints"]), found["hints"]


def test_each_digest_is_shown_as_computed_and_as_stated(tmp_path):
    sent = craft().replace(b"079085000001", b"079085000002")
    _, found = debug(tmp_path, sent)
    stated = re.findall(rb"<ds:DigestValue>([^<]+)", sent)
    assert found["values"]["Body (stated)"].encode() in stated
    assert found["values"]["Body (computed)"].encode() not in stated
    assert found["values"]["Timestamp (computed)"].encode() in stated
    assert "Timestamp (stated)" not in found["values"]


def test_canonical_signed_info_is_set_beside_the_callers(tmp_path):
    sent = craft()
    _, found = debug(tmp_path, sent)
    assert found["base"].startswith("<ds:SignedInfo xmlns:ds=")
    own = tmp_path / "mine"
    own.write_bytes(found["base"].encode().replace(b"<ds:SignedInfo xmlns", b"<ds:SignedInfo  xmlns"))
    _, found = debug(tmp_path, sent, "--base", own)
    assert found["difference"]["offset"] == len("<ds:SignedInfo ")
    assert found["signed_own_base"] is False


def test_multipart_body_is_taken_apart(tmp_path):
    boundary, sent = "b-1", craft()
    root = b"--b-1\r\nContent-Type: text/xml\r\nContent-ID: <root>\r\n\r\n" + sent + b"\r\n"
    kind = f'multipart/related; type="text/xml"; start="<root>"; boundary="{boundary}"'
    code, found = debug(tmp_path, root + b"--b-1--\r\n", kind=kind)
    assert (code, found["code"]) == (0, None)
    extra = b"--b-1\r\nContent-Type: application/pdf\r\nContent-ID: <a>\r\n\r\nPDF\r\n"
    _, found = debug(tmp_path, root + extra + b"--b-1--\r\n", kind=kind)
    assert (found["step"], found["code"]) == ("proof", "client.attachment_uncovered")


def test_the_header_of_a_large_envelope_ends_early(tmp_path):
    large = "<s:Header><w:x xmlns:w='urn:w'>" + "y" * 70_000 + "</w:x>"
    code, found = debug(tmp_path, craft(DOCUMENT.replace("<s:Header>", large, 1)))
    assert code == 1
    assert found["step"] == "envelope"
    assert [step["code"] for step in found["steps"]][-1] == "client.envelope_too_large"
    assert debug(tmp_path, craft(DOCUMENT.replace("</s:Body>", " " * 70_000 + "</s:Body>")))[0] == 0
