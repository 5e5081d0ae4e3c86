"""What a signature must at least cover (protocols.md §2, "Who signs what"), and how a caller is told."""

from collections.abc import Collection
from typing import Final

from gateway.model.message import AnswerHead, Head

REQUEST_FIELDS: Final = (
    "content-type",
    "content-encoding",
    "x-road-client",
    "x-road-id",
    "x-road-userid",
    "x-road-issue",
    "x-road-represented-party",
    "x-road-security-server",
    "motlan-purpose",
    "motlan-consent",
    "motlan-citizen",
    "idempotency-key",
    "prefer",
)
"""Fields that a caller's signature covers if the request has them."""

ANSWER_FIELDS: Final = (
    "content-type",
    "content-encoding",
    "x-road-id",
    "x-road-client",
    "x-road-service",
    "x-road-request-id",
    "x-road-request-hash",
    "x-road-error",
    "motlan-outcome",
    "motlan-receipt",
)
"""Fields that the gateway's signature over an answer covers if the answer has them."""

FORWARD_FIELDS: Final = ("content-type", "motlan-purpose", "motlan-original-target", "motlan-receipt")
"""Fields that the gateway's signature towards a provider covers if they are there, and every ``x-road-*``."""

_SPLIT_TARGET: Final = ("@authority", "@path", "@query")


def forward_fields(names: Collection[str]) -> list[str]:
    """Of a forwarded request's fields, those that the gateway's signature covers, content-digest apart."""
    return [name for name in FORWARD_FIELDS if name in names] + [name for name in names if name.startswith("x-road-")]


def _missing_target(covered: frozenset[str], *, has_query: bool) -> list[str]:
    if "@target-uri" in covered:
        return []
    needed = _SPLIT_TARGET if has_query else _SPLIT_TARGET[:2]
    missing = [name for name in needed if name not in covered]
    return ["@target-uri"] if len(missing) == len(needed) else missing


def missing_in_request(covered: frozenset[str], head: Head, *, has_body: bool) -> tuple[str, ...]:
    """Components that a caller's signature must cover and does not; empty if it covers enough.

    The target counts as covered by ``@target-uri``, or by ``@authority``, ``@path`` and, with a query, ``@query``.
    """
    missing = [] if "@method" in covered else ["@method"]
    if "@target-uri" not in covered:
        missing += _missing_target(covered, has_query=head.query is not None)
    if has_body and "content-digest" not in covered:
        missing.append("content-digest")
    index = head.index
    missing += [name for name in REQUEST_FIELDS if name in index and name not in covered]
    return tuple(missing)


def missing_in_forward(covered: frozenset[str], head: Head, *, has_body: bool) -> tuple[str, ...]:
    """Components that the gateway's signature towards a provider must cover and does not."""
    needed = ["@method", "@target-uri", *forward_fields(head.index)]
    if has_body:
        needed.append("content-digest")
    return tuple(name for name in needed if name not in covered)


def missing_in_answer(covered: frozenset[str], answer: AnswerHead, request: Head) -> tuple[str, ...]:
    """Components that the gateway's signature over an answer must cover and does not.

    The binding to the request's signature is not looked at: an error may answer a request whose signature nobody could
    read.
    """
    needed = ["@status", "content-digest", *[name for name in ANSWER_FIELDS if name in answer.index]]
    needed += ["@method;req", "@target-uri;req"]
    if "content-digest" in request.index:
        needed.append("content-digest;req")
    return tuple(name for name in needed if name not in covered)


def accept_signature(head: Head, *, has_body: bool) -> str:
    """``Accept-Signature`` (RFC 9421 §5.1) for a caller that was refused: what to cover for this very request."""
    names = ["@method", "@target-uri"]
    if has_body:
        names.append("content-digest")
    names += [name for name in REQUEST_FIELDS if name in head.index]
    listed = " ".join(f'"{name}"' for name in names)
    return f'sig1=({listed});created;expires;tag="motlan-request"'
