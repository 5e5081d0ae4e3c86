"""Step 9, judge: is the reply one that may be passed on, and what is it."""

import re
from typing import Any

from msgspec import UNSET, structs

from gateway.exchange.rules import Route
from gateway.model.errors import ErrorKind, ExchangeError
from gateway.model.errors import provider as kinds
from gateway.model.instant import Instant
from gateway.model.numbers import holds_person_number
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


_CODE = re.compile(r"[A-Za-z0-9._:-]{1,32}")
"""What a provider's error code may look like to be told on."""


def judge(recorded: Recorded, reply: Reply, route: Route, limits: Limits, at: Instant) -> Replied:
    """(9) Check size and schema of a reply. Raises ProviderFailedError.

    A reply without a status has nothing to pass on: its outcome is told to the caller as an error of ours.
    """
    if reply.status == 0:
        kind = kinds.kind_of(reply.outcome, reply.provider_code)
        detail = "" if kind is kinds.TIMED_OUT else _told(reply.provider_code)
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


def _told(provider_code: str | None) -> str:
    """The provider's code, if it is one: it is the provider's text, and might be a sentence about a person."""
    if provider_code is None or not _CODE.fullmatch(provider_code) or holds_person_number(provider_code):
        return ""
    return f"provider code {provider_code}"


def _document(reply: Reply) -> Any:
    if reply.document is not UNSET or not reply.body.size:
        return reply.document
    if reply.body.data is None:  # neither its schema nor whose data it is could be known
        raise ProviderFailedError(kinds.INVALID_REPLY, Outcome.INVALID_REPLY, "the answer is too large to be checked")
    try:
        return parse_json(reply.body.data)
    except ExchangeError as error:
        raise ProviderFailedError(kinds.INVALID_REPLY, Outcome.INVALID_REPLY, "the answer is not JSON") from error
