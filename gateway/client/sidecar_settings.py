"""What a sidecar says in the name of its system."""

from typing import Final

from msgspec import Struct

from gateway.model.envelope import Purpose
from gateway.model.ids import ServiceId, SubsystemId

DEFAULT_LIMIT: Final = 16 * 1024 * 1024
LONGEST: Final = 255
"""Characters of a value that stands in a header."""


def stated_purpose(code: str | None, basis: str | None) -> Purpose | None:
    """The purpose; None without a code. Raises ValueError, for a basis alone too if it is none."""
    purpose = Purpose("-" if code is None else code, basis)
    return None if code is None else purpose


def sendable(text: str) -> bool:
    """Whether a text may be a header's value."""
    return 0 < len(text) <= LONGEST and text.isascii() and text.isprintable()


class Plain(Struct, frozen=True, kw_only=True):
    """What is said for callers of plain SOAP, which say nothing of it themselves.

    service: of envelopes whose address names none. purpose, basis, officer: of requests whose own elements say none.
    Each ``…_element`` is the path of an element below the one in Body: local names, with ``/`` between them. Raises
    ValueError.
    """

    service: ServiceId | None = None
    purpose: str | None = None
    basis: str | None = None
    officer: str | None = None
    purpose_element: str | None = None
    officer_element: str | None = None
    case_element: str | None = None

    def __post_init__(self) -> None:
        for path in (self.purpose_element, self.officer_element, self.case_element):
            if path is not None and not all(path.split("/")):
                raise ValueError("an element's path is names with one slash between them")
        stated_purpose(self.purpose, self.basis)
        if any(text is not None and not sendable(text) for text in (self.purpose, self.basis, self.officer)):
            raise ValueError(f"purpose, basis and officer are printable ASCII of 1 to {LONGEST} characters")


class Settings(Struct, frozen=True, kw_only=True):
    """What a sidecar says, and how much it takes.

    purpose, officer: of REST calls that state none. plain: of plain SOAP. limit: bytes of the longest body taken, and
    of the longest answer. needs_service: its way of signing names the service, so it cannot call what is none.
    """

    gateway: str
    subsystem: SubsystemId
    purpose: Purpose | None = None
    officer: str | None = None
    plain: Plain = Plain()
    language: str = "vi"
    limit: int = DEFAULT_LIMIT
    needs_service: bool = False
