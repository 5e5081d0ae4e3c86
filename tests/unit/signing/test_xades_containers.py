"""ASiC-E containers: other people's ZIP readers open ours, and ours opens nothing that two readers could see twice."""

import contextlib
import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.errors import ExchangeError
from gateway.model.errors.evidence import EVIDENCE_MALFORMED
from gateway.signing.asice import MANIFEST, MIMETYPE, SIGNATURES, read_container, read_manifest, write_container

_MIMETYPE = MIMETYPE.encode()
FILES = {"a.json": b"{}", "records/b.txt": b"text " * 1000, "empty": b""}
MEDIA = dict.fromkeys(FILES, "text/plain")
GOOD = write_container(FILES, b"<signatures/>", MEDIA)


def malformed(data, match=None):
    with pytest.raises(ExchangeError, match=match) as refused:
        read_container(data)
    assert refused.value.kind is EVIDENCE_MALFORMED


def zipped(entries, *, mimetype=_MIMETYPE, first=zipfile.ZIP_STORED):
    """Another library's ZIP. entries: (name or ZipInfo, content)."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        if mimetype is not None:
            made.writestr("mimetype", mimetype, first)
        for name, content in entries:
            made.writestr(name, content)
    return file.getvalue()


def test_it_reads_what_it_writes():
    assert read_container(GOOD) == {**FILES, MANIFEST: read_container(GOOD)[MANIFEST], SIGNATURES: b"<signatures/>"}
    assert read_manifest(read_container(GOOD)[MANIFEST]) == MEDIA


def test_another_library_reads_it():
    with zipfile.ZipFile(io.BytesIO(GOOD)) as opened:
        assert opened.testzip() is None
        assert opened.namelist()[0] == "mimetype"
        assert {name: opened.read(name) for name in FILES} == FILES
    # EN 319 162-1 §A.1: what it is can be seen without a ZIP reader.
    assert GOOD[30:38] == b"mimetype"
    assert GOOD[38 : 38 + len(MIMETYPE)] == MIMETYPE.encode()


def test_it_reads_what_another_library_writes():
    assert read_container(zipped([("a", b"1"), ("b/c", b"22")])) == {"a": b"1", "b/c": b"22"}


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}(/[a-z0-9]{1,8})?", fullmatch=True), st.binary(max_size=300), max_size=6
    ).filter(lambda files: files.keys().isdisjoint(name.partition("/")[0] for name in files if "/" in name))
)
def test_any_files_come_back(files):
    files.pop("mimetype", None)
    folders = {path.partition("/")[0] for path in files if "/" in path}
    files = {path: content for path, content in files.items() if path not in folders}  # a file is nobody's folder
    made = write_container(files, b"s", dict.fromkeys(files, "a/b"))
    found = read_container(made)
    assert {path: found[path] for path in files} == files


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_changed_byte_is_never_anything_but_refused_or_harmless(data):
    """A byte that nothing depends on (a time, a version) may change; what is read then is the same."""
    at = data.draw(st.integers(0, len(GOOD) - 1))
    changed = bytearray(GOOD)
    changed[at] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(ExchangeError):
        assert read_container(bytes(changed)) == read_container(GOOD)


def test_a_container_cut_off_anywhere_is_refused():
    for end in range(0, len(GOOD), 13):
        malformed(GOOD[:end])


def _link():
    info = zipfile.ZipInfo("a")
    info.external_attr = 0o120777 << 16
    return info


BAD_NAMES = [
    *("../a", "/a", "a/../b", "a//b", "./a", "a\\b", "C:a", "a\x00b", "a/", "é", ".a", "a/.b", "", "x" * 300),
    *("a/..", "..", "a\n", "a b", "a\t", "a\x7f", "~/a", "a?b", "a*", "a|b", "a%2fb", "a/../../b", "//a"),
    *("\u202efdp.exe", "a\u200bb", "\uff0e\uff0e/a", "a\u2215b", "e\u0301", "\ufeffa", "a/b\x00.json"),
]
"""Also: right-to-left and zero-width marks, full-width dots, a division slash, what NFC would join, a byte order mark."""
RAW_NAMES = [b"\xc0\xaea", b"\xc0\xae\xc0\xae/a", b"\xff\xfe", b"\xed\xa0\x80", b"\x00", b"\xe9"]
"""Bytes that are no UTF-8: overlong dots, a lone surrogate, Latin-1."""


@pytest.mark.parametrize("name", [*(name.encode() for name in BAD_NAMES), *RAW_NAMES])
def test_names_that_lead_elsewhere_are_refused(name):
    entry = zipfile.ZipInfo("place-holder")
    made = zipped([(entry, b"1")])
    raw = name
    at = made.index(b"place-holder")
    # The same name in both headers, with its length, so that nothing else is wrong.
    local, central = at - 30, made.index(b"place-holder", at + 1) - 46
    patched = bytearray(made)
    patched[central + 46 : central + 58] = raw
    patched[central + 28 : central + 30] = struct.pack("<H", len(raw))
    patched[local + 30 : local + 42] = raw
    patched[local + 26 : local + 28] = struct.pack("<H", len(raw))
    moved = len(raw) - 12
    end = patched.rindex(b"PK\5\6")
    size, start = struct.unpack_from("<II", patched, end + 12)
    struct.pack_into("<II", patched, end + 12, size + moved, start + moved)
    malformed(bytes(patched), "plain relative path|does not parse")


BAD = {
    "no zip": b"no zip at all, only text that is long enough to hold an end record",
    "nothing": b"",
    "no files": struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0, 0, 0, 0, 0),
    "no mimetype": zipped([("a", b"1")], mimetype=None),
    "mimetype not first": zipped([("a", b"1"), ("mimetype", MIMETYPE)], mimetype=None),
    "another mimetype": zipped([("a", b"1")], mimetype=b"application/zip"),
    "compressed mimetype": zipped([("a", b"1")], first=zipfile.ZIP_DEFLATED),
    "a link": zipped([(_link(), b"/etc/passwd")]),
    "a folder": zipped([("a/", b"")]),
    "the same name in another case": zipped([("a", b"1"), ("A", b"2")]),
    "bytes before": b"#!/bin/sh\n" + GOOD,
    "bytes after": GOOD + b"more",
    "two containers": GOOD + GOOD,
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_what_two_readers_could_read_differently_is_refused(data):
    malformed(data)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_given_twice_is_refused():
    malformed(zipped([("a", b"1"), ("a", b"2")]), "same name")


def test_another_name_in_the_files_own_header_is_refused():
    malformed(GOOD.replace(b"a.json", b"b.json", 1), "differs from the directory")


def test_a_comment_is_refused():
    file = io.BytesIO(zipped([("a", b"1")]))
    with zipfile.ZipFile(file, "a") as opened:
        opened.comment = b"hidden"
    malformed(file.getvalue())


def _resized(data, size, start):
    """The end record's size and start of the directory moved by so much."""
    end = data.rindex(b"PK\5\6")
    now = struct.unpack_from("<II", data, end + 12)
    struct.pack_into("<II", data, end + 12, now[0] + size, now[1] + start)
    return bytes(data)


