"""Taking multipart/related apart: what it gives, and what it does not take."""

import hashlib

import pytest

from gateway.model.errors import ExchangeError
from gateway.model.errors.soap import MIME_BROKEN, ROOT_TOO_LARGE
from gateway.validation.mime import Splitter, content_id, parse_media_type, split

TYPE = 'multipart/related; type="text/xml"; start="<root>"; boundary="MIME_b"'
ROOT = b"Content-Type: text/xml; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\nContent-ID: <root>"
DATA = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <data.bin>"


def message(*parts: tuple[bytes, bytes], boundary: bytes = b"MIME_b") -> bytes:
    pieces = [b"--" + boundary + b"\r\n" + header + b"\r\n\r\n" + content + b"\r\n" for header, content in parts]
    return b"".join(pieces) + b"--" + boundary + b"--\r\n"


GOOD = message((ROOT, b"<e/>"), (DATA, b"\x00\r\n--MIME\r\n\xff"))


def bytewise(content_type: str, body: bytes) -> None:
    splitter = Splitter(content_type, root_limit=1 << 20)
    for position in range(len(body)):
        splitter.feed(body[position : position + 1])
    splitter.finish()


def test_parts_lie_where_they_say() -> None:
    root, data = split(TYPE, GOOD)
    assert root.data == b"<e/>" == GOOD[root.offset : root.offset + root.size]
    assert data.data == b"\x00\r\n--MIME\r\n\xff" == GOOD[data.offset : data.offset + data.size]
    assert data.sha256 == hashlib.sha256(data.data).digest()
    assert content_id(data.fields) == "data.bin"
    assert root.fields[0] == ("Content-Type", "text/xml; charset=UTF-8")


def test_the_root_is_there_as_soon_as_it_is_complete() -> None:
    splitter = Splitter(TYPE, root_limit=100)
    roots = []
    for piece in (GOOD[: GOOD.index(b"<e/>") + 4], b"\r\n--MIME_b"):
        splitter.feed(piece)
        roots.append(splitter.root)
    assert roots[0] is None
    assert roots[1] is not None
    assert roots[1].data == b"<e/>"


def test_large_attachments_are_digested_and_not_kept() -> None:
    big = b"x" * 100
    splitter = Splitter(TYPE, root_limit=100, keep=60)
    splitter.feed(
        message((ROOT, b"<e/>"), (DATA, big), (b"Content-ID: <s>", b"y" * 50), (b"Content-ID: <t>", b"z" * 50))
    )
    _, large, small, late = splitter.finish()
    assert (large.data, large.size, large.sha256) == (None, 100, hashlib.sha256(big).digest())
    assert small.data == b"y" * 50
    assert late.data is None  # the room is used up


def test_memory_is_bounded_while_an_attachment_streams() -> None:
    splitter = Splitter(TYPE, root_limit=100, keep=1000)
    splitter.feed(b"--MIME_b\r\n" + ROOT + b"\r\n\r\n<e/>\r\n--MIME_b\r\n" + DATA + b"\r\n\r\n")
    for _ in range(1000):
        splitter.feed(b"\r\n--MIME_" * 100)
        held = len(splitter._buffer) + sum(len(piece) for piece in splitter._pieces or ())
        assert held < 3000  # keep, and one piece


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        (b"preamble\r\n" + GOOD + b"epilogue", 2),
        (GOOD[:-2], 2),
        (GOOD[:-2] + b" \t\r\n", 2),
        (GOOD.replace(b"--MIME_b\r\n", b"--MIME_b \t\r\n"), 2),
        (message((ROOT, b""), (b"", b"")), 2),
        (b"--MIME_b\r\n" + ROOT + b"\r\n\r\n--MIME_b--", 1),
        (message((ROOT + b"\r\nX-Long: a\r\n b", b"<e/>")), 1),
        (message((ROOT, b"<e/>"), (DATA.replace(b"binary", b"base64"), b"AA==")), 2),  # as X-Road's own example
    ],
)
def test_what_the_standard_allows(body: bytes, parts: int) -> None:
    assert len(split(TYPE, body)) == parts


