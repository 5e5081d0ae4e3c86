"""One provider as all its services' targets share it: connections, credentials, retry and circuit breaker.

Decides nothing about content: it says whether an answer came, and if not, what is known of the request.
"""

import asyncio
import random
import time
from collections.abc import Callable

from msgspec import Struct, field

from adapters.breaker import Breaker, BreakerOptions, Pass, Refusal, State
from adapters.credentials import Credentials
from adapters.rest.failures import (
    CallError,
    CredentialsRefusedError,
    EndUnknownError,
    NotSentError,
    ReplyTooLargeError,
    TruncatedReplyError,
    UnreadableReplyError,
    UnsendableRequestError,
    UnstorableReplyError,
)
from adapters.rest.http1 import Client, ClientOptions, Response, split_url
from adapters.rest.passing import join_target
from gateway.model.errors import provider as kinds
from gateway.model.message import EMPTY, Body, Fields
from gateway.model.outcomes import Outcome
from gateway.model.stages import Reply
from gateway.ports import Countersign, Outbound

UNAUTHORIZED = 401
_NOT_WORKING = frozenset({502, 503, 504})
_LONGEST_RETRY_AFTER = 86_400


class ProviderOptions(Struct, frozen=True, kw_only=True):
    """How a provider is called.

    base_url: http(s)://host[:port][/path]. timeout_seconds: for one attempt; the exchange's deadline holds above it.
    attempts: the most, of calls that may be repeated. backoff_seconds: before the second attempt, then doubled up to
    ``longest_backoff_seconds``, each time scattered over the upper half.
    """

    base_url: str
    timeout_seconds: float = 10.0
    attempts: int = 3
    backoff_seconds: float = 0.1
    longest_backoff_seconds: float = 2.0
    client: ClientOptions = field(default_factory=ClientOptions)
    breaker: BreakerOptions = field(default_factory=BreakerOptions)

    def __post_init__(self) -> None:
        split_url(self.base_url)
        if self.timeout_seconds <= 0 or self.attempts < 1:
            raise ValueError("a provider has a positive time-out and at least one attempt")
        if not 0 <= self.backoff_seconds <= self.longest_backoff_seconds:
            raise ValueError("the longest backoff is no shorter than the first")


class Failed(Struct, frozen=True, kw_only=True):
    """No usable answer came.

    sent: whether the provider may have acted. broken: an answer came, unusable as HTTP. denied: the provider gave our
    credentials no token. retry_after: seconds.
    """

    sent: bool
    denied: bool = False
    broken: bool = False
    timed_out: bool = False
    retry_after: int | None = None


class Request(Struct, frozen=True, kw_only=True):
    """What a target wants sent. path: raw, below the base URL. repeatable: sending it twice does no harm."""

    method: str
    path: str
    query: str | None = None
    fields: Fields
    body: Body
    repeatable: bool


