"""An adapter run without a gateway: its mapping, a provider at an address, and one request at a time.

Nothing here is an exchange: no consumer is answered. Who sends real requests this way records them (``kit_record``).
"""

import time
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from adapters.breaker import BreakerOptions
from adapters.mapped import MappedTarget
from adapters.provider import Failed, Provider, ProviderOptions, UnsendableRequestError, failure_reply
from adapters.rest.http1 import Client, ClientOptions, Response
from gateway.config.mappings import MappingFile, load_mapping
from gateway.config.problems import ConfigurationError, Document, Problem
from gateway.config.product import product_schemas
from gateway.config.reader import read
from gateway.config.schemas import SchemaFolder
from gateway.config.services import ServiceFile, ServiceSettings
from gateway.mapping.calls import Call, Reading
from gateway.mapping.compile import Mapping
from gateway.mapping.context import Context, UnfitError
from gateway.mapping.document import Protocol
from gateway.model.errors import ExchangeError
from gateway.model.instant import from_seconds
from gateway.model.message import Fields, Part
from gateway.model.outcomes import Outcome
from gateway.model.written import WrittenEnvelope
from gateway.ports import Outbound
from gateway.wiring.kit_layout import Layout
from gateway.wiring.mappings import compiled, load_contract


class Adapter(Struct, frozen=True, kw_only=True):
    """What an adapter's folder holds, read and checked. service: None where there is no service file."""

    layout: Layout
    mapping: MappingFile
    compiled: Mapping
    schemas: SchemaFolder
    service: ServiceSettings | None


class Question(Struct, frozen=True, kw_only=True):
    """One request. facts: what the mapping may take beside the document."""

    method: str
    path: str
    document: Any
    facts: dict[str, str | None]


class Ran(Struct, frozen=True, kw_only=True):
    """What came of it. document: of a success. calls: how many calls of the provider it took."""

    outcome: Outcome
    document: Any = None
    provider_code: str | None = None
    differing: tuple[str, ...] = ()
    calls: int = 0


def read_adapter(layout: Layout) -> Adapter:
    """Read mapping, schemas and service file. Raises ConfigurationError with everything that is wrong, by line."""
    problems: list[Problem] = []
    schemas = SchemaFolder.read(product_schemas(), problems, layout.schemas if layout.schemas.is_dir() else None)
    mapping, wrong = load_mapping(layout.mapping, schemas)
    problems += wrong
    service = None
    if layout.service.is_file():
        document = Document.read(layout.service, problems)
        found = read(document, ServiceFile, document.table)
        service = None if found is None else found.service[0]
    problems = [each for each in problems if not each.warning]
    if problems or mapping is None:
        raise ConfigurationError(problems)
    return Adapter(layout=layout, mapping=mapping, compiled=compiled(mapping), schemas=schemas, service=service)


class Unsigned:
    """A countersign that signs nothing: samples were recorded without, and nobody reads it."""

    def __call__(self, outbound: Outbound) -> Fields:
        """No fields."""
        del outbound
        return ()

    def envelope(self, envelope: bytes | WrittenEnvelope, attachments: tuple[Part, ...] = ()) -> bytes:
        """As it is."""
        del attachments
        return envelope if isinstance(envelope, bytes) else envelope.whole()

    def opened(self, answer: bytes, attachments: tuple[Part, ...] = ()) -> bytes:
        """As it is."""
        del attachments
        return answer


class Runner:
    """One mapping and one provider. seconds: for each call. heard: told of every answer before it is read."""

    def __init__(
        self,
        adapter: Adapter,
        provider: Provider,
        seconds: float = 10.0,
        heard: Callable[[Response], None] = lambda _: None,
    ) -> None:
        self._heard = heard
        self._mapping = adapter.compiled
        self._seconds = seconds
        soap = self._mapping.contract.protocol is Protocol.SOAP
        contract = load_contract(adapter.mapping) if soap else None
        self._target = MappedTarget(provider, self._mapping, contract=contract)
        self._settings = {} if adapter.service is None else adapter.service.settings
        self._codes = {} if adapter.service is None else adapter.service.integration_codes

    async def ask(self, question: Question) -> Ran:
        """One request through all calls of its operation."""
        operation = self._mapping.operation(question.path, question.method)
        if operation is None:
            return Ran(outcome=Outcome.REJECTED)
        context = Context(
            document=question.document if isinstance(question.document, dict) else {},
            facts=dict(question.facts),
            now=from_seconds(time.time()),
            settings=self._settings,
        )
        reading, calls = Reading(outcome=Outcome.REJECTED), 0
        try:
            operation.check(context.document, context)
            for call in operation.calls:
                if not call.applies(context):
                    continue
                calls += 1
                reading = await self._call(call, context, write=operation.is_write, idempotent=operation.idempotent)
                if not reading.is_good:
                    break
                context.kept.update(reading.kept)
        except UnfitError as error:
            return Ran(outcome=Outcome.REJECTED, differing=error.elements, calls=calls)
        except UnsendableRequestError:
            return Ran(outcome=Outcome.REJECTED, calls=calls)
        return Ran(
            outcome=reading.outcome or Outcome.DENIED,
            document=reading.document if reading.is_good else None,
            provider_code=reading.provider_code,
            differing=reading.differing,
            calls=calls,
        )

    async def _call(self, call: Call, context: Context, *, write: bool, idempotent: bool) -> Reading:
        deadline = time.monotonic() + self._seconds
        context.facts["integration_code"] = self._codes.get(call.name)
        context.facts["session"] = await self._target.session(deadline) or "session"
        request = self._target.request(call.send(context), Unsigned(), repeatable=not write or idempotent)
        result = await self._target.call(request, Unsigned(), deadline)
        if isinstance(result, Failed):
            return Reading(outcome=failure_reply(result, may_have_acted=write).outcome)
        self._heard(result)
        try:
            return call.read(self._target.answer(result, call, Unsigned()), context)
        except ExchangeError:
            return Reading(outcome=Outcome.UNKNOWN if write else Outcome.INVALID_REPLY)
        finally:
            result.body.close()

    async def close(self) -> None:
        """Let go of connections."""
        await self._target.close()


def local_provider(url: str, seconds: float, limit: int) -> Provider:
    """A provider on this machine, without credentials, retries or breaker: every answer is looked at."""
    options = ClientOptions(body_limit=limit, connect_seconds=2.0)
    return Provider(
        ProviderOptions(
            base_url=url,
            timeout_seconds=seconds,
            attempts=1,
            client=options,
            breaker=BreakerOptions(minimum_calls=1_000_000),
        ),
        Client(options),
    )
