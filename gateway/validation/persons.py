"""Persons' numbers where none may stand: in a path or a query, which end up in other people's logs."""

from gateway.model.errors import ExchangeError
from gateway.model.errors import request as kinds
from gateway.model.numbers import holds_person_number


def check_no_person(path: str, query: str | None) -> None:
    """Refuse what follows the service in a target if it seems to hold a person's number (9 or 12 digits).

    path, query: raw, as in ``Claim``. Raises ExchangeError (client.person_in_url); never says which number.
    """
    if holds_person_number(path):
        raise ExchangeError(kinds.PERSON_IN_URL, "in the path", parts=("path",))
    if query and holds_person_number(query):
        raise ExchangeError(kinds.PERSON_IN_URL, "in the query", parts=("query",))
