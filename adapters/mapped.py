"""A provider's system by its mapping: canonical requests become its own, its answers canonical documents.

The target knows HTTP, SOAP and sessions; what is asked and what answers mean is the mapping's (``docs/mapping.md``).
"""

import time
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from adapters.mapped_answer import JsonAnswers, SoapAnswers
from adapters.mapped_session import Sessions
from adapters.provider import Failed, Provider, Request, UnsendableRequestError, bare_reply, failure_reply
from adapters.rest.failures import CallError, CredentialsRefusedError
from adapters.rest.http1 import Response
from adapters.soap.envelope import CONTENT_TYPE
from adapters.soap.heard import heard_of
from adapters.soap.wsdl import Contract
from gateway.mapping.calls import Call, Reading, Sending
from gateway.mapping.compile import Mapping, Operation
from gateway.mapping.context import Context, UnfitError
from gateway.mapping.judging import Answer
from gateway.model.charsets import Charset
from gateway.model.errors import ExchangeError
from gateway.model.instant import Instant, from_seconds
from gateway.model.jsontext import encode
from gateway.model.message import EMPTY, Body, Fields
from gateway.model.outcomes import Outcome
from gateway.model.stages import Recorded, Reply
from gateway.ports import Countersign

_OK = 200
_JSON_TYPE = "application/json"
_ANSWER_FIELDS: Fields = (("Content-Type", _JSON_TYPE),)
_JSON_FIELDS: Fields = (("Content-Type", _JSON_TYPE), ("Accept", _JSON_TYPE))
_BARE_FIELDS: Fields = (("Accept", _JSON_TYPE),)


_Fact = Callable[[Recorded], str | None]
_FACTS: dict[str, _Fact] = {
    "purpose": lambda request: request.authorized.decision.purpose.code,
    "basis": lambda request: request.authorized.decision.purpose.basis,
    "client": lambda request: str(request.authorized.verified.client),
    "subsystem": lambda request: request.authorized.verified.client.subsystem_code,
    "officer": lambda request: request.claim.officer,
    "case": lambda request: request.claim.case,
    "represented": lambda request: request.claim.represented,
    "record": lambda request: request.id,
    "message_id": lambda request: request.claim.message_id or request.id,
}


class MappedOptions(Struct, frozen=True, kw_only=True):
    """What a service's settings add to its mapping.

    path: of the mapping's operations that the service has; a caller's path follows it. charsets: tried before the
    mapping's own. integration_codes: operation (or path) → code. agencies: member code → the provider's code for it.
    settings: for ``setting.NAME``.
    """

    path: str = ""
    charsets: tuple[Charset, ...] = ()
    integration_codes: dict[str, str] = {}
    agencies: dict[str, str] = {}
    settings: dict[str, str] = {}


class _EndedError(Exception):
    """The operation is over without a document. reply: as what."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.outcome.value)
        self.reply = reply


class MappedTarget:
    """A service that follows a mapping. contract: of a SOAP provider. now: the wall clock."""

    def __init__(
        self,
        provider: Provider,
        mapping: Mapping,
        *,
        contract: Contract | None = None,
        options: MappedOptions | None = None,
        now: Callable[[], Instant] = lambda: from_seconds(time.time()),
    ) -> None:
        self._provider = provider
        self._mapping = mapping
        self._contract = contract
        self._options = options or MappedOptions()
        self._now = now
        said = mapping.contract
        charsets = tuple(dict.fromkeys((*self._options.charsets, *said.charsets)))
        facts = {**_FACTS, "agency": self._agency}
        self._facts = [(name, facts[name]) for name in sorted(mapping.facts & facts.keys())]
        self._soap_fields = {} if contract is None else _soap_fields(mapping, contract)
        self._json = JsonAnswers(charsets, said.answer_limit)
        self._soap = (
            None
            if contract is None
            else SoapAnswers(
                contract,
                charsets,
                said.answer_limit,
                heard_of(provider.options.base_url),
                validated=bool(said.answers),
            )
        )

    @property
    def endpoints(self) -> tuple[tuple[str, str], ...]:
        """Method and path of each of the service's operations."""
        return tuple(
            (each.method, each.path.removeprefix(self._options.path))
            for each in self._mapping.operations
            if f"{each.path}/".startswith(f"{self._options.path}/")
        )

    async def send(self, request: Recorded, countersign: Countersign, deadline: float) -> Reply:
        """Ask the provider. A good answer's document is canonical."""
        path = "" if request.claim.path == "/" else request.claim.path
        operation = self._mapping.operation(self._options.path + path, request.claim.method)
        if operation is None:
            return bare_reply(Outcome.REJECTED)
        if operation.timeout_seconds is not None:
            deadline = min(deadline, time.monotonic() + operation.timeout_seconds)
        document = request.authorized.envelope.document
        context = Context(
            document=document if isinstance(document, dict) else {},
            facts=self._known(request),
            now=self._now(),
            settings=self._options.settings,
        )
        run = _Run(self, operation, context, countersign, deadline)
        try:
            operation.check(context.document, context)
            return _reply(await run.calls())
        except UnfitError as error:
            return bare_reply(Outcome.REJECTED, differing=error.elements)
        except _EndedError as ended:
            return ended.reply

    def _known(self, request: Recorded) -> dict[str, str | None]:
        return {name: fact(request) for name, fact in self._facts}

    def _agency(self, request: Recorded) -> str:
        member = request.authorized.verified.client.member_code
        return self._options.agencies.get(member, member)

    def integration_code(self, call: Call) -> str | None:
        """The service's code for an operation of the provider."""
        return self._options.integration_codes.get(call.name)

    async def session(self, deadline: float) -> str | None:
        """The open session, where the mapping has a login. Raises CallError."""
        login, sessions = self._mapping.login, self._provider.credentials
        if login is None or not isinstance(sessions, Sessions):
            return None
        return await sessions.session(login, deadline)

    def forget(self, session: str | None) -> bool:
        """A session is stale: whether asking for another makes sense."""
        sessions = self._provider.credentials
        if session is None or not isinstance(sessions, Sessions):
            return False
        sessions.forget(session)
        return True

    def request(self, sending: Sending, countersign: Countersign, *, repeatable: bool) -> Request:
        """What goes to the provider. Raises UnfitError for values that the contract has no place for."""
        if self._contract is not None:
            try:
                envelope = self._contract.request(sending.operation or "", _texts(sending.body or {}))
            except ValueError:
                raise UnfitError from None
            if self._mapping.contract.signed:
                envelope = countersign.envelope(envelope)
            return Request(
                method="POST",
                path="",
                fields=self._soap_fields[sending.operation or ""] + sending.headers,
                body=Body(envelope),
                repeatable=repeatable,
            )
        fields = (_BARE_FIELDS if sending.body is None else _JSON_FIELDS) + sending.headers
        body = EMPTY if sending.body is None else Body(encode(sending.body))
        return Request(
            method=sending.method,
            path=sending.path,
            query=sending.query,
            fields=fields,
            body=body,
            repeatable=repeatable,
        )

    async def call(self, request: Request, countersign: Countersign, deadline: float) -> Response | Failed:
        """One call of the provider."""
        return await self._provider.call(request, countersign, deadline)

    def answer(self, response: Response, call: Call, countersign: Countersign) -> Answer:
        """What the provider sent, as the mapping reads it. Raises ExchangeError for a wrong signature."""
        if self._soap is None:
            return self._json.read(response)
        return self._soap.read(response, call, countersign.opened if self._mapping.contract.signed else None)

    async def close(self) -> None:
        """Let go of the provider's connections."""
        await self._provider.close()


