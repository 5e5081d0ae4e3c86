"""Provinces, communes and addresses of the generated people, in the code lists before and since 2025-07-01."""

import json
from importlib.resources import files
from random import Random
from typing import Any, Final

from adapters.simulators.person import Address

_DATA: Final[dict[str, Any]] = json.loads(files("adapters.simulators").joinpath("data/places.json").read_text("utf-8"))

BEFORE: Final[str] = _DATA["code_lists"]["before"]
SINCE: Final[str] = _DATA["code_lists"]["since"]
FORMER: Final[dict[str, str]] = {row["prefix"]: row["name"] for row in _DATA["former"]}
"""Personal-number prefix (three digits) → name of the former province."""
CURRENT: Final[dict[str, str]] = {row["code"]: row["name"] for row in _DATA["current"]}
"""Province code since 2025-07-01 → name."""
SUCCESSOR: Final[dict[str, str]] = {old: row["code"] for row in _DATA["current"] for old in row["former"]}
"""Personal-number prefix → code of the province that it is part of now."""
HIGHLAND: Final[dict[str, list[str]]] = _DATA["highland"]
"""Prefix → codes of the ethnic groups that live there besides the Kinh."""

COMMUNES_PER_PROVINCE: Final = 90
_ORDER: Final = list(FORMER)
_WEIGHTS: Final = [row["weight"] for row in _DATA["former"]]
_CUMULATIVE: Final = [sum(_WEIGHTS[: n + 1]) for n in range(len(_WEIGHTS))]
_NAMES: Final[list[str]] = _DATA["commune_names"]
_DISTRICTS: Final[list[str]] = _DATA["district_names"]
_STREETS: Final[list[str]] = _DATA["streets"]
HAI_PHONG: Final = "031"


def any_prefix(rng: Random) -> str:
    """A former province, weighted by population."""
    return rng.choices(_ORDER, cum_weights=_CUMULATIVE)[0]


def commune_code(prefix: str, commune: int) -> str:
    """The five digits of a province's commune 0…89 in the list before; synthetic, but ordered like the real one."""
    return f"{_ORDER.index(prefix) * 510 + 1 + 3 * commune:05d}"


def _commune_name(prefix: str, commune: int) -> str:
    if prefix == HAI_PHONG:
        wards = _DATA["wards_of_hai_phong"]
        return f"Phường {wards[commune // 3 % len(wards)]}"
    return f"{'Phường' if commune % 4 == 0 else 'Xã'} {_NAMES[commune * 7 % len(_NAMES)]}"


def address_before(prefix: str, commune: int, house: int) -> Address:
    """An address in the list before: former province, district, one of 90 communes."""
    district = f"{_ORDER.index(prefix) * 15 + 1 + commune // 10:03d}"
    name = f"{_commune_name(prefix, commune)}, Huyện {_DISTRICTS[commune // 10]}, {FORMER[prefix]}"
    return Address(
        province=prefix[1:],
        district=district,
        commune=commune_code(prefix, commune),
        detail=f"{_house(house)}, {name}",
        code_list=BEFORE,
    )


def address_since(prefix: str, commune: int, house: int) -> Address:
    """The same place in the list since: three communes became one, which kept the first one's code; no district."""
    kept = commune - commune % 3
    province = SUCCESSOR[prefix]
    return Address(
        province=province,
        commune=commune_code(prefix, kept),
        detail=f"{_house(house)}, {_commune_name(prefix, kept)}, {CURRENT[province]}",
        code_list=SINCE,
    )


def _house(house: int) -> str:
    if house % 3 == 0:
        return f"Thôn {house % 12 + 1}"
    return f"Số {house % 250 + 1} đường {_STREETS[house % len(_STREETS)]}"