def test_bytes_between_files_are_refused():
    """Hidden behind the first file, with every offset right: a reader that only follows the directory never sees them."""
    hidden = b"PK\3\4 hidden"
    data = bytearray(zipped([("a", b"1")]))
    second = data.index(b"PK\3\4", 4)
    data[second:second] = hidden
    entry = data.index(b"PK\1\2", data.index(b"PK\1\2") + 4)
    struct.pack_into("<I", data, entry + 42, second + len(hidden))
    malformed(_resized(data, 0, len(hidden)), "overlap, or bytes between")


def test_two_names_for_one_file_are_refused():
    """Directory entries that overlap: both say that they are the same bytes."""
    data = bytearray(zipped([("a", b"1"), ("b", b"1")]))
    third = data.index(b"PK\1\2", data.index(b"PK\1\2", data.index(b"PK\1\2") + 4) + 4)
    second = data.index(b"PK\3\4", 4)
    struct.pack_into("<I", data, third + 42, second)
    malformed(bytes(data), "overlap")


def test_bytes_inside_the_directory_are_refused():
    data = bytearray(zipped([("a", b"1")]))
    end = data.rindex(b"PK\5\6")
    data[end:end] = b"hidden"
    malformed(_resized(data, 6, 0), "belong to no file")


def test_a_bomb_is_refused_before_it_is_inflated():
    """A file that says 1 KiB and inflates to a gigabyte; and one that says a gigabyte."""
    packing = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = b"".join(packing.compress(bytes(1 << 20)) for _ in range(64)) + packing.flush()
    info = struct.pack("<III", zlib.crc32(b"\0" * 1024), len(bomb), 1024)
    for said, match in (
        (info, "longer than it says"),
        (struct.pack("<III", 0, len(bomb), 1 << 30), "too large together"),
    ):
        first = struct.pack("<4sHHHHH", b"PK\3\4", 20, 0, 0, 0, 33) + struct.pack(
            "<IIIHH", zlib.crc32(MIMETYPE.encode()), len(MIMETYPE), len(MIMETYPE), 8, 0
        )
        local_mimetype = first + b"mimetype" + MIMETYPE.encode()
        local = struct.pack("<4sHHHHH", b"PK\3\4", 20, 0, 8, 0, 33) + said + struct.pack("<HH", 1, 0) + b"a" + bomb
        central = b"PK\1\2" + struct.pack("<H", 20) + first[4:] + struct.pack("<HHHII", 0, 0, 0, 0, 0) + b"mimetype"
        central += b"PK\1\2" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 33) + said
        central += struct.pack("<HHHHHII", 1, 0, 0, 0, 0, 0, len(local_mimetype)) + b"a"
        body = local_mimetype + local
        end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 2, 2, len(central), len(body), 0)
        malformed(body + central + end, match)