class _Run:
    """One operation on its way through its calls."""

    def __init__(
        self, target: MappedTarget, operation: Operation, context: Context, countersign: Countersign, deadline: float
    ) -> None:
        self._target, self._operation, self._context = target, operation, context
        self._countersign, self._deadline = countersign, deadline

    async def calls(self) -> Reading:
        """The last call's reading, or the first that ends the operation."""
        reading = Reading(outcome=Outcome.REJECTED)
        for call in self._operation.calls:
            if call.applies(self._context):
                reading = await self._logged_in(call)
                if not reading.is_good:
                    break
                self._context.kept.update(reading.kept)
        return reading

    async def _logged_in(self, call: Call) -> Reading:
        """One call; once more where its session was stale."""
        facts = self._context.facts
        facts["integration_code"] = self._target.integration_code(call)
        for attempt in range(2):
            facts["session"] = session = await self._session()
            reading = await self._call(call)
            if reading.outcome is not None:
                return reading
            if not self._target.forget(session) or attempt:
                break
        return Reading(outcome=Outcome.DENIED)

    async def _session(self) -> str | None:
        try:
            return await self._target.session(self._deadline)
        except CallError as error:
            denied = isinstance(error, CredentialsRefusedError)
            failed = Failed(sent=False, denied=denied, timed_out=error.timed_out)
            raise _EndedError(failure_reply(failed, may_have_acted=False)) from None

    async def _call(self, call: Call) -> Reading:
        operation, countersign = self._operation, self._countersign
        repeatable = not operation.is_write or operation.idempotent
        request = self._target.request(call.send(self._context), countersign, repeatable=repeatable)
        try:
            result = await self._target.call(request, countersign, self._deadline)
        except (UnsendableRequestError, ValueError):  # such as a header that HTTP has no form for; nothing was sent
            raise _EndedError(bare_reply(Outcome.REJECTED)) from None
        if isinstance(result, Failed):
            raise _EndedError(failure_reply(result, may_have_acted=operation.is_write))
        try:
            return call.read(self._target.answer(result, call, countersign), self._context)
        except ExchangeError:
            outcome = Outcome.UNKNOWN if operation.is_write else Outcome.INVALID_REPLY
            return Reading(outcome=outcome)
        finally:
            result.body.close()


def _reply(reading: Reading) -> Reply:
    if not reading.is_good:
        outcome = reading.outcome or Outcome.INVALID_REPLY
        return bare_reply(outcome, provider_code=reading.provider_code, differing=reading.differing)
    document = {} if reading.document is None else reading.document
    return Reply(
        outcome=reading.outcome or Outcome.INVALID_REPLY,
        status=_OK,
        fields=_ANSWER_FIELDS,
        body=Body(encode(document)),
        document=document,
        provider_code=reading.provider_code,
        source_updated_at=reading.updated_at,
    )


def _soap_fields(mapping: Mapping, contract: Contract) -> dict[str, Fields]:
    """The header fields of each of the contract's operations that the mapping calls. Raises ContractError."""
    names = {call.operation or "" for operation in mapping.operations for call in operation.calls}
    return {
        name: (("Content-Type", CONTENT_TYPE), ("SOAPAction", f'"{contract.action(name)}"'), ("Accept", "text/xml"))
        for name in names
    }


def _texts(value: Any) -> Any:
    """The values of an envelope's elements, all as text."""
    if value.__class__ is str:
        return value
    if isinstance(value, dict):
        return {name: _texts(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_texts(inner) for inner in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
