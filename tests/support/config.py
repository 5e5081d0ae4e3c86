"""Claims, instants and configuration directories for tests."""

from datetime import datetime

from gateway.model.envelope import Claim, Purpose
from gateway.model.ids import parse_service, parse_subsystem
from gateway.model.instant import Instant, from_datetime


def at(text: str) -> Instant:
    """The instant of an ISO 8601 text with offset."""
    return from_datetime(datetime.fromisoformat(text))


def claim(**changes) -> Claim:
    """A claim of Hai Phong's portal that asks the population database for a birth registration."""
    values = {
        "client": parse_subsystem("VN/GOV/H24/portal"),
        "service": parse_service("VN/GOV/G01/population/citizen"),
        "method": "POST",
        "purpose": Purpose("1.001193", "ND-63/2024"),
    }
    return Claim(**{**values, **changes})
