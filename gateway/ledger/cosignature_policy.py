"""Which cosignatures are enough: C2SP tlog-policy files. Read once, asked for each checkpoint.

Names and URLs in the file are octets to the standard; here they are UTF-8, and a file that is not is refused. Ed25519
keys only, for logs (0x01) and witnesses (0x04).
"""

import re
from collections.abc import Collection

from msgspec import Struct

from gateway.ledger.note import KeyType, VerifierKey, parse_vkey
from gateway.model.errors import ExchangeError
from gateway.model.errors.attesting import WITNESS_POLICY_INVALID
from gateway.model.errors.ledger import LOG_SIGNATURE_INVALID

_NONE = "none"
_MOST_LINES = 1024
_LONGEST = 1 << 18
_NUMBER = re.compile(r"[1-9][0-9]{0,3}")
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_KEY_AND_URL = 2


class Witness(Struct, frozen=True):
    """A witness. name: as the policy calls it. url: its submission prefix, where it can be asked."""

    name: str
    key: VerifierKey
    url: str | None = None


class Group(Struct, frozen=True):
    """Witnesses (and groups) of which ``needed`` must have cosigned."""

    needed: int
    members: tuple[str, ...]


class WitnessPolicy(Struct, frozen=True, kw_only=True):
    """A policy. logs: keys of the logs it is for; none: of any log. quorum: a witness, a group, or ``none``."""

    logs: tuple[VerifierKey, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: dict[str, Group] = {}
    quorum: str = _NONE

    def satisfied(self, cosigned: Collection[VerifierKey]) -> bool:
        """Whether cosignatures by these keys, each of them verified, are enough."""
        if self.quorum == _NONE:
            return True
        seen = {witness.name for witness in self.witnesses if witness.key in cosigned}
        for name, group in self.groups.items():  # members stand before their group
            if sum(member in seen for member in group.members) >= group.needed:
                seen.add(name)
        return self.quorum in seen

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """The witnesses' keys."""
        return tuple(witness.key for witness in self.witnesses)


class Demand(Struct, frozen=True, kw_only=True):
    """Whose cosignatures somebody demands of a checkpoint. quorum: how many of ``witnesses``. policy: is satisfied too;
    one that names logs is for these alone.
    """

    witnesses: tuple[VerifierKey, ...] = ()
    quorum: int = 0
    policy: WitnessPolicy | None = None

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """All witnesses whose cosignatures are looked at."""
        return tuple(dict.fromkeys((*self.witnesses, *(() if self.policy is None else self.policy.keys))))

    @property
    def asks(self) -> bool:
        """Whether anything is demanded."""
        return self.quorum > 0 or self.policy is not None

    def check(self, log: Collection[VerifierKey], cosigned: Collection[VerifierKey]) -> None:
        """log: the log's keys. cosigned: by whose keys, each verified. Raises ExchangeError(LOG_SIGNATURE_INVALID)."""
        if len({key.public for key in cosigned if key in self.witnesses}) < self.quorum:
            raise ExchangeError(LOG_SIGNATURE_INVALID, "too few witnesses have cosigned the checkpoint")
        policy = self.policy
        if policy is None:
            return
        if policy.logs and not set(policy.logs) & set(log):
            raise ExchangeError(LOG_SIGNATURE_INVALID, "the policy of witnesses is for another log")
        if not policy.satisfied(cosigned):
            names = ", ".join(each.name for each in policy.witnesses if each.key not in cosigned)
            raise ExchangeError(LOG_SIGNATURE_INVALID, f"the policy demands more cosignatures; not there: {names}")


def parse_policy(data: bytes) -> WitnessPolicy:
    """Read a policy file. Raises ExchangeError (WITNESS_POLICY_INVALID), naming the line."""
    if len(data) > _LONGEST or _FORBIDDEN.search(data):
        raise ExchangeError(WITNESS_POLICY_INVALID, "the file is too long, or has control characters")
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError:
        raise ExchangeError(WITNESS_POLICY_INVALID, "the file is not UTF-8") from None
    if len(lines) > _MOST_LINES:
        raise ExchangeError(WITNESS_POLICY_INVALID, "the file has over 1024 lines")
    reader = _Reader()
    for number, line in enumerate(lines, 1):
        words = [word for word in re.split("[ \t]+", line) if word]
        if words and not words[0].startswith("#"):
            try:
                reader.line(words[0], words[1:])
            except (ValueError, ExchangeError) as error:
                detail = error.detail if isinstance(error, ExchangeError) else str(error)
                raise ExchangeError(WITNESS_POLICY_INVALID, f"line {number}: {detail}") from None
    if reader.quorum is None:
        raise ExchangeError(WITNESS_POLICY_INVALID, "there is no quorum line")
    return WitnessPolicy(
        logs=tuple(reader.logs), witnesses=tuple(reader.witnesses), groups=reader.groups, quorum=reader.quorum
    )


class _Reader:
    def __init__(self) -> None:
        self.logs: list[VerifierKey] = []
        self.witnesses: list[Witness] = []
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self.names: set[str] = set()
        self.grouped: set[str] = set()

    def line(self, kind: str, words: list[str]) -> None:
        match kind:
            case "log":
                self.log(words)
            case "witness":
                self.witness(words)
            case "group":
                self.group(words)
            case "quorum":
                self.end(words)
            case _:
                raise ValueError("a line begins with log, witness, group, quorum or #")

    def log(self, words: list[str]) -> None:
        if not 1 <= len(words) <= _KEY_AND_URL:
            raise ValueError("log VKEY [URL]")
        key = _key(words[0], KeyType.ED25519, "a log")
        if any(key.public == other.public for other in self.logs):
            raise ValueError("this log's key stands here twice")
        self.logs.append(key)

    def witness(self, words: list[str]) -> None:
        if not 1 <= len(words) - 1 <= _KEY_AND_URL:
            raise ValueError("witness NAME VKEY [URL]")
        key = _key(words[1], KeyType.COSIGNATURE, "a witness")
        if any(key.public == other.key.public for other in self.witnesses):
            raise ValueError("this witness's key stands here twice: it would count twice")
        self.name(words[0])
        self.witnesses.append(Witness(words[0], key, words[2] if len(words) > _KEY_AND_URL else None))

    def group(self, words: list[str]) -> None:
        if len(words) <= _KEY_AND_URL:
            raise ValueError("group NAME all|any|NUMBER MEMBER...")
        name, count, *members = words
        for member in members:
            self.known(member)
            if member in self.grouped:
                raise ValueError(f"{member} is a member of two groups: it would count twice")
            self.grouped.add(member)
        if count not in {"all", "any"} and not _NUMBER.fullmatch(count):
            raise ValueError("a group needs all, any or a number of its members")
        needed = len(members) if count == "all" else 1 if count == "any" else int(count)
        if needed > len(members):
            raise ValueError("a group needs more members than it has")
        self.name(name)
        self.groups[name] = Group(needed, tuple(members))

    def end(self, words: list[str]) -> None:
        if len(words) != 1 or self.quorum is not None:
            raise ValueError("quorum NAME, once")
        if words[0] != _NONE:
            self.known(words[0])
        self.quorum = words[0]

    def name(self, name: str) -> None:
        if name == _NONE or name in self.names:
            raise ValueError(f"{name} is a name that is taken")
        self.names.add(name)

    def known(self, name: str) -> None:
        if name not in self.names:
            raise ValueError(f"{name} is no witness or group of a line above")


def _key(vkey: str, kind: KeyType, whose: str) -> VerifierKey:
    key = parse_vkey(vkey)
    if key.type is not kind:
        raise ValueError(f"this is not the kind of key that {whose} signs with")
    return key
