"""The decision of an exchange in one readable file: what was decided, why, and the grant as it stood in the policy."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gateway.ledger.canonical import canonical
from gateway.ledger.skeleton import Skeleton

_LONGEST_POLICY = 8 * 1024 * 1024  # a container may come from anybody, and TOML is read slowly
_MOST_DOTS = 1000  # in a line: TOML's dotted keys are read in the square of their length
_SAID = ("client", "service", "method", "purpose", "basis", "grant", "outcome", "signed_by")


def decision_of(records: Sequence[tuple[str, Skeleton]], policies: Mapping[str, bytes]) -> bytes:
    """Canonical JSON. records: by role. policies: SHA-256 (hex) → the policy's files, as records name them.

    ``grant`` is the table of that name in the policy that was in force, or null: where nothing was granted, or the
    policy is not at hand.
    """
    told = {role: _told(skeleton) for role, skeleton in records}
    wanted = dict.fromkeys((each.digests.policy or "", each.grant) for _, each in records if each.grant)
    grants = (grant_in(policies.get(policy, b""), grant) for policy, grant in wanted)
    return canonical({"grant": next((grant for grant in grants if grant is not None), None), "records": told})


def grant_in(policy: bytes, name: str | None) -> dict[str, Any] | None:
    """The grant of a name in a policy's files (each as name, length and bytes); None if there is none."""
    for content in _files(policy) if len(policy) <= _LONGEST_POLICY else ():
        try:
            tables = tomllib.loads(_plain(content)).get("grant", [])
        except (ValueError, RecursionError):
            continue
        for table in tables if isinstance(tables, list) else []:
            if isinstance(table, dict) and table.get("name") == name:
                plain: dict[str, Any] = json.loads(json.dumps(table, default=str))  # dates, as text
                return plain
    return None


def _plain(content: bytes) -> str:
    if any(line.count(b".") > _MOST_DOTS for line in content.split(b"\n")):
        raise ValueError("a line with over 1,000 dots")
    return content.decode()


def _told(skeleton: Skeleton) -> dict[str, Any]:
    said: dict[str, Any] = {name: getattr(skeleton, name) for name in _SAID}
    digests: dict[str, Any] = msgspec.to_builtins(skeleton.digests)
    decision = msgspec.to_builtins(skeleton.decision)
    return said | {"at": skeleton.at, "decision": decision, "in_force": digests, "released": list(skeleton.released)}


def _files(bundle: bytes) -> list[bytes]:
    """The files of a bundle, as far as it can be taken apart."""
    found, rest = [], bundle
    while rest:
        _, newline, rest = rest.partition(b"\n")
        length, also, rest = rest.partition(b"\n")
        if not newline or not also or not length.isdigit() or len(length) > 9:  # noqa: PLR2004 - a gigabyte
            break
        found.append(rest[: int(length)])
        rest = rest[int(length) :]
    return found
