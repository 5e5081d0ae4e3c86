"""Persons' numbers where none may stand: in a path or a query, which end up in other people's logs."""

import re
from urllib.parse import unquote

from gateway.model.errors import ExchangeError
from gateway.model.errors import request as kinds

_NUMBER = re.compile(r"(?<!\d)(?:\d{12}|\d{9})(?!\d)")
"""A personal identification number (12 digits) or an old identity card's (9), in any script's digits."""


def holds_person_number(text: str) -> bool:
    """Whether raw text of a target holds a run of exactly 9 or 12 digits, encoded or not."""
    if _NUMBER.search(text) is not None:
        return True
    return "%" in text and _NUMBER.search(unquote(text)) is not None


def check_no_person(path: str, query: str | None) -> None:
    """Refuse what follows the service in a target if it seems to hold a person's number.

    path, query: raw, as in ``Claim``. Raises ExchangeError (client.person_in_url); never says which number.
    """
    if holds_person_number(path):
        raise ExchangeError(kinds.PERSON_IN_URL, "in the path", parts=("path",))
    if query and holds_person_number(query):
        raise ExchangeError(kinds.PERSON_IN_URL, "in the query", parts=("query",))
