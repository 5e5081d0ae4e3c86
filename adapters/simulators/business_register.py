"""The national business register: ``GET chiTietDoanhNghiep?msdn=…``, JSON, as published by one provincial platform.

An answer is always 200: ``Status`` says whether it worked, ``DataCount`` how many enterprises there are.
"""

from itertools import islice
from typing import Any, ClassVar, Final

from adapters.simulators import business_register_companies as companies
from adapters.simulators.access import Access
from adapters.simulators.business_register_companies import Company
from adapters.simulators.dossiers import slashed
from adapters.simulators.json_system import Content, JsonSystem, RefusedError
from adapters.simulators.people import People
from adapters.simulators.person import Person
from adapters.simulators.wire import Received

DETAILS: Final = "chiTietDoanhNghiep"
_OK: Final = "1"
_FAILED: Final = "0"


class BusinessRegisterSimulator(JsonSystem):
    """The business register of those of ``people`` who represent an enterprise.

    unlisted: enterprise numbers whose state, and whose representatives' sex, are codes outside their lists.
    """

    PATH: ClassVar[str] = "/apiCSDLDKDN"

    def __init__(self, people: People, *, access: Access | None = None) -> None:
        super().__init__(people, access=access)
        self.unlisted: set[str] = set()
        self.operations = {DETAILS: self._details}

    def companies(self, count: int) -> list[Company]:
        """The first enterprises."""
        made = (companies.company_of(person, self.people) for person in self.people)
        return list(islice((company for company in made if company), count))

    def read(self, received: Received) -> Content:
        """The query. Raises RefusedError."""
        if received.method != "GET":
            raise self.malformed("GET")
        return dict(received.query)

    def malformed(self, text: str) -> RefusedError:
        """A failure, told by its message only."""
        return RefusedError(_FAILED, f"Tham số không hợp lệ: {text}")

    def refusal(self, refused: RefusedError) -> Content:
        """Status 0 with a message; there are no error codes."""
        return {"Data": None, "DataCount": 0, "Status": _FAILED, "Message": str(refused)}

    def other(self, received: Received, right: Content) -> Content:
        """The next enterprise."""
        asked = received.query.get("msdn", "")
        found = [company for company in self.companies(8) if company.number != asked]
        return {**right, "Data": self._entry(found[0]), "DataCount": 1}

    def lie(self, right: Content) -> Content:
        """One enterprise is promised; a number and a list stand where names belong."""
        return {**right, "DataCount": 1, "Data": {"MainInformation": {"NAME": [1], "ENTERPRISE_GDT_CODE": {"so": 1}}}}

    def _details(self, asked: Content) -> Content:
        number = self.text(asked, "msdn", longest=14)
        head, dash, branch = number.partition("-")
        if not head.isdecimal() or len(head) != 10 or str(companies.check_digit(head[:9])) != head[9]:  # noqa: PLR2004 - ten digits
            raise self.malformed("msdn")
        company = None if dash and branch else companies.by_number(head, self.people)
        if company is None:
            return {"Data": None, "DataCount": 0, "Status": _OK, "Message": "success"}
        # the count is a number in some answers and text in others
        count = 1 if int(head) % 2 else "1"
        return {"Data": self._entry(company), "DataCount": count, "Status": _OK, "Message": "success"}

    def _entry(self, company: Company) -> Content:
        strange = company.number in self.unlisted
        representatives = [_representative(person, strange=strange) for person in company.representatives]
        main = {
            "ENTERPRISE_ID": int(company.number[2:8]),
            "ENTERPRISE_GDT_CODE": company.number,
            "IMP_BUSINESS_CODE": company.old_certificate,
            "ENTERPRISE_TYPE_ID": company.kind[0],
            "ENTERPRISE_TYPE_NAME": company.kind[1],
            "NAME": company.name,
            "SHORT_NAME": company.short_name,
            "NAME_F": None,
            "FOUNDING_DATE": slashed(company.founded),
            "LAST_AMEND_DATE": slashed(company.amended) if company.amended else None,
            "NUMBER_CHANGES": company.amendments,
            "ENTERPRISE_STATUS": "77" if strange else company.state,
            "LEGAL_NAMES": ";".join(person.name.full.upper() for person in company.representatives),
            "CAPITAL_AMOUNT": company.capital,
        }
        return {
            "MainInformation": main,
            "HOAdress": _address(company),
            # one representative comes as a structure, several as a list
            "Representatives": representatives[0] if len(representatives) == 1 else representatives,
            "BusinessActivity": [
                {"CODE": code, "NAME": name, "IS_MAIN": "N" if place else "Y"}
                for place, (code, name) in enumerate(company.trades.items())
            ],
        }


def _representative(person: Person, *, strange: bool) -> dict[str, Any]:
    return {
        "FULL_NAME": person.name.full.upper(),
        "BIRTHDATE": slashed(person.birth.date),
        "SEX": "5" if strange else {"male": "1", "female": "0"}[person.sex],
        "IDENTITY_NO": person.identity_number,
        "COUNTRY": person.nationality,
    }


def _address(company: Company) -> dict[str, Any]:
    """The head office; the register has codes of its own for provinces, districts and wards."""
    address = company.address
    return {
        "CityID": 100 + int(address.province),
        "CityName": address.detail.rpartition(", ")[2],
        "DistrictID": int(address.district) + 1000 if address.district else None,
        "DistrictName": None,
        "WardID": int(address.commune) + 100_000,
        "WardName": address.detail.split(", ")[1],
        "StreetNumber": address.detail.split(", ")[0],
        "AddressFullText": address.detail,
    }
