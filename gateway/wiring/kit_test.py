"""``motlan adapter test``: an adapter against its samples, and against a provider that goes wrong in every way."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from adapters.simulators.misbehave import Mode
from gateway.mapping.document import Kind
from gateway.model.errors import ExchangeError
from gateway.model.ids import ServiceId
from gateway.model.outcomes import SUCCESSES, Outcome
from gateway.validation.schema import Schema
from gateway.wiring.kit_layout import Layout
from gateway.wiring.kit_leaves import LOST, LeafState, leaf_states
from gateway.wiring.kit_run import Adapter, Question, Ran, Runner, local_provider, read_adapter
from gateway.wiring.kit_samples import Sample, read_samples
from gateway.wiring.kit_server import Replay, modes_for

_SECONDS = 10.0
_IMPATIENT = 0.3
"""Seconds for an answer where the provider is slow on purpose."""
_WAITING = frozenset({Mode.SLOW, Mode.FREEZE})
_SILENT = frozenset({Mode.SLOW, Mode.FREEZE, Mode.DROP, Mode.BAD_GATEWAY})
"""No answer came: of a look-up UNAVAILABLE, of a write UNKNOWN; never NOT_FOUND."""
_AT_ONCE = 12


class SampleRun(Struct, frozen=True, kw_only=True):
    """What came of a sample. problems: what is wrong; places and rules, never values."""

    sample: str
    wanted: Outcome
    got: Outcome
    problems: tuple[str, ...] = ()


class ModeRun(Struct, frozen=True, kw_only=True):
    """What came of a provider that goes wrong. problem: ``""`` where the adapter survives it."""

    sample: str
    mode: str
    got: str
    problem: str = ""


class Report(Struct, frozen=True, kw_only=True):
    """All of it."""

    leaves: tuple[LeafState, ...]
    samples: tuple[SampleRun, ...]
    modes: tuple[ModeRun, ...]

    @property
    def is_well(self) -> bool:
        """Whether every sample came out as it must, and every misbehaviour was survived."""
        return not any(each.problems for each in self.samples) and not any(each.problem for each in self.modes)

    @property
    def lost(self) -> tuple[LeafState, ...]:
        """What the mapping does not carry."""
        return tuple(each for each in self.leaves if each.state == LOST)


def run_test(layout: Layout, *, samples: Path | None = None, misbehave: bool = True) -> Report:
    """Run an adapter's samples. samples: their folder; that of the layout, if None.

    Raises ConfigurationError for a mapping that is wrong, ExchangeError for a sample or contract that is.
    """
    adapter = read_adapter(layout)
    found = read_samples(samples or _samples_of(layout))
    leaves = tuple(leaf_states(adapter, found))
    ran, modes = asyncio.run(_all(adapter, found, misbehave=misbehave))
    return Report(leaves=leaves, samples=tuple(ran), modes=tuple(modes))


def _samples_of(layout: Layout) -> Path:
    """The layout's samples; the product's own mappings have theirs in a folder of their name beside them."""
    named = layout.mapping.parent / "samples" / layout.name
    return named if named.is_dir() and not layout.samples.is_dir() else layout.samples


def _differences(wanted: Any, got: Any, place: str = "") -> Iterator[str]:
    """Pointers of elements that are not as expected. Never a value."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for name in dict.fromkeys((*wanted, *got)):
            yield from _differences(wanted.get(name), got.get(name), f"{place}/{name}")
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for index, (one, other) in enumerate(zip(wanted, got, strict=True)):
            yield from _differences(one, other, f"{place}/{index}")
    elif wanted != got:
        yield place or "/"


async def _all(adapter: Adapter, samples: list[Sample], *, misbehave: bool) -> tuple[list[SampleRun], list[ModeRun]]:
    compiled = adapter.schemas.compile()
    ran: list[SampleRun] = []
    right: dict[str, Ran] = {}
    for sample in samples:
        result = right[sample.name] = await _play(adapter, sample, None)
        ran.append(_judged(adapter, sample, result, compiled))
    whole = [sample for sample in samples if right[sample.name].outcome is sample.said.outcome] if misbehave else []
    wanted = [(sample, mode) for sample in whole for mode in modes_for(sample)]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(sample: Sample, mode: Mode) -> ModeRun:
        async with gate:
            return await _wrong(adapter, sample, mode, right[sample.name])

    return ran, list(await asyncio.gather(*(one(sample, mode) for sample, mode in wanted)))


