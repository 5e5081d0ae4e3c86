"""What policy said of a request, with its reasons."""

from msgspec import Struct

from gateway.model.envelope import Purpose

EVERYTHING = ("*",)
"""The field list of a grant for a service without a schema: the whole answer."""


class Charge(Struct, frozen=True, kw_only=True):
    """What a request costs against a quota; taken in the same commit as its record.

    key: names the quota and who is counted (a keyed pseudonym where it is a person). window: which period (a
    Vietnamese day number). limit: the most that may be used in the window.
    """

    key: str
    window: int
    limit: int
    amount: int = 1


class Decision(Struct, frozen=True, kw_only=True):
    """A request is allowed.

    grant: the grant's name. purpose: the one it is decided for. reasons: stable short codes in order, each one step
    of the argument. fields: JSON Pointers that may be released, or EVERYTHING. charges: quotas to take.
    """

    grant: str
    purpose: Purpose
    reasons: tuple[str, ...]
    fields: tuple[str, ...]
    charges: tuple[Charge, ...] = ()