BROKEN = {
    "empty": b"",
    "no boundary": b"<e/>" * 300,
    "another boundary": GOOD.replace(b"MIME_b", b"MIME_c"),
    "truncated": GOOD[:-6],
    "half closed": GOOD[:-3],
    "no part": b"--MIME_b--\r\n",
    "lf only": GOOD.replace(b"\r\n", b"\n"),
    "lf before a boundary": message((ROOT, b"<e/>"), (DATA, b"x\n--MIME_b\r\nContent-ID: <h>\r\n\r\nhidden")),
    "cr before a boundary": message((ROOT, b"<e/>"), (DATA, b"x\r--MIME_b\r\nContent-ID: <h>\r\n\r\nhidden")),
    "boundary and more": GOOD.replace(b"--MIME_b\r\nContent-Type: app", b"--MIME_bx\r\nContent-Type: app"),
    "after the end": GOOD[:-2] + b"x\r\n",
    "parts after the end": GOOD + GOOD,
    "long epilogue": GOOD + b"x" * 2000,
    "long preamble": b"x" * 2000 + b"\r\n" + GOOD,
    "root not first": message((DATA, b"x"), (ROOT, b"<e/>")),
    "wrong content id": GOOD.replace(b"<root>", b"<other>"),
    "wrong type": GOOD.replace(b"text/xml; charset", b"text/html; charset"),
    "two with one id": message((ROOT, b"<e/>"), (DATA, b"a"), (DATA, b"b")),
    "two ids": message((ROOT + b"\r\nContent-ID: <more>", b"<e/>")),
    "two types": message((ROOT + b"\r\ncontent-type: text/xml", b"<e/>")),
    "nested": message((ROOT, b"<e/>"), (b'Content-Type: multipart/mixed; boundary="n"', b"--n--")),
    "encoded root": GOOD.replace(b"8bit", b"base64"),
    "quoted-printable": GOOD.replace(b"binary", b"quoted-printable"),
    "invented encoding": GOOD.replace(b"binary", b"x-zip"),
    "no colon": message((ROOT + b"\r\nno colon", b"<e/>")),
    "space before colon": message((ROOT + b"\r\nContent-Length : 3", b"<e/>")),
    "control character": message((ROOT + b"\r\nX-A: \x01", b"<e/>")),
    "bare lf in a header": message((ROOT + b"\r\nX-A: a\nContent-ID: <h>", b"<e/>")),
    "large header": message((ROOT + b"\r\nX-A: " + b"a" * 9000, b"<e/>")),
    "many parts": message((ROOT, b"<e/>"), *[(b"", b"")] * 64),
    "no root content type": message((b"Content-ID: <root>", b"<e/>")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_refused(name: str) -> None:
    for read in (split, bytewise):
        with pytest.raises(ExchangeError) as caught:
            read(TYPE, BROKEN[name])
        assert caught.value.kind is MIME_BROKEN


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/related",
        'multipart/related; boundary=""',
        'multipart/related; boundary="a b "',
        "multipart/related; boundary=" + "b" * 71,
        'multipart/related; boundary="MIME_b"; boundary="other"',
        'multipart/related; boundary*0="MIME"; boundary*1="_b"',
        'multipart/related; boundary="MI\\\x01ME"',
        'multipart/mixed; boundary="MIME_b"',
        "multipart/related; boundary",
        "text/xml",
        "",
    ],
)
def test_content_types_that_are_refused(content_type: str) -> None:
    with pytest.raises(ExchangeError) as caught:
        Splitter(content_type, root_limit=100)
    assert caught.value.kind is MIME_BROKEN


def test_an_envelope_that_is_too_large_is_refused_while_it_comes() -> None:
    splitter = Splitter(TYPE, root_limit=1000)
    splitter.feed(b"--MIME_b\r\n" + ROOT + b"\r\n\r\n")
    for _ in range(10):
        splitter.feed(b"x" * 100)
    with pytest.raises(ExchangeError) as caught:
        splitter.feed(b"x" * 100)
    assert caught.value.kind is ROOT_TOO_LARGE


@pytest.mark.parametrize(
    ("value", "media", "parameters"),
    [
        ("text/xml", "text/xml", {}),
        ("Text/XML;charset=utf-8", "text/xml", {"charset": "utf-8"}),
        ('a/b ; x="q\\"; y" ;z=1;', "a/b", {"x": 'q"; y', "z": "1"}),
    ],
)
def test_media_types(value: str, media: str, parameters: dict[str, str]) -> None:
    parsed = parse_media_type(value)
    assert (parsed.media, parsed.parameters) == (media, parameters)
