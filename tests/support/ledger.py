"""A log in memory: what a sequencer and a file store would make together, for tests of whatever reads a log."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.ledger import proofs, tree
from gateway.ledger.checkpoint import Checkpoint, sign_checkpoint
from gateway.ledger.note import KeyType, VerifierKey
from gateway.ledger.openings import parse_openings
from gateway.ledger.receipt import Disclosure, Receipt
from gateway.ledger.record import BuiltRecord, Facts, InForce, RecordKind, Ruling, SignedBy, build, random_needed
from gateway.ledger.tiles import TileId
from gateway.model.ids import RecordId, parse_service, parse_subsystem
from gateway.model.instant import Instant

ORIGIN = "log.example.vn/motlan"
IN_FORCE = InForce(
    policy=bytes([1]) * 32, trust=bytes([2]) * 32, mapping=None, schema=bytes([3]) * 32, build="motlan 0.1.0"
)


def noise(seed: object, size: int) -> bytes:
    """Bytes that look random and are the same in every run."""
    return hashlib.shake_256(repr(seed).encode()).digest(size)


def signing_key(seed: object, name: str, kind: KeyType = KeyType.ED25519) -> tuple[VerifierKey, Any]:
    """A verifier key and the function that signs for it."""
    private = Ed25519PrivateKey.from_private_bytes(noise(seed, 32))
    return VerifierKey(name, private.public_key().public_bytes_raw(), kind), private.sign


def record_id(number: int) -> RecordId:
    """The UUIDv7 of a test's n-th record."""
    return RecordId(f"01932d3e-8f1c-7abc-8def-{number:012x}")


def facts(number: int = 1, **changes: Any) -> Facts:
    """The facts of a look-up, changed as asked."""
    usual: dict[str, Any] = {
        "id": record_id(number),
        "at": Instant(1_795_315_862_123_456),
        "kind": RecordKind.REQUEST,
        "in_force": IN_FORCE,
        "client": parse_subsystem("VN/GOV/H31/portal"),
        "service": parse_service("VN/GOV/G01/population/citizen"),
        "method": "POST",
        "purpose": "1.001193",
        "basis": "ND-63/2024",
        "grant": "portal-birth",
        "ruling": Ruling.ALLOWED,
        "reasons": ("grant portal-birth",),
        "released": ("citizen.full_name",),
        "signed_by": SignedBy.CALLER,
        "private": (
            ("person.asked", {"identity_number": "031090001234", "full_name": "Nguyễn Thị Ánh"}),
            ("officer", "nv.an"),
            ("case", "000.00.01.H26-210101-0001"),
        ),
    }
    return Facts(**{**usual, **changes})


def built(number: int = 1, **changes: Any) -> BuiltRecord:
    """A record of these facts."""
    what = facts(number, **changes)
    return build(what, noise(("record", number), random_needed(len(what.private))))


@dataclass
class MemoryLog:
    """A log whose files are a dictionary by path; ``fetch`` is what verifiers take."""

    state: tree.TreeState = tree.EMPTY
    files: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key, self.sign = signing_key("log", ORIGIN)
        self.publish()

    def append(self, entries: Sequence[bytes]) -> None:
        """Append, store the tiles, publish a checkpoint."""
        self.state, writes = tree.append(self.state, entries)
        for write in writes:
            self.files[write.tile.path] = write.data
        self.publish()

    def publish(self) -> bytes:
        """Sign the tree as it is."""
        head = Checkpoint(ORIGIN, self.state.size, self.state.root)
        self.files["checkpoint"] = sign_checkpoint(head, self.key, self.sign)
        return self.files["checkpoint"]

    def fetch(self, path: str) -> bytes:
        """The file at this path. Raises KeyError."""
        return self.files[path]

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """A tile, as proofs read it."""
        return self.files[TileId(level, index, width).path]

    def receipt(self, index: int, record: BuiltRecord, keep: Any = lambda _: True) -> bytes:
        """The receipt of a record, showing the openings that ``keep`` allows."""
        shown = Disclosure(record.skeleton, parse_openings(record.openings).only(keep))
        proof = proofs.inclusion_proof(index, self.state.size, self.read_tile)
        return Receipt(index, tuple(proof), self.files["checkpoint"], shown.encode()).encode()
