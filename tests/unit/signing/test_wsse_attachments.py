"""Attachments under a WS-Security signature: covered by ``cid:``, or put in place of their xop:Include."""

import base64

import pytest
from msgspec.structs import replace

from gateway.model.errors import ExchangeError
from gateway.model.errors import wsse as kinds
from gateway.model.errors.soap import ROOT_TOO_LARGE
from gateway.model.message import Part
from gateway.signing.wsse import check_attachments, inline_xop, parse_security, verify_answer, verify_envelope
from gateway.signing.wsse_names import SWA_CONTENT, XOP
from gateway.signing.wsse_sign import sign_envelope
from tests.support import wsse as w

A, B = w.part(b"%PDF-1.7 a", "a@motlan"), w.part(b"%PDF-1.7 b", "ă b&c%2@motlan", kept=False)
SWA = f'<ds:Transform Algorithm="{SWA_CONTENT}"/>'


def _signed(*attachments):
    data = sign_envelope(w.envelope(), key=w.key(), now=w.NOW, attachments=attachments).envelope
    return data, w.verified(data).direct


def _refused(proof, parts):
    with pytest.raises(ExchangeError) as caught:
        check_attachments(proof, parts)
    return caught.value.kind


def test_covered_attachments_are_what_arrived():
    data, proof = _signed(A, B)
    assert proof.attachments == (("a@motlan", A.sha256), ("ă b&c%2@motlan", B.sha256))
    check_attachments(proof, (w.root_part(data), A, B))
    check_attachments(proof, (w.root_part(data), B, A))


def test_a_message_that_is_no_multipart_has_none():
    check_attachments(_signed()[1], ())


def test_an_attachment_that_nothing_covers():
    data, proof = _signed(A)
    assert _refused(proof, (w.root_part(data), A, B)) == kinds.ATTACHMENT_UNCOVERED


def test_an_attachment_without_content_id():
    data, proof = _signed(A)
    nameless = Part(fields=(("Content-Type", "text/plain"),), offset=0, size=1, sha256=A.sha256)
    assert _refused(proof, (w.root_part(data), nameless)) == kinds.ATTACHMENT_UNCOVERED


def test_the_same_content_id_twice():
    data, proof = _signed(A)
    assert _refused(proof, (w.root_part(data), A, A)) == kinds.ATTACHMENT_UNCOVERED


def test_a_part_with_two_content_ids():
    data, proof = _signed(A)
    double = Part(fields=(*A.fields, ("Content-ID", "<b>")), offset=0, size=A.size, sha256=A.sha256)
    assert _refused(proof, (w.root_part(data), double)) == kinds.ATTACHMENT_UNCOVERED


def test_a_covered_attachment_that_is_not_there():
    data, proof = _signed(A, B)
    assert _refused(proof, (w.root_part(data), A)) == kinds.ATTACHMENT_MISSING
    assert _refused(proof, ()) == kinds.ATTACHMENT_MISSING


def test_a_changed_attachment():
    data, proof = _signed(A)
    assert _refused(proof, (w.root_part(data), w.part(b"%PDF-1.7 x", "a@motlan"))) == kinds.ATTACHMENT_MISMATCH


def test_two_attachments_swapped():
    data, proof = _signed(A, w.part(b"c", "c"))
    swapped = (w.root_part(data), w.part(b"c", "a@motlan"), w.part(A.data, "c"))
    assert _refused(proof, swapped) == kinds.ATTACHMENT_MISMATCH


def test_an_attachment_without_content_id_cannot_be_signed():
    with pytest.raises(ExchangeError) as caught:
        _signed(Part(fields=(), offset=0, size=1, sha256=A.sha256))
    assert caught.value.kind == kinds.SECURITY_REFERENCE


def test_the_reference_of_another_stack():
    refs = (*w.REFS, w.Ref("cid:a%40motlan", octets=A.data, transforms=SWA))
    assert w.verified(w.craft(refs=refs)).direct.attachments == (("a@motlan", A.sha256),)


@pytest.mark.parametrize("uri", ["cid:%ff%fe", f"cid:{'a' * 513}"])
def test_references_that_name_nothing(uri):
    with pytest.raises(ExchangeError) as caught:
        parse_security(w.craft(refs=(*w.REFS, w.Ref(uri, octets=b"x", transforms=SWA))))
    assert caught.value.kind == kinds.SECURITY_REFERENCE


# -- XOP -----------------------------------------------------------------------------------------------------------

INCLUDE = f'<xop:Include xmlns:xop="{XOP}" href="cid:a%40motlan"/>'


def _document(inner):
    return w.DOCUMENT.replace("</p:ask>", f"<p:file>{inner}</p:file></p:ask>")


