"""Dossier codes of the generated people: ``agency-YYMMDD-serial``, leading back to the person's index.

A serial has four digits, so the first ten thousand people have a dossier with an agency.
"""

import re
from typing import Final

from adapters.simulators.people import People
from adapters.simulators.person import Person

CAPACITY: Final = 10_000
AGENCY: Final = "000.00.15.H24"
"""The one-stop office whose dossiers the simulated systems know from the start, in the form before Decision 20/2020."""
NEW_AGENCY: Final = "H24.15"
"""The same in the form since."""

_CODE: Final = re.compile(r"[A-Z0-9]+(?:\.[A-Z0-9]+)*-([0-9]{6})-([0-9]{4})")
_MONTH: Final = "2610"


def is_code(text: str) -> bool:
    """Whether it is written as a dossier code."""
    return len(text) <= 50 and _CODE.fullmatch(text) is not None  # noqa: PLR2004 - an agency's 35 and the rest


def code_of(person: Person, *, agency: str = AGENCY) -> str:
    """The code of the person's dossier. Raises ValueError for whoever has none."""
    if person.index >= CAPACITY:
        raise ValueError("only the first ten thousand people have a dossier")
    return f"{agency}-{_MONTH}{person.index % 28 + 1:02d}-{person.index:04d}"


def owner_of(code: str, people: People) -> Person | None:
    """Whose dossier it is; None where nobody's."""
    found = _CODE.fullmatch(code)
    if found is None or int(found[2]) >= len(people):
        return None
    person = people[int(found[2])]
    return person if code in {code_of(person), code_of(person, agency=NEW_AGENCY)} else None


def received_on(code: str) -> str:
    """The ISO date in a code."""
    found = _CODE.fullmatch(code)
    assert found is not None
    return f"20{found[1][:2]}-{found[1][2:4]}-{found[1][4:]}"


def slashed(iso: str) -> str:
    """An ISO date of 10, 7 or 4 characters as ``dd/MM/yyyy``, ``MM/yyyy`` or ``yyyy``."""
    return "/".join(reversed(iso.split("-")))
