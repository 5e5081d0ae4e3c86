"""The proof of a captured SOAP envelope: WS-Security, each reference's digest as computed and as stated."""

import base64
import hashlib
from collections.abc import Callable
from typing import cast

from cryptography import x509
from lxml import etree
from msgspec import Struct

from gateway.cli.signature_base import compare
from gateway.cli.signature_guess import Key, find
from gateway.cli.signature_mistakes import Mistake
from gateway.cli.signature_steps import Asked, Diagnosis
from gateway.model.errors import ExchangeError
from gateway.model.errors.base import Text
from gateway.model.errors.trust import KEY_OF_ANOTHER
from gateway.model.ids import SubsystemId
from gateway.model.instant import Instant, rfc3339
from gateway.model.message import Part
from gateway.signing.algorithms import PublicKey
from gateway.signing.wsse import KnownCertificates, check_attachments, inline_xop, parse_security, verify_envelope
from gateway.signing.wsse_glance import header_of, is_worth_a_glance
from gateway.signing.wsse_names import DIGESTS, WSU_ID
from gateway.signing.wsse_parse import Covered, Security
from gateway.signing.xml import Element, canonical
from gateway.validation.mime import split

_CLIENT = "{http://x-road.eu/xsd/xroad.xsd}client"
_ID = "{http://x-road.eu/xsd/identifiers}"
_PARTS = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode")


def envelope(asked: Asked, found: Diagnosis) -> None:
    """(2) to (4) of a SOAP request."""
    found.scheme = "wsse"
    try:
        message = _message(asked)
        security = parse_security(message.root)
    except ExchangeError as error:
        found.take("envelope", error)
        return
    found.take("envelope", None)
    base = canonical(security.signed_info.element, security.signed_info.prefixes)
    found.base = base
    key = _key(asked, security, found)
    for covered in security.covered:
        _explain_digest(covered, found)
    if key is not None:
        _prove(asked, security, key, found, message)
    _compare(asked, security, key, found)


class _Message(Struct, frozen=True, kw_only=True):
    """An envelope with XOP content in place. parts: the attachments that remain; inlined: the others."""

    root: bytes
    parts: tuple[Part, ...] = ()
    inlined: tuple[Part, ...] = ()


def _message(asked: Asked) -> _Message:
    body, kind = asked.captured.body or b"", asked.head.get("content-type") or ""
    if not kind.lower().startswith("multipart/"):
        _check_header(body)
        return _Message(root=body)
    parts = split(kind, body)
    _check_header(parts[0].data or b"")
    root, rest = inline_xop(parts[0].data or b"", parts)
    inlined = tuple([part for part in parts[1:] if part not in rest])
    return _Message(root=root, parts=(parts[0], *rest), inlined=inlined)


def _check_header(root: bytes) -> None:
    """As a gateway looks at large envelopes before it parses them."""
    if is_worth_a_glance(root):
        header_of(root)


def _key(asked: Asked, security: Security, found: Diagnosis) -> PublicKey | None:
    """The first certificate that the token may mean and that may be used."""
    store, known = asked.known.store, KnownCertificates(asked.known.all().values())
    error: ExchangeError | None = None
    try:
        keyids = security.keyids(known if store is None else store)
    except ExchangeError as refused:
        found.take("key", refused)
        if len(asked.known.certificates) == 1 and store is None:
            found.hint(
                "KeyInfo names another certificate than the one given; the key of that one is tried.",
                "KeyInfo nêu chứng thư khác với chứng thư được cung cấp; thử khóa của chứng thư này.",
            )
            return PublicKey.from_certificate(asked.known.certificates[0])
        return None
    for keyid in keyids:
        try:
            key, owner = asked.known.find(keyid, asked.at)
            _check_owner(security, owner)
        except ExchangeError as refused:
            error = refused
            continue
        found.take("key", None)
        return key
    found.take("key", error)
    return known.key(keyids[0])


def _check_owner(security: Security, owner: SubsystemId | None) -> None:
    client = next((each.place.element for each in security.covered if each.place.name == _CLIENT), None)
    if client is None or owner is None:
        return
    named = [(client.findtext(_ID + part) or "").strip() for part in _PARTS]
    if named != [owner.instance, owner.member_class, owner.member_code, owner.subsystem_code]:
        raise ExchangeError(KEY_OF_ANOTHER, f"the key is {owner}'s, and the header names another client")


def _prove(asked: Asked, security: Security, key: PublicKey, found: Diagnosis, message: _Message) -> None:
    try:
        proof = verify_envelope(security, key, now=asked.at, inlined=message.inlined)
        check_attachments(proof.direct, message.parts)
    except ExchangeError as error:
        found.take("proof", error)
        _explain_time(security, asked.at, found)
        return
    found.take("proof", None)


def _explain_time(security: Security, at: Instant, found: Diagnosis) -> None:
    if not security.created <= at <= security.expires:
        found.extra += [("Created", rfc3339(security.created)), ("Expires", rfc3339(security.expires))]
        found.hint(
            "The Timestamp is not of the time of this check; for a capture, give the time with --at.",
            "Timestamp không ứng với thời điểm kiểm tra; với bản ghi lại, hãy dùng --at.",
        )


# -- references -----------------------------------------------------------------------------------------------------


