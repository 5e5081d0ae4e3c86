"""A generated person, as the truth knows them: the registers' views of them are derived from this."""

from typing import Literal

from msgspec import Struct

Sex = Literal["male", "female"]
Marital = Literal["single", "married", "divorced_or_widowed"]


class Name(Struct, frozen=True, kw_only=True):
    """A name. ``full`` is whole; parts are there only where the name divides into them (not for ``Y Moan Êđê``)."""

    full: str
    family: str | None = None
    middle: str | None = None
    given: str | None = None


class BirthDate(Struct, frozen=True, kw_only=True):
    """A date of birth as ISO text of 10, 7 or 4 characters, by precision."""

    date: str
    precision: Literal["day", "month", "year"]

    def __post_init__(self) -> None:
        if len(self.date) != {"day": 10, "month": 7, "year": 4}[self.precision]:
            raise ValueError("a date of birth is as long as its precision says")


class Address(Struct, frozen=True, kw_only=True):
    """An address. ``code_list`` is the first day of validity of the code list; only the list before has districts."""

    province: str
    district: str | None = None
    commune: str
    detail: str
    country: str = "VN"
    code_list: str


class Relative(Struct, frozen=True, kw_only=True):
    """A person named in another's record. ``index`` is theirs where they are in the population too."""

    name: Name
    nationality: str = "VN"
    identity_number: str | None = None
    old_card_number: str | None = None
    index: int | None = None


class Insurance(Struct, frozen=True, kw_only=True):
    """What the insurance register holds, its own errors included. Dates are ISO text."""

    number: str
    card_number: str
    full_name: str
    birth: BirthDate
    sex: Sex
    address: Address
    facility: tuple[str, str]
    valid_from: str
    valid_to: str
    household_code: str
    status: Literal["active", "suspended", "expired"] = "active"


class Discrepancy(Struct, frozen=True, kw_only=True):
    """An element on which the two registers differ, both values, and which register is right."""

    element: str
    population: str
    insurance: str
    right: Literal["population", "insurance"]


class Person(Struct, frozen=True, kw_only=True):
    """One person of the truth.

    identity_number: 12 digits. birth_province: the three-digit prefix under which the birth was registered.
    household_head: the head's relation code to this person, and who it is. insurance: None where they are not insured.
    in_population: False where the population database does not hold them (their register is elsewhere).
    quirks: those of ``quirks.PERSONAL`` that their population record shows.
    """

    index: int
    identity_number: str
    old_card_number: str | None = None
    name: Name
    sex: Sex
    birth: BirthDate
    ethnicity: str = "01"
    religion: str = "00"
    nationality: str = "VN"
    marital_status: Marital = "single"
    blood_group: Literal["unknown", "A", "B", "AB", "O"] = "unknown"
    birth_registration_place: Address
    hometown: Address
    residence: Address
    current_address: Address
    father: Relative | None = None
    mother: Relative | None = None
    spouse: Relative | None = None
    representative: Relative | None = None
    household_relation: str = "CH01"
    household_head: Relative | None = None
    household_number: str | None = None
    insurance: Insurance | None = None
    in_population: bool = True
    discrepancies: tuple[Discrepancy, ...] = ()
    quirks: frozenset[str] = frozenset()

    def relative(self) -> Relative:
        """This person as another's record names them."""
        return Relative(
            name=self.name,
            nationality=self.nationality,
            identity_number=self.identity_number,
            old_card_number=self.old_card_number,
            index=self.index,
        )
