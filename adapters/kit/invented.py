"""Values of nobody: for every personal value of a recording one of the same shape, the same one wherever it occurs.

What is made depends on a secret that only the recording knows, so nobody can compute back. An invented name has as many
words as the real one, none of which occurs in any name of the recording; a date moves by a few years and days, and its
parts with it; a number keeps its length, and a personal number its form.
"""

import hashlib
import hmac
import re

from adapters.kit.names import NAME_PARTS, Meaning
from gateway.model.text import fold

_FAMILIES = (
    *("Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương", "Lý"),
    *("Đinh", "Đoàn", "Lâm", "Mai", "Trịnh", "Cao", "Tạ", "Hà", "Lương", "Thái", "Châu", "Quách", "La", "Kiều", "Tô"),
)
_GIVEN = (
    *("An", "Bảo", "Bình", "Chi", "Cúc", "Dung", "Duyên", "Đông", "Đức", "Giang", "Hải", "Hạnh", "Hiền", "Hòa", "Hùng"),
    *("Hương", "Khánh", "Khoa", "Lan", "Liên", "Linh", "Long", "Ly", "Minh", "Nam", "Nga", "Ngọc", "Nhung", "Phong"),
    *("Phúc", "Phương", "Quân", "Quang", "Quyên", "Sơn", "Tâm", "Thanh", "Thảo", "Thắng", "Thịnh", "Thu", "Thủy"),
    *("Trang", "Trung", "Tú", "Tuấn", "Tùng", "Tuyết", "Uyên", "Vân", "Việt", "Vinh", "Vy", "Xuân", "Yến", "Diệp"),
)
_NAMES = frozenset({Meaning.NAME, *NAME_PARTS})
_PLACES = frozenset(
    {
        *(Meaning.ADDRESS, Meaning.RESIDENCE, Meaning.CURRENT_ADDRESS, Meaning.HOMETOWN),
        Meaning.BIRTH_REGISTRATION_PLACE,
    }
)
_DATE = re.compile(r"(\d{4})(?:([-/]?)(\d{2})(?:\2(\d{2}))?)?(.*)", re.DOTALL)
_VIETNAMESE_DATE = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(.*)", re.DOTALL)
_PROVINCES = ("001", "031", "046", "048", "079", "092")
_IDENTITY, _CARD, _TAX = 12, 9, 10
_TAX_WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)
_SHORTEST_MONTH = 28


