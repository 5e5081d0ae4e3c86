"""Openings: the private fields of a record with their salts. In clear, as parties are shown them, and sealed at rest.

Sealed with AES-256-GCM under a key of the record's own; that key is wrapped, again with AES-256-GCM, under the epoch's.
Destroying the wrapped key destroys one record's openings and no other's.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from gateway.ledger.canonical import canonical
from gateway.ledger.epoch import Epoch
from gateway.ledger.record import BuiltRecord
from gateway.ledger.skeleton import FORMAT, SALT_BYTES, Skeleton, check_opening
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_MALFORMED, LOG_PROOF_INVALID, OPENING_UNREADABLE
from gateway.model.ids import RecordId

SEAL_RANDOM = 44
"""How many random bytes ``seal`` takes: a key of 32 and a nonce of 12."""

_DOMAIN = b"motlan/openings/v1\n"
_KEY = 32
_NONCE = 12
_TAG = 16
_WRAPPED = _NONCE + _KEY + _TAG
_ONCE = bytes(_NONCE)  # a record's key encrypts once, so its nonce need not differ


class Opening(Struct, frozen=True):
    """One private field: its name, its JSON value, its salt (16 bytes), and its position among the commitments."""

    position: int
    name: str
    value: Any
    salt: bytes


class Openings(Struct, frozen=True):
    """The openings of one record. ``fields`` has None in the place of each one erased or withheld."""

    id: RecordId
    fields: tuple[Opening | None, ...]

    @property
    def shown(self) -> tuple[Opening, ...]:
        """Those that are there."""
        return tuple(opening for opening in self.fields if opening is not None)

    def only(self, keep: Callable[[Opening], bool]) -> "Openings":
        """The same without the fields that ``keep`` denies: to show a party its own, or to erase."""
        return Openings(self.id, tuple(field if field is not None and keep(field) else None for field in self.fields))

    def encode(self) -> bytes:
        """Canonical JSON, as ``record.build`` writes it; null in the place of what is withheld."""
        fields = [None if opening is None else [opening.name, opening.value] for opening in self.fields]
        salts = [None if opening is None else opening.salt.hex() for opening in self.fields]
        return canonical({"fields": fields, "id": self.id, "salts": salts, "version": FORMAT})


class _Written(Struct, frozen=True, forbid_unknown_fields=True):
    fields: list[tuple[str, Any] | None]
    id: str
    salts: list[str | None]
    version: int


_decoder = msgspec.json.Decoder(_Written)


def parse_openings(openings: bytes) -> Openings:
    """Read openings in clear.

    Raises ExchangeError (LOG_MALFORMED), quoting nothing of them, unless they are in their one canonical form.
    """
    try:
        written = _decoder.decode(openings)
        pairs = zip(written.fields, written.salts, strict=True)
        parsed = Openings(
            RecordId(written.id),
            tuple(_opening(position, field, salt) for position, (field, salt) in enumerate(pairs)),
        )
        is_canonical = written.version == FORMAT and parsed.encode() == openings
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise ExchangeError(LOG_MALFORMED, "the openings do not parse") from None
    if not is_canonical:
        raise ExchangeError(LOG_MALFORMED, "the openings are of an unknown version, or not in canonical form")
    return parsed


def check_openings(skeleton: Skeleton, openings: Openings) -> None:
    """Check that every field shown is the one committed to at its position, and that the record is the same.

    Raises ExchangeError (LOG_PROOF_INVALID), naming positions.
    """
    if openings.id != skeleton.id or len(openings.fields) != len(skeleton.private):
        raise ExchangeError(LOG_PROOF_INVALID, "the openings are of another record")
    for opening in openings.shown:
        if check_opening(skeleton, opening.name, opening.value, opening.salt) != opening.position:
            raise ExchangeError(LOG_PROOF_INVALID, f"private field {opening.position} is not at its place")


def seal(built: BuiltRecord, epoch: Epoch, random: bytes) -> bytes:
    """The openings of ``built``, sealed; only who has the epoch's key reads them.

    random: 44 fresh bytes (``SEAL_RANDOM``), never used again. The record's id and entry, and the epoch's id, are
    bound in as associated data. Raises ValueError for another number of random bytes.
    """
    if len(random) != SEAL_RANDOM:
        raise ValueError("sealing takes 44 random bytes")
    key, nonce = random[:_KEY], random[_KEY:]
    bound = b"".join((_DOMAIN, epoch.header, built.id.encode(), built.entry))
    wrapped = epoch.wrapping.encrypt(nonce, key, bound)
    return b"".join((epoch.header, nonce, wrapped, AESGCM(key).encrypt(_ONCE, built.openings, bound)))


def seal_again(openings: Openings, entry: bytes, epoch: Epoch, random: bytes) -> bytes:
    """What is left of a record's openings, sealed under a new key of its own: the old one opens nothing of it.

    epoch: the record's. random: as for ``seal``.
    """
    left = BuiltRecord(openings.id, epoch.starts, b"", entry, openings.encode())
    return seal(left, epoch, random)


def epoch_of(sealed: bytes) -> str:
    """The id of the epoch whose key opens this. Raises ExchangeError (OPENING_UNREADABLE) if it is not sealed so."""
    size = sealed[1] if len(sealed) > 1 else 0
    header = sealed[2 : 2 + size]
    if sealed[:1] != bytes([FORMAT]) or len(sealed) < 2 + size + _WRAPPED + _TAG or not header.isascii():
        raise ExchangeError(OPENING_UNREADABLE, "these are not sealed openings of a known version")
    return header.decode()


def open_sealed(sealed: bytes, epoch: Epoch, record: RecordId, entry: bytes) -> Openings:
    """Open what ``seal`` made for this record and entry.

    Raises ExchangeError: OPENING_UNREADABLE for another epoch, record, entry or altered bytes.
    """
    return parse_openings(open_bytes(sealed, epoch, record, entry))


def open_bytes(sealed: bytes, epoch: Epoch, record: RecordId, entry: bytes) -> bytes:
    """The openings in clear, as they were sealed. Raises as ``open_sealed`` does."""
    if not sealed.startswith(epoch.header) and epoch_of(sealed) != epoch.id:
        raise ExchangeError(OPENING_UNREADABLE, "the openings are sealed under another epoch's key")
    bound = b"".join((_DOMAIN, epoch.header, record.encode(), entry))
    start = len(epoch.header)
    if len(sealed) < start + _WRAPPED + _TAG:
        raise ExchangeError(OPENING_UNREADABLE, "these are not sealed openings of a known version")
    nonce, wrapped = sealed[start : start + _NONCE], sealed[start + _NONCE : start + _WRAPPED]
    try:
        key = epoch.wrapping.decrypt(nonce, wrapped, bound)
        return AESGCM(key).decrypt(_ONCE, sealed[start + _WRAPPED :], bound)
    except InvalidTag:
        raise ExchangeError(OPENING_UNREADABLE, "the openings were altered, or are another record's") from None


def _opening(position: int, field: tuple[str, Any] | None, salt: str | None) -> Opening | None:
    if field is None or salt is None:
        if field is not None or salt is not None:
            raise ValueError("a field and its salt are withheld together")
        return None
    raw = bytes.fromhex(salt)
    if len(raw) != SALT_BYTES:
        raise ValueError("a salt is 16 bytes")
    return Opening(position, field[0], field[1], raw)