class Provider:
    """Calls one provider. Shared by its services, so that they share its limits and its breaker.

    monotonic, jitter, sleep: the outside world, replaced in tests.
    """

    def __init__(
        self,
        options: ProviderOptions,
        client: Client,
        *,
        credentials: Credentials | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.options = options
        self._client = client
        self._credentials = credentials
        self._monotonic = monotonic
        self._jitter = jitter
        self._origin, self._base_path = split_url(options.base_url)
        self._url = str(self._origin)
        self._breaker = Breaker(options.breaker)

    @property
    def credentials(self) -> Credentials | None:
        """What it is shown."""
        return self._credentials

    @property
    def state(self) -> State:
        """Of the circuit breaker, for health and metrics."""
        return self._breaker.state(self._monotonic())

    async def call(self, request: Request, countersign: Countersign, deadline: float) -> Response | Failed:
        """Send it, again if that is safe and worth it, within the deadline (monotonic seconds).

        Every attempt is countersigned anew. Raises UnsendableRequestError or ValueError only for what cannot be sent.
        """
        target = join_target(self._base_path, request.path, request.query)
        attempt = 0
        while True:
            attempt += 1
            leave = self._breaker.ask(self._monotonic())
            if isinstance(leave, Refusal):
                return Failed(sent=False, retry_after=leave.retry_after)
            try:
                result = await self._attempt(request, target, countersign, deadline)
            except BaseException:
                self._breaker.gave_up(leave)
                raise
            stale = isinstance(result, EndUnknownError) and result.stale
            if stale and request.repeatable:
                self._breaker.gave_up(leave)
                attempt -= 1
                continue  # a kept-alive connection that the provider was just closing: not its failure
            self._judge(leave, result)
            wait = self._wait(request, result, attempt)
            if wait is None or self._monotonic() + wait >= deadline:
                return _failed(result) if isinstance(result, CallError) else result
            if isinstance(result, Response):
                result.body.close()
            await asyncio.sleep(wait)

    async def _attempt(
        self, request: Request, target: str, countersign: Countersign, deadline: float
    ) -> Response | CallError:
        end = min(deadline, self._monotonic() + self.options.timeout_seconds)
        url = self._url + target
        fields = request.fields
        try:
            if self._credentials is not None:
                fields = _without(fields, shown := await self._credentials.fields(url, end)) + shown
            fields += countersign(Outbound(method=request.method, url=url, fields=fields, body=request.body))
            return await self._client.request(request.method, self._origin, target, fields, request.body, deadline=end)
        except CallError as error:
            return error

    def _judge(self, leave: Pass, result: Response | CallError) -> None:
        """Tell the breaker what this attempt says of the provider."""
        now = self._monotonic()
        own = isinstance(result, UnstorableReplyError | CredentialsRefusedError)
        if own or (isinstance(result, NotSentError) and result.busy):
            self._breaker.gave_up(leave)  # our own queue or disk was full, or our credentials are wrong
        elif isinstance(result, CallError) or result.status in _NOT_WORKING:
            self._breaker.failed(leave, now)
        else:
            self._breaker.succeeded(leave, now)

    def _wait(self, request: Request, result: Response | CallError, attempt: int) -> float | None:
        """Seconds before the next attempt; None where there is to be none."""
        if attempt >= self.options.attempts:
            return None
        if isinstance(result, CallError):
            final = UnreadableReplyError | ReplyTooLargeError | UnstorableReplyError | CredentialsRefusedError
            again = not isinstance(result, final) and not result.timed_out
            safe = request.repeatable or (isinstance(result, NotSentError) and not result.busy)
            return self._backoff(attempt) if again and safe else None
        if result.status == UNAUTHORIZED and attempt == 1 and self._credentials is not None:
            return 0.0 if self._credentials.refused() else None
        if result.status not in _NOT_WORKING or not request.repeatable:
            return None
        asked = retry_after(result.fields)
        return self._backoff(attempt) if asked is None else float(asked)

    def _backoff(self, attempt: int) -> float:
        options = self.options
        longest: float = min(options.backoff_seconds * 2 ** (attempt - 1), options.longest_backoff_seconds)
        return longest * (0.5 + self._jitter() / 2)

    async def close(self) -> None:
        """Let go of connections. May be called by each of the provider's targets."""
        await self._client.close()


def _without(fields: Fields, replaced: Fields) -> Fields:
    """The fields without those that the credentials bring themselves."""
    names = {name.lower() for name, _ in replaced}
    return tuple(each for each in fields if each[0].lower() not in names)


def _failed(error: CallError) -> Failed:
    return Failed(
        sent=not isinstance(error, NotSentError),
        denied=isinstance(error, CredentialsRefusedError),
        broken=isinstance(error, TruncatedReplyError | UnreadableReplyError | ReplyTooLargeError),
        timed_out=error.timed_out,
    )


def retry_after(fields: Fields) -> int | None:
    """Seconds of a Retry-After field (RFC 9110 §10.2.3); None where there is none, or a date."""
    for name, value in fields:
        if name.lower() == "retry-after" and value.isascii() and value.isdigit():
            return min(int(value[:9]), _LONGEST_RETRY_AFTER)
    return None


def failure_reply(failed: Failed, *, may_have_acted: bool) -> Reply:
    """The reply for a call without an answer. may_have_acted: it is a write, whose end matters.

    provider_code ``timeout`` tells a time-out from other unavailability.
    """
    if failed.denied:
        return bare_reply(Outcome.DENIED)
    if failed.sent and may_have_acted:
        return bare_reply(Outcome.UNKNOWN)
    if failed.broken and not failed.timed_out:
        return bare_reply(Outcome.INVALID_REPLY)
    code = kinds.TIMED_OUT_CODE if failed.timed_out else None
    return bare_reply(Outcome.UNAVAILABLE, provider_code=code, retry_after=failed.retry_after)


def bare_reply(
    outcome: Outcome,
    *,
    provider_code: str | None = None,
    differing: tuple[str, ...] = (),
    retry_after: int | None = None,
) -> Reply:
    """A reply with nothing to pass on (status 0), for an outcome that is not a success: an error of ours tells it."""
    return Reply(
        outcome=outcome,
        status=0,
        body=EMPTY,
        provider_code=provider_code,
        differing=differing,
        retry_after=retry_after,
    )


__all__ = [
    "Failed",
    "Provider",
    "ProviderOptions",
    "Request",
    "UnsendableRequestError",
    "bare_reply",
    "failure_reply",
    "retry_after",
]
