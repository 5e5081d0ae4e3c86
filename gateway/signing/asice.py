"""ASiC-E containers (ETSI EN 319 162-1 §4.4): the ZIP file, its mimetype and its manifest; nothing of signatures.

Reading is strict, since a container is what a stranger hands over: two readers must not be able to see two contents.
Refused: names given twice (also in another case), absolute names, ``..``, backslashes, links, directories, encrypted or
overlapping members, bytes that no member has, a mimetype that is not first and stored, and anything that grows beyond
its bounds. The file is taken apart here, not by a library, so that all this is known and bounded before anything is
inflated.
"""

import binascii
import re
import struct
import zlib
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors.evidence import EVIDENCE_MALFORMED
from gateway.signing.xml import parse

MIMETYPE: Final = "application/vnd.etsi.asic-e+zip"
MANIFEST: Final = "META-INF/manifest.xml"
SIGNATURES: Final = "META-INF/signatures.xml"

MAX_SIZE: Final = 256 * 1024 * 1024
"""Bytes of a container, and of all its files together."""
MAX_FILES: Final = 256

_OPEN_DOCUMENT: Final = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_MAX_NAME: Final = 200
_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END: Final = struct.Struct("<4sHHHHIIH")
_UTF8: Final = 0x0800
_DAY: Final = 0x21  # 1980-01-01, the first that a ZIP file can say: when a file was made stands in what is signed
_STORED, _DEFLATED = 0, 8
_UNIX_FILE: Final = 0o100000
_UNIX_KIND: Final = 0o170000


class _Member(Struct, frozen=True):
    """A central directory entry. start: of its local header."""

    name: str
    method: int
    crc: int
    packed: int
    size: int
    start: int


def write_container(files: Mapping[str, bytes], signatures: bytes, media_types: Mapping[str, str]) -> bytes:
    """The container of files (path → bytes) and one signature file. The same arguments give the same bytes."""
    meta = {MANIFEST: write_manifest(media_types), SIGNATURES: signatures}
    everything = [("mimetype", MIMETYPE.encode()), *files.items(), *meta.items()]
    locals_, centrals, at = [], [], 0
    for name, content in everything:
        packed = content if name == "mimetype" else _deflated(content)
        method = _STORED if len(packed) >= len(content) else _DEFLATED
        data, encoded = (content if method == _STORED else packed), name.encode("ascii")
        sizes = (binascii.crc32(content), len(data), len(content), len(encoded))
        local = _LOCAL.pack(b"PK\3\4", 20, 0, method, 0, _DAY, *sizes, 0) + encoded + data
        centrals.append(
            _CENTRAL.pack(b"PK\1\2", 20, 20, 0, method, 0, _DAY, *sizes, 0, 0, 0, 0, 0o100644 << 16, at) + encoded
        )
        locals_.append(local)
        at += len(local)
    directory = b"".join(centrals)
    end = _END.pack(b"PK\5\6", 0, 0, len(everything), len(everything), len(directory), at, 0)
    return b"".join((*locals_, directory, end))


def read_container(data: bytes) -> dict[str, bytes]:
    """Every file of a container but ``mimetype``, by path. Raises ExchangeError (EVIDENCE_MALFORMED)."""
    if len(data) > MAX_SIZE:
        raise _malformed("it is too large")
    try:
        members = _directory(data)
        _check_names(members)
        if sum(member.size for member in members) > MAX_SIZE:
            raise _malformed("its files are too large together")
        files = _contents(data, members)
    except (struct.error, zlib.error, UnicodeDecodeError, IndexError):
        raise _malformed("the ZIP file does not parse") from None
    if files.pop("mimetype") != MIMETYPE.encode():
        raise _malformed(f"its mimetype is not {MIMETYPE}")
    return files


def write_manifest(media_types: Mapping[str, str]) -> bytes:
    """``META-INF/manifest.xml`` (OpenDocument 1.2 part 3, §3): every file outside META-INF with its media type."""
    entries = [("/", MIMETYPE), *media_types.items()]
    listed = "".join(
        f' <manifest:file-entry manifest:full-path="{path}" manifest:media-type="{media}"/>\n'
        for path, media in entries
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<manifest:manifest xmlns:manifest="{_OPEN_DOCUMENT}" manifest:version="1.2">\n{listed}</manifest:manifest>\n'
    ).encode()