class Inventor:
    """Makes the values. secret: at least 16 random bytes. words: folded words of all real names, never used."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:  # noqa: PLR2004 - 128 bits
            raise ValueError("the secret of a recording has at least 16 bytes")
        self._secret = secret
        self.words: set[str] = set()
        self._made: dict[str, str] = {}
        self._given: set[str] = set()
        years = self._number("years", 7)
        self._years = years - 9 if years < 4 else years - 1 + 3  # noqa: PLR2004 - 6 to 9 years back, or as many on
        self._days = 1 + self._number("days", _SHORTEST_MONTH - 2)

    def __call__(self, meaning: Meaning, value: str) -> str:
        """The value to stand in the place of a real one."""
        if meaning in _NAMES:
            return " ".join(self._word(word, first=number == 0) for number, word in enumerate(value.split()))
        if meaning is Meaning.BIRTH_DATE:
            return self.date(value)
        if meaning in _PLACES:
            return self._place(value)
        made = self._made.get(value)
        if made is None:
            made = self._made[value] = self._unused(meaning, value)
        return made

    def date(self, value: str) -> str:
        """A date moved: by the same years and days as every other, in the same notation; another text as letters."""
        if (found := _VIETNAMESE_DATE.fullmatch(value)) is not None:
            day, mark, month, year, rest = found.groups()
            return f"{self._day(day)}{mark}{month}{mark}{self._year(year)}{rest}"
        if (found := _DATE.fullmatch(value)) is None:
            return self._letters(value, 0)
        year, mark, month, day, rest = found.groups()
        moved = self._year(year)
        if month is not None:
            moved += (mark or "") + month
        if day is not None:
            moved += (mark or "") + self._day(day)
        return moved + rest

    def _year(self, year: str) -> str:
        return f"{int(year) + self._years:04d}"

    def _day(self, day: str) -> str:
        if int(day) == 0:
            return day  # 00 stands for: not known
        return f"{(int(day) - 1 + self._days) % _SHORTEST_MONTH + 1:0{len(day)}d}"

    def _word(self, word: str, *, first: bool) -> str:
        """A word of a name in the same letters: capitals, marks or none."""
        key = fold(word)
        made = self._made.get(f"word {key}")
        if made is None:
            taken = {fold(each) for name, each in self._made.items() if name.startswith("word ")}
            words = [each for each in (_FAMILIES if first else _GIVEN) if fold(each) not in self.words | taken]
            made = words[self._number(f"word {key}", len(words))] if words else self._syllable(key)
            self._made[f"word {key}"] = made
        bare = word.isascii() and word.isupper()
        made = fold(made) if bare else made
        return made.upper() if word.isupper() else made.lower() if word.islower() else made

    def _syllable(self, key: str) -> str:
        """A word when all others are taken: consonant, vowel, a number in letters."""
        for attempt in range(1000):
            number = self._number(f"syllable {key} {attempt}", 26**3)
            made = "Q" + "".join(chr(97 + number // 26**place % 26) for place in range(3))
            if fold(made) not in self.words:
                return made
        raise ValueError("the recording holds too many names")

    def _place(self, value: str) -> str:
        number = 1 + self._number(f"place {value}", 899)
        return f"Số {number}, đường Mẫu"

    def _unused(self, meaning: Meaning, value: str) -> str:
        for attempt in range(1000):
            made = self._shaped(meaning, value, attempt)
            if made not in self._given and made not in self._made and made != value:
                self._given.add(made)
                return made
        raise ValueError("the recording holds too many numbers of one form")

    def _shaped(self, meaning: Meaning, value: str, attempt: int) -> str:
        if value.isascii() and value.isdigit():
            if len(value) == _IDENTITY:
                province = _PROVINCES[self._number(f"province {value} {attempt}", len(_PROVINCES))]
                year = (int(value[4:6]) + self._years) % 100
                return f"{province}{value[3]}{year:02d}{self._digits(value, 6, attempt)}"
            if len(value) == _CARD:
                return "001" + self._digits(value, 6, attempt)
            if meaning is Meaning.TAX_CODE and len(value) == _TAX:
                return self._tax_code(value, attempt)
        if "@" in value:
            return f"mau{self._digits(value, 6, attempt)}@example.vn"
        return self._letters(value, attempt)

    def _tax_code(self, value: str, attempt: int) -> str:
        for more in range(100):
            nine = self._digits(value, 9, attempt * 100 + more)
            remainder = sum(weight * int(digit) for weight, digit in zip(_TAX_WEIGHTS, nine, strict=True)) % 11
            if remainder:
                return f"{nine}{10 - remainder}"
        raise AssertionError("one remainder in eleven is zero")

    def _letters(self, value: str, attempt: int) -> str:
        """The same shape: a digit for a digit, a letter for a letter, everything else as it is."""
        stream = self._stream(f"letters {value} {attempt}", len(value))
        made = []
        for each, byte in zip(value, stream, strict=True):
            if each.isdecimal():
                made.append(str(byte % 10))
            elif each.isalpha():
                letter = chr(97 + byte % 26)
                made.append(letter.upper() if each.isupper() else letter)
            else:
                made.append(each)
        return "".join(made)

    def _digits(self, value: str, count: int, attempt: int) -> str:
        return "".join(str(byte % 10) for byte in self._stream(f"digits {value} {attempt}", count))

    def _number(self, what: str, below: int) -> int:
        return int.from_bytes(self._stream(what, 8), "big") % below

    def _stream(self, what: str, count: int) -> bytes:
        made = b""
        block = 0
        while len(made) < count:
            made += hmac.digest(self._secret, f"{block} {what}".encode(), hashlib.sha256)
            block += 1
        return made[:count]
