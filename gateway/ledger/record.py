"""The record of one event of an exchange: a public-safe skeleton, salted commitments, and the openings of these.

``skeleton`` is canonical JSON and holds no personal data: what is personal stands in it as a list of commitments, each
SHA-256 over its own salt. ``entry``, which the public log carries, is a hash of the skeleton. So the log shows
nothing, a field can be shown to one party and not to another, and erasing a field's salt and value leaves every proof
valid. The formats are permanent: docs/log.md describes them for an outsider.
"""

import hashlib
import re
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw, Struct, field
from msgspec.structs import force_setattr

from gateway.ledger.canonical import canonical, is_nfc
from gateway.ledger.skeleton import DIGEST_BYTES, FORMAT, SALT_BYTES, Decision, Written, encoded, entry_of
from gateway.model.ids import RecordId, ServiceId, SubsystemId
from gateway.model.instant import MICROSECONDS, Instant, rfc3339

_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_PREFIX = b"motlan/field/v1\n"
_sha256 = hashlib.sha256
_encode = msgspec.json.Encoder().encode

PrivateField = tuple[str, Any]
"""A name and a JSON value that only the parties concerned may see. Names may repeat (several persons)."""


class RecordKind(StrEnum):
    """What happened."""

    REQUEST = "request"
    ANSWER = "answer"
    REFUSAL = "refusal"
    """A proved caller was refused."""
    REFUSALS = "refusals"
    """A minute's refusals before proof, counted together."""
    ABANDONED = "abandoned"
    """Recovery found a request that a crash left without an end."""
    AUDIT = "audit"
    """An auditor or an officer in charge looked at records, or exported some."""
    CONFIGURATION = "configuration"
    """A policy, trust list, mapping or key came into force."""
    DELIVERY = "delivery"
    EVENT = "event"
    INBOX = "inbox"
    EPOCH = "epoch"
    """A new key for openings and pseudonyms came into use."""
    ERASURE = "erasure"
    """Fields of earlier records were erased."""


class SignedBy(StrEnum):
    """Whose signature stands behind the event."""

    CALLER = "caller"
    HOSTED_KEY = "gateway, on mTLS evidence"
    """The member showed its certificate in mTLS; the gateway signed with a key that it hosts for the member."""
    PARENT = "parent"
    """A call made inside, under the proof of the parent record."""
    GATEWAY = "gateway"


class Ruling(StrEnum):
    """What policy said."""

    ALLOWED = "allowed"
    DENIED = "denied"


class InForce(Struct, frozen=True, kw_only=True):
    """What was in force when the event happened: SHA-256 of the documents (32 bytes; None where there is none).

    Made once, when a configuration is loaded, since its part of the skeleton is written at construction.
    build: the gateway's version, e.g. ``motlan 0.1.0``. Raises ValueError for digests of another length.
    """

    policy: bytes | None
    trust: bytes | None
    mapping: bytes | None = None
    schema: bytes | None = None
    build: str
    json: Raw = field(default_factory=Raw)
    """The digests as the skeleton carries them."""

    def __post_init__(self) -> None:
        digests = {"mapping": self.mapping, "policy": self.policy, "schema": self.schema, "trust": self.trust}
        if any(digest is not None and len(digest) != DIGEST_BYTES for digest in digests.values()):
            raise ValueError("a digest in force is 32 bytes")
        hexed = {name: digest.hex() if digest is not None else None for name, digest in digests.items()}
        force_setattr(self, "json", Raw(canonical(hexed)))