def _field(data, which, offset, form, value):
    """The second file's field changed: in its own header (``local``), in the directory, or in both."""
    found = bytearray(data)
    local = found.index(b"PK\3\4", 4)
    central = found.index(b"PK\1\2", found.index(b"PK\1\2") + 4)
    if which != "central":
        struct.pack_into(form, found, local + offset, value)
    if which != "local":
        struct.pack_into(form, found, central + offset + 2, value)
    return bytes(found)


ONE = zipped([("a", b"1" * 64)])
LIES = {
    # What readers disagree about: whoever believes the directory and whoever believes the headers must see the same.
    "encrypted": _field(ONE, "both", 6, "<H", 0x0001),
    "its sizes stand behind it": _field(ONE, "both", 6, "<H", 0x0008),
    "strongly encrypted": _field(ONE, "both", 6, "<H", 0x0040),
    "masked headers": _field(ONE, "both", 6, "<H", 0x2000),
    "encrypted, says the header alone": _field(ONE, "local", 6, "<H", 0x0001),
    "packed in another way": _field(ONE, "both", 8, "<H", 12),
    "packed in another way, says the header": _field(ONE, "local", 8, "<H", 0),
    "packed in another way, says the directory": _field(ONE, "central", 8, "<H", 0),
    "another check sum": _field(ONE, "both", 14, "<I", 1),
    "another check sum in the header": _field(ONE, "local", 14, "<I", 1),
    "a larger size": _field(ONE, "both", 22, "<I", 65),
    "a smaller size": _field(ONE, "both", 22, "<I", 63),
    "a larger size in the header": _field(ONE, "local", 22, "<I", 65),
    "ZIP64 sizes": _field(ONE, "both", 22, "<I", 0xFFFFFFFF),
    "a ZIP64 size in the header": _field(ONE, "local", 18, "<I", 0xFFFFFFFF),
    "an extra field that is not there": _field(ONE, "local", 28, "<H", 9),
    "a longer name in the header": _field(ONE, "local", 26, "<H", 2),
    "an own comment": _field(ONE, "central", 30, "<H", 4),
    "on another disk": _field(ONE, "central", 32, "<H", 1),
}


@pytest.mark.parametrize("data", LIES.values(), ids=LIES)
def test_headers_that_lie_are_refused(data):
    malformed(data)


