"""Legal holds: what must not be erased, whoever asks, until the hold is lifted.

A JWS in general JSON serialisation with ``typ`` ``motlan-hold+jwt``, signed by the holder of a role. A hold names
records by id, persons and cases by their pseudonyms under each epoch that there was: so the gateway, which knows
nobody, can keep to it. Of an epoch that began after the hold it cannot know whom the hold means; what was recorded in
it is held whole, until the hold is given again. Why somebody is under a hold is sealed to the readers.
"""

from collections.abc import Iterable

from msgspec import Struct

from gateway.ledger.order_jws import Endorsed, holding, payload_of, verify
from gateway.ledger.order_payload import HEX_ID, encode_payload, parse_payload
from gateway.model.errors import ExchangeError
from gateway.model.errors.erasure import HOLD_UNKNOWN, ORDER_ELSEWHERE, ORDER_SIGNATURES
from gateway.model.ids import RecordId
from gateway.model.instant import Instant, plus
from gateway.trust.document import Role

HOLD_TYP = "motlan-hold+jwt"
"""The ``typ`` of each signature on a hold or its lifting."""

_SKEW = 60.0


class Hold(Struct, frozen=True, kw_only=True):
    """A hold, or (``lifts`` is another's id) the end of one.

    id: 16 random bytes, hex. log: the log's origin. role: in which its signer acts. records: ids. subjects: of each
    epoch (by id) the pseudonyms, hex, of the persons and cases. why: case and reason, a JWE to the readers. Raises
    ValueError for a hold on nothing.
    """

    id: str
    log: str
    issued: Instant
    role: str
    lifts: str | None = None
    records: tuple[RecordId, ...] = ()
    subjects: dict[str, tuple[str, ...]] = {}
    why: str

    def __post_init__(self) -> None:
        if (
            not HEX_ID.fullmatch(self.id)
            or not self.log
            or (self.lifts is not None and not HEX_ID.fullmatch(self.lifts))
        ):
            raise ValueError("a hold has an id of 16 bytes in hex, and names its log")
        if (self.lifts is None) != bool(self.records or self.subjects):
            raise ValueError("a hold names records, persons or cases; a lifting none")
        if not all(HEX_ID.fullmatch(each) for marks in self.subjects.values() for each in marks):
            raise ValueError("a pseudonym is 16 bytes in hex")

    def encode(self) -> bytes:
        """Its one canonical form: the payload that is signed."""
        return encode_payload(self)

    def covers(self, record: RecordId, epoch: str, marks: Iterable[bytes]) -> bool:
        """Whether a record is held: named, found by a mark of its epoch, or of an epoch that the hold does not know."""
        if record in self.records:
            return True
        if not self.subjects:
            return False
        known = self.subjects.get(epoch)
        return known is None or any(mark.hex() in known for mark in marks)


def parse_hold(payload: bytes) -> Hold:
    """Read a payload. Raises ExchangeError(ORDER_MALFORMED), quoting nothing of it."""
    return parse_payload(payload, Hold, "a legal hold")


def authorise_hold(data: bytes, roles: tuple[Role, ...], *, log: str, now: Instant) -> tuple[Hold, Endorsed]:
    """Check a new hold or lifting: form, signature by the role that it names, log and time.

    Raises ExchangeError: ORDER_MALFORMED, ORDER_SIGNATURES, ORDER_ELSEWHERE.
    """
    endorsed = verify(HOLD_TYP, data, holding(roles, now))
    hold = parse_hold(endorsed.payload)
    if not any(role.role.value == hold.role for role in endorsed.signers):
        raise ExchangeError(ORDER_SIGNATURES, f"it is not signed by a holder of the role {hold.role}")
    if hold.log != log or hold.issued > plus(now, _SKEW):
        raise ExchangeError(ORDER_ELSEWHERE)
    return hold, endorsed


def in_force(documents: Iterable[bytes], roles: tuple[Role, ...], now: Instant) -> tuple[Hold, ...]:
    """The holds of these documents, in their order, that nobody lifted who may.

    A hold counts as it stands, and beside others of the same id: one that somebody forged keeps data for too long, no
    worse. A lifting counts if a holder
    of the hold's own role signed it who is in the trust list in force: else whoever writes to the database could lift
    holds. So when that signer leaves the list, the hold is in force again until another lifts it. Raises ExchangeError
    (ORDER_MALFORMED) for a document that does not parse.
    """
    read = [(data, parse_hold(payload_of(data))) for data in documents]
    current = holding(roles, now)
    lifted = {
        (lifting.lifts, role.role.value)
        for data, lifting in read
        if lifting.lifts is not None
        for role in _lifters(data, current)
    }
    return tuple(hold for _, hold in read if hold.lifts is None and (hold.id, hold.role) not in lifted)


def check_lifting(lifting: Hold, holds: Iterable[Hold], endorsed: Endorsed) -> None:
    """Raise ExchangeError unless it lifts a hold in force, signed in that hold's own role."""
    wanted = sorted({hold.role for hold in holds if hold.id == lifting.lifts})
    if not wanted:
        raise ExchangeError(HOLD_UNKNOWN, f"hold {lifting.lifts} is not in force")
    if not any(role.role.value in wanted for role in endorsed.signers):
        raise ExchangeError(ORDER_SIGNATURES, f"a hold by the role {' or '.join(wanted)} is lifted by that role")


def _lifters(data: bytes, roles: tuple[Role, ...]) -> tuple[Role, ...]:
    """Who signed a lifting; nobody, where a signature is wrong."""
    try:
        return verify(HOLD_TYP, data, roles).signers
    except ExchangeError:
        return ()
