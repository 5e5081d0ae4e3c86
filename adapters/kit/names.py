"""What a provider's field is called here: the canonical element where its name is a known one, else its own name.

The dictionary holds whole names only, folded to small letters and digits: a guess that is wrong costs more than none.
"""

import re
from enum import StrEnum

from gateway.model.text import fold, nfc

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_LONGEST = 60


class Meaning(StrEnum):
    """What a field is known to mean; the value is the canonical element's name."""

    IDENTITY_NUMBER = "identity_number"
    OLD_CARD_NUMBER = "old_card_number"
    NAME = "name"
    BIRTH_DATE = "birth_date"
    SEX = "sex"
    ADDRESS = "address"
    RESIDENCE = "residence"
    CURRENT_ADDRESS = "current_address"
    HOMETOWN = "hometown"
    BIRTH_REGISTRATION_PLACE = "birth_registration_place"
    ETHNICITY = "ethnicity"
    RELIGION = "religion"
    NATIONALITY = "nationality"
    INSURANCE_NUMBER = "insurance_number"
    CARD_NUMBER = "card_number"
    HOUSEHOLD_CODE = "household_code"
    TAX_CODE = "tax_code"
    FAMILY_NAME = "family_name"
    MIDDLE_NAME = "middle_name"
    GIVEN_NAME = "given_name"
    PHONE = "phone"
    EMAIL = "email"
    OFFICER = "officer"
    AGENCY = "agency"
    PURPOSE = "purpose"
    REQUEST_ID = "request_id"


_NAMES: dict[Meaning, tuple[str, ...]] = {
    Meaning.IDENTITY_NUMBER: (
        *("sodinhdanh", "sodinhdanhcanhan", "sodinhdanhcn", "sddcn", "sdd", "cccd", "socccd", "cancuoc", "socancuoc"),
        *("cancuoccongdan", "socancuoccongdan", "madinhdanh", "madinhdanhcanhan", "identity", "identitynumber"),
        *("identitynum", "identityno", "nationalid", "nationalidnumber", "citizenid", "citizennumber"),
        *("personalid", "personalidnumber", "personalcode", "personcode", "personidentifier"),
    ),
    Meaning.OLD_CARD_NUMBER: (
        *("socmnd", "cmnd", "sochungminh", "sochungminhnhandan", "oldidentitynumber", "oldcardnumber"),
    ),
    Meaning.NAME: (
        *("hoten", "hovaten", "hotendaydu", "tendaydu", "hochudemvaten", "hochudemten", "tencongdan", "tennguoi"),
        *("fullname", "personname", "personfullname", "citizenname"),
    ),
    Meaning.BIRTH_DATE: (
        *("ngaysinh", "ngaythangnamsinh", "namsinh", "dob", "birthdate", "dateofbirth", "birthday", "borndate"),
    ),
    Meaning.SEX: ("gioitinh", "magioitinh", "sex", "gender"),
    Meaning.ADDRESS: ("diachi", "diachidaydu", "diachichitiet", "address", "fulladdress"),
    Meaning.RESIDENCE: ("thuongtru", "noithuongtru", "diachithuongtru", "hokhauthuongtru", "permanentaddress"),
    Meaning.CURRENT_ADDRESS: ("noiohientai", "choohientai", "tamtru", "noitamtru", "diachitamtru", "currentaddress"),
    Meaning.HOMETOWN: ("quequan", "nguyenquan", "hometown", "placeoforigin"),
    Meaning.BIRTH_REGISTRATION_PLACE: ("noidangkykhaisinh", "noisinh", "placeofbirth", "birthplace"),
    Meaning.ETHNICITY: ("dantoc", "madantoc", "ethnicity", "ethnicgroup"),
    Meaning.RELIGION: ("tongiao", "matongiao", "religion"),
    Meaning.NATIONALITY: ("quoctich", "maquoctich", "nationality"),
    Meaning.INSURANCE_NUMBER: ("masobhxh", "sobhxh", "masobaohiemxahoi", "insurancenumber", "socialinsurancenumber"),
    Meaning.CARD_NUMBER: ("mathebhyt", "sothebhyt", "sothebaohiemyte", "healthcardnumber"),
    Meaning.HOUSEHOLD_CODE: ("maho", "mahogiadinh", "householdcode"),
    Meaning.TAX_CODE: ("masothue", "mst", "msdn", "masodoanhnghiep", "taxcode"),
    Meaning.FAMILY_NAME: ("ho", "familyname", "lastname", "surname"),
    Meaning.MIDDLE_NAME: ("chudem", "tendem", "middlename"),
    Meaning.GIVEN_NAME: ("ten", "givenname", "firstname"),
    Meaning.PHONE: ("dienthoai", "sodienthoai", "sdt", "phone", "phonenumber", "telephone", "mobile", "mobilephone"),
    Meaning.EMAIL: ("email", "thudientu", "emailaddress", "mail", "emailid"),
    Meaning.OFFICER: ("macanbo", "officerid"),
    Meaning.AGENCY: ("madonvi", "agencycode"),
    Meaning.PURPOSE: ("madvc", "madichvucong"),
    Meaning.REQUEST_ID: ("mayeucau", "requestid", "correlationid"),
}
MEANINGS = {name: meaning for meaning, names in _NAMES.items() for name in names}
"""Folded name of a field → what it means."""

