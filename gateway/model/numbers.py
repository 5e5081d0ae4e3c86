"""Numbers and codes of the administration: persons, taxpayers, agencies, dossiers.

A number that is rightly formed is not thereby somebody's: nothing here verifies a person. Errors never repeat what
they were given.
"""

import re
from datetime import date
from enum import StrEnum
from urllib.parse import unquote

from msgspec import Struct

_TWELVE = re.compile(r"[0-9]{12}")
_NINE = re.compile(r"[0-9]{9}")


class Sex(StrEnum):
    """Sex, as registers know it."""

    MALE = "male"
    FEMALE = "female"
    OTHER = "other"


class IdentityNumber(Struct, frozen=True):
    """A personal identification number: 12 digits (Decree 137/2015, Art. 13).

    3 for the province or country of birth registration, 1 for century and sex, 2 for the year of birth, 6 random. There
    is no check digit, numbers were assigned with wrong years and sexes, and prefixes come and go: what is read out of a
    number is a *hint*, good for questions to the citizen, never for an answer.
    """

    value: str

    def __post_init__(self) -> None:
        if not _TWELVE.fullmatch(self.value):
            raise ValueError("a personal identification number has 12 digits")

    @property
    def prefix(self) -> str:
        """Three digits: where the birth was registered. One that no table knows is not an error."""
        return self.value[:3]

    @property
    def sex_hint(self) -> Sex:
        """The sex that the fourth digit says."""
        return Sex.FEMALE if int(self.value[3]) % 2 else Sex.MALE

    @property
    def birth_year_hint(self) -> int:
        """The year of birth that digits four to six say: 0 and 1 for 19xx, 2 and 3 for 20xx … 8 and 9 for 23xx."""
        return 1900 + int(self.value[3]) // 2 * 100 + int(self.value[4:6])

    def __str__(self) -> str:
        return self.value


class OldIdentityNumber(Struct, frozen=True):
    """The number of an old identity card (CMND): 9 digits. One person may have had several."""

    value: str

    def __post_init__(self) -> None:
        if not _NINE.fullmatch(self.value):
            raise ValueError("an old identity card number has 9 digits")

    def __str__(self) -> str:
        return self.value


def parse_person_number(text: str) -> IdentityNumber | OldIdentityNumber:
    """A person's number of either kind. Raises ValueError."""
    return OldIdentityNumber(text) if _NINE.fullmatch(text) else IdentityNumber(text)


# -- persons' numbers where they should not be -------------------------------------------------------------------------

_LONG_RUN = re.compile(r"\d{9,}")  # \d: digits of every script
_PERSON_LENGTHS = frozenset({9, 12})
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_MAX_ENCODINGS = 3


def holds_person_number(text: str) -> bool:
    """Whether a URL or a text holds a run of exactly 9 or 12 digits, also percent-encoded, also more than once."""
    for _ in range(_MAX_ENCODINGS):
        if "%" not in text:
            return _has_run(text)
        if _has_run(_ESCAPE.sub("%", text)):  # the digits of an escape are not digits of a number
            return True
        text = unquote(text)
    return _has_run(_ESCAPE.sub("%", text))


def person_numbers_in(text: str) -> tuple[str, ...]:
    """The distinct runs of 9 or 12 digits that ``holds_person_number`` looks for, in order, as plain digits."""
    found: dict[str, None] = {}
    for _ in range(_MAX_ENCODINGS + 1):
        found.update((str(int(run)).zfill(len(run)), None) for run in _runs(_ESCAPE.sub("%", text)))
        text = unquote(text)
    return tuple(found)


def _runs(text: str) -> list[str]:
    return [run for run in _LONG_RUN.findall(text) if len(run) in _PERSON_LENGTHS]


def _has_run(text: str) -> bool:
    return bool(_runs(text))


# -- taxpayers ---------------------------------------------------------------------------------------------------------

