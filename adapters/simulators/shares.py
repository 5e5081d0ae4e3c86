"""How often things are so among the generated people. Made up to be plausible, and to let every quirk occur."""

from random import Random
from typing import Final

SHARES: Final = {
    "one-word name": 0.002,
    "of the province's own ethnic groups": 0.45,
    "has a household book number": 0.6,
    "residence rewritten in the new code list": 0.75,
    "born in another province": 0.25,
    "parent known by name only": 0.6,
    "couple divorced": 0.1,
    "mother from abroad": 0.004,
    "mother of the same group": 0.8,
    "boy": 0.525,
    "third child": 0.4,
    "grandmother": 0.5,
    "lodger from abroad": 0.03,
    "lodger is a man": 0.5,
    "lives elsewhere now": 0.06,
    "not in the population register": 0.015,
    "insured": 0.9,
    "insurance suspended": 0.05,
    "registers contradict": 0.04,
    "contradiction by spelling": 0.5,
    "contradiction by date": 0.9,
    "population register is right": 0.7,
    "Q02": 0.15,
    "Q03": 0.4,
    "Q05": 0.5,
    "Q14": 0.2,
    "Q16": 0.01,
    "Q17": 0.05,
}


def happens(rng: Random, what: str) -> bool:
    """Whether it is so this time; draws one number, whatever the answer."""
    return rng.random() < SHARES[what]