class Facts(Struct, frozen=True, kw_only=True):
    """Everything a record says. The private fields are committed to; all else is written in the skeleton.

    id: a UUIDv7, lower case. at: written with milliseconds. parent: the record that led to this one. method: the HTTP
    method, or the operation's name. purpose, basis: procedure code and legal basis. grant: the grant that allowed it.
    reasons: the decision's reasons; of a refusal, its error code first. released: names of the elements that left.
    Raises ValueError for an id of another form, or a time before 1970.
    """

    id: RecordId
    at: Instant
    kind: RecordKind
    in_force: InForce
    parent: RecordId | None = None
    client: SubsystemId | None = None
    service: ServiceId | None = None
    method: str | None = None
    purpose: str | None = None
    basis: str | None = None
    grant: str | None = None
    ruling: Ruling | None = None
    reasons: tuple[str, ...] = ()
    outcome: str | None = None
    released: tuple[str, ...] = ()
    signed_by: SignedBy | None = None
    private: tuple[PrivateField, ...] = ()

    def __post_init__(self) -> None:
        if not _UUID7.fullmatch(self.id) or (self.parent is not None and not _UUID7.fullmatch(self.parent)):
            raise ValueError("a record's id is a UUIDv7 in lower case")
        if self.at < 0:
            raise ValueError("a record's time is not before 1970")


class BuiltRecord(Struct, frozen=True):
    """A record ready to be sealed and stored.

    skeleton: canonical JSON. entry: 33 bytes, what the log carries. openings: canonical JSON in clear, to be sealed.
    """

    id: RecordId
    at: Instant
    skeleton: bytes
    entry: bytes
    openings: bytes


def random_needed(private_fields: int) -> int:
    """How many random bytes ``build`` takes: one salt for the skeleton and one for each private field.

    Each salt is random of its own, not derived from a seed, so that destroying one leaves nothing to guess it by.
    """
    return SALT_BYTES * (private_fields + 1)


def build(facts: Facts, random: bytes) -> BuiltRecord:
    """Build the record of ``facts``; ``random`` is ``random_needed(len(facts.private))`` fresh bytes, never used again.

    Raises ValueError for another number of random bytes, and for a private value that is not JSON.
    """
    if len(random) != SALT_BYTES * (len(facts.private) + 1):
        raise ValueError("a record takes 16 random bytes, and 16 for each private field")
    pairs = _pairs(facts.private)
    commitments = []
    cut = SALT_BYTES
    for pair in pairs:
        end = cut + SALT_BYTES
        commitments.append(_sha256(_PREFIX + random[cut:end] + pair).hexdigest())
        cut = end
    salts = random.hex(",", SALT_BYTES)
    skeleton = encoded(_written(facts, commitments, salts[: 2 * SALT_BYTES]))
    openings = _openings(facts.id, pairs, salts[2 * SALT_BYTES + 1 :])
    return BuiltRecord(facts.id, facts.at, skeleton, entry_of(skeleton), openings)


def _pairs(private: tuple[PrivateField, ...]) -> list[bytes]:
    """Canonical ``[name, value]`` of each. Most values are texts, and msgspec encodes those as RFC 8785 does, but for
    NFC.
    """
    try:
        pairs = [_encode(field) if type(field[1]) is str else canonical(field) for field in private]
    except UnicodeEncodeError:
        raise ValueError("the text holds a lone surrogate") from None
    return pairs if is_nfc(b"".join(pairs)) else [canonical(field) for field in private]


def _openings(record: RecordId, pairs: list[bytes], salts: str) -> bytes:
    listed = '"' + salts.replace(",", '","') + '"' if pairs else ""
    return b'{"fields":[%b],"id":"%b","salts":[%b],"version":%d}' % (
        b",".join(pairs),
        record.encode(),
        listed.encode(),
        FORMAT,
    )


def _written(facts: Facts, commitments: list[str], salt: str) -> Written:
    decided = facts.ruling is not None or facts.reasons
    return Written(
        f"{_second(facts.at // MICROSECONDS)}.{facts.at // 1000 % 1000:03d}Z",
        facts.basis,
        facts.in_force.build,
        _named(facts.client),
        Decision(facts.reasons, facts.ruling) if decided else None,
        facts.in_force.json,
        facts.grant,
        facts.id,
        facts.kind,
        facts.method,
        facts.outcome,
        facts.parent,
        commitments,
        facts.purpose,
        facts.released,
        salt,
        _named(facts.service),
        facts.signed_by,
        FORMAT,
    )


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return rfc3339(Instant(seconds * MICROSECONDS))[: -len(".000Z")]


@lru_cache(maxsize=4096)
def _named(identifier: SubsystemId | ServiceId | None) -> str | None:
    # Parties and services are few, and met again with every exchange.
    return None if identifier is None else str(identifier)
