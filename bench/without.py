"""``motlan`` with a part of the log left out: ``python -m bench.without PART,… serve --config FILE``.

For the bench alone, to see what each part costs an exchange. The product has no such switch: whoever runs this has a
gateway that proves less, or nothing.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import Any
from unittest import mock

from gateway.cli.main import main
from gateway.exchange import recording
from gateway.exchange.events import Event
from gateway.exchange.recording import Recorder
from gateway.exchange.sequencer import Sequencer
from gateway.exchange.watching import Watch
from gateway.model.storage import Row
from gateway.storage.sqlite import logstore, rows
from gateway.storage.sqlite.indexing import Additions
from gateway.storage.sqlite.journal import SqliteJournal


def _instead(target: object, name: str, value: object) -> None:
    mock.patch.object(target, name, value).start()


async def _nothing(*_: object) -> None:
    """Comes back at once."""


async def _never(*_: object) -> None:
    """Never comes back."""
    await asyncio.Event().wait()


def _blank(_: Recorder, event: Event) -> Row:
    return Row(id=event.facts.id, entry=b"", skeleton=b"", openings=b"", epoch="")


def _no_pseudonyms() -> None:
    _instead(Recorder, "_marks_of", lambda *_: ())


def _no_checksums() -> None:
    _instead(rows, "crc32", lambda _: 0)


def _no_sealing() -> None:
    _instead(recording, "seal", lambda *_: b"")


def _no_watch() -> None:
    _instead(Watch, "step", _nothing)


def _no_indexes() -> None:
    _no_watch()  # it would find that they are missing
    _instead(logstore, "gather", lambda rows: Additions(ids=[(b"", seq) for seq, _ in rows]))
    _instead(logstore, "write", lambda *_: None)


def _no_tree() -> None:
    _instead(Sequencer, "run", _never)
    _instead(Sequencer, "step", _nothing)


def _no_records() -> None:
    _no_tree()
    _instead(Recorder, "row", _blank)


def _no_log() -> None:
    _no_records()
    _instead(SqliteJournal, "commit", _nothing)


PARTS: dict[str, Callable[[], Any]] = {
    "pseudonyms": _no_pseudonyms,
    "checksums": _no_checksums,
    "sealing": _no_sealing,
    "watch": _no_watch,
    "indexes": _no_indexes,
    "tree": _no_tree,
    "records": _no_records,
    "log": _no_log,
}
"""What can be left out, by name. indexes: for search, and the watch. tree: with checkpoints and indexes, so that there
is no receipt. records: building, committing to and sealing them, and the tree. log: all of it, the disk too.
"""


if __name__ == "__main__":
    for part in sys.argv[1].split(","):
        PARTS[part]()
    sys.argv[1:] = sys.argv[2:]
    main()
