"""The usual mistakes in building what is signed: from the right bytes, each makes the wrong ones."""

import base64
import hashlib
import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote

from gateway.model.errors.base import Text


class Mistake(NamedTuple):
    """A usual mistake. make: from the right base what was signed by mistake; None where it would be no different."""

    text: Text
    make: Callable[[bytes], bytes | None]


def _sub(pattern: bytes, replacement: bytes | Callable[[re.Match[bytes]], bytes]) -> Callable[[bytes], bytes]:
    compiled = re.compile(pattern, re.MULTILINE)
    return lambda base: compiled.sub(replacement, base)


def _title(match: re.Match[bytes]) -> bytes:
    return b'"' + b"-".join(part.capitalize() for part in match[1].split(b"-")) + b'"'


_TARGET = rb'^("@target-uri": )(.*)$'

_PORTS = {b"https": b":443/", b"http": b":80/"}

IN_BASE: tuple[Mistake, ...] = (
    Mistake(
        Text("The base ends with a line feed; the last line has none.", "Chuỗi ký thừa LF ở cuối."),
        lambda base: base + b"\n",
    ),
    Mistake(
        Text("The base's lines end in CRLF; join them with LF.", "Các dòng của chuỗi ký kết thúc bằng CRLF; dùng LF."),
        lambda base: base.replace(b"\n", b"\r\n"),
    ),
    Mistake(
        Text(
            "The base's names are written as the headers are; write them in lower case.",
            "Tên trong chuỗi ký viết hoa như header; phải viết chữ thường.",
        ),
        _sub(rb'^"([a-z-]+)"', _title),
    ),
    Mistake(
        Text("The base's names have no quotes.", "Tên trong chuỗi ký không có dấu ngoặc kép."),
        _sub(rb'^"([^"]+)"', rb"\1"),
    ),
    Mistake(
        Text("The base has no space after the colons.", "Chuỗi ký thiếu dấu cách sau dấu hai chấm."),
        _sub(rb'^("[^"]+"(?:;[^:]*)?): ', rb"\1:"),
    ),
    Mistake(
        Text('The base lacks its last line, "@signature-params".', 'Chuỗi ký thiếu dòng cuối "@signature-params".'),
        lambda base: base.rpartition(b"\n")[0],
    ),
    Mistake(
        Text(
            'In the base "@signature-params" has the label before the list; it begins with the parenthesis.',
            'Trong chuỗi ký "@signature-params" có nhãn đứng trước danh sách; phải bắt đầu bằng dấu ngoặc.',
        ),
        _sub(rb'^("@signature-params": )', rb"\1sig1="),
    ),
    Mistake(
        Text("The base has the method in lower case.", "Chuỗi ký ghi phương thức bằng chữ thường."),
        _sub(rb'^("@method": )(.*)$', lambda match: match[1] + match[2].lower()),
    ),
    Mistake(
        Text("The base has the path in the place of @target-uri.", "Chuỗi ký ghi đường dẫn thay cho @target-uri."),
        _sub(rb'^("@target-uri": )https?://[^/]*(.*)$', rb"\1\2"),
    ),
    Mistake(
        Text(
            "The base has another scheme in @target-uri: http for https, or the reverse.",
            "@target-uri trong chuỗi ký sai giao thức (http/https).",
        ),
        _sub(rb'^("@target-uri": http)(s?)', lambda match: match[1] + (b"" if match[2] else b"s")),
    ),
    Mistake(
        Text(
            "The base has the default port in @target-uri; leave it out.",
            "@target-uri trong chuỗi ký ghi cổng mặc định; hãy bỏ đi.",
        ),
        _sub(rb'^("@target-uri": (http|https)://[^/:]+)/', lambda match: match[1] + _PORTS[match[2]]),
    ),
    Mistake(
        Text(
            "The base has @target-uri decoded; sign it percent-encoded, as it is sent.",
            "@target-uri trong chuỗi ký đã giải mã phần trăm; hãy ký đúng như khi gửi.",
        ),
        _sub(_TARGET, lambda match: match[1] + unquote(match[2].decode("latin-1")).encode()),
    ),
    Mistake(
        Text("The base lacks the query of @target-uri.", "@target-uri trong chuỗi ký thiếu phần truy vấn."),
        _sub(rb'^("@target-uri": [^?\n]*)\?.*$', rb"\1"),
    ),
    Mistake(
        Text(
            "Not the base was signed but its SHA-256: the algorithm hashes by itself.",
            "Đã ký SHA-256 của chuỗi ký: thuật toán tự băm, không băm trước.",
        ),
        lambda base: hashlib.sha256(base).digest(),
    ),
    Mistake(
        Text(
            "Not the base was signed but its SHA-256 in hexadecimal.", "Đã ký SHA-256 dạng thập lục phân của chuỗi ký."
        ),
        lambda base: hashlib.sha256(base).hexdigest().encode(),
    ),
)
"""Mistakes in building an RFC 9421 base."""


def _part(number: int) -> Callable[[bytes], bytes | None]:
    """One decoded part of a JWS signing input."""

    def make(base: bytes) -> bytes | None:
        parts = base.split(b".")
        return base64.urlsafe_b64decode(parts[number] + b"==") if len(parts) == 2 else None  # noqa: PLR2004 - header, payload

    return make


def _decoded(base: bytes) -> bytes | None:
    header, payload = _part(0)(base), _part(1)(base)
    return None if header is None or payload is None else header + b"." + payload


IN_JWS: tuple[Mistake, ...] = (
    Mistake(
        Text(
            "Only the claims were signed; sign header.payload, both in base64url.",
            "Chỉ ký phần claims; phải ký header.payload ở dạng base64url.",
        ),
        _part(1),
    ),
    Mistake(
        Text(
            "The claims' base64url was signed without the header before it.",
            "Đã ký base64url của claims mà không có phần header phía trước.",
        ),
        lambda base: base.rpartition(b".")[2],
    ),
    Mistake(
        Text(
            "header.payload was signed before it was encoded in base64url.",
            "Đã ký header.payload trước khi mã hóa base64url.",
        ),
        _decoded,
    ),
    *(mistake for mistake in IN_BASE if mistake.make(b"x.y") != b"x.y"),
)
"""Mistakes in signing a compact JWS."""