def _explain_digest(covered: Covered, found: Diagnosis) -> None:
    """One reference: its digest as computed beside the stated one, and what the stated one may be of."""
    element, reference, name = covered.place.element, covered.reference, covered.place.name
    digest = DIGESTS[reference.method]
    computed = digest(canonical(element, reference.prefixes)).digest()
    found.extra.append((f"{name} (computed)", base64.b64encode(computed).decode()))
    if computed == reference.digest:
        return
    found.extra.append((f"{name} (stated)", base64.b64encode(reference.digest).decode()))
    for text, make in _OTHER_FORMS:
        if digest(make(element, reference.prefixes)).digest() == reference.digest:
            found.hint(f"{name}: {text.en}", f"{name}: {text.vi}")
            return
    for hashed in ("sha1", "sha256", "sha512"):
        if hashlib.new(hashed, canonical(element, reference.prefixes)).digest() == reference.digest:
            found.hint(f"{name}: its digest is made with {hashed}.", f"{name}: digest dùng {hashed}.")
            return
    found.hint(
        f"{name}: it was changed after it was digested (by a proxy, a logger, or an indenting serialiser).",
        f"{name}: nội dung bị sửa sau khi tính digest (proxy, ghi log, hoặc bộ ghi XML thụt dòng).",
    )


def _copy(element: Element) -> Element:
    return etree.fromstring(etree.tostring(element, with_tail=False))


def _inclusive(element: Element, _: tuple[str, ...]) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=False, with_comments=False)


def _without_id(element: Element, prefixes: tuple[str, ...]) -> bytes:
    copy = _copy(element)
    if WSU_ID in copy.attrib:
        del copy.attrib[WSU_ID]
    return canonical(copy, prefixes)


def _unindented(element: Element, prefixes: tuple[str, ...]) -> bytes:
    copy = _copy(element)
    for each in copy.iter():
        if len(each) and not (each.text or "").strip():
            each.text = None
        if each is not copy and not (each.tail or "").strip():
            each.tail = None
    return canonical(copy, prefixes)


_OTHER_FORMS: tuple[tuple[Text, Callable[[Element, tuple[str, ...]], bytes]], ...] = (
    (
        Text(
            "its digest is of inclusive canonical XML; use the exclusive form.",
            "digest dùng C14N bao hàm (inclusive); hãy dùng dạng exclusive.",
        ),
        _inclusive,
    ),
    (
        Text(
            "its digest is made without the InclusiveNamespaces that its transform lists.",
            "digest không tính InclusiveNamespaces mà phép biến đổi nêu.",
        ),
        lambda element, _: canonical(element),
    ),
    (
        Text("its digest was made before it got its wsu:Id.", "digest được tính trước khi gắn wsu:Id."),
        _without_id,
    ),
    (
        Text(
            "it was indented after it was signed; send the bytes that were signed.",
            "nội dung bị thụt dòng sau khi ký; hãy gửi đúng các byte đã ký.",
        ),
        _unindented,
    ),
    (
        Text(
            "its digest is of the element as it is written, not of its canonical form.",
            "digest tính trên văn bản gốc thay vì dạng chuẩn tắc.",
        ),
        lambda element, _: etree.tostring(element, with_tail=False),
    ),
)


# -- the signature --------------------------------------------------------------------------------------------------


def _compare(asked: Asked, security: Security, key: PublicKey | None, found: Diagnosis) -> None:
    """SignedInfo beside the caller's, and what was signed if it was not this."""
    assert found.base is not None
    if asked.base is not None:
        found.difference = compare(found.base, asked.base)
    if key is None:
        return
    if asked.base is not None:
        found.same_key = _verifies(key, security, asked.base)
    if _verifies(key, security, found.base):
        return
    raw = cast("Key", x509.load_der_x509_certificate(asked.known.all()[key.keyid]).public_key())
    explained = find(found.base, raw, security.signature, _mistakes(security.signed_info.element))
    if explained is not None:
        found.hints += explained[0]


def _verifies(key: PublicKey, security: Security, base: bytes) -> bool:
    try:
        key.verify_xml(security.signed_info.method, security.signature, base)
    except ExchangeError:
        return False
    return True


def _mistakes(info: Element) -> tuple[Mistake, ...]:
    return (
        Mistake(
            Text(
                "The signature is over SignedInfo in inclusive canonical form; use the exclusive one.",
                "Chữ ký trên SignedInfo dạng C14N bao hàm; hãy dùng dạng exclusive.",
            ),
            lambda _: _inclusive(info, ()),
        ),
        Mistake(
            Text(
                "The signature is over SignedInfo as it is written, not its canonical form.",
                "Chữ ký trên SignedInfo nguyên văn thay vì dạng chuẩn tắc.",
            ),
            lambda _: etree.tostring(info, with_tail=False),
        ),
        Mistake(
            Text("SignedInfo was indented after it was signed.", "SignedInfo bị thụt dòng sau khi ký."),
            lambda _: _unindented(info, ()),
        ),
        Mistake(
            Text(
                "Not SignedInfo was signed but its SHA-256: the algorithm hashes by itself.",
                "Đã ký SHA-256 của SignedInfo: thuật toán tự băm, không băm trước.",
            ),
            lambda base: hashlib.sha256(base).digest(),
        ),
    )