PARTS: dict[str, str] = {
    **dict.fromkeys(("matinhthanh", "matinh", "tinhthanh", "provincecode"), "province"),
    **dict.fromkeys(("maquanhuyen", "mahuyen", "districtcode"), "district"),
    **dict.fromkeys(("maphuongxa", "maxa", "phuongxa", "wardcode", "communecode"), "commune"),
    **dict.fromkeys(("chitiet", "diachichitiet", "sonha", "detail", "addressdetail"), "detail"),
    **dict.fromkeys(("quocgia", "maquocgia", "countrycode"), "country"),
}
"""Folded name of a field inside an address → which part of a canonical address it is."""

NAME_PARTS = {
    Meaning.FAMILY_NAME: "family",
    Meaning.MIDDLE_NAME: "middle",
    Meaning.GIVEN_NAME: "given",
}

PERSONAL = frozenset(Meaning) - {
    Meaning.SEX,
    Meaning.ETHNICITY,
    Meaning.RELIGION,
    Meaning.NATIONALITY,
    Meaning.AGENCY,
    Meaning.PURPOSE,
    Meaning.REQUEST_ID,
}
"""Whose values say who somebody is; in a sample they are replaced."""


def folded(name: str) -> str:
    """Small ASCII letters and digits of a name: ``Số_Định-Danh`` → ``sodinhdanh``."""
    return "".join(each for each in fold(name).lower() if each.isascii() and each.isalnum())


def meaning(name: str) -> Meaning | None:
    """What a field of this name means, where its whole name is known."""
    return MEANINGS.get(folded(name))


def snake(name: str) -> str:
    """The JSON name for a field: ``GetCityResult`` → ``get_city_result``. Never empty."""
    ascii_only = "".join(each if each.isascii() else _plain(each) for each in nfc(name))
    words = "_".join(_WORDS.findall(ascii_only)).lower()[:_LONGEST].strip("_")
    if not words:
        return "field"
    return f"n_{words}" if words[0].isdigit() else words


def _plain(letter: str) -> str:
    """A letter without its marks, in its own case."""
    made = fold(letter)
    return made.lower() if letter.islower() else made


def code(name: str) -> str:
    """A name for paths and files: ``GetCityForecast`` → ``get-city-forecast``."""
    return snake(name).replace("_", "-")


def distinct(wanted: str, taken: set[str]) -> str:
    """The name, with a number behind it where it is taken; it is then taken too."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    taken.add(name)
    return name
