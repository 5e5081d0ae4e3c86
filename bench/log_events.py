"""Exchanges as they are recorded, for logs that are filled to be measured: by 63 clients of seven services."""

from typing import Any

from gateway.exchange.events import Event
from gateway.exchange.ids import new_record_id
from gateway.ledger.record import Facts, InForce, RecordKind, Ruling, SignedBy
from gateway.model.ids import SubsystemId, parse_service, parse_subsystem
from gateway.model.instant import Instant
from gateway.ports import Entropy

CLIENTS = [parse_subsystem(f"VN/GOV/H{number:02}/portal") for number in range(63)]
SERVICES = [parse_service(f"VN/GOV/G01/population/s{number}") for number in range(7)]
START = Instant(1_795_315_862_000_000)
PER_DAY = 30_000
"""Records in a simulated day: ten million make eleven months, with an epoch for each day."""
IN_FORCE = InForce(policy=bytes(32), trust=bytes([1]) * 32, mapping=bytes([2]) * 32, build="motlan bench")
_SIGNATURE_BASE = '"@method": POST\n"@target-uri": https://gateway.example/r1/VN/GOV/G01/population/s1\n' * 5
_RELEASED = ("citizen.full_name", "citizen.birth_date", "citizen.residence")


def person(number: int) -> str:
    """The number of a person."""
    return f"0{number * 7919 % 10**11:011d}"


def officer(number: int, client: SubsystemId) -> tuple[str, str]:
    """Whose exchange this is."""
    return str(client), f"nv.{number % 5000}"


def exchange(number: int, now: Instant, entropy: Entropy, *, about: str, client: SubsystemId) -> tuple[Event, Event]:
    """The request and the answer of one exchange. about: the number of the person."""
    said: dict[str, Any] = {
        "client": client,
        "service": SERVICES[number % len(SERVICES)],
        "method": "POST",
        "purpose": "1.001193",
        "in_force": IN_FORCE,
    }
    case, message = f"H-{number // 4}", f"m-{number}"
    by = officer(number, client)
    private = [("person", about), ("officer", by[1]), ("case", case), ("message_id", message)]
    private += [("body_sha256", "0" * 64), ("signature_base", _SIGNATURE_BASE), ("signature", "A" * 88)]
    asked = Facts(
        id=new_record_id(now, entropy),
        at=now,
        kind=RecordKind.REQUEST,
        ruling=Ruling.ALLOWED,
        reasons=("grant bench",),
        grant="bench",
        signed_by=SignedBy.CALLER,
        private=tuple(private),
        **said,
    )
    answered = Facts(
        id=new_record_id(now, entropy),
        at=now,
        kind=RecordKind.ANSWER,
        parent=asked.id,
        outcome="FOUND",
        released=_RELEASED,
        signed_by=SignedBy.GATEWAY,
        private=(("person", about), ("body_sha256", "1" * 64), ("signature", "B" * 88)),
        **said,
    )
    request = Event(facts=asked, persons=(about,), officer=by, case=case, message=message, opens=True)
    return request, Event(facts=answered, persons=(about,), ends=asked.id)