async def _play(adapter: Adapter, sample: Sample, mode: Mode | None) -> Ran:
    """Ask a provider that plays the sample back, rightly or wrongly."""
    seconds = _IMPATIENT if mode in _WAITING else _SECONDS
    limit = adapter.mapping.document.contract.answer_limit
    async with Replay() as provider:
        provider.play(sample)
        if mode is not None:
            provider.misbehave(mode, seconds=3 * _IMPATIENT, megabytes=limit // 2**20 + 1)
        runner = Runner(adapter, local_provider(provider.url, seconds, limit), seconds)
        try:
            return await runner.ask(question(adapter, sample))
        finally:
            await runner.close()


def question(adapter: Adapter, sample: Sample) -> Question:
    """The request of a sample, with invented facts beside it."""
    said = sample.said
    service = None if adapter.service is None else adapter.service.id
    member = "VN/GOV/H00/portal" if not isinstance(service, ServiceId) else str(service.subsystem)
    facts: dict[str, str | None] = {
        "purpose": said.purpose,
        "basis": None,
        "client": member,
        "agency": "H00",
        "subsystem": "portal",
        "officer": said.officer,
        "case": "000.00.00.H00-260131-0001",
        "represented": None,
        "record": "00000000-0000-7000-8000-000000000000",
        "message_id": "00000000-0000-7000-8000-000000000000",
    }
    return Question(method=said.method, path=said.path, document=sample.request, facts=facts)


def _judged(adapter: Adapter, sample: Sample, ran: Ran, compiled: Any) -> SampleRun:
    problems: list[str] = []
    if ran.outcome is not sample.said.outcome:
        named = f" ({', '.join(ran.differing)})" if ran.differing else ""
        code = f", its code {ran.provider_code}" if ran.provider_code else ""
        problems.append(f"came to {ran.outcome}{named}{code}, not {sample.said.outcome}")
    if sample.expected is not None:
        problems += [f"{place} is not as expected" for place in _differences(sample.expected, ran.document)]
    operation = _written(adapter, sample)
    for name, document in (
        (operation.request_schema if operation else None, sample.request),
        (operation.response_schema if operation else None, ran.document),
    ):
        found = None if name is None or document is None else adapter.schemas.find(name)
        if found is not None:
            problems += _misfits(compiled.compile(found), document, name or "")
    return SampleRun(sample=sample.name, wanted=sample.said.outcome, got=ran.outcome, problems=tuple(problems))


def _misfits(schema: Schema, document: Any, name: str) -> list[str]:
    try:
        schema.check(document)
    except ExchangeError as error:
        return [f"{name}: {part}" for part in error.parts]
    return []


def _written(adapter: Adapter, sample: Sample) -> Any:
    for each in adapter.mapping.document.operation:
        if (each.method, each.path) == (sample.said.method, sample.said.path):
            return each
    return None


async def _wrong(adapter: Adapter, sample: Sample, mode: Mode, right: Ran) -> ModeRun:
    try:
        ran = await _play(adapter, sample, mode)
    except Exception as error:  # noqa: BLE001 - whatever it is, the adapter did not survive
        return ModeRun(sample=sample.name, mode=mode, got=type(error).__name__, problem="the adapter failed")
    return ModeRun(sample=sample.name, mode=mode, got=ran.outcome, problem=_harm(adapter, sample, mode, right, ran))


def _harm(adapter: Adapter, sample: Sample, mode: Mode, right: Ran, ran: Ran) -> str:
    """What is wrong with taking a misbehaving provider's answer so; ``""`` where nothing is."""
    if ran.outcome in SUCCESSES:
        if mode is Mode.OTHER_PERSON:
            return "another person's answer is taken: add compare to the call"
        return "" if ran.document == right.document else "a wrong answer is taken as data"
    if ran.outcome is Outcome.NOT_FOUND and sample.said.outcome is not Outcome.NOT_FOUND and mode in _SILENT:
        return "a provider that does not answer is taken for: not found"
    operation = _written(adapter, sample)
    if mode in _SILENT and operation is not None and operation.kind is Kind.WRITE:
        sent = ran.outcome in {Outcome.UNKNOWN, Outcome.UNAVAILABLE}
        return "" if sent else f"a write whose end is not known came to {ran.outcome}"
    return ""
