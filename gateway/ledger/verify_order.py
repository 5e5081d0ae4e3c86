"""What records must be to one another: none missing, none twice, each answer after its request, each request ended.

The log proves that nothing was altered; that a gateway wrote what it should have written shows only here. Records go by
in the log's order, and what is remembered of them is bounded, so a log of any length can be checked, or followed.
"""

from msgspec import Struct, field

from gateway.ledger.skeleton import Skeleton
from gateway.ledger.verify_record import StoredRecord
from gateway.model.instant import MICROSECONDS, Instant

MOST_FAULTS = 1000
_MOST_OPEN = 1_000_000
_REMEMBERED = 65_536
_OPENS = "request"
_ENDS = frozenset(["answer", "abandoned"])


class Faults:
    """What was found wrong, by name, each once; beyond the first 1,000 they are dropped."""

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self.names: dict[str, None] = dict.fromkeys(names)

    def add(self, fault: str) -> None:
        """Note a fault."""
        if len(self.names) < MOST_FAULTS:
            self.names[fault] = None


class Rhythm(Struct, frozen=True, kw_only=True):
    """What is normal, in seconds. back: how far a record's time may lie before an earlier record's (a request waits for
    its body before it is recorded). forward: how long a log may be silent. end: how long a request may be without an
    end, by the log's own time.
    """

    back: float = 180.0
    forward: float = 86_400.0
    end: float = 3600.0


class OrderState(Struct):
    """Where a check has got to; can be kept and taken up again.

    next: the index that comes next. at: the last record's time. elapsed: how much time went by, jumps of the clock
    apart. lost: how many records were missing or damaged: what they were is not known, so ends without requests are
    not named any more. open: requests without an end: index, and ``elapsed`` when they came. ended, ids: the last ones,
    in two generations.
    """

    next: int = 0
    at: int | None = None
    elapsed: int = 0
    lost: int = 0
    open: dict[str, tuple[int, int]] = field(default_factory=dict)
    ended: list[dict[str, int]] = field(default_factory=lambda: [{}, {}])
    ids: list[dict[str, int]] = field(default_factory=lambda: [{}, {}])


class Order:
    """Checks records one after the other. faults: what is wrong. notices: what may be as it should, and is odd."""

    def __init__(self, rhythm: Rhythm | None = None, state: OrderState | None = None) -> None:
        self.state = state or OrderState()
        self.faults = Faults()
        self.notices = Faults()
        self._rhythm = rhythm or Rhythm()

    def add(self, record: StoredRecord, skeleton: Skeleton) -> None:
        """The next record of the log that is there, verified against its entry."""
        state, index = self.state, record.index
        self.missing(index)
        state.next = index + 1
        self._clock(index, skeleton.instant)
        earlier = _find(state.ids, record.id)
        if earlier is not None:
            self.faults.add(f"record {record.id}: it is there twice, as entry {earlier} and as entry {index}")
        _remember(state.ids, record.id, index)
        self._stored_marks(record, skeleton)
        if skeleton.kind == _OPENS:
            if len(state.open) < _MOST_OPEN:
                state.open[record.id] = (index, state.elapsed)
        elif skeleton.kind in _ENDS:
            self._end(record, skeleton)

    def skip(self, index: int) -> None:
        """The record at this index is there, but damaged: another check names it."""
        self.missing(index)
        self.state.lost += 1
        self.state.next = index + 1

    def missing(self, until: int) -> None:
        """No record comes before this index any more: name each that is missing."""
        for index in range(self.state.next, min(until, self.state.next + MOST_FAULTS)):
            self.faults.add(f"entry {index}: its record is missing")
        self.state.lost += max(0, until - self.state.next)
        self.state.next = max(self.state.next, until)

    def finish(self) -> None:
        """The log ends here: name the requests that never got an end."""
        limit = self.state.elapsed - int(self._rhythm.end * MICROSECONDS)
        for request, (index, since) in self.state.open.items():
            if since < limit:
                self.faults.add(f"record {request}: the request (entry {index}) never got an end")

    def _stored_marks(self, record: StoredRecord, skeleton: Skeleton) -> None:
        """What the store says beside the skeleton must be what the skeleton says."""
        if record.opens is None:
            return
        ends = skeleton.parent if skeleton.kind in _ENDS else None
        if record.opens != (skeleton.kind == _OPENS) or record.ends != ends:
            self.faults.add(f"record {record.id}: the store has other marks for it than its skeleton (opens, ends)")

    def _end(self, record: StoredRecord, skeleton: Skeleton) -> None:
        state, request = self.state, skeleton.parent
        if request is None:
            self.faults.add(f"record {record.id}: an end (entry {record.index}) that names no request")
            return
        earlier = _find(state.ended, request)
        if state.open.pop(request, None) is None and (earlier is not None or not state.lost):
            what = "its request is not in the log before it" if earlier is None else f"entry {earlier} had ended it"
            self.faults.add(f"record {record.id}: an end (entry {record.index}) of {request}, but {what}")
        _remember(state.ended, request, record.index)

    def _clock(self, index: int, at: Instant) -> None:
        state = self.state
        if state.at is not None:
            went = at - state.at
            if went < -self._rhythm.back * MICROSECONDS:
                self.notices.add(f"entry {index}: the clock went back by {_long(-went)}")
            elif went > self._rhythm.forward * MICROSECONDS:
                self.notices.add(
                    f"entry {index}: nothing was recorded for {_long(went)} before it, or the clock jumped"
                )
            elif went <= 0:
                return  # the time of a request that waited: the newest stays the measure
            else:
                state.elapsed += went
        state.at = at


def _find(generations: list[dict[str, int]], name: str) -> int | None:
    found = generations[0].get(name)
    return generations[1].get(name) if found is None else found


def _remember(generations: list[dict[str, int]], name: str, index: int) -> None:
    if len(generations[0]) >= _REMEMBERED:
        generations[1] = generations[0]
        generations[0] = {}
    generations[0][name] = index


def _long(microseconds: float) -> str:
    seconds = microseconds / MICROSECONDS
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds:.0f} s"  # noqa: PLR2004 - an hour
