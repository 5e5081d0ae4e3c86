"""Plausible names: Kinh families by frequency, ethnic groups by their own customs, one-word and foreign names."""

import json
from importlib.resources import files
from random import Random
from typing import Any, Final

from adapters.simulators.person import Name, Sex
from adapters.simulators.shares import happens

_DATA: Final[dict[str, Any]] = json.loads(files("adapters.simulators").joinpath("data/names.json").read_text("utf-8"))
_FAMILIES: Final = list(_DATA["family"])
_SHARES: Final = list(_DATA["family"].values())
_CUMULATIVE: Final = [sum(_SHARES[: n + 1]) for n in range(len(_SHARES))]
_ETHNIC: Final[dict[str, Any]] = _DATA["ethnic"]


def family_name(rng: Random, ethnicity: str) -> str | None:
    """The name that a father hands on; None where the group has clan names that go with the whole name, or none."""
    if ethnicity == "01":
        return str(rng.choices(_FAMILIES, cum_weights=_CUMULATIVE)[0])
    families: list[str] | None = _ETHNIC[ethnicity].get("family")
    return rng.choice(families) if families else None


def person_name(rng: Random, sex: Sex, ethnicity: str, family: str | None) -> Name:
    """A name of that group; ``family`` as ``family_name`` gave it."""
    if happens(rng, "one-word name"):
        return Name(full=rng.choice(_DATA["single"][sex]))
    group = _ETHNIC.get(ethnicity, {})
    if family is None:
        return _clan_name(rng, sex, group)
    if sex in group:
        return Name(full=f"{family} {rng.choice(group[sex])}")
    return kinh(family, rng.choice(_DATA[sex]["middle"]), rng.choice(_DATA[sex]["given"]))


def kinh(family: str, middle: str, given: str) -> Name:
    """A name with its three parts; ``middle`` may be empty."""
    full = " ".join(part for part in (family, middle, given) if part)
    return Name(full=full, family=family, middle=middle or None, given=given)


def foreign(rng: Random, sex: Sex) -> tuple[Name, str]:
    """A foreigner's name as written in a passport, and the country's two letters."""
    row = rng.choice(_DATA["foreign"])
    return Name(full=rng.choice(row[sex])), row["country"]


def _clan_name(rng: Random, sex: Sex, group: dict[str, Any]) -> Name:
    given, clan = rng.choice(group[sex]), rng.choice(group["clan"])
    order = group["order"]
    if order == "joined":
        return Name(full=f"{clan}{given}")
    return Name(full=(f"{clan} {given}" if order == "clan given" else f"{given} {clan}").strip())
