"""``motlan log mirror``: keeps a second copy of a log, verified as it comes, and refuses forks."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from gateway.cli.log_copy import CopyFolder
from gateway.cli.log_files import HttpLog
from gateway.cli.log_keys import demand_of, log_key_options, log_keys
from gateway.cli.output import example, fail, json_option, note, print_json, say, stop, verb
from gateway.cli.progress import counting
from gateway.cli.values import File
from gateway.ledger.checkpoint import Checkpoint, LogKeys, SignedCheckpoint, open_checkpoint
from gateway.ledger.cosignature_policy import Demand
from gateway.ledger.mirror import Copied, Mirror, check_extends, first_difference, nodes_of
from gateway.ledger.note import VerifierKey
from gateway.ledger.tiles import ENTRIES, WIDTH, TileId, tiles_of
from gateway.ledger.verify import Fetch
from gateway.model.errors import ExchangeError
from gateway.model.errors.attesting import LOG_FORKED

_TARGET = ".copy/target"


class _Source(Struct, frozen=True):
    """Whose log it is. demand: who must have cosigned what is copied."""

    keys: tuple[VerifierKey, ...]
    demand: Demand


@click.command(
    epilog=example(
        "motlan log mirror https://gateway.example/log copy --vkey 'gateway.example/log+4fd3…+AZ…' --every 60",
        "motlan log verify --dir copy --vkey 'gateway.example/log+4fd3…+AZ…'",
    )
)
@click.argument("url")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@log_key_options
@click.option("--ca", type=File, help="CA certificates for TLS, PEM; the system's if not given.")
@click.option("--once", is_flag=True, help="Copy what is there now, and end: what is done without --every.")
@click.option("--every", type=click.FloatRange(min=1), metavar="SECONDS", help="Stay, and look again so often.")
@json_option
@verb
def mirror(url: str, folder: Path, **options: Any) -> None:
    """Keep a second copy of the log at URL in DIR: checkpoints, tiles, entries. Broken off, it goes on where it was.

    Nothing is kept that a checkpoint signed by the log does not vouch for. A log that does not extend the copy is a
    fork: the copy stays as it is, the checkpoint that excludes it is kept as proof in DIR/forked, the first entry that
    differs is named, and the exit code is 1. DIR can be served by any web server as the log itself.
    """
    if options["once"] and options["every"] is not None:
        raise click.UsageError("--once or --every")
    source = _Source(log_keys(options), demand_of(options))
    copy = CopyFolder(folder)
    files = HttpLog(url, options["ca"])
    try:
        if options["every"] is None:
            _look(files.fetch, copy, source, as_json=options["as_json"])
            return
        while True:
            _tried(files.fetch, copy, source, as_json=options["as_json"])
            time.sleep(options["every"])
    finally:
        files.close()
        copy.close()


def _tried(fetch: Fetch, copy: CopyFolder, source: _Source, *, as_json: bool) -> None:
    """One round of several. What cannot be read, or is not right, is looked at again; a fork stays one, and ends it."""
    try:
        _look(fetch, copy, source, as_json=as_json)
    except ExchangeError as error:
        if error.kind is LOG_FORKED:
            raise
        fail(error)
    except click.ClickException as error:
        error.show()


def _look(fetch: Fetch, copy: CopyFolder, source: _Source, *, as_json: bool) -> None:
    """One round."""
    began = time.monotonic()
    head = _newest(fetch, source)
    before = copy.verified
    copied = _take_up(fetch, copy, head, source.keys, quiet=as_json)
    seconds = time.monotonic() - began
    size = head.checkpoint.size
    if as_json:
        print_json({"size": size, "root": head.checkpoint.root.hex(), "files": copied.files if copied else 0})
    elif copied is not None:
        rate = (size - before) / seconds if seconds else 0
        note(
            f"✓ {head.checkpoint.origin}: {size} entries copied and verified ({copied.files} files, {rate:,.0f}/s)",
            f"✓ {head.checkpoint.origin}: đã sao và kiểm {size} mục ({copied.files} tệp, {rate:,.0f} mục/giây)",
        )


def _newest(fetch: Fetch, source: _Source) -> SignedCheckpoint:
    """The checkpoint to copy: the newest, or, if witnesses are asked for, the newest that they have cosigned."""
    try:
        if not source.demand.asks:
            return open_checkpoint(fetch("checkpoint"), source.keys)
        signed = open_checkpoint(fetch("checkpoint.cosigned"), source.keys, witnesses=source.demand.keys)
    except LookupError:
        raise click.ClickException(
            say(
                "this log has no checkpoint: it is the wrong address, or nothing was ever recorded",
                "nhật ký này không có điểm kiểm: sai địa chỉ, hoặc chưa từng có bản ghi nào",
            )
        ) from None
    source.demand.check(source.keys, [each.key for each in signed.cosignatures])
    return signed


def _take_up(fetch: Fetch, copy: CopyFolder, head: SignedCheckpoint, keys: LogKeys, *, quiet: bool) -> Copied | None:
    """Bring the copy to this checkpoint; None if it is there. Raises ExchangeError (LOG_FORKED, LOG_INVALID)."""
    kept = copy.has("checkpoint")
    for path, other in (("checkpoint", kept), (_TARGET, copy.has(_TARGET))):
        if other is not None:
            older = open_checkpoint(other, keys).checkpoint
            _check(fetch, copy, older, head, whole=path == "checkpoint")
    if kept is not None and open_checkpoint(kept, keys).checkpoint == head.checkpoint:
        _cosigned(fetch, copy, head.checkpoint, keys)
        return None
    resumed = copy.has(_TARGET) is not None
    copy.put(_TARGET, head.note)
    size = head.checkpoint.size
    with counting(say("entries", "mục"), size, quiet=quiet) as report:

        def progress(done: int, _total: int) -> None:
            copy.reached(done)
            report(done)

        start = min(copy.verified, size) if resumed else 0
        copied = Mirror(head.checkpoint, fetch, copy.keep, start=start).run(progress)
    copy.reached(size, end=True)
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    copy.put(f"checkpoints/{day}/{size}", head.note)
    copy.put("checkpoint", head.note)
    if kept is not None:
        _tidy(copy, open_checkpoint(kept, keys).checkpoint.size, copied)
    _cosigned(fetch, copy, head.checkpoint, keys)
    return copied


def _check(fetch: Fetch, copy: CopyFolder, older: Checkpoint, head: SignedCheckpoint, *, whole: bool) -> None:
    """That the log extends what we have. whole: the copy has all of ``older``, so that differences can be named."""
    if older.origin != head.checkpoint.origin:
        raise stop(
            f"this folder has a copy of {older.origin}, and the log is {head.checkpoint.origin}",
            f"thư mục này chứa bản sao của {older.origin}, còn nhật ký là {head.checkpoint.origin}",
        )
    try:
        check_extends(older, head.checkpoint, fetch)
    except ExchangeError as error:
        if error.kind is not LOG_FORKED:
            raise
        copy.put(f"forked/{head.checkpoint.size}", head.note)
        detail = error.detail + (_difference(fetch, copy, older, head.checkpoint) if whole else "")
        raise ExchangeError(LOG_FORKED, detail) from None


def _difference(fetch: Fetch, copy: CopyFolder, older: Checkpoint, head: Checkpoint) -> str:
    size = min(older.size, head.size)
    try:
        place = first_difference(size, nodes_of(older.size, copy.fetch), nodes_of(head.size, fetch))
    except (ExchangeError, OSError, LookupError, click.ClickException):
        return ""
    return "" if place is None else f"; entry {place} is the first that differs"


def _tidy(copy: CopyFolder, old_size: int, copied: Copied) -> None:
    """Remove the partial tiles of the former checkpoint: wider ones have replaced them."""
    for tile in tiles_of(old_size):
        bundle = TileId(ENTRIES, tile.index, tile.width)
        for path in (tile.path, *((bundle.path,) if tile.level == 0 and old_size % WIDTH else ())):
            if path not in copied.partial:
                copy.forget(path)


def _cosigned(fetch: Fetch, copy: CopyFolder, head: Checkpoint, keys: LogKeys) -> None:
    """Keep the checkpoint that witnesses have cosigned too, if the log has one that this copy extends."""
    try:
        cosigned = open_checkpoint(fetch("checkpoint.cosigned"), keys)
    except LookupError:
        return
    if cosigned.checkpoint.size > head.size or cosigned.note == copy.has("checkpoint.cosigned"):
        return  # it belongs to what was logged since: the next round takes it
    check_extends(cosigned.checkpoint, head, copy.fetch)
    copy.put("checkpoint.cosigned", cosigned.note)
