"""In which language a caller reads our errors."""

from gateway.model.errors import ExchangeError
from gateway.model.message import Head

LANGUAGES = ("vi", "en")


def asked_language(head: Head, otherwise: str) -> str:
    """The first language that Accept-Language names and we have (RFC 9110 §12.5.4; weights are not looked at)."""
    for asked in (head.get("accept-language") or "").lower().split(","):
        tag = asked.strip()[:2]
        if tag in LANGUAGES:
            return tag
    return otherwise


def summary(error: ExchangeError, language: str) -> str:
    """An error in one line: its title and what is special this time."""
    title = error.kind.title.in_language(language)
    return f"{title} ({error.detail})" if error.detail else title