def test_xop_content_is_hashed_as_its_base64_in_place():
    data = w.craft(_document(base64.b64encode(A.data).decode()))
    sent = data.replace(base64.b64encode(A.data), INCLUDE.encode())
    root, rest = inline_xop(sent, (w.root_part(sent), A))
    assert rest == ()
    proof = verify_envelope(parse_security(root), w.public(), now=w.NOW, inlined=(A,))
    assert base64.b64encode(A.data) in proof.envelope
    check_attachments(proof.direct, (w.root_part(sent), A))


def test_other_content_in_its_place_is_noticed():
    data = w.craft(_document(base64.b64encode(A.data).decode())).replace(base64.b64encode(A.data), INCLUDE.encode())
    root, _ = inline_xop(data, (w.root_part(data), w.part(b"%PDF-1.7 x", "a@motlan")))
    with pytest.raises(ExchangeError) as caught:
        verify_envelope(parse_security(root), w.public(), now=w.NOW)
    assert caught.value.kind == kinds.SECURITY_DIGEST_MISMATCH


def test_content_signed_by_cid_stays_where_it_is_however_large():
    spooled = w.part(A.data, "a@motlan", kept=False)
    refs = (*w.REFS, w.Ref("cid:a%40motlan", octets=A.data, transforms=SWA))
    data = w.craft(_document(INCLUDE), refs)
    root, rest = inline_xop(data, (w.root_part(data), spooled))
    assert rest == (spooled,)
    check_attachments(w.verified(root).direct, (w.root_part(data), spooled))


def test_an_envelope_without_include_comes_back_as_it_was():
    data = w.craft()
    assert inline_xop(data, ()) == (data, ())
    assert inline_xop(data, (w.root_part(data), A)) == (data, (A,))
    text = w.craft(w.DOCUMENT.replace("079085000001", "Include"))
    assert inline_xop(text, (w.root_part(text), A)) == (text, (A,))


BROKEN = {
    "no such part": INCLUDE.replace("a%40motlan", "nobody"),
    "no href": INCLUDE.replace("href", "src"),
    "an external href": INCLUDE.replace("cid:a%40motlan", "http://evil.example/"),
    "text before it": f"x{INCLUDE}",
    "text after it": f"{INCLUDE}x",
    "two of them": INCLUDE * 2,
    "content in it": INCLUDE.replace("/>", "><p:x/></xop:Include>"),
}


@pytest.mark.parametrize("inner", BROKEN.values(), ids=BROKEN)
def test_broken_includes(inner):
    data = _document(inner).replace("@SECURITY@", "").encode()
    with pytest.raises(ExchangeError) as caught:
        inline_xop(data, (w.root_part(data), A))
    assert caught.value.kind == kinds.XOP_UNSIGNABLE


def test_content_on_disk_cannot_be_put_in_place():
    data = w.craft(_document(INCLUDE))
    with pytest.raises(ExchangeError) as caught:
        inline_xop(data, (w.root_part(data), w.part(A.data, "a@motlan", kept=False)))
    assert caught.value.kind == kinds.XOP_UNSIGNABLE


def test_one_part_included_a_thousand_times():
    """5 KB of envelope would become 1 GB."""
    data = _document(f"{INCLUDE}</p:file><p:file>" * 1000).replace("@SECURITY@", "").encode()
    with pytest.raises(ExchangeError) as caught:
        inline_xop(data, (w.root_part(data), w.part(b"x" * 1_000_000, "a@motlan")))
    assert caught.value.kind == ROOT_TOO_LARGE


@pytest.mark.parametrize("encoding", ["base64", "BASE64 ", "quoted-printable", "x-gzip", ""])
@pytest.mark.parametrize("name", ["Content-Transfer-Encoding", "content-transfer-encoding"])
def test_nobody_relabels_a_signed_attachment(name, encoding):
    """Its header is not signed: the same octets under another encoding would be another file."""
    data, proof = _signed(A)
    relabelled = replace(A, fields=(*A.fields, (name, encoding)))
    assert _refused(proof, (w.root_part(data), relabelled)) == kinds.ATTACHMENT_MISMATCH


@pytest.mark.parametrize("encoding", ["7bit", "8bit", "binary", "Binary"])
def test_encodings_that_change_nothing(encoding):
    data, proof = _signed(A)
    same = replace(A, fields=(*A.fields, ("Content-Transfer-Encoding", encoding)))
    check_attachments(proof, (w.root_part(data), same))


def test_nobody_relabels_a_providers_attachment():
    relabelled = replace(A, fields=(*A.fields, ("Content-Transfer-Encoding", "base64")))
    data = sign_envelope(w.envelope(), key=w.key(), now=w.NOW, attachments=(A,)).envelope
    asked = {"owner": None, "gateway": False, "now": w.NOW, "confirms": None}
    verify_answer(data, w.store(), **asked, parts=(A,))
    with pytest.raises(ExchangeError, match=kinds.PROVIDER_SIGNATURE_INVALID.code):
        verify_answer(data, w.store(), **asked, parts=(relabelled,))
