"""Two signature bases beside each other: where they first differ, and what usually causes that."""

import re
from collections.abc import Callable

from msgspec import Struct

from gateway.model.errors.base import Text

_CONTEXT = 16
_NAME = re.compile(rb'^"?([^":]+)"?[^:]*: ?', re.MULTILINE)


class Difference(Struct, frozen=True, kw_only=True):
    """The first difference of two byte strings. offset: bytes from the start. line: counted from 1. ours, theirs: the
    bytes from a little before it on. why: what it looks like; None if like nothing known.
    """

    offset: int
    line: int
    column: int
    ours: bytes
    theirs: bytes
    why: Text | None

    @property
    def start(self) -> int:
        """Where ``ours`` and ``theirs`` begin, counted from the base's start."""
        return max(0, self.offset - _CONTEXT)


def compare(ours: bytes, theirs: bytes) -> Difference | None:
    """None if they are the same."""
    if ours == theirs:
        return None
    shorter = min(len(ours), len(theirs))
    offset = next((at for at in range(shorter) if ours[at] != theirs[at]), shorter)
    start, stop = max(0, offset - _CONTEXT), offset + _CONTEXT
    before = ours[:offset]
    return Difference(
        offset=offset,
        line=before.count(b"\n") + 1,
        column=offset - (before.rfind(b"\n") + 1),
        ours=ours[start:stop],
        theirs=theirs[start:stop],
        why=explain(ours, theirs),
    )


def explain(ours: bytes, theirs: bytes) -> Text | None:
    """What makes the caller's base another than ours."""
    return next((text for fits, text in _CAUSES if fits(ours, theirs)), None) or _by_lines(ours, theirs)


def _lines_of(base: bytes) -> list[bytes]:
    return base.split(b"\n")


def _names(base: bytes) -> bytes:
    return _NAME.sub(lambda match: match[1].lower() + b": ", base)


_CAUSES: tuple[tuple[Callable[[bytes, bytes], bool], Text], ...] = (
    (
        lambda ours, theirs: theirs == ours + b"\n",
        Text("It ends with a line feed: the last line has none.", "Thừa LF ở cuối: dòng cuối không có LF."),
    ),
    (
        lambda ours, theirs: theirs.rstrip(b"\r\n").replace(b"\r\n", b"\n") == ours,
        Text("Its lines end in CRLF: join them with LF alone.", "Các dòng kết thúc bằng CRLF: chỉ dùng LF."),
    ),
    (
        lambda ours, theirs: theirs.removeprefix(b"\xef\xbb\xbf") == ours,
        Text("It begins with a byte-order mark.", "Có BOM ở đầu."),
    ),
    (
        lambda ours, theirs: theirs == ours.rpartition(b"\n")[0],
        Text('It lacks its last line, "@signature-params".', 'Thiếu dòng cuối "@signature-params".'),
    ),
    (
        lambda ours, theirs: ours.lower() == theirs.lower() and _names(ours) == _names(theirs),
        Text("Component names are in lower case.", "Tên thành phần phải viết chữ thường."),
    ),
    (
        lambda ours, theirs: _names(ours) == _names(theirs),
        Text(
            'A line is written  "name": value  with the name in quotes, lower case, and one space after the colon.',
            'Mỗi dòng viết  "tên": giá trị  với tên trong dấu ngoặc kép, chữ thường, và một dấu cách sau dấu hai chấm.',
        ),
    ),
    (
        lambda ours, theirs: sorted(_lines_of(ours)) == sorted(_lines_of(theirs)),
        Text(
            "The lines stand in another order than Signature-Input lists the components.",
            "Thứ tự các dòng khác với thứ tự thành phần trong Signature-Input.",
        ),
    ),
)


def _name_of(line: bytes) -> str:
    return line.partition(b": ")[0].decode("ascii", "replace")


def _by_lines(ours: bytes, theirs: bytes) -> Text | None:
    """What the first line that differs is about."""
    own, other = _lines_of(ours), _lines_of(theirs.replace(b"\r\n", b"\n"))
    mine, yours = [_name_of(line) for line in own], [_name_of(line) for line in other]
    lacking = [name for name in mine if name not in yours]
    if lacking:
        names = ", ".join(lacking)
        return Text(f"It lacks {names}, which Signature-Input lists.", f"Thiếu {names} có trong Signature-Input.")
    extra = [name for name in yours if name and name not in mine]
    if extra:
        names = ", ".join(extra)
        return Text(f"It has {names}, which Signature-Input does not list.", f"Thừa {names} so với Signature-Input.")
    pairs = zip(own, other, strict=False)
    found = next(((one, two) for one, two in pairs if one != two), None)
    return None if found is None else _by_value(*found)


def _by_value(ours: bytes, theirs: bytes) -> Text:
    name, value, other = _name_of(ours), ours.partition(b": ")[2], theirs.partition(b": ")[2]
    if name == '"@signature-params"':
        return Text(
            '"@signature-params" repeats Signature-Input to the letter: same components, same parameters, same order.',
            '"@signature-params" phải lặp lại nguyên văn Signature-Input: cùng thành phần, tham số và thứ tự.',
        )
    if other.strip() == value:
        return Text(
            f"{name}: white space around the value is not signed.", f"{name}: không ký khoảng trắng quanh giá trị."
        )
    if name in {'"@target-uri"', '"@path"', '"@query"', '"@authority"'}:
        return Text(
            f"{name} is the public URL's scheme and authority in lower case, and the path and query exactly as they "
            "went on the wire, percent-encoding and all; check --url too.",
            f"{name} gồm giao thức và tên miền công khai viết thường, cùng đường dẫn và truy vấn đúng như đã gửi, "
            "kể cả mã hóa phần trăm; hãy kiểm tra cả --url.",
        )
    return Text(
        f"{name} was signed with another value than was sent: something changed it after signing.",
        f"{name} được ký với giá trị khác giá trị đã gửi: có gì đó đã sửa nó sau khi ký.",
    )
