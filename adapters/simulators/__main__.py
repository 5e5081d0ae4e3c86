"""Run one simulator in a process of its own: ``python -m adapters.simulators population --count 2000``."""

import argparse
import asyncio
import contextlib
import sys
from pathlib import Path

from adapters.simulators.access import ApiKey
from adapters.simulators.backend import Backend
from adapters.simulators.insurance import InsuranceSimulator
from adapters.simulators.people import DEFAULT_COUNT, People
from adapters.simulators.population import PopulationSimulator
from adapters.simulators.simulator import Simulator


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m adapters.simulators", description=__doc__)
    parser.add_argument("system", choices=("population", "insurance", "backend"))
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--seed", type=int, default=1, help="of the generated people (default 1)")
    parser.add_argument("--count", type=int, default=DEFAULT_COUNT, help="people, at most 1000000")
    parser.add_argument("--truth", type=Path, help="write everybody there, readable by the owner only")
    parser.add_argument("--api-key", help="insurance: ask callers for it (header ApiKey)")
    parser.add_argument("--size", type=int, default=1024, help="backend: bytes of JSON to answer with")
    return parser.parse_args()


def _build(options: argparse.Namespace) -> Simulator:
    if options.system == "backend":
        return Backend(size=options.size, keep=False)
    people = People(seed=options.seed, count=options.count)
    if options.truth:
        people.write_truth(options.truth)
    if options.system == "population":
        return PopulationSimulator(people)
    return InsuranceSimulator(people, access=ApiKey(key=options.api_key) if options.api_key else None)


async def _serve(simulator: Simulator, port: int) -> None:
    await simulator.start(port=port)
    sys.stdout.write(simulator.url + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def main() -> None:
    """Print the URL, then serve until stopped; on uvloop where that is installed."""
    options = _options()
    run = asyncio.run
    with contextlib.suppress(ImportError):
        from uvloop import run  # noqa: PLC0415 - not on Windows
    with contextlib.suppress(KeyboardInterrupt):
        run(_serve(_build(options), options.port))


if __name__ == "__main__":
    main()