_TAX = re.compile(r"([0-9]{10})(?:-?([0-9]{3}))?")
_TAX_WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)


class TaxCode(Struct, frozen=True):
    """A taxpayer's or enterprise's code: 10 digits, the last a check digit (Circular 105/2020, Art. 5).

    branch: ``001`` to ``999`` of a dependent unit. (A person's tax code is the personal identification number.)
    """

    code: str
    branch: str | None = None

    def __post_init__(self) -> None:
        found = _TAX.fullmatch(self.code)
        if found is None or found[2] is not None:
            raise ValueError("a tax code has 10 digits")
        remainder = sum(weight * int(digit) for weight, digit in zip(_TAX_WEIGHTS, self.code, strict=False)) % 11
        if remainder == 0 or 10 - remainder != int(self.code[9]):
            raise ValueError("the tax code's check digit is wrong")
        if self.branch is not None and (len(self.branch) != 3 or not self.branch.isdecimal() or self.branch == "000"):  # noqa: PLR2004 - 001 to 999
            raise ValueError("a branch is numbered 001 to 999")

    def __str__(self) -> str:
        return self.code if self.branch is None else f"{self.code}-{self.branch}"


def parse_tax_code(text: str) -> TaxCode:
    """Parse ``0123456789``, ``0123456789-001`` or ``0123456789001``. Raises ValueError."""
    found = _TAX.fullmatch(text)
    if found is None:
        raise ValueError("a tax code has 10 digits, and 3 more for a branch")
    return TaxCode(found[1], found[2])


# -- agencies and dossiers ---------------------------------------------------------------------------------------------

_AGENCY = re.compile(r"[A-Z][0-9]{2}(?:\.[0-9A-Z]+)*")
_LEGACY_AGENCY = re.compile(r"[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2}")
_MAX_AGENCY = 35
_DOSSIER = re.compile(r"([0-9A-Z.]{3,35})-([0-9]{2})([0-9]{2})([0-9]{2})-([0-9]{4,10})")


class AgencyCode(Struct, frozen=True):
    """An agency's code: ``G01``, ``H37.DN.001`` (Decision 20/2020), or the older ``000.00.01.H22`` (QCVN 102:2016)."""

    value: str

    def __post_init__(self) -> None:
        known = _AGENCY.fullmatch(self.value) or _LEGACY_AGENCY.fullmatch(self.value)
        if not known or len(self.value) > _MAX_AGENCY:
            raise ValueError("an agency code is a letter and two digits, with parts after dots (G01, H37.DN.001)")

    @property
    def is_legacy(self) -> bool:
        """Whether it is of the older form, which an alias map must translate."""
        return self.value[0].isdigit()

    @property
    def top(self) -> str:
        """The agency of level 1 that it belongs to: ``H37``."""
        return self.value[-3:] if self.is_legacy else self.value[:3]

    def __str__(self) -> str:
        return self.value


class DossierCode(Struct, frozen=True):
    """A dossier's code: receiving agency, day received, serial (Circular 01/2018): ``000.00.01.H26-210101-0001``."""

    agency: AgencyCode
    received: date
    serial: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9]{4,10}", self.serial):
            raise ValueError("a dossier's serial has four digits or more")

    def __str__(self) -> str:
        return f"{self.agency}-{self.received:%y%m%d}-{self.serial}"


def parse_dossier_code(text: str) -> DossierCode:
    """Parse a dossier code with an agency prefix of either form; its years are 20xx. Raises ValueError."""
    found = _DOSSIER.fullmatch(text)
    if found is None:
        raise ValueError("a dossier code is written AGENCY-YYMMDD-SERIAL")
    agency, year, month, day, serial = found.groups()
    try:
        received = date(2000 + int(year), int(month), int(day))
    except ValueError:
        raise ValueError("the dossier code's date does not exist") from None
    return DossierCode(AgencyCode(agency), received, serial)
