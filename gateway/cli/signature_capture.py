"""A captured request: raw HTTP, the text of ``curl -v``, or a HAR file. Heads and bodies exactly as they were sent."""

import base64
import binascii
import json
import re
from typing import Any

from msgspec import Struct

from gateway.cli.output import stop
from gateway.model.errors.base import Text
from gateway.model.message import Fields, Head
from gateway.signing.target import split_url

_REQUEST_LINE = re.compile(r"([A-Z]+) (\S+)(?: HTTP/[0-9.]+)?")
_CURL_LINE = re.compile(r"(?:[0-9:.]+ )?>(?: (.*))?")
_MAX_ENTRIES = 1000


class Captured(Struct, frozen=True, kw_only=True):
    """A request as it was captured. form: ``raw``, ``curl`` or ``har``. body: None where the capture does not hold it.
    url: where it was sent, if the capture says so. notes: what was odd about the capture itself.
    """

    form: str
    head: Head
    body: bytes | None
    url: str | None = None
    notes: tuple[Text, ...] = ()


def read_capture(data: bytes, entry: int | None) -> Captured:
    """The request in a capture. entry: which one, counted from 1; None: the last. Raises click.ClickException."""
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"{"):
        found = _har(start)
    elif _is_curl(data):
        found = _curl(data)
    else:
        found = [_raw(data.removeprefix(b"\xef\xbb\xbf"))]
    number = len(found) if entry is None else entry
    if not 1 <= number <= len(found):
        raise stop(f"the capture has {len(found)} requests", f"tệp ghi lại có {len(found)} yêu cầu")
    return found[number - 1]


def _is_curl(data: bytes) -> bool:
    lines = data.decode("latin-1").splitlines()
    return any((match := _CURL_LINE.fullmatch(line)) and _REQUEST_LINE.fullmatch(match[1] or "") for line in lines)


def _head(lines: list[str], notes: list[Text]) -> Head:
    match = _REQUEST_LINE.fullmatch(lines[0].strip()) if lines else None
    if match is None:
        raise stop(
            "the file is neither raw HTTP (METHOD target HTTP/1.1 …), nor curl -v text, nor HAR",
            "tệp không phải HTTP thô (METHOD target HTTP/1.1 …), văn bản curl -v hay HAR",
        )
    fields: list[tuple[str, str]] = []
    for line in lines[1:]:
        if line[:1] in {" ", "\t"}:
            notes.append(
                Text(
                    "A header is folded over two lines: the gateway refuses that (RFC 9112 §5.2).",
                    "Một header bị ngắt thành hai dòng: cổng từ chối (RFC 9112 §5.2).",
                )
            )
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise stop(f"not a header line: {name[:40]!r}", f"không phải dòng header: {name[:40]!r}")
        fields.append((name, value.strip(" \t")))
    return Head(method=match[1], target=match[2], fields=tuple(fields))


def _raw(data: bytes) -> Captured:
    notes: list[Text] = []
    head, mark, body = data.partition(b"\r\n\r\n")
    if not mark or b"\n\n" in head:
        head, mark, body = data.partition(b"\n\n")
        notes.append(
            Text(
                "The capture's lines end in LF, not CRLF; if its body was saved by an editor, its bytes may differ.",
                "Các dòng kết thúc bằng LF thay vì CRLF; nếu phần thân do trình soạn thảo lưu, các byte có thể khác.",
            )
        )
    read = _head(head.decode("latin-1").splitlines(), notes)
    return Captured(form="raw", head=read, body=_cut(read, body, notes), notes=tuple(notes))


def _cut(head: Head, body: bytes, notes: list[Text]) -> bytes:
    """The body without the line end that a text editor leaves behind it."""
    length = head.get("content-length") or ""
    if not length.isdigit() or int(length) >= len(body) or body[int(length) :].strip(b"\r\n"):
        return body
    notes.append(
        Text(
            "The file goes on behind Content-Length with line ends; they are left out.",
            "Sau Content-Length tệp còn có ký tự xuống dòng; chúng được bỏ qua.",
        )
    )
    return body[: int(length)]


def _curl(data: bytes) -> list[Captured]:
    """The heads that ``curl -v`` shows behind ``>``; it does not show what it uploads."""
    found: list[Captured] = []
    lines: list[str] = []
    for line in data.decode("latin-1").splitlines():
        match = _CURL_LINE.fullmatch(line)
        if match is None:
            continue
        if (match[1] or "").strip():
            lines.append(match[1])
        elif lines:
            found.append(_of_curl(lines))
            lines = []
    if lines:
        found.append(_of_curl(lines))
    return found


def _of_curl(lines: list[str]) -> Captured:
    notes: list[Text] = []
    head = _head(lines, notes)
    empty = head.get("content-length") in {None, "0"} and "transfer-encoding" not in head.index
    return Captured(form="curl", head=head, body=b"" if empty else None, notes=tuple(notes))


def _har(data: bytes) -> list[Captured]:
    try:
        entries = json.loads(data)["log"]["entries"]
        return [_of_har(entry["request"]) for entry in entries[:_MAX_ENTRIES]]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise stop(
            "the JSON is no HAR file (log.entries[].request)", "JSON không phải tệp HAR (log.entries[].request)"
        ) from None


def _of_har(request: dict[str, Any]) -> Captured:
    url, target = split_url(str(request["url"]).partition("#")[0])
    fields: Fields = tuple((str(each["name"]), str(each["value"])) for each in request["headers"])
    fields = tuple((name, value) for name, value in fields if not name.startswith(":"))  # HTTP/2 pseudo-headers
    head = Head(method=str(request["method"]), target=target, fields=fields)
    if "host" not in head.index:
        head = Head(method=head.method, target=target, fields=(("Host", url.authority), *fields))
    return Captured(form="har", head=head, body=_har_body(request), url=url.origin)


def _har_body(request: dict[str, Any]) -> bytes | None:
    post = request.get("postData")
    if not isinstance(post, dict) or "text" not in post:
        return None if request.get("bodySize", 0) > 0 else b""
    text = str(post["text"])
    if post.get("encoding") == "base64":
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error:
            return None
    return text.encode()
