"""A form filled out of two registers: how much later it comes than the slower of them answers."""

import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

from msgspec import Struct

from adapters.simulators.access import ApiKey, HashedBasic
from adapters.simulators.insurance import InsuranceSimulator
from adapters.simulators.misbehave import Mode
from adapters.simulators.parties import PORTAL
from adapters.simulators.people import People
from adapters.simulators.population import PopulationSimulator
from adapters.simulators.portal import BIRTH, Portal
from adapters.simulators.simulator import Simulator
from adapters.simulators.tsa_certificate import tsa_of
from adapters.simulators.wire import Answer, Received
from bench.processes import free_port, running
from gateway import client as motlan
from gateway.client import Client
from gateway.config.demo import write_demo
from gateway.wiring.attesting import ed25519_key
from gateway.wiring.demo_contract import Desk
from gateway.wiring.demo_files import ORIGIN, DemoFiles, prepared, variables_of
from gateway.wiring.demo_witness import running_beside

SLOW = 0.15
"""Seconds that the population database takes; social insurance takes two thirds of it."""
_FORMS = 20
_ENOUGH = 200


class Prefill(Struct, frozen=True):
    """Seconds, medians over the forms. slowest: what the slowest source took, from request to answer, by its own clock.
    latency: of the form. after: what the form took longer than its slowest source. worst: the most of that.
    """

    slowest: float
    latency: float
    after: float
    worst: float


def run() -> Prefill:
    """Fill forms one after the other, the gateway in a process of its own."""
    with tempfile.TemporaryDirectory() as folder, prepared(Path(folder), people := People(count=_ENOUGH)) as files:
        return asyncio.run(_fill(files, people))


async def _fill(files: DemoFiles, people: People) -> Prefill:
    access = HashedBasic(user="motlan", secret=files.secret("population"), unit="ms")
    key = ApiKey(key=files.secret("social-insurance"))
    async with contextlib.AsyncExitStack() as up:
        population = await up.enter_async_context(PopulationSimulator(people, access=access))
        insurance = await up.enter_async_context(InsuranceSimulator(people, access=key))
        population.misbehave(Mode.SLOW, seconds=SLOW)
        insurance.misbehave(Mode.SLOW, seconds=SLOW * 2 / 3)
        tsa = await up.enter_async_context(tsa_of(files.pki))
        await up.enter_async_context(running_beside(files.state / "witness", ed25519_key(files.log_key, ORIGIN).key))
        port = free_port()
        ports = (port, free_port())
        variables = variables_of(files, ports=ports, population=population.url, insurance=insurance.url, tsa=tsa.url)
        config = write_demo(files.config.parent, variables)
        argv = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(config)]
        up.enter_context(running(argv, port))
        client = await up.enter_async_context(_client(files, port))
        forms = [await _timed(client, people) for _ in range(_FORMS + 2)][2:]
    after = [latency - slowest for latency, slowest in forms]
    latency, slowest = (statistics.median(times) for times in zip(*forms, strict=True))
    return Prefill(slowest, latency, statistics.median(after), max(after))


async def _timed(client: Client, people: People) -> tuple[float, float]:
    """What a form took, and what its slowest source took of that."""
    sources: list[float] = []
    slow = Simulator._slow  # noqa: SLF001 - where a simulator sleeps and then answers

    async def watched(simulator: Simulator, received: Received, seconds: float) -> Answer:
        began = time.perf_counter()
        answer = await slow(simulator, received, seconds)
        sources.append(time.perf_counter() - began)
        return answer

    with mock.patch.object(Simulator, "_slow", watched):
        latency = await _form(client, people, Desk())
    return latency, max(sources)


def _client(files: DemoFiles, port: int) -> contextlib.AbstractAsyncContextManager[Client]:
    identity = files.identity(PORTAL)
    return motlan.open(
        f"https://127.0.0.1:{port}",
        subsystem=str(PORTAL),
        key=identity.key,
        certificate=identity.certificate,
        gateway_certificates=[files.gateway_certificate],
        authorities=files.authorities,
    )


async def _form(client: Client, people: People, desk: Desk) -> float:
    portal = Portal(client, officer=desk.officer("ht"), case=desk.case("00.H24"))
    asked = {
        "mother": {"identity_number": people.story.mother.identity_number},
        "father": {"identity_number": people.story.father.identity_number},
        "child": {},
    }
    started = time.perf_counter()
    answer = await portal.prefill(BIRTH.code, asked)
    taken = time.perf_counter() - started
    if answer.error_code is not None:
        raise RuntimeError(f"the form was refused: {answer.error_code}")
    return taken
