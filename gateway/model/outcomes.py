"""How an exchange ended. Outcomes are told apart everywhere and never folded into one another (a time-out is never
"not found").
"""

from enum import StrEnum


class Outcome(StrEnum):
    """The end of an exchange, as the record and the ``Motlan-Outcome`` header name it."""

    FOUND = "FOUND"
    NOT_FOUND = "NOT_FOUND"
    MISMATCH = "MISMATCH"
    """The register holds the person, but other values than those asked about. Names the elements, never the values."""
    AMBIGUOUS = "AMBIGUOUS"
    DONE = "DONE"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    UNAVAILABLE = "UNAVAILABLE"
    INVALID_REPLY = "INVALID_REPLY"
    DENIED = "DENIED"
    UNKNOWN = "UNKNOWN"
    """Sent, the end not known: never retried by itself unless the provider is idempotent."""
    ABANDONED = "ABANDONED"
    """Given on recovery to a request that a crash left without an end."""


SUCCESSES = frozenset({Outcome.FOUND, Outcome.DONE, Outcome.ACCEPTED})
"""Outcomes of which an answer's content may be released (after minimisation)."""
