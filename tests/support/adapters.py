"""What tests of the adapters share: recorded requests without a pipeline, targets that face simulators."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from adapters.breaker import BreakerOptions
from adapters.mapped import MappedOptions, MappedTarget
from adapters.provider import Provider, ProviderOptions
from adapters.rest.http1 import BodySink, Client, ClientOptions
from adapters.soap.wsdl import Contract
from gateway.config.mappings import MappingFile, read_mapping
from gateway.config.problems import Problem
from gateway.config.schemas import SchemaFolder
from gateway.model.charsets import Charset
from gateway.model.decision import EVERYTHING, Decision
from gateway.model.envelope import Claim, Envelope, ProvedParts, Purpose
from gateway.model.ids import RecordId, ServiceId, SubsystemId
from gateway.model.instant import Instant, from_datetime
from gateway.model.jsontext import encode
from gateway.model.message import EMPTY, Body, Fields, Head
from gateway.model.stages import Authorized, Claimed, Delegated, Peer, Received, Recorded, Reply, Verified
from gateway.ports import Outbound
from gateway.validation.schema import Schema, SchemaSet
from gateway.wiring.mappings import compiled, load_contract
from tests.support.source import ROOT

CLIENT = SubsystemId("VN", "GOV", "H24", "portal")
SERVICE = ServiceId("VN", "GOV", "G01", "population", "citizen")
RECORD = RecordId("0197a1c2-0000-7000-8000-000000000001")
SCHEMAS: Path = ROOT / "schemas"
NOON = from_datetime(datetime(2026, 11, 22, 5, tzinfo=UTC))
"""The time of the mappings' targets."""


class Known:
    """A secret that the test knows."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value


@cache
def _schemas() -> SchemaSet:
    documents = [json.loads(path.read_bytes()) for path in (SCHEMAS / "json").glob("*.json")]
    return SchemaSet({document["$id"]: document for document in documents})


@cache
def canonical(name: str) -> Schema:
    """One of the canonical schemas, by the name of its file without ``.json``."""
    made = _schemas()
    return made.compile(next(each for each in made if each.endswith(f"/{name}.json")))


def recorded(
    document: Any = None,
    *,
    method: str = "POST",
    path: str = "",
    query: str | None = None,
    fields: Fields = (),
    body: Body | None = None,
    officer: str | None = "cb-7",
    message_id: str | None = "m-1",
    purpose: str = "1.001193",
) -> Recorded:
    """A request as the pipeline hands it to a target."""
    if body is None:
        body = EMPTY if document is None else Body(encode(document))
    claim = Claim(
        client=CLIENT,
        service=SERVICE,
        method=method,
        path=path,
        query=query,
        officer=officer,
        message_id=message_id,
        purpose=Purpose(purpose),
    )
    target = f"/r1/{SERVICE}{path}" + ("" if query is None else f"?{query}")
    head = Head(method=method, target=target, fields=fields)
    received = Received(
        id=RECORD, at=Instant(0), head=head, body=body, peer=Peer(address="127.0.0.1"), public_url="https://gw.example"
    )
    verified = Verified(
        claimed=Claimed(received=received, claim=claim),
        client=CLIENT,
        proof=Delegated(parent=RECORD),
        parts=ProvedParts(head=head, body=body, claim=claim),
    )
    envelope = Envelope(claim=claim, content_type="application/json", body=body, document=document)
    decision = Decision(grant="g", purpose=Purpose(purpose), reasons=(), fields=EVERYTHING)
    return Recorded(authorized=Authorized(verified=verified, envelope=envelope, decision=decision), id=RECORD)


class Countersigned:
    """Counts the signatures and keeps what was signed."""

    def __init__(self) -> None:
        self.outbound: list[Outbound] = []

    def __call__(self, outbound: Outbound) -> Fields:
        self.outbound.append(outbound)
        return (("Motlan-Receipt", RECORD), ("Signature", f"gw=:{len(self.outbound)}:"))


def provider(
    url: str,
    *,
    credentials: Any = None,
    breaker: BreakerOptions | None = None,
    open_sink: Callable[[], BodySink] | None = None,
    **options: Any,
) -> Provider:
    """A provider with short waits. Options of the client are recognised by their names."""
    names = set(ClientOptions.__struct_fields__)
    client = ClientOptions(**{key: value for key, value in options.items() if key in names})
    rest = {"backoff_seconds": 0.0, "timeout_seconds": 2.0, **options}
    made = ProviderOptions(
        base_url=url,
        client=client,
        breaker=breaker or BreakerOptions(minimum_calls=1000),
        **{key: value for key, value in rest.items() if key not in names},
    )
    return Provider(made, Client(client, open_sink=open_sink), credentials=credentials)


@cache
def mapping_file(name: str) -> MappingFile:
    """One of the product's mapping files; it has no mistakes."""
    problems: list[Problem] = []
    made = read_mapping(ROOT / "config/mappings" / name, SchemaFolder.read(SCHEMAS / "json", problems), problems)
    assert made is not None, problems
    return made


@cache
def contract(name: str = "population.toml") -> Contract:
    """The contract of a SOAP mapping."""
    return load_contract(mapping_file(name))


def mapped(
    name: str,
    url: str,
    *,
    options: MappedOptions | None = None,
    charsets: tuple[Charset, ...] | None = None,
    **more: Any,
) -> MappedTarget:
    """The target of one of the product's mappings. charsets: others than the mapping declares."""
    more.setdefault("body_limit", 1024 * 1024)
    file = mapping_file(name)
    if charsets is not None:
        said = replace(file.document.contract, charsets=charsets)
        file = replace(file, document=replace(file.document, contract=said))
    soap = contract(name) if file.document.contract.wsdl is not None else None
    return MappedTarget(provider(url, **more), compiled(file), contract=soap, options=options, now=lambda: NOON)


def population(url: str, **more: Any) -> MappedTarget:
    """The population database's target."""
    return mapped("population.toml", url, **more)


def insurance(url: str, **more: Any) -> MappedTarget:
    """Social insurance's target."""
    return mapped("social-insurance.toml", url, **more)


async def ask(target: Any, request: Recorded | dict[str, Any], *, seconds: float = 5.0, **more: Any) -> Reply:
    """One call, after which the target is closed."""
    made = request if isinstance(request, Recorded) else recorded(request, **more)
    try:
        return await target.send(made, Countersigned(), time.monotonic() + seconds)
    finally:
        await target.close()
