"""Named places at which a test may let the world end: a power cut, a kill, a full disk.

In production ``reached`` calls a function that does nothing. A test sets ``hook``; what the hook raises goes through
the code as the failure itself would. One global on purpose: a failure is a property of the whole process.

Names, in the order in which they are met:
``journal.begun`` the batch's transaction is open; ``journal.checked`` nothing is written yet; ``journal.written`` all
is written, nothing committed; ``journal.committed`` durable, nobody told yet; ``job.written``, ``job.committed`` the
same of every other write (tree, epochs, documents, attestations, erasure); ``log.writing`` in the sequencer's
transaction, before the tree moves; ``log.written`` before its commit; ``log.committed`` after it;
``wal.checkpointing``, ``wal.checkpointed`` around copying the write-ahead log into the database;
``sequencer.read``, ``sequencer.appended``, ``sequencer.signed``, ``sequencer.published`` the sequencer's step;
``log.redacting`` before each record that an erasure changes; ``wal.scrubbing`` before the write-ahead log is cut;
``erasure.recorded``, ``erasure.redacted``, ``erasure.destroyed``, ``retention.recorded``, ``retention.destroyed``,
``hold.recorded``, ``withheld.recorded`` what their names say;
``recovery.found``, ``recovery.abandoned`` before and after each record of a request without an end.
"""

from collections.abc import Callable


def _nothing(_name: str) -> None:
    return


hook: Callable[[str], None] = _nothing


def reached(name: str) -> None:
    """Say that the named place is reached."""
    hook(name)


def set_hook(new: Callable[[str], None] | None) -> None:
    """Let ``new`` be called at every failpoint; None: nothing again. For tests only."""
    global hook  # noqa: PLW0603 - the one switch that this module is for
    hook = _nothing if new is None else new
