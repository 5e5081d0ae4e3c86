"""``demo.json``: what an outside program needs to call the demo's gateway, and what it may expect."""

import json
import os
import secrets
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from adapters.simulators.parties import CIVIL_STATUS, ONE_STOP, POPULATION, PORTAL, UNGRANTED
from adapters.simulators.people import People
from adapters.simulators.person import Person
from adapters.simulators.portal import BIRTH, CITIZEN, INSURANCE
from gateway.model.ids import SubsystemId, encode, parse_service
from gateway.wiring.demo_citizens import ISSUER
from gateway.wiring.demo_files import ORIGIN, DemoFiles
from gateway.wiring.demo_witness import DemoWitness
from gateway.wiring.rules import PREFILL_PATH

PREFILL: Final = "VN/GOV/G22/motlan/prefill"
RESIDENCE: Final = "1.004222"
CLEANING: Final = "lam-sach-du-lieu"


class Grant(Struct, frozen=True, kw_only=True):
    """A call that gets a 200, as it may be made many times over."""

    service: str
    method: str = "POST"
    path: str
    body: dict[str, Any]
    purpose: str
    officer: str
    case: str


class Desk:
    """Officers and dossiers that no earlier start used: quotas are counted by the day, and the database is kept."""

    def __init__(self) -> None:
        self._run = secrets.token_hex(3)
        self._cases = 0

    def officer(self, name: str) -> str:
        """An officer's code."""
        return f"{name}.{self._run}"

    def case(self, agency: str) -> str:
        """A new dossier's code (domain: agency, date, serial)."""
        self._cases += 1
        return f"000.00.{agency}-{self._run.upper()}-{self._cases:04d}"


def grants(people: People, desk: Desk) -> dict[SubsystemId, tuple[Grant, ...]]:
    """Ready calls of those who may call; everybody in them is in both registers."""
    story = people.story
    everybody = (story.father, story.mother, story.plain, *story.neighbours)
    portal, one_stop = desk.officer("cb.hai-phong"), desk.officer("cb.ha-noi")
    case = desk.case("00.H24")
    return {
        PORTAL: (
            _grant(INSURANCE, everybody[1], BIRTH.code, portal, case),
            _grant(CITIZEN, everybody[2], BIRTH.code, portal, case),
            _prefill(story.mother, story.father, desk.officer("ht.hai-phong"), case),
        ),
        ONE_STOP: (_grant(CITIZEN, everybody[3], RESIDENCE, one_stop, desk.case("00.H26")),),
        CIVIL_STATUS: (_grant(CITIZEN, everybody[4], BIRTH.code, desk.officer("cb.ho-tich"), desk.case("00.G15")),),
        POPULATION: (_grant(INSURANCE, everybody[5], CLEANING, desk.officer("cb.dan-cu"), desk.case("00.G01")),),
    }


def existing(people: People) -> list[str]:
    """Identity numbers of people whom both registers hold."""
    story = people.story
    named = (story.father, story.mother, story.plain, story.contradicted, *story.namesakes, *story.neighbours)
    return [person.identity_number for person in named]


def contract(
    files: DemoFiles, people: People, *, gateway: str, admin: str, vkey: str, witness: DemoWitness, desk: Desk
) -> dict[str, Any]:
    """The whole of demo.json."""
    given = grants(people, desk)
    return {
        "gateway": gateway,
        "admin": admin,
        "ca": str(files.authorities),
        "config": str(files.config),
        "trust_list": str(files.trust_list),
        "gateway_certificate": str(files.gateway_certificate),
        "log": {"url": f"{gateway}/log", "origin": ORIGIN, "vkey": vkey},
        "witness": {"url": witness.url, "vkey": witness.key.encode()},
        "citizens": {"issuer": ISSUER, "key": str(files.citizens_key)},
        "auditor": {"key": str(files.auditor_key)},
        "timestamps": {"roots": str(files.root)},
        "subsystems": {
            str(subsystem): {**dict(_keys(files, subsystem)), "grants": [_plain(each) for each in theirs]}
            for subsystem, theirs in {**given, UNGRANTED: ()}.items()
        },
        "denied": {"subsystem": str(UNGRANTED), "service": CITIZEN, "path": _path(CITIZEN)},
        "people": existing(people),
    }


def write(files: DemoFiles, document: dict[str, Any]) -> None:
    """Write demo.json for its owner only; a reader sees the old one or the new one whole."""
    new = files.contract.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False, indent=2)
        file.write("\n")
    new.replace(files.contract)


def _grant(service: str, person: Person, purpose: str, officer: str, case: str) -> Grant:
    body = {"identity_number": person.identity_number}
    return Grant(service=service, path=_path(service), body=body, purpose=purpose, officer=officer, case=case)


def _prefill(mother: Person, father: Person, officer: str, case: str) -> Grant:
    people = {
        "mother": {"identity_number": mother.identity_number},
        "father": {"identity_number": father.identity_number},
    }
    body = {"procedure": BIRTH.code, "people": people, "case": case}
    return Grant(service=PREFILL, path=PREFILL_PATH, body=body, purpose=BIRTH.code, officer=officer, case=case)


def _path(service: str) -> str:
    return f"/r1/{encode(parse_service(service))}"


def _keys(files: DemoFiles, subsystem: SubsystemId) -> Iterator[tuple[str, str]]:
    identity = files.identity(subsystem)
    for name in identity.__struct_fields__:
        yield name, str(getattr(identity, name))


def _plain(grant: Grant) -> dict[str, Any]:
    return {name: getattr(grant, name) for name in grant.__struct_fields__}