def read_manifest(data: bytes) -> dict[str, str]:
    """Path → media type of every file that a manifest lists. Raises ExchangeError (EVIDENCE_MALFORMED)."""
    try:
        root = parse(data)
    except ExchangeError as error:
        raise _malformed(f"the manifest: {error.detail or error.kind.code}") from None
    name = f"{{{_OPEN_DOCUMENT}}}"
    if root.tag != f"{name}manifest" or any(entry.tag != f"{name}file-entry" for entry in root):
        raise _malformed("the manifest is none of OpenDocument's")
    listed = [(str(entry.get(f"{name}full-path")), str(entry.get(f"{name}media-type"))) for entry in root]
    found = dict(listed)
    if len(found) != len(listed) or found.pop("/", None) != MIMETYPE:
        raise _malformed("the manifest lists a file twice, or not the container itself")
    return found


def _deflated(content: bytes) -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packing.compress(content) + packing.flush()


def _directory(data: bytes) -> list[_Member]:
    """The central directory; it ends where the end record begins, which ends the file: no comment, no other disk."""
    start_of_end = len(data) - _END.size
    if start_of_end < 0:
        raise _malformed("it is no ZIP file")
    signature, disk, first, here, count, size, start, comment = _END.unpack_from(data, start_of_end)
    if signature != b"PK\5\6" or (disk, first, comment) != (0, 0, 0) or here != count:
        raise _malformed("it is no ZIP file, or one with a comment or in several parts")
    if not 0 < count <= MAX_FILES or start + size != start_of_end:
        raise _malformed(f"it has no files, over {MAX_FILES}, or bytes that belong to none")
    members, at = [], start
    for _ in range(count):
        member, at = _entry(data, at)
        members.append(member)
    if at != start_of_end:
        raise _malformed("its directory has bytes that belong to no file")
    return members


def _entry(data: bytes, at: int) -> tuple[_Member, int]:
    fields = _CENTRAL.unpack_from(data, at)
    signature, _, _, flags, method, _, _, crc, packed, size, length, extra, comment, disk, _, outside, start = fields
    if signature != b"PK\1\2" or flags & ~_UTF8 or method not in {_STORED, _DEFLATED} or disk or extra or comment:
        raise _malformed("a file in it is encrypted, streamed, or packed in an unknown way")
    if (outside >> 16) & _UNIX_KIND not in {0, _UNIX_FILE}:
        raise _malformed("it holds a link, a device, or something else that is no file")
    name = data[at + _CENTRAL.size : at + _CENTRAL.size + length].decode("ascii")
    return _Member(name, method, crc, packed, size, start), at + _CENTRAL.size + length


def _check_names(members: list[_Member]) -> None:
    for member in members:
        if len(member.name) > _MAX_NAME or not _NAME.fullmatch(member.name):
            raise _malformed("a file's name is no plain relative path")
    names = {member.name.lower() for member in members}
    if len(names) != len(members):
        raise _malformed("two files have the same name")
    if any(name[:at] in names for name in names for at, letter in enumerate(name) if letter == "/"):
        raise _malformed("a file is the folder of another")
    first = members[0]
    if first.name != "mimetype" or first.start != 0 or first.method != _STORED:
        raise _malformed("mimetype is not its first file, uncompressed")


def _contents(data: bytes, members: list[_Member]) -> dict[str, bytes]:
    """The files, which follow one another from the first byte to the directory without a gap."""
    files: dict[str, bytes] = {}
    expected = 0
    for member in members:
        if member.start != expected:
            raise _malformed("its files overlap, or bytes between them belong to none")
        header = _LOCAL.unpack_from(data, member.start)
        signature, _, flags, method, _, _, crc, packed, size, length, extra = header
        begin = member.start + _LOCAL.size + length + extra
        name = data[member.start + _LOCAL.size : member.start + _LOCAL.size + length].decode("ascii")
        here = (name, method, crc, packed, size)
        said = (member.name, member.method, member.crc, member.packed, member.size)
        if signature != b"PK\3\4" or here != said or flags & ~_UTF8 or extra:
            raise _malformed("a file's own header differs from the directory")
        expected = begin + member.packed
        files[member.name] = _inflated(data[begin:expected], member)
    directory = _END.unpack_from(data, len(data) - _END.size)[6]
    if expected != directory:
        raise _malformed("bytes before its directory belong to no file")
    return files


def _inflated(packed: bytes, member: _Member) -> bytes:
    """The bytes of one file; never more of them than its header says."""
    content = packed
    if member.method == _DEFLATED:
        inflating = zlib.decompressobj(-zlib.MAX_WBITS)
        content = inflating.decompress(packed, member.size + 1)
        if not inflating.eof or inflating.unused_data:
            raise _malformed(f"{member.name} is longer than it says, or cut off")
    if len(content) != member.size or binascii.crc32(content) != member.crc:
        raise _malformed(f"{member.name} has another length or check sum than it says")
    return content


def _malformed(why: str) -> ExchangeError:
    return ExchangeError(EVIDENCE_MALFORMED, why)
