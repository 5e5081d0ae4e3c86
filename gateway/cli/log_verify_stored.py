"""The work of ``motlan log verify``: the tree, then the stored records, with progress, from where it stopped last."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.cli.log_keys import demand_of
from gateway.cli.log_verify_state import Keeper
from gateway.cli.output import say
from gateway.ledger.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint
from gateway.ledger.cosignature_policy import Demand
from gateway.ledger.note import VerifierKey
from gateway.ledger.verify import Fetch, LogWalk, VerifiedLog, VerifiedRecords, run, verify_records
from gateway.ledger.verify_order import Order
from gateway.ledger.verify_record import StoredRecord
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_INVALID, LOG_SIGNATURE_INVALID
from gateway.model.ids import RecordId

Report = Callable[[int, int], None]
_REPORT_EVERY = 1024


class Verified(Struct, frozen=True, kw_only=True):
    """What was found. log: None where its checkpoint itself is no good. faults: everything that is wrong, by name.
    notices: what may be as it should, and is odd. cosigned: how many entries the demanded witnesses have
    cosigned.
    """

    log: VerifiedLog | None = None
    cosigned: int | None = None
    records: VerifiedRecords | None = None
    faults: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    error: ExchangeError | None = None


def verify_tree(fetch: Fetch, keys: tuple[VerifierKey, ...], options: dict[str, Any], keeper: Keeper) -> Verified:
    """The log's checkpoint, tiles and entries, and that it extends the checkpoints that were kept, or cosigned."""
    try:
        cosigned = _cosigned(fetch, keys, demand_of(options))  # first: the log may grow meanwhile
        signed = open_checkpoint(fetch("checkpoint"), keys)
        before = [*_kept(keys, options, keeper), *(() if cosigned is None else (cosigned,))]
    except ExchangeError as error:
        return Verified(faults=error.parts or (error.detail or error.kind.code,), error=error)
    except LookupError:
        raise click.ClickException(
            say(
                "this log has no checkpoint: it is the wrong address, or nothing was ever recorded",
                "nhật ký này không có điểm kiểm: sai địa chỉ, hoặc chưa từng có bản ghi nào",
            )
        ) from None
    found = _walk(signed, before, fetch, keeper, quiet=options["as_json"])
    return found if cosigned is None else replace(found, cosigned=cosigned.size)


def _kept(keys: tuple[VerifierKey, ...], options: dict[str, Any], keeper: Keeper) -> list[Checkpoint]:
    kept = [keeper.reached.checkpoint.encode()] if keeper.reached.checkpoint else []
    if options["remember"] is not None and options["remember"].exists():
        kept.append(options["remember"].read_bytes())
    return [open_checkpoint(note, keys).checkpoint for note in kept]


def _cosigned(fetch: Fetch, keys: tuple[VerifierKey, ...], demand: Demand) -> Checkpoint | None:
    """The newest checkpoint that those have cosigned of whom that is demanded. Raises ExchangeError, LookupError."""
    if not demand.asks:
        return None
    try:
        signed = open_checkpoint(fetch("checkpoint.cosigned"), keys, witnesses=demand.keys)
    except (LookupError, FileNotFoundError):
        raise ExchangeError(LOG_SIGNATURE_INVALID, "no witness has cosigned this log") from None
    demand.check(keys, [each.key for each in signed.cosignatures])
    return signed.checkpoint


def _walk(signed: SignedCheckpoint, before: list[Checkpoint], fetch: Fetch, keeper: Keeper, *, quiet: bool) -> Verified:
    reached = keeper.reached
    with _progress(say("entries", "mục"), quiet=quiet) as report:

        def progress(done: int, size: int) -> None:
            report(done, size)
            reached.entries = max(reached.entries, done)
            reached.faults += walk.faults.names
            keeper.tick()

        walk = LogWalk(signed.checkpoint, before=before, start=reached.entries, progress=progress)
        run(walk.steps(), fetch)
    found = tuple(dict.fromkeys((*reached.faults, *walk.faults.names)))
    reached.faults = list(found)
    verified = VerifiedLog(signed, walk.tiles)
    if walk.faults.names:
        return Verified(faults=found, error=ExchangeError(LOG_INVALID, "; ".join(list(walk.faults.names)[:3])))
    reached.checkpoint = signed.note.decode()
    return Verified(log=verified, faults=found, error=ExchangeError(LOG_INVALID, found[0]) if found else None)


def verify_stored(tree: Verified, stored: Any, fetch: Fetch, keeper: Keeper, *, quiet: bool) -> Verified:
    """The stored records against the log that was just verified, and against one another; the database itself."""
    assert tree.log is not None
    size, reached = tree.log.checkpoint.checkpoint.size, keeper.reached
    order = Order(state=reached.order)
    faults: dict[str, None] = dict.fromkeys(tree.faults)
    records: VerifiedRecords | None = None
    try:
        with _progress(say("records", "bản ghi"), quiet=quiet) as report:
            pending = {RecordId(name): index for name, index in reached.pending.items()}
            coming = stored.records(order.state.next, pending)
            kept = _kept_up(_reported(coming, size, report), order, stored, keeper)
            records = verify_records(kept, fetch, size, complete=True, order=order)
    except ExchangeError as error:
        faults.update(dict.fromkeys(error.parts))
    order.missing(size)
    order.finish()
    for found in (order.faults.names, stored.altered):
        faults.update(dict.fromkeys(found))
    faults.update(dict.fromkeys(_beyond(faults, [*stored.damaged, *stored.inspect()])))
    _keep(order, stored, keeper, faults)
    wrong = ExchangeError(LOG_INVALID, next(iter(faults))) if faults else None
    notices = tuple(dict.fromkeys((*reached.notices, *order.notices.names)))
    reached.notices = list(notices)
    return replace(tree, records=records, faults=tuple(faults), notices=notices, error=wrong)


def _beyond(known: dict[str, None], damaged: Iterable[str]) -> Iterator[str]:
    """What the store found beyond that: that it finds a record damaged which is named already, is no news."""
    named = {fault.partition(":")[0] for fault in known}
    return (fault for fault in damaged if fault.partition(":")[0] not in named or not fault.startswith("record "))


def _kept_up(records: Iterator[StoredRecord], order: Order, stored: Any, keeper: Keeper) -> Iterator[StoredRecord]:
    """The records, with how far they got written now and then."""
    for record in records:
        if record.index % _REPORT_EVERY == 0 and record.index > order.state.next - 1:
            _keep(order, stored, keeper, (*order.faults.names, *stored.altered, *stored.damaged))
            keeper.tick()
        yield record


def _keep(order: Order, stored: Any, keeper: Keeper, faults: Iterable[str]) -> None:
    reached = keeper.reached
    reached.order, reached.records = order.state, order.state.next
    reached.pending = {str(name): index for name, index in stored.pending.items()}
    reached.faults = list(dict.fromkeys((*reached.faults, *faults)))
    reached.notices = list(dict.fromkeys((*reached.notices, *order.notices.names)))


def _reported(records: Iterable[StoredRecord], size: int, report: Report) -> Iterator[StoredRecord]:
    """The records that the checkpoint covers; what was committed since is not in it."""
    for record in records:
        if record.index < size:
            if record.index % _REPORT_EVERY == 0:
                report(record.index, size)
            yield record


@contextmanager
def _progress(what: str, *, quiet: bool) -> Iterator[Report]:
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _, __: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
