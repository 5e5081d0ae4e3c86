"""What a digest that is not the body's was made of, and what a wrong keyid was made of."""

import base64
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.model.errors.base import Text
from gateway.signing.sf import SfError, parse_byte_sequences

_WRITING = Text(
    "Content-Digest is written  sha-256=:BASE64:  with colons around canonical base64.",
    "Content-Digest viết dạng  sha-256=:BASE64:  với dấu hai chấm hai bên base64 chuẩn.",
)


def explain_digest(value: str, data: bytes) -> list[Text]:
    """What a Content-Digest is of, that is not of this body; empty if of nothing known."""
    try:
        members = parse_byte_sequences(value)
    except SfError:
        bare = value.partition("=")[2].strip(":")
        return [_WRITING] if bare and bare != value else []
    found = []
    for name, (digest, _) in members.items():
        hashed = hashlib.sha512 if name == "sha-512" else hashlib.sha256
        text = next((text for text, other in _other_bodies(data) if hashed(other).digest() == digest), None)
        if digest == hashed(data).hexdigest().encode():
            text = Text("The digest is in hexadecimal before base64.", "Digest ở dạng thập lục phân trước khi base64.")
        if text is not None:
            found.append(text)
    return found


def _other_bodies(data: bytes) -> list[tuple[Text, bytes]]:
    """What else may have been digested."""
    made = [
        (Text("The digest is that of no body at all.", "Digest là của phần thân rỗng."), b""),
        (Text("The digest is of the body with a line feed behind it.", "Digest tính thêm LF ở cuối."), data + b"\n"),
        (Text("The digest is of the body with CRLF behind it.", "Digest tính thêm CRLF ở cuối."), data + b"\r\n"),
        (
            Text("The digest is of the body without its last line end.", "Digest không tính xuống dòng cuối."),
            data.rstrip(b"\r\n"),
        ),
        (
            Text("The digest is of the body with CRLF for LF.", "Digest tính với CRLF thay LF."),
            data.replace(b"\n", b"\r\n"),
        ),
        (
            Text("The digest is of the body with LF for CRLF.", "Digest tính với LF thay CRLF."),
            data.replace(b"\r\n", b"\n"),
        ),
        (Text("The digest is of the body with a byte-order mark.", "Digest tính cả BOM."), b"\xef\xbb\xbf" + data),
    ]
    return made + _decompressed(data) + _rewritten(data)


def _decompressed(data: bytes) -> list[tuple[Text, bytes]]:
    if not data.startswith(b"\x1f\x8b"):
        return []
    text = Text(
        "The digest was made before the body was compressed: it is of the bytes that are sent.",
        "Digest được tính trước khi nén: phải tính trên các byte được gửi.",
    )
    try:
        return [(text, gzip.decompress(data))]
    except (OSError, EOFError, zlib.error):
        return []


def _rewritten(data: bytes) -> list[tuple[Text, bytes]]:
    text = Text(
        "The digest is of the same JSON written otherwise (spaces, escapes, order): digest the very bytes sent.",
        "Digest là của cùng JSON nhưng viết khác (dấu cách, escape, thứ tự): phải tính trên đúng các byte được gửi.",
    )
    try:
        value: Any = json.loads(data)
    except (ValueError, RecursionError):
        return []
    shapes = (
        {"separators": (",", ":")},
        {"separators": (", ", ": ")},
        {"indent": 2},
        {"indent": 4},
    )
    made = [
        json.dumps(value, ensure_ascii=plain, sort_keys=sort, **shape)
        for plain in (False, True)
        for sort in (False, True)
        for shape in shapes
    ]
    return [(text, each.encode("utf-8", "surrogatepass")) for each in made]


def explain_keyid(keyid: str, certificates: Iterable[bytes]) -> Text | None:
    """What of a known certificate (DER) a wrong keyid is; None if of none."""
    for der in certificates:
        digest = hashlib.sha256(der).digest()
        right = _url(digest)
        what = _thumbprints(der, digest).get(keyid.replace(":", "").lower() if ":" in keyid else keyid)
        if what is not None and keyid != right:
            return Text(
                f"keyid is a thumbprint in another form ({what}): base64url without padding of SHA-256 over the "
                f"certificate's DER is {right}",
                f"keyid là dấu vân tay ở dạng khác ({what}): base64url không đệm của SHA-256 trên DER của chứng thư "
                f"là {right}",
            )
    return None


def _url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _thumbprints(der: bytes, digest: bytes) -> dict[str, str]:
    certificate = x509.load_der_x509_certificate(der)
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    plain = base64.b64encode(digest).decode()
    sha1 = hashlib.sha1(der).digest()  # noqa: S324 - recognised, to say that it is wrong
    return {
        plain: "base64, not base64url",
        plain.rstrip("="): "base64, not base64url",
        base64.urlsafe_b64encode(digest).decode(): "base64url with padding",
        digest.hex(): "hexadecimal",
        digest.hex().upper(): "hexadecimal",
        sha1.hex(): "SHA-1 in hexadecimal",
        sha1.hex().upper(): "SHA-1 in hexadecimal",
        _url(sha1): "SHA-1, as x5t",
        _url(hashlib.sha256(key).digest()): "of the public key alone",
        _url(hashlib.sha256(certificate.public_bytes(Encoding.PEM)).digest()): "of the PEM text",
    }
