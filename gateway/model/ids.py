"""Names of parties and services, as X-Road writes them: ``instance/class/member[/subsystem[/service]]``."""

import re
from functools import lru_cache
from typing import NewType
from urllib.parse import quote, unquote

from msgspec import Struct
from msgspec.structs import astuple

RecordId = NewType("RecordId", str)
"""A log record's id: a UUIDv7 in canonical text form. Ids sort by time."""

_SEGMENT = re.compile(r"[^\x00-\x1f\x7f/\\;:%]{1,128}")
"""X-Road identifiers may not hold ':', ';', '/', '\\', '%' or control characters (X-Road message protocol, 2.7)."""


def _checked(*segments: str) -> None:
    for segment in segments:
        if not _SEGMENT.fullmatch(segment) or segment in {".", ".."}:
            raise ValueError("an identifier part is 1 to 128 characters without / \\ : ; % or control characters")


class MemberId(Struct, frozen=True, order=True, cache_hash=True):
    """An organisation: ``VN/GOV/G01``. Raises ValueError when built from impossible parts."""

    instance: str
    member_class: str
    member_code: str

    def __post_init__(self) -> None:
        _checked(self.instance, self.member_class, self.member_code)

    def __str__(self) -> str:
        return f"{self.instance}/{self.member_class}/{self.member_code}"


class SubsystemId(Struct, frozen=True, order=True, cache_hash=True):
    """An information system of a member: ``VN/GOV/H31/portal``. What keys, grants and signatures belong to.

    ``subsystem_code`` is None for the member itself, which parses but can be granted nothing.
    """

    instance: str
    member_class: str
    member_code: str
    subsystem_code: str | None = None

    def __post_init__(self) -> None:
        _checked(self.instance, self.member_class, self.member_code)
        if self.subsystem_code is not None:
            _checked(self.subsystem_code)

    @property
    def member(self) -> MemberId:
        """The organisation it belongs to."""
        return MemberId(self.instance, self.member_class, self.member_code)

    def __str__(self) -> str:
        return _joined(self)


class ServiceId(Struct, frozen=True, order=True, cache_hash=True):
    """A service of a subsystem: ``VN/GOV/G01/population/citizen``."""

    instance: str
    member_class: str
    member_code: str
    subsystem_code: str
    service_code: str

    def __post_init__(self) -> None:
        _checked(self.instance, self.member_class, self.member_code, self.subsystem_code, self.service_code)

    @property
    def subsystem(self) -> SubsystemId:
        """The subsystem that provides it."""
        return SubsystemId(self.instance, self.member_class, self.member_code, self.subsystem_code)

    def __str__(self) -> str:
        return _joined(self)


def _segments(text: str) -> list[str]:
    return [unquote(part, errors="strict") for part in text.split("/")]


# The same few identifiers come with every message.


@lru_cache(maxsize=4096)
def _joined(identifier: SubsystemId | ServiceId) -> str:
    return "/".join([part for part in astuple(identifier) if part is not None])


@lru_cache(maxsize=4096)
def parse_subsystem(text: str) -> SubsystemId:
    """Parse ``X-Road-Client`` syntax, each segment percent-encoded on its own. Raises ValueError."""
    parts = _segments(text)
    if len(parts) not in {3, 4}:
        raise ValueError("a subsystem is written instance/class/member/subsystem")
    return SubsystemId(*parts)


@lru_cache(maxsize=4096)
def parse_service(text: str) -> ServiceId:
    """Parse ``instance/class/member/subsystem/service``, segments percent-encoded. Raises ValueError."""
    parts = _segments(text)
    if len(parts) != 5:  # noqa: PLR2004 - the five parts of the docstring
        raise ValueError("a service is written instance/class/member/subsystem/service")
    return ServiceId(*parts)


@lru_cache(maxsize=4096)
def encode(identifier: SubsystemId | ServiceId | MemberId) -> str:
    """The percent-encoded form for headers and paths; the inverse of the parsers."""
    return "/".join(quote(part, safe="") for part in str(identifier).split("/"))
