"""Step 9, judge: is the reply one that may be passed on, and what is it."""

from typing import Any

from msgspec import UNSET, structs

from gateway.exchange.rules import Route
from gateway.model.errors import ErrorKind, ExchangeError
from gateway.model.errors import provider as kinds
from gateway.model.instant import Instant
from gateway.model.outcomes import SUCCESSES, Outcome
from gateway.model.stages import Recorded, Replied, Reply
from gateway.validation.limits import Limits
from gateway.validation.strict_json import parse_json


class ProviderFailedError(ExchangeError):
    """There is nothing of the provider to pass on. outcome: how the exchange ended."""

    def __init__(
        self,
        kind: ErrorKind,
        outcome: Outcome,
        detail: str = "",
        *,
        parts: tuple[str, ...] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(kind, detail, parts=parts, retry_after=retry_after)
        self.outcome = outcome


_KINDS = {
    Outcome.UNAVAILABLE: kinds.UNAVAILABLE,
    Outcome.INVALID_REPLY: kinds.INVALID_REPLY,
    Outcome.UNKNOWN: kinds.END_UNKNOWN,
    Outcome.DENIED: kinds.DENIED,
    Outcome.REJECTED: kinds.REJECTED,
    Outcome.NOT_FOUND: kinds.NOT_FOUND,
    Outcome.MISMATCH: kinds.MISMATCH,
    Outcome.AMBIGUOUS: kinds.AMBIGUOUS,
}


def judge(recorded: Recorded, reply: Reply, route: Route, limits: Limits, at: Instant) -> Replied:
    """(9) Check size and schema of a reply. Raises ProviderFailedError.

    A reply without a status has nothing to pass on: its outcome is told to the caller as an error of ours.
    """
    if reply.status == 0:
        timed_out = reply.provider_code == kinds.TIMED_OUT_CODE
        kind = kinds.TIMED_OUT if timed_out else _KINDS.get(reply.outcome, kinds.INVALID_REPLY)
        detail = "" if reply.provider_code is None or timed_out else f"provider code {reply.provider_code}"
        raise ProviderFailedError(kind, reply.outcome, detail, parts=reply.differing, retry_after=reply.retry_after)
    if reply.body.size > limits.answer:
        raise ProviderFailedError(kinds.INVALID_REPLY, Outcome.INVALID_REPLY, "the answer is too large")
    if reply.outcome not in SUCCESSES or not (route.response_schema or route.parse_answer):
        return Replied(recorded=recorded, reply=reply, at=at)
    document = _document(reply)
    if document is not UNSET and route.response_schema is not None:
        try:
            route.response_schema.check(document)
        except ExchangeError as error:
            raise ProviderFailedError(
                kinds.INVALID_REPLY, Outcome.INVALID_REPLY, f"not of its schema at {error.detail}"
            ) from error
    return Replied(recorded=recorded, reply=structs.replace(reply, document=document), at=at)


def _document(reply: Reply) -> Any:
    if reply.document is not UNSET or not reply.body.size:
        return reply.document
    if reply.body.data is None:  # neither its schema nor whose data it is could be known
        raise ProviderFailedError(kinds.INVALID_REPLY, Outcome.INVALID_REPLY, "the answer is too large to be checked")
    try:
        return parse_json(reply.body.data)
    except ExchangeError as error:
        raise ProviderFailedError(kinds.INVALID_REPLY, Outcome.INVALID_REPLY, "the answer is not JSON") from error
