"""What people read of a record in a table: one cell for each question they have.

Pure, so that a verifier makes the same cells of the same record.
"""

import msgspec
from msgspec import Raw, Struct

_TEXTS: tuple[tuple[str, str, str], ...] = (
    # Column, heading in English, heading in Vietnamese.
    ("id", "record", "bản ghi"),
    ("at", "time (UTC)", "thời gian (UTC)"),
    ("kind", "kind", "loại"),
    ("client", "client", "bên gọi"),
    ("officer", "officer", "cán bộ"),
    ("case", "case", "hồ sơ"),
    ("person", "persons", "số định danh"),
    ("service", "service", "dịch vụ"),
    ("method", "method", "phương thức"),
    ("purpose", "purpose", "mục đích"),
    ("basis", "basis", "căn cứ pháp lý"),
    ("ruling", "decision", "quyết định"),
    ("reasons", "reasons", "lý do"),
    ("grant", "grant", "quyền được cấp"),
    ("outcome", "outcome", "kết quả"),
    ("released", "elements released", "trường đã cung cấp"),
    ("parent", "follows record", "theo bản ghi"),
)
COLUMNS = tuple(name for name, _, _ in _TEXTS)
"""The columns for people, between the index and those that prove."""

_PROOF = {
    "en": ("leaf hash", "skeleton", "openings", "hashes before"),
    "vi": ("mã băm lá", "phần công khai", "phần mở", "mã băm phía trước"),
}
HEADINGS: dict[str, tuple[str, ...]] = {
    "en": ("index", *(en for _, en, _ in _TEXTS), *_PROOF["en"]),
    "vi": ("vị trí", *(vi for _, _, vi in _TEXTS), *_PROOF["vi"]),
}
"""Headings of a table, by language."""

_FORMULA = frozenset("=+-@\t\r")
_PRIVATE = frozenset({"officer", "case", "person"})


class _Decision(Struct, gc=False):
    ruling: str | None = None
    reasons: tuple[str, ...] = ()


class _Said(Struct, gc=False):
    """What the cells need of a skeleton: the rest is not even read."""

    id: str | None = None
    at: str | None = None
    kind: str | None = None
    client: str | None = None
    service: str | None = None
    method: str | None = None
    purpose: str | None = None
    basis: str | None = None
    decision: _Decision | None = None
    grant: str | None = None
    outcome: str | None = None
    released: tuple[str, ...] | None = None
    parent: str | None = None


class _Opened(Struct, gc=False):
    fields: tuple[tuple[str, Raw] | None, ...]


_said = msgspec.json.Decoder(_Said).decode
_opened = msgspec.json.Decoder(_Opened).decode
_text = msgspec.json.Decoder(str).decode
_NOTHING = _Decision()


def cells_of(skeleton: bytes, openings: bytes | None) -> tuple[str, ...]:
    """The cells of ``COLUMNS``. What a spreadsheet would run as a formula is written as a text, after an apostrophe.

    Raises ValueError or msgspec.MsgspecError for what is no record.
    """
    said, private = _said(skeleton), _private(openings)
    decision = said.decision or _NOTHING
    texts = (
        said.id, said.at, said.kind, said.client, private["officer"], private["case"], private["person"], said.service,
        said.method, said.purpose, said.basis, decision.ruling, "; ".join(decision.reasons), said.grant, said.outcome,
        "; ".join(said.released or ()), said.parent,
    )  # fmt: skip
    return tuple([f"'{text}" if text[:1] in _FORMULA else text for text in [text or "" for text in texts]])


def _private(openings: bytes | None) -> dict[str, str]:
    found: dict[str, list[str]] = {name: [] for name in _PRIVATE}
    if openings is not None:
        for field in _opened(openings).fields:
            if field is not None and field[0] in _PRIVATE and bytes(field[1]).startswith(b'"'):
                found[field[0]].append(_text(field[1]))
    return {name: "; ".join(texts) for name, texts in found.items()}
