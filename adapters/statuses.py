"""What a provider's HTTP status says of a call: the table of ``adapters.rest.outbound``, for all that speak HTTP."""

from typing import Final

from gateway.model.outcomes import Outcome

TRY_LATER: Final = frozenset({408, 425, 429, 503})
"""Refused before acting; Retry-After may say when (RFC 9110 §10.2.3)."""
_EITHER = {
    **dict.fromkeys((401, 403), Outcome.DENIED),
    **dict.fromkeys(TRY_LATER, Outcome.UNAVAILABLE),
    **dict.fromkeys((4, 501, 505), Outcome.REJECTED),
}
_LOOKUP = {**_EITHER, 2: Outcome.FOUND, 304: Outcome.FOUND, 5: Outcome.UNAVAILABLE}
_WRITE = {**_EITHER, 2: Outcome.DONE, 202: Outcome.ACCEPTED, 5: Outcome.UNKNOWN}


def classify(status: int, *, lookup: bool, not_found: tuple[int, ...] = ()) -> Outcome:
    """The outcome that a final HTTP status stands for. not_found: statuses that mean "no such record"."""
    if status in not_found:
        return Outcome.NOT_FOUND
    table = _LOOKUP if lookup else _WRITE
    return table.get(status) or table.get(status // 100, Outcome.INVALID_REPLY)
