"""SOAP with attachments under attack at a real gateway: broken MIME, swapped parts, and what strangers may cost."""

import base64
import hashlib
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from adapters.simulators.wire import Answer
from gateway.model.message import Part
from gateway.storage.spool import SpoolWriter
from tests.support.attacks import World
from tests.support.gateways import PORTAL
from tests.support.mtls import LEGACY
from tests.support.soap_attacks import accepted, message_id, refused, resident, send, value_of
from tests.support.soap_office import ARCHIVE, NS, archive, caller, proved, signed, soap_office, told
from tests.support.xroad_soap import envelope, headers, with_attachments

MEGABYTE = 1024 * 1024
LIMIT = 4 * MEGABYTE
DATA = b"%PDF-1.7 " + bytes(range(256))
OTHER_DATA = DATA[::-1]
TELLING = archive('<file href="cid:file"/>')


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    extra = f"[capacity]\nrefusals_per_minute = 100000\n[limits]\nbody = {LIMIT}\n"
    with soap_office(tmp_path_factory.mktemp("site"), extra=extra) as made:
        made.provider.reply = told(f'<a:archiveResponse xmlns:a="{NS}">ok</a:archiveResponse>')
        yield made


@pytest.fixture
def spools(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bodies went to disk."""
    opened: list[int] = []
    real = SpoolWriter.__init__

    def counted(self: SpoolWriter, *given: object, **more: object) -> None:
        opened.append(1)
        real(self, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(SpoolWriter, "__init__", counted)
    return opened


def part(data: bytes, name: str = "file") -> Part:
    fields = (("Content-Type", "application/octet-stream"), ("Content-ID", f"<{name}>"))
    return Part(fields=fields, offset=0, size=len(data), sha256=hashlib.sha256(data).digest(), data=data)


class Sent:
    """A signed message with attachments. root, content_type, body: as sent."""

    def __init__(self, place: World, covered: dict[str, bytes], sent: dict[str, bytes] | None = None) -> None:
        parts = tuple(part(data, name) for name, data in covered.items())
        message = signed(place, message_id(), TELLING, attachments=parts)
        self.root = message.envelope
        self.confirms = value_of(message.envelope.decode())
        self.content_type, self.body = with_attachments(self.root, covered if sent is None else sent)


# -- what the signature says of parts --------------------------------------------------------------------------------


SWAPPED = {
    "another content": ({"file": DATA}, {"file": OTHER_DATA}, "client.attachment_mismatch"),
    "a part more": ({"file": DATA}, {"file": DATA, "more": DATA}, "client.attachment_uncovered"),
    "a part less": ({"file": DATA, "more": DATA}, {"file": DATA}, "client.attachment_missing"),
    "another name": ({"file": DATA}, {"files": DATA}, "client.attachment_uncovered"),
    "two swapped": ({"a": DATA, "b": OTHER_DATA}, {"a": OTHER_DATA, "b": DATA}, "client.attachment_mismatch"),
    "none covered": ({}, {"file": DATA}, "client.attachment_uncovered"),
    "the envelope's own name": ({"file": DATA}, {"file": DATA, "rootpart": DATA}, "client.mime_parsing_failed"),
}


@pytest.mark.parametrize("name", SWAPPED)
def test_parts_that_are_not_the_signed_ones(place: World, name: str) -> None:
    covered, sent, code = SWAPPED[name]
    message = Sent(place, covered, sent)
    proven = not code.endswith("parsing_failed")
    if not proven:  # never became a message
        forwarded = place.forwarded
        answer = send(place, message.body, content_type=message.content_type)
        assert answer.fault is not None
        assert answer.fault[0] == code
        assert place.forwarded == forwarded
        return
    confirms = message.confirms
    refused(place, message.body, code, recorded=True, confirms=confirms, content_type=message.content_type)


def test_the_order_of_parts_is_nobodys_business(place: World) -> None:
    message = Sent(place, {"a": DATA, "b": OTHER_DATA}, {"b": OTHER_DATA, "a": DATA})
    accepted(place, message.body, confirms=message.confirms, content_type=message.content_type)


@pytest.mark.parametrize(
    ("covered", "sent"), [("a b", "<a b>"), ("a%20b", "<a%20b>"), ("ä", "<ä>"), ("a", "a"), ("a", " <a> ")]
)
def test_names_are_compared_as_they_are(place: World, covered: str, sent: str) -> None:
    """Written otherwise, a Content-ID may be refused; it never covers another part."""
    message = Sent(place, {"other": DATA, covered: OTHER_DATA})
    body = message.body.replace(f"Content-ID: <{covered}>".encode(), f"Content-ID: {sent}".encode())
    answer = send(place, body, content_type=message.content_type)
    if answer.fault is not None:
        assert answer.fault[0] in {
            "client.attachment_uncovered",
            "client.mime_parsing_failed",
            "client.attachment_missing",
        }


def test_unlike_readings_of_a_content_id_do_not_make_two_of_one(place: World) -> None:
    message = Sent(place, {"file": DATA})
    twice = with_attachments(message.root, {"file": DATA, "x": OTHER_DATA})[1]
    twice = twice.replace(b"Content-ID: <x>", b"Content-ID: <file")
    answer = send(place, twice, content_type=message.content_type)
    assert answer.fault is not None
    assert answer.fault[0] in {"client.attachment_uncovered", "client.mime_parsing_failed"}


def test_a_message_without_its_parts(place: World) -> None:
    message = Sent(place, {"file": DATA})
    refused(place, message.root, "client.attachment_missing", recorded=True, confirms=message.confirms)


def test_the_same_envelope_with_other_parts_later(place: World) -> None:
    message = Sent(place, {"file": DATA})
    accepted(place, message.body, confirms=message.confirms, content_type=message.content_type)
    again = with_attachments(message.root, {"file": OTHER_DATA})[1]
    answer = send(place, again, content_type=message.content_type)
    assert answer.fault is not None
    assert answer.fault[0] in {"client.replayed_nonce", "client.attachment_mismatch"}


XOP = '<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:small"/>'


def with_xop(place: World, size: int) -> Sent:
    """A signed message whose number stands in a part (XOP), and an attachment of so many bytes beside it."""
    text = base64.b64encode(DATA).decode()
    big = b"z" * size
    message = signed(place, message_id(), archive(f"<photo>{text}</photo>"), attachments=(part(big, "big"),))
    made = Sent.__new__(Sent)
    made.root = message.envelope.replace(text.encode(), XOP.encode())
    made.confirms = value_of(message.envelope.decode())
    content_type, body = with_attachments(made.root, {"small": DATA, "big": big})
    made.content_type = content_type.replace('type="text/xml"', 'type="application/xop+xml"; start-info="text/xml"')
    made.body = body.replace(b"text/xml; charset=UTF-8", b'application/xop+xml; charset=UTF-8; type="text/xml"', 1)
    return made


@pytest.mark.parametrize("size", [100, 3 * MEGABYTE])
def test_xop_content_is_under_the_signature_in_its_place(place: World, size: int) -> None:
    """In large messages too, whose envelope is looked at before its parts are there."""
    right = with_xop(place, size)
    wrong = right.body.replace(DATA, OTHER_DATA, 1)
    refused(place, wrong, "client.security_digest_mismatch", content_type=right.content_type)
    gone = right.body.replace(b"<small>", b"<other>")
    refused(place, gone, "client.xop_unsignable", content_type=right.content_type)
    accepted(place, right.body, confirms=right.confirms, content_type=right.content_type)


def test_an_include_is_no_way_around_the_proof(place: World, spools: list[int]) -> None:
    """An envelope that nobody signed does not reach the disk for having an xop:Include in it."""
    root = envelope(headers(str(PORTAL), str(ARCHIVE), message_id()), archive(XOP))
    other = with_xop(place, 10).root.replace(b"<ds:SignatureValue>", b"<ds:SignatureValue>AAAA")
    for each, code in ((root, "signature_missing"), (other, "signature_invalid")):
        content_type, body = with_attachments(each, {"small": b"x" * (3 * MEGABYTE)})
        with ExitStack() as stack:
            head = f"Content-Type: {content_type}\r\n\r\n".encode()
            said = answered(begin(place, head, body[: MEGABYTE + 90_000], stack))
        assert f"client.{code}<".encode() in said
    assert not spools


# -- broken MIME -----------------------------------------------------------------------------------------------------


def mime(change: Callable[[bytes], bytes]) -> Callable[[str, bytes], tuple[str, bytes]]:
    return lambda content_type, body: (content_type, change(body))


BROKEN: dict[str, Callable[[str, bytes], tuple[str, bytes]]] = {
    "no boundary": lambda t, b: (t.replace('boundary="MIME_boundary"', ""), b),
    "an empty boundary": lambda t, b: (t.replace("MIME_boundary", ""), b),
    "two boundaries": lambda t, b: (t + '; boundary="x"', b),
    "another boundary": lambda t, b: (t.replace("MIME_boundary", "x"), b),
    "a boundary in pieces": lambda t, b: (t.replace("boundary=", "boundary*0="), b),
    "not closed": mime(lambda b: b.removesuffix(b"--\r\n")),
    "closed twice": mime(lambda b: b + b"--MIME_boundary--\r\n"),
    "a part behind the end": mime(lambda b: b + b"--MIME_boundary\r\n\r\nmore\r\n--MIME_boundary--\r\n"),
    "the root behind": mime(lambda b: b.replace(b"<rootpart>", b"<x>").replace(b"<file>", b"<rootpart>")),
    "no root": lambda t, b: (t, b"--MIME_boundary--\r\n"),
    "no parts": lambda t, b: (t, b"\r\n"),
    "a root of another name": mime(lambda b: b.replace(b"<rootpart>", b"<other>")),
    "one name twice": mime(lambda b: b.replace(b"<file>", b"<rootpart>")),
    "two names of one": mime(lambda b: b.replace(b"Content-ID: <file>", b"Content-ID: <file>\r\nContent-ID: <x>")),
    "nested": mime(lambda b: b.replace(b"application/octet-stream", b"multipart/mixed; boundary=n")),
    "line feeds": mime(lambda b: b.replace(b"\r\n", b"\n")),
    "a bare line feed before a boundary": mime(lambda b: b.replace(b"\r\n--MIME_boundary--", b"\n--MIME_boundary--")),
    "an encoded root": mime(lambda b: b.replace(b"8bit", b"base64")),
    "a quoted-printable part": mime(lambda b: b.replace(b"binary", b"quoted-printable")),
    "a field that is none": mime(lambda b: b.replace(b"Content-ID: <file>", b"Content-ID <file>")),
    "a NUL in a field": mime(lambda b: b.replace(b"<file>", b"<fi\0le>")),
    "a field without end": mime(lambda b: b.replace(b"<file>", b"<" + b"f" * 9000 + b">")),
    "a thousand parts": mime(
        lambda b: b.replace(b"--MIME_boundary--", b"--MIME_boundary\r\n\r\nx\r\n" * 1000 + b"--MIME_boundary--")
    ),
    "a preamble of a megabyte": mime(lambda b: b"x" * MEGABYTE + b"\r\n" + b),
    "an epilogue of a megabyte": mime(lambda b: b + b"x" * MEGABYTE),
    "the root type of another": lambda t, b: (t.replace('type="text/xml"', 'type="image/png"'), b),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_mime(place: World, name: str) -> None:
    message = Sent(place, {"file": DATA})
    content_type, body = BROKEN[name](message.content_type, message.body)
    assert (content_type, body) != (message.content_type, message.body)
    forwarded, rows, counted = place.forwarded, place.rows(), place.counted("client.mime_parsing_failed")
    answer = send(place, body, content_type=content_type)
    assert answer.fault is not None
    assert answer.fault[0] == "client.mime_parsing_failed", answer.fault
    assert (place.forwarded, place.records(rows)) == (forwarded, [])
    assert place.counted("client.mime_parsing_failed") == counted + 1


# -- what strangers cost ---------------------------------------------------------------------------------------------


def begin(place: World, head: bytes, data: bytes, stack: ExitStack) -> socket.socket:
    """Announce four megabytes, and send the beginning of them over TLS without a certificate."""
    made = caller(place, PORTAL, shows=False)
    assert made.tls is not None
    plain = stack.enter_context(socket.create_connection(("127.0.0.1", place.site.port), 10))
    wire = stack.enter_context(made.tls.wrap_socket(plain, server_hostname="localhost"))
    length = LIMIT - 1
    wire.sendall(
        f"POST /soap HTTP/1.1\r\nHost: 127.0.0.1:{place.site.port}\r\nContent-Length: {length}\r\n".encode() + head
    )
    wire.sendall(data)
    return wire


def answered(wire: socket.socket) -> bytes:
    wire.settimeout(5)
    data = b""
    try:
        while piece := wire.recv(65536):
            data += piece
    except (ConnectionError, TimeoutError):
        pass
    return data


MULTIPART = b'Content-Type: multipart/related; type="text/xml"; boundary="b"\r\n\r\n'
ROOT = b"--b\r\nContent-Type: text/xml\r\n\r\n"


def test_many_slow_strangers_share_little_memory(place: World) -> None:
    """Each may send a megabyte before it must be proved; all together may not."""
    before = resident()
    with ExitStack() as stack:
        for number in range(200):
            head = MULTIPART if number % 2 else b"Content-Type: text/xml\r\n\r\n"
            begin(place, head, (ROOT if number % 2 else b"<a>") + b"x" * 1_000_000, stack)
        place.until(lambda: place.counted("server.clientproxy.overloaded") > 0)
        assert resident() - before < 260 * MEGABYTE  # 64 of it for bodies; TLS alone holds half a megabyte for each
        root = envelope(headers(str(LEGACY), str(ARCHIVE), message_id()), archive())
        accepted(place, root, subsystem=LEGACY)  # what others need goes on
    large = envelope(headers(str(LEGACY), str(ARCHIVE), message_id()), archive(f"<x>{'y' * 500_000}</x>"))
    place.until(lambda: send(place, large, subsystem=LEGACY).fault is None, 10)  # what they held is free when they go


STRANGE = {
    "an envelope without end": (
        b"Content-Type: text/xml\r\n\r\n",
        b"<a>" + b"x" * (MEGABYTE + 70_000),
        "body_too_large",
    ),
    "a first part without end": (MULTIPART, ROOT + b"x" * (MEGABYTE + 70_000), "envelope_too_large"),
    "a first part that is no envelope": (
        MULTIPART,
        ROOT + b"<a/>\r\n--b\r\n\r\n" + b"x" * (MEGABYTE + 70_000),
        "invalid_soap",
    ),
    "a thousand parts": (MULTIPART, ROOT + b"<a/>" + b"\r\n--b\r\n\r\nx" * 1000, "mime_parsing_failed"),
    "a header of a part without end": (MULTIPART, b"--b\r\nX: " + b"x" * 20_000, "mime_parsing_failed"),
    "only a preamble": (MULTIPART, b"x" * 5000, "mime_parsing_failed"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_strangers_reach_no_disk_and_are_told_at_once(place: World, spools: list[int], name: str) -> None:
    head, data, code = STRANGE[name]
    rows, forwarded, before = place.rows(), place.forwarded, resident()
    with ExitStack() as stack:
        said = answered(begin(place, head, data, stack))
    assert f"client.{code}<".encode() in said, said[:600]
    assert not spools
    assert (place.records(rows), place.forwarded) == ([], forwarded)
    assert resident() - before < 8 * MEGABYTE


def test_an_unsigned_envelope_before_a_huge_attachment(place: World, spools: list[int]) -> None:
    root = envelope(headers(str(PORTAL), str(ARCHIVE), message_id()), TELLING)
    content_type, body = with_attachments(root, {"file": b"x" * (3 * MEGABYTE)})
    rows = place.rows()
    with ExitStack() as stack:
        head = f"Content-Type: {content_type}\r\n\r\n".encode()
        said = answered(begin(place, head, body[: MEGABYTE + 90_000], stack))
    assert b"client.signature_missing<" in said
    assert not spools
    assert place.records(rows) == []


def test_a_used_envelope_before_a_huge_attachment(place: World, spools: list[int]) -> None:
    """Whoever caught one may not fill the disk behind it, whether it was answered or refused."""
    used = Sent(place, {"file": DATA})
    accepted(place, used.body, confirms=used.confirms, content_type=used.content_type)
    spent = Sent(place, {"file": DATA}, {"file": OTHER_DATA})
    refused(
        place,
        spent.body,
        "client.attachment_mismatch",
        recorded=True,
        confirms=spent.confirms,
        content_type=spent.content_type,
    )
    for each in (used, spent):
        content_type, body = with_attachments(each.root, {"file": b"x" * (3 * MEGABYTE)})
        rows, counted = place.rows(), place.counted("client.replayed_nonce")
        with ExitStack() as stack:
            head = f"Content-Type: {content_type}\r\n\r\n".encode()
            said = answered(begin(place, head, body[: MEGABYTE + 90_000], stack))
        assert b"client.replayed_nonce<" in said
        assert place.records(rows) == []  # no word of the caller's
        assert place.counted("client.replayed_nonce") == counted + 1
    assert not spools


def test_a_proved_envelope_before_a_huge_attachment_is_spooled_and_let_go_of(place: World, spools: list[int]) -> None:
    data = secrets.token_bytes(3 * MEGABYTE)
    message = Sent(place, {"file": data})
    accepted(place, message.body, confirms=message.confirms, content_type=message.content_type)
    assert spools
    wrong = Sent(place, {"file": data}, {"file": data[:-1] + b"\0"})
    confirms, content_type = wrong.confirms, wrong.content_type
    refused(
        place, wrong.body, "client.attachment_mismatch", recorded=True, confirms=confirms, content_type=content_type
    )


def test_larger_than_the_limit(place: World, spools: list[int]) -> None:
    message = Sent(place, {"file": b"\0" * (LIMIT + 1)})
    rows, forwarded = place.rows(), place.forwarded
    try:
        answer = send(place, message.body, content_type=message.content_type)
    except (ConnectionError, OSError):  # told before all is sent
        pass
    else:
        assert answer.fault is not None
        assert answer.fault[0] == "client.body_too_large"
    assert (place.records(rows), place.forwarded, spools) == ([], forwarded, [])


# -- answers ---------------------------------------------------------------------------------------------------------


def test_a_providers_parts_are_under_our_seal(place: World) -> None:
    content_type, data = with_attachments(envelope("", f'<a:archiveResponse xmlns:a="{NS}"/>'), {"back": DATA})
    usual, place.provider.reply = place.provider.reply, Answer(body=data, content_type=content_type)
    try:
        message = Sent(place, {"file": DATA})
        answer = send(place, message.body, content_type=message.content_type)
    finally:
        place.provider.reply = usual
    assert answer.attachments == {"back": DATA}
    assert proved(place, answer, message.confirms, answer.raw) == ("back",)
    with pytest.raises(Exception, match=r"server|attachment"):
        proved(place, answer, message.confirms, answer.raw.replace(DATA, OTHER_DATA))
