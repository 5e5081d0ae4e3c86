"""People's names. A name is what the register wrote; its parts are known only where the register says them."""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import force_setattr

from gateway.model.text import fold, has_control, nfc, sort_key

_MAX_LENGTH = 256


class NameMatch(StrEnum):
    """How far two names agree."""

    SAME = "same"
    """Letter by letter; only case and spacing may differ."""
    FOLDED = "folded"
    """Without marks: ``NGUYEN VAN A`` and ``Nguyễn Văn Á``."""
    DIFFERENT = "different"


class PersonName(Struct, frozen=True, kw_only=True):
    """A person's name.

    full: as the source wrote it (in NFC). family, middle, given: only where the source gives them apart; never guessed,
    since names of one word, of ethnic minorities (``Y Moan Êđê``, ``H'Hen Niê``) and of foreigners follow other rules.
    Raises ValueError for an empty or over-long name and for control characters.
    """

    full: str
    family: str | None = None
    middle: str | None = None
    given: str | None = None

    def __post_init__(self) -> None:
        for field in ("full", "family", "middle", "given"):
            value = getattr(self, field)
            if value is None:
                continue
            if not value.strip() or len(value) > _MAX_LENGTH or has_control(value):
                raise ValueError(f"a name's {field} is 1 to {_MAX_LENGTH} characters without control characters")
            force_setattr(self, field, nfc(value))

    @classmethod
    def from_parts(cls, *, family: str | None, middle: str | None, given: str | None) -> "PersonName":
        """A name whose source gives its parts, in Vietnamese order.

        A family name and a given name make parts. One alone does not: many sources put the whole name into one of them.
        Raises ValueError if all are empty.
        """
        parts = [part.strip() if part else "" for part in (family, middle, given)]
        full = " ".join(part for part in parts if part)
        if not parts[0] or not parts[2]:
            return cls(full=full)
        return cls(full=full, family=parts[0], middle=parts[1] or None, given=parts[2])

    @property
    def folded(self) -> str:
        """Upper case without marks, as registers that know no diacritics want it."""
        return fold(self.full)

    @property
    def sort_key(self) -> bytes:
        """Vietnamese alphabetical order: by given name, then family, then middle name; in writing order if unknown."""
        if self.given is None:
            return sort_key(self.full)
        return sort_key(self.given) + b"\0" + sort_key(self.family or "") + b"\0" + sort_key(self.middle or "")

    def compare(self, other: "PersonName") -> NameMatch:
        """How far the full names agree."""
        if " ".join(self.full.casefold().split()) == " ".join(other.full.casefold().split()):
            return NameMatch.SAME
        return NameMatch.FOLDED if self.folded == other.folded else NameMatch.DIFFERENT
