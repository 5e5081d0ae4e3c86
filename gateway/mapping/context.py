"""What a request's fields may come from: the canonical request, and what is known of the call."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct, field

from gateway.model.instant import Instant, vietnam_day
from gateway.model.pointer import parse_pointer

FACTS = (
    "purpose",
    "basis",
    "client",
    "agency",
    "subsystem",
    "officer",
    "case",
    "represented",
    "record",
    "message_id",
    "integration_code",
    "now",
    "session",
)
"""Names of sources beside pointers, ``setting.NAME`` and ``kept.NAME``."""
LOGIN_FACTS = ("user", "secret")
"""Sources of ``[login]`` only."""
KEPT, SETTING = "kept.", "setting."
_ITSELF = ""


class UnfitError(Exception):
    """The request lacks what the provider needs, or holds what it cannot take. elements: as the caller knows them."""

    def __init__(self, *elements: str) -> None:
        super().__init__("the request is not one that the provider can take")
        self.elements = elements


class Context(Struct, kw_only=True):
    """One request on its way. document: the canonical request. facts: by name. kept: by earlier calls."""

    document: Any
    facts: dict[str, str | None]
    now: Instant
    settings: dict[str, str] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def day(self) -> int:
        """The Vietnamese day, for code tables."""
        return vietnam_day(self.now)


Get = Callable[[Any, Context], Any]
"""(the part of the request that is meant, context) → the value, or None."""


def is_source(text: str, *, login: bool = False) -> bool:
    """Whether a text names a source."""
    if text.startswith("/"):
        return True
    if text.startswith((KEPT, SETTING)):
        return len(text.partition(".")[2]) > 0
    return text in FACTS or text == _ITSELF or (login and text in LOGIN_FACTS)


def source(text: str) -> Get:
    """What gets a source's value; an empty text is nothing there."""
    if text == _ITSELF:
        return lambda part, _: part
    if text.startswith("/"):
        return pointed(text)
    if text.startswith(KEPT):
        name = text.removeprefix(KEPT)
        return lambda _, context: context.kept.get(name)
    if text.startswith(SETTING):
        name = text.removeprefix(SETTING)
        return lambda _, context: context.settings.get(name)
    if text == "now":
        return lambda _, context: context.now
    return lambda _, context: context.facts.get(text) or None


def pointed(text: str) -> Get:
    """What gets a pointer's value."""
    names = parse_pointer(text).steps
    if len(names) == 1:
        only = names[0]
        return lambda part, _: part.get(only) if part.__class__ is dict else None
    return lambda part, _: _descend(part, names)


def _descend(part: Any, names: tuple[str, ...]) -> Any:
    for name in names:
        if not isinstance(part, dict):
            return None
        part = part.get(name)
    return part


def is_nothing(value: Any) -> bool:
    """Whether a value counts as absent: null, an empty text, an empty list."""
    return value is None or value in ("", [])


def condition(when: tuple[str, ...], unless: tuple[str, ...]) -> Callable[[Any, Context], bool] | None:
    """Whether a field, comparison or call is meant; None: always."""
    if not when and not unless:
        return None
    needed, forbidden = [source(text) for text in when], [source(text) for text in unless]

    def applies(part: Any, context: Context) -> bool:
        for get in needed:
            if is_nothing(get(part, context)):
                return False
        for get in forbidden:  # noqa: SIM110 - a generator costs more than the loop, on every field
            if not is_nothing(get(part, context)):
                return False
        return True

    return applies
