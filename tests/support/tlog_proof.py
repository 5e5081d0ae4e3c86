"""A second verifier of receipts and logs, written from C2SP tlog-proof, tlog-checkpoint, signed-note, tlog-cosignature,
tlog-tiles and RFC 9162 alone: it imports nothing of the product, and does the inclusion proof the other way round (by
recursion over the tree's shape, RFC 6962 §2.1.1) than the product does.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class NotProvedError(Exception):
    """The file proves nothing."""


@dataclass(frozen=True)
class Proof:
    """What was proved: the entry's place, the tree, who cosigned it and when, the record and its opened fields. entry,
    path, root: what the inclusion proof is about, for another verifier.
    """

    index: int
    size: int
    origin: str
    cosigned: dict[str, int]
    record: dict[str, Any]
    opened: list[tuple[str, Any]]
    entry: bytes
    path: list[bytes]
    root: bytes

    def all(self, name: str) -> list[Any]:
        return [value for each, value in self.opened if each == name]


def check(file: bytes, vkey: str, *, witnesses: tuple[str, ...] = ()) -> Proof:
    """Verify a ``.tlog-proof`` of one of our records. Raises NotProvedError."""
    head, blank, note = file.partition(b"\n\n")
    _require(bool(blank), "no empty line after the proof")
    lines = head.decode("ascii").split("\n")
    _require(lines[0] == "c2sp.org/tlog-proof@v1", "another format")
    _require(lines[1].startswith("extra "), "no extra")
    extra = json.loads(_bytes(lines[1].removeprefix("extra ")))
    _require(bool(re.fullmatch(r"index (0|[1-9][0-9]*)", lines[2])), "no index")
    index = int(lines[2].removeprefix("index "))
    path = [_bytes(line) for line in lines[3:]]
    _require(all(len(step) == 32 for step in path), "a hash of another length")
    origin, size, root, cosigned = _checkpoint(note, vkey, witnesses)
    skeleton = extra["skeleton"].encode()
    entry = b"\x01" + _sha(b"motlan/record/v1\n" + skeleton)
    _require(0 <= index < size, "no such leaf")
    rest = list(reversed(path))
    _require(_root(index, size, _sha(b"\0" + entry), rest) == root and not rest, "the path does not lead to the root")
    record = json.loads(skeleton)
    return Proof(index, size, origin, cosigned, record, _opened(record, extra["openings"]), entry, path, root)


@dataclass(frozen=True)
class Log:
    """A log as its files say it is: the signed size and root, every entry, the hashes of its lowest two levels."""

    size: int
    root: bytes
    entries: list[bytes]
    leaves: list[bytes]
    above: list[bytes]


def read_log(fetch: Callable[[str], bytes], vkey: str) -> Log:
    """Read a whole log by the paths of tlog-tiles. Only the checkpoint's signature is verified. Raises NotProvedError."""
    _, size, root, _ = _checkpoint(fetch("checkpoint"), vkey, ())
    entries = []
    for number, width in _tiles(size):
        bundle, at = fetch(_path("entries", number, width)), 0
        for _ in range(width):
            length = int.from_bytes(bundle[at : at + 2], "big")
            entries.append(bundle[at + 2 : at + 2 + length])
            at += 2 + length
        _require(at == len(bundle), "a bundle of another length")
    levels: list[list[bytes]] = [[], []]
    for level, hashes in enumerate(levels):
        for number, width in _tiles(size >> 8 * level):
            tile = fetch(_path(str(level), number, width))
            _require(len(tile) == 32 * width, "a tile of another length")
            hashes += [tile[at : at + 32] for at in range(0, len(tile), 32)]
    return Log(size, root, entries, *levels)


def _tiles(hashes: int) -> list[tuple[int, int]]:
    """Number and width of the tiles that hold so many."""
    full, rest = divmod(hashes, 256)
    return [(number, 256) for number in range(full)] + ([(full, rest)] if rest else [])


def _path(level: str, number: int, width: int) -> str:
    groups = f"{number:0{-len(str(number)) % 3 + len(str(number))}d}"
    parts = [groups[at : at + 3] for at in range(0, len(groups), 3)]
    name = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    return f"tile/{level}/{name}" + ("" if width == 256 else f".p/{width}")


def _checkpoint(note: bytes, vkey: str, witnesses: tuple[str, ...]) -> tuple[str, int, bytes, dict[str, int]]:
    text, blank, signatures = note.decode().rpartition("\n\n")
    _require(bool(blank) and signatures.endswith("\n"), "no note")
    text += "\n"
    found: dict[tuple[str, bytes], bytes] = {}
    for line in signatures[:-1].split("\n"):
        dash, name, encoded = line.split(" ")
        _require(dash == "—", "no signature line")
        data = _bytes(encoded)
        found[name, data[:4]] = data[4:]
    name, identity, kind, key = _vkey(vkey)
    _require(kind == 1 and (name, identity) in found, "the log has not signed")
    _verify(key, found[name, identity], text.encode())
    cosigned = {}
    for witness in witnesses:
        who, their_identity, their_kind, their_key = _vkey(witness)
        signature = found.get((who, their_identity))
        if signature is not None:
            _require(their_kind == 4 and len(signature) == 72, "no cosignature")
            when = int.from_bytes(signature[:8], "big")
            _verify(their_key, signature[8:], f"cosignature/v1\ntime {when}\n{text}".encode())
            cosigned[who] = when
    origin, size, root = text.split("\n")[:3]
    _require(origin == name, "another log")
    return origin, int(size), _bytes(root), cosigned


def _vkey(vkey: str) -> tuple[str, bytes, int, bytes]:
    name, identity, encoded = vkey.split("+", 2)
    data = _bytes(encoded)
    expected = _sha(name.encode() + b"\n" + data)[:4]
    _require(identity == expected.hex(), "the key's id is another")
    return name, expected, data[0], data[1:]


def _root(index: int, size: int, leaf: bytes, rest: list[bytes]) -> bytes:
    """The root of a tree of ``size`` with this leaf; ``rest``: siblings from the top down, used up on the way."""
    if size == 1:
        return leaf
    _require(bool(rest), "the path is too short")
    sibling = rest.pop(0)
    left = 1
    while left * 2 < size:
        left *= 2
    if index < left:
        return _sha(b"\x01" + _root(index, left, leaf, rest) + sibling)
    return _sha(b"\x01" + sibling + _root(index - left, size - left, leaf, rest))


def _opened(record: dict[str, Any], openings: dict[str, Any]) -> list[tuple[str, Any]]:
    _require(openings["id"] == record["id"], "openings of another record")
    _require(len(openings["fields"]) == len(openings["salts"]) == len(record["private"]), "a field too many or few")
    shown = []
    for field, salt, committed in zip(openings["fields"], openings["salts"], record["private"], strict=True):
        _require((field is None) == (salt is None), "half a field")
        if field is not None:
            text = json.dumps(field, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
            _require(_sha(b"motlan/field/v1\n" + bytes.fromhex(salt) + text).hex() == committed, "another field")
            shown.append((field[0], field[1]))
    return shown


def _verify(key: bytes, signature: bytes, message: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        raise NotProvedError("a wrong signature") from None


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _require(holds: bool, why: str) -> None:
    if not holds:
        raise NotProvedError(why)
