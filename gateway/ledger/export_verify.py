"""Verifying an export offline, with the log's verifier key alone: in one pass, however long it is."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
from msgspec import Struct

from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.cosignature_policy import WitnessPolicy
from gateway.ledger.export import (
    BOM,
    DIGEST_FIELD,
    ROWS_FIELD,
    ExportRow,
    RowsDigest,
    Trailer,
    parse_csv_row,
    parse_json_line,
)
from gateway.ledger.export_columns import HEADINGS
from gateway.ledger.export_fold import LeftwardFold, cover
from gateway.ledger.merkle import leaf_hash
from gateway.ledger.note import VerifierKey
from gateway.ledger.openings import Openings, check_openings, parse_openings
from gateway.ledger.receipt import ProvedReceipt, verify_receipt_by
from gateway.ledger.record import RecordKind
from gateway.ledger.skeleton import entry_of, read_skeleton
from gateway.ledger.verify import Faults
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_INVALID, LOG_MALFORMED

EXPORT_ACTION = "export"
"""The first reason of an export's record."""

_LONGEST_CELL = 1 << 24
_PROGRESS_EVERY = 4096


class VerifiedExport(Struct, frozen=True, kw_only=True):
    """What an export proved: that these rows are records of the log, as they were, and all that its record names.

    opened: how many rows show private fields. record: of the export itself. question: what was asked, where shown.
    """

    rows: int
    opened: int
    checkpoint: Checkpoint
    record: str
    question: str | None = None


def verify_export(
    lines: Iterable[str],
    keys: Sequence[VerifierKey],
    *,
    witnesses: Sequence[VerifierKey] = (),
    quorum: int = 0,
    policy: WitnessPolicy | None = None,
    progress: Callable[[int], None] | None = None,
) -> VerifiedExport:
    """Verify an export, given as its lines with their ends: JSON Lines or CSV, as they are.

    Raises ExchangeError: LOG_INVALID, whose ``parts`` name every row that is wrong (the first 1,000), LOG_MALFORMED for
    what is no export, and what ``verify_receipt_by`` raises for the trailer's receipt.
    """
    walk = _Walk(progress)
    trailer: Trailer | None = None
    for number, parsed in enumerate(_parsed(lines, walk.faults), start=1):
        if trailer is not None:
            walk.faults.add(f"row {number}: it stands behind the end")
        elif isinstance(parsed, Trailer):
            trailer = parsed
        elif parsed is not None:
            walk.row(number, parsed)
    if trailer is None:
        walk.faults.add("the end is missing: rows may be, too")
        walk.faults.raise_any()
        raise AssertionError
    proved = verify_receipt_by(trailer.receipt, keys, witnesses=witnesses, quorum=quorum, policy=policy)
    walk.close(trailer, proved)
    walk.faults.raise_any()
    return VerifiedExport(
        rows=walk.digest.rows,
        opened=walk.opened,
        checkpoint=proved.checkpoint.checkpoint,
        record=proved.skeleton.id,
        question=_question(proved.openings),
    )


def _parsed(lines: Iterable[str], faults: Faults) -> Iterator[ExportRow | Trailer | None]:
    """The rows; None for one that is none, which is then a fault."""
    rest = iter(lines)
    first = next(rest, "").removeprefix(BOM)
    number = 0
    if first.startswith("{"):
        for number, line in enumerate(_chain(first, rest), start=1):
            found: ExportRow | Trailer | None = None
            with faults.of(f"row {number}"):
                found = parse_json_line(line.encode())
            yield found
        return
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(_chain(first, rest), strict=True)
    try:
        if tuple(next(reader, ())) not in HEADINGS.values():
            raise ExchangeError(LOG_MALFORMED, "neither JSON Lines nor a table with the headings of an export")
        for number, cells in enumerate(reader, start=1):
            found = None
            with faults.of(f"row {number}"):
                found = parse_csv_row(cells)
            yield found
    except csv.Error:
        faults.add(f"row {number + 1}: it is not CSV")


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest


class _Walk:
    """One verification, row after row, with a handful of hashes in memory."""

    def __init__(self, progress: Callable[[int], None] | None) -> None:
        self.faults = Faults()
        self.digest = RowsDigest()
        self.opened = 0
        self._progress = progress
        self._fold = LeftwardFold()
        self._before: int | None = None
        self._first: ExportRow | None = None

    def row(self, number: int, row: ExportRow) -> None:
        """Verify a row by itself, and take it into the fold."""
        name = f"row {number} (entry {row.index})"
        if self._before is not None and row.index >= self._before:
            self.faults.add(f"{name}: it is out of its order, or there twice")
            return
        with self.faults.of(name):
            _check(row)
            self.opened += row.openings is not None
        if self._before is None:
            self._first = row  # how far it is from the tree's end is known at the end
        elif not self._fold.push_gap(row.index + 1, self._before, row.gap):
            self.faults.add(f"{name}: it is not the next row: rows before it are missing, or the hashes for them")
        leaf = leaf_hash(entry_of(row.skeleton))
        self._fold.push(0, row.index, leaf)
        self.digest.add(row.index, leaf)
        self._before = row.index
        if self._progress is not None and number % _PROGRESS_EVERY == 0:
            self._progress(number)

    def close(self, trailer: Trailer, proved: ProvedReceipt) -> None:
        """Compare the whole with the checkpoint, and with what the log says was exported."""
        head = proved.checkpoint.checkpoint
        if self._first is None or self._before is None:
            complete = len(cover(0, head.size)) == len(trailer.gap)
            whole = LeftwardFold()
            whole.push_gap(0, head.size, trailer.gap)
        else:
            complete = self._fold.push_gap(0, self._before, trailer.gap)
            right = cover(self._first.index + 1, head.size)
            complete = complete and len(right) == len(self._first.gap)
            nodes = [(*node, digest) for node, digest in zip(right, self._first.gap, strict=False)]
            whole = self._fold.push_before(nodes)
        if not self.faults.names and (not complete or whole.root(head.size) != head.root):
            self.faults.add("the rows do not lead to the checkpoint's root: one of them is not what the log has there")
        self._compare(proved)

    def _compare(self, proved: ProvedReceipt) -> None:
        skeleton = proved.skeleton
        reasons = () if skeleton.decision is None else skeleton.decision.reasons
        if skeleton.kind != RecordKind.AUDIT or reasons[:1] != (EXPORT_ACTION,):
            self.faults.add("the receipt at the end is not of an export")
            return
        said = {opening.name: opening.value for opening in proved.openings.shown}
        if said.get(ROWS_FIELD) != self.digest.rows:
            self.faults.add(f"{said.get(ROWS_FIELD)} rows were exported, {self.digest.rows} are here")
        elif said.get(DIGEST_FIELD) != self.digest.hex():
            self.faults.add("these are not the rows that were exported")


def _check(row: ExportRow) -> None:
    skeleton = read_skeleton(row.skeleton)
    if leaf_hash(entry_of(row.skeleton)) != row.leaf:
        raise ExchangeError(LOG_INVALID, f"record {skeleton.id} was altered: its leaf hash is another")
    if row.openings is not None:
        check_openings(skeleton, parse_openings(row.openings))


def _question(openings: Openings) -> str | None:
    for opening in openings.shown:
        if opening.name == "question":
            return msgspec.json.encode(opening.value).decode()
    return None
