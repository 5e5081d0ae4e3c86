"""What a verifier of evidence found: one line for each thing that was proved, that was not, or that nobody claims."""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors.base import Text

T = TypeVar("T")


class Verdict(StrEnum):
    """What became of a claim."""

    PROVED = "proved"
    FAILED = "failed"
    """It is claimed and does not hold, or could not be checked with what the verifier was given."""
    ABSENT = "absent"
    """The container does not claim it: nothing is wrong, and nothing is proved."""


class Finding(Struct, frozen=True, kw_only=True):
    """One line. subject: what it is about: ``container``, ``trust``, ``log``, or a record's role. what: the claim, for
    people. detail: names, times and reasons; never a private field.
    """

    subject: str
    verdict: Verdict
    what: Text
    detail: str = ""


class Findings:
    """Gathers them, in order."""

    def __init__(self) -> None:
        self.all: list[Finding] = []

    def proved(self, subject: str, what: Text, detail: str = "") -> None:
        """It holds."""
        self.all.append(Finding(subject=subject, verdict=Verdict.PROVED, what=what, detail=detail))

    def failed(self, subject: str, what: Text, detail: str) -> None:
        """It does not hold."""
        self.all.append(Finding(subject=subject, verdict=Verdict.FAILED, what=what, detail=detail))

    def absent(self, subject: str, what: Text, detail: str = "") -> None:
        """It is not claimed."""
        self.all.append(Finding(subject=subject, verdict=Verdict.ABSENT, what=what, detail=detail))

    def check(
        self, subject: str, what: Text, work: Callable[[], T], detail: Callable[[T], str] = lambda _: ""
    ) -> T | None:
        """Do ``work``; it holds unless that raises ExchangeError. What it gave, None if it failed."""
        try:
            found = work()
        except ExchangeError as error:
            self.failed(subject, what, error.detail or error.kind.title.en)
            return None
        self.proved(subject, what, detail(found))
        return found

    def check_known(self, subject: str, what: Text, work: Callable[[], tuple[bool, str]]) -> None:
        """As ``check``, for what may also not be known: ``work`` gives whether it is, and why."""
        try:
            known, why = work()
        except ExchangeError as error:
            self.failed(subject, what, error.detail or error.kind.title.en)
            return
        (self.proved if known else self.absent)(subject, what, why)

    @property
    def holds(self) -> bool:
        """Whether nothing failed."""
        return all(each.verdict is not Verdict.FAILED for each in self.all)
