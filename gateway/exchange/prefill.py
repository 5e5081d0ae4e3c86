"""Prefill: the gateway's own service that fills a procedure's form from the registers.

It is a target like any other: the request for it is proved, decided and recorded by the pipeline. The calls it makes go
through the same pipeline with a delegated proof, so each is decided under the original client and purpose, recorded,
and linked to the request. They are made at once, and a source that fails costs its own elements only.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec import UNSET

from gateway.exchange.judging import ProviderFailedError
from gateway.model.envelope import Claim
from gateway.model.errors import ExchangeError
from gateway.model.errors.policy import PURPOSE_NOT_GRANTED
from gateway.model.errors.request import INCONSISTENT_HEADERS
from gateway.model.jsontext import encode
from gateway.model.message import Body
from gateway.model.outcomes import Outcome
from gateway.model.stages import AnswerRecorded, Recorded, Refused, Released, Reply
from gateway.onceonly.assemble import CallResult, PrefillResult, assemble
from gateway.onceonly.plan import Call, plan
from gateway.onceonly.procedure import Procedure
from gateway.onceonly.request import parse_request
from gateway.ports import Clock, Countersign, Signer
from gateway.signing.jws import BUNDLE_TYP, sign_compact
from gateway.validation.strict_json import parse_json

CallInside = Callable[[Recorded, Claim, Body], Awaitable[Released]]
"""``Pipeline.call_inside``."""

_MARGIN = 0.05
"""Seconds left for assembling and signing when the deadline nears."""


class PrefillSchema:
    """What a prefill's body must be; a route's request schema."""

    def __init__(self, procedures: Mapping[str, Procedure]) -> None:
        self._procedures = procedures

    def check(self, document: Any) -> None:
        """Raise ExchangeError, naming every wrong place."""
        parse_request(document, self._procedures)


class PrefillTarget:
    """Answers ``POST /v1/prefill``. key: the gateway's, signs the bundle. procedures: by code."""

    def __init__(self, procedures: Mapping[str, Procedure], inside: CallInside, key: Signer, clock: Clock) -> None:
        self._procedures = procedures
        self._inside = inside
        self._key = key
        self._clock = clock
        self._running: set[asyncio.Task[CallResult]] = set()

    async def send(self, request: Recorded, countersign: Countersign, deadline: float) -> Reply:  # noqa: ARG002 - port
        """Make all calls at once, and assemble what came back in time."""
        asked = parse_request(request.authorized.envelope.document, self._procedures)
        if asked.procedure.code != request.authorized.decision.purpose.code:
            raise ExchangeError(PURPOSE_NOT_GRANTED, "a prefill's purpose is its procedure")
        if request.claim.case not in {None, asked.case}:
            raise ExchangeError(
                INCONSISTENT_HEADERS, "X-Road-Issue is not the case of the form", parts=("x-road-issue",)
            )
        calls = plan(asked)
        tasks = {call.id: asyncio.create_task(self._call(request, call, asked.case)) for call in calls}
        for task in tasks.values():
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        if asked.deadline_ms is not None:
            deadline = min(deadline, self._clock.monotonic() + asked.deadline_ms / 1000)
        if tasks:
            # Calls that are late go on to their recorded end; only this answer does without them.
            await asyncio.wait(tasks.values(), timeout=max(0.0, deadline - self._clock.monotonic() - _MARGIN))
        results = {name: task.result() for name, task in tasks.items() if task.done()}
        return self._reply(assemble(asked, calls, results))

    async def close(self) -> None:
        """Wait for the calls that are still on their way."""
        if self._running:
            await asyncio.wait(self._running)

    async def _call(self, parent: Recorded, call: Call, case: str) -> CallResult:
        origin = parent.claim
        said = Claim(
            client=origin.client,
            service=call.service,
            method=call.method,
            path=call.path,
            officer=origin.officer,
            case=case,
            represented=origin.represented,
            purpose=parent.authorized.decision.purpose,
        )
        released = await self._inside(parent, said, Body(encode(dict(call.body))))
        if isinstance(released, Refused):
            return self._failed(released)
        return self._found(released)

    def _found(self, released: AnswerRecorded) -> CallResult:
        minimised = released.sealed.minimised
        reply = minimised.replied.reply
        outcome, document = reply.outcome, UNSET
        try:
            document = parse_json(minimised.body.data) if minimised.body.data else UNSET
        except ExchangeError:  # granted whole, it was not looked into before
            outcome = Outcome.INVALID_REPLY
        return CallResult(
            outcome=outcome,
            document=document,
            granted=minimised.replied.recorded.authorized.decision.fields,
            source_updated_at=reply.source_updated_at,
            retrieved_at=minimised.replied.at,
            confidence=reply.confidence,
            receipt=released.sealed.record_id,
        )

    def _failed(self, refused: Refused) -> CallResult:
        error = refused.error
        return CallResult(
            outcome=error.outcome if isinstance(error, ProviderFailedError) else Outcome.DENIED,
            retrieved_at=self._clock.now(),
            receipt=refused.record_id,
            reason=error.kind.code,
            retry_after=error.retry_after,
        )

    def _reply(self, result: PrefillResult) -> Reply:
        whole = encode(result)  # numbers as the sources wrote them
        bundle = sign_compact(whole, typ=BUNDLE_TYP, key=self._key)
        body = whole[:-1] + b',"bundle":"' + bundle.encode() + b'"}'
        return Reply(
            outcome=Outcome.FOUND,
            status=200,
            fields=(("Content-Type", "application/json"),),
            body=Body(body),
            confidence="signed_by_source",
        )
