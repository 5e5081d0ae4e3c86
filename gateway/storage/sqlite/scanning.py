"""Going through the whole log for what matches, the oldest first: that is how a disk reads fastest. For processes that
each go through a part of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from gateway.model.ids import RecordId
from gateway.model.log import LogQuery
from gateway.model.storage import JournalUnavailableError, Row
from gateway.storage.sqlite.database import Database
from gateway.storage.sqlite.logstore import by_id
from gateway.storage.sqlite.pseudonyms import ALSO
from gateway.storage.sqlite.rows import PackedRow, unpack
from gateway.storage.sqlite.search import BY_TERM, BY_TIME, in_time, planned

_TERM_UP = BY_TERM.replace("DESC", "ASC")
_TIME_UP = BY_TIME.replace("DESC", "ASC")


class Scan:
    """A file, and what is looked for in it: a query without pseudonyms or a provider; its ``limit`` is not looked at.

    Everything raises JournalUnavailableError where the file cannot be read, also for a row that does not parse.
    """

    def __init__(self, path: Path, query: LogQuery) -> None:
        if query.pseudonyms or query.provider is not None:
            raise ValueError("a log is not gone through for a pseudonym or a provider")
        self._query = query
        with _ours():
            self._connection = Database(path).reader()

    def span(self) -> tuple[int, int]:
        """The rows, first to last, among which all are that match; first > last where none does."""
        with _ours(), self._connection:
            plan = planned(self._connection, self._query, self._query.before_seq)
        return (1, 0) if plan is None else (plan.first, plan.last)

    def rows(self, first: int, last: int) -> Iterator[PackedRow]:
        """The rows from first to last that match, the oldest first."""
        with _ours(), self._connection:
            plan = planned(self._connection, self._query, self._query.before_seq)
            if plan is None:
                return
            bounds = (max(first, plan.first), min(last, plan.last))
            if plan.terms:
                statement = _TERM_UP.format(also=ALSO * (len(plan.terms) - 1))
                found = self._connection.execute(statement, (plan.terms[0], *bounds, *plan.terms[1:]))
            else:
                found = self._connection.execute(_TIME_UP, bounds)
            for _, packed in found:
                row = unpack(packed)
                if in_time(row, self._query):
                    yield row

    def record(self, record_id: RecordId) -> Row | None:
        """A record by its id. Also while ``rows`` is being read."""
        with _ours():
            found = by_id(self._connection, record_id)
        return None if found is None else found.row

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


@contextmanager
def _ours() -> Iterator[None]:
    try:
        yield
    except (apsw.Error, ValueError) as error:
        raise JournalUnavailableError(f"{type(error).__name__}: {error}") from error