def test_a_name_that_only_some_readers_see_is_refused():
    """Info-ZIP's Unicode path (0x7075): an extra field that gives the file another name."""
    entry = zipfile.ZipInfo("harmless.txt")
    name = b"evidence.json"
    field = struct.pack("<BI", 1, zlib.crc32(b"harmless.txt")) + name
    entry.extra = struct.pack("<HH", 0x7075, len(field)) + field
    malformed(zipped([(entry, b"{}")]), "unknown way|differs")


@pytest.mark.parametrize("kind", [0o120000, 0o040000, 0o060000, 0o020000, 0o010000, 0o140000])
def test_only_plain_files_are_read(kind):
    """Links, folders, devices, pipes and sockets, as whoever unpacks it would make them."""
    entry = zipfile.ZipInfo("a")
    entry.external_attr = (kind | 0o777) << 16
    malformed(zipped([(entry, b"/etc/passwd")]), "no file")


def test_a_file_that_is_the_folder_of_another_is_refused():
    malformed(zipped([("a", b"1"), ("a/b", b"2")]), "folder of another")
    malformed(zipped([("x/y/z", b"1"), ("X/Y", b"2")]), "folder of another")
    assert read_container(zipped([("a", b"1"), ("ab/c", b"2")])) == {"a": b"1", "ab/c": b"2"}


def _ended(count=None, here=None, size=None, start=None):
    """The end record with other numbers."""
    data = bytearray(ONE)
    end = data.rindex(b"PK\5\6")
    for offset, form, value in ((8, "<H", here), (10, "<H", count), (12, "<I", size), (16, "<I", start)):
        if value is not None:
            struct.pack_into(form, data, end + offset, value)
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        _ended(count=1, here=1),
        _ended(count=3, here=3),
        _ended(count=2, here=1),
        _ended(count=0xFFFF, here=0xFFFF),
        _ended(size=0xFFFFFFFF),
        _ended(start=0xFFFFFFFF),
        _ended(start=0, size=len(ONE) - 22),
    ],
)
def test_an_end_that_lies_is_refused(data):
    malformed(data)


def test_a_second_end_is_refused():
    """A reader that searches from the front, or from the back, finds another directory."""
    other = zipped([("b", b"2")])
    malformed(ONE + other[other.rindex(b"PK\5\6") :])
    malformed(ONE[: ONE.rindex(b"PK\5\6")] + other)


def test_bytes_behind_a_packed_files_end_are_refused():
    packing = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packing.compress(b"1" * 64) + packing.flush()
    data = bytearray(ONE)
    at = data.index(packed, 70)
    data[at + len(packed) : at + len(packed)] = b"hidden"
    size = len(packed) + 6
    local, central = data.index(b"PK\3\4", 4), data.index(b"PK\1\2", data.index(b"PK\1\2") + 4)
    struct.pack_into("<I", data, local + 18, size)
    struct.pack_into("<I", data, central + 20, size)
    malformed(_resized(data, 0, 6), "longer than it says")


def test_a_container_over_the_limit_is_refused_unread(monkeypatch):
    monkeypatch.setattr("gateway.signing.asice.MAX_SIZE", len(ONE) - 1)
    malformed(ONE, "too large")
    monkeypatch.setattr("gateway.signing.asice.MAX_SIZE", len(ONE))
    malformed(zipped([("a", b"1" * len(ONE))]), "too large")


def test_too_many_files_are_refused():
    malformed(zipped([(f"f{number}", b"") for number in range(300)]), "over 256")


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"<manifest/>",
        b"<!DOCTYPE a><manifest/>",
        read_container(GOOD)[MANIFEST].replace(b'"a.json"', b'"empty"'),
        read_container(GOOD)[MANIFEST].replace(b"vnd.etsi.asic-e+zip", b"zip"),
        read_container(GOOD)[MANIFEST].replace(b"file-entry", b"other-entry"),
    ],
)
def test_another_manifest_is_refused(manifest):
    with pytest.raises(ExchangeError) as refused:
        read_manifest(manifest)
    assert refused.value.kind is EVIDENCE_MALFORMED
