"""Whether the log accounts for what is erased: a record whose private part is gone without an order or its time over
was wiped by somebody who may not.
"""

import re

from gateway.ledger.openings import parse_openings
from gateway.ledger.record import RecordKind
from gateway.ledger.skeleton import read_skeleton
from gateway.model.errors import ExchangeError
from gateway.model.ids import RecordId

_RETENTION = re.compile(r"records \d+ to (\d+)")
_ORDER = "order"
_LISTED = "records"


class ErasureCheck:
    """Is told of every record in the log's order, and then asked what nobody accounts for. pending: what an earlier
    check, which broke off, had still to ask.
    """

    def __init__(self, pending: dict[RecordId, int] | None = None) -> None:
        self._empty: dict[RecordId, int] = dict(pending or {})
        self._ordered: set[str] = set()
        self._through = -1

    @property
    def erased(self) -> int:
        """How many records have nothing private left."""
        return len(self._empty)

    def empty(self, record: RecordId, index: int) -> None:
        """A record that has no private part any more."""
        self._empty[record] = index

    def saw(self, skeleton: bytes, openings: bytes | None) -> None:
        """A record of whatever kind, and its openings in clear where they can be had."""
        if b'"kind":"erasure"' not in skeleton:
            return
        try:
            said = read_skeleton(skeleton)
            shown = () if openings is None else parse_openings(openings).shown
        except ExchangeError:
            return  # the verifier names it
        if said.kind != RecordKind.ERASURE or said.decision is None:
            return
        reached = _RETENTION.fullmatch(said.decision.reasons[1]) if len(said.decision.reasons) > 1 else None
        if reached is not None:
            self._through = max(self._through, int(reached[1]))
        for field in shown:
            if field.name == _LISTED and said.decision.reasons[:1] == (_ORDER,) and isinstance(field.value, list):
                self._ordered.update(field.value)

    def unaccounted(self) -> list[str]:
        """Records that nobody ordered to be erased, and that retention has not come to. Needs a reader's key: what an
        order erased stands in the private part of its record.
        """
        return [
            f"record {record}: its private part is gone, and nothing in the log accounts for it"
            for record in self.pending
        ]

    @property
    def pending(self) -> dict[RecordId, int]:
        """Erased records that nothing accounts for so far, and their indexes."""
        return {
            record: index
            for record, index in self._empty.items()
            if index > self._through and record not in self._ordered
        }
