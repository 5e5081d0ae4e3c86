"""Run one simulator in a process of its own: ``python -m adapters.simulators population --count 2000``."""

import argparse
import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Final

from adapters.simulators.access import ApiKey
from adapters.simulators.backend import Backend
from adapters.simulators.business_register import BusinessRegisterSimulator
from adapters.simulators.civil_status import CivilStatusSimulator
from adapters.simulators.insurance import InsuranceSimulator
from adapters.simulators.json_system import JsonSystem
from adapters.simulators.judicial_record import JudicialRecordSimulator
from adapters.simulators.lgsp import LgspSimulator
from adapters.simulators.people import DEFAULT_COUNT, People
from adapters.simulators.population import PopulationSimulator
from adapters.simulators.public_service_portal import PublicServicePortalSimulator
from adapters.simulators.simulator import Simulator

_BEARER: Final[dict[str, type[JsonSystem]]] = {
    "civil-status": CivilStatusSimulator,
    "business-register": BusinessRegisterSimulator,
    "judicial-record": JudicialRecordSimulator,
    "lgsp": LgspSimulator,
}
_PORTAL: Final = "public-service-portal"
_UNIT: Final = "000.00.00.H24"
"""The unit that the national portal's one user speaks for."""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m adapters.simulators", description=__doc__)
    parser.add_argument("system", choices=("population", "insurance", *_BEARER, _PORTAL, "backend"))
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--seed", type=int, default=1, help="of the generated people (default 1)")
    parser.add_argument("--count", type=int, default=DEFAULT_COUNT, help="people, at most 1000000")
    parser.add_argument("--truth", type=Path, help="write everybody there, readable by the owner only")
    parser.add_argument("--api-key", help="ask callers for it (insurance: header ApiKey)")
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
    if options.system == _PORTAL:
        return PublicServicePortalSimulator(people, users={"motlan": (options.api_key or "motlan", _UNIT)})
    if options.system in _BEARER:
        bearer = ApiKey(key=f"Bearer {options.api_key}", header="Authorization") if options.api_key else None
        return _BEARER[options.system](people, access=bearer)
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
