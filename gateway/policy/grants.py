"""A grant: one client may call one service, this way, for these purposes, and gets these elements of the answer."""

import re
from datetime import date

from msgspec import Struct, field

from gateway.model.decision import EVERYTHING
from gateway.model.envelope import Purpose
from gateway.model.ids import ServiceId, SubsystemId
from gateway.model.pointer import parse_pointer

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_METHOD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_PATH = re.compile(r"(?:/[^/?#\s]*)*")


class GrantedPurpose(Struct, frozen=True, kw_only=True):
    """A purpose that a grant is for. code: the procedure's. bases: legal bases that may be stated; at least one.

    A caller that states no basis is given the only one; where there are several it must say which.
    """

    code: str
    bases: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.code or self.code == "*":
            raise ValueError("a purpose is a procedure's code; there is no purpose for everything")
        if not self.bases or not all(self.bases):
            raise ValueError(f"the purpose {self.code} needs a legal basis")


class Quota(Struct, frozen=True, kw_only=True):
    """How many calls a Vietnamese day may see; None: not counted. officer: each officer on their own."""

    client_per_day: int | None = None
    officer_per_day: int | None = None

    def __post_init__(self) -> None:
        if any(limit is not None and limit < 1 for limit in (self.client_per_day, self.officer_per_day)):
            raise ValueError("a quota is at least 1; to forbid everything, disable the grant")


class Grant(Struct, frozen=True, kw_only=True):
    """A grant, as configured. Raises ValueError when it makes no sense.

    name: unique, stands in records. methods: HTTP methods, or SOAP operations. paths: what may follow the service in
    the target, compared with it as it was sent: ``""`` nothing, ``*`` in it stands for one segment (a slash encoded in
    it makes it more), a last ``/**`` for any rest. fields: JSON Pointers of the answer's elements, or EVERYTHING.
    valid_from, valid_until: Vietnamese days, both within. officer_required, case_required: the call must name them; an
    officer quota requires the officer by itself.
    """

    name: str
    client: SubsystemId
    service: ServiceId
    methods: tuple[str, ...]
    purposes: tuple[GrantedPurpose, ...]
    fields: tuple[str, ...]
    paths: tuple[str, ...] = ("",)
    quota: Quota = field(default_factory=Quota)
    valid_from: date | None = None
    valid_until: date | None = None
    officer_required: bool = False
    case_required: bool = False
    enabled: bool = True

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError("a grant's name is 1 to 64 of a-z 0-9 . _ -")
        if self.client.subsystem_code is None:
            raise ValueError("only a subsystem can be granted anything")
        if not self.methods or not all(_METHOD.fullmatch(method) for method in self.methods):
            raise ValueError("a grant names at least one method")
        if not self.purposes or len({purpose.code for purpose in self.purposes}) != len(self.purposes):
            raise ValueError("a grant names at least one purpose, and each once")
        if self.valid_from and self.valid_until and self.valid_from > self.valid_until:
            raise ValueError("a grant ends before it begins")
        self._check_paths()
        self._check_fields()

    def _check_paths(self) -> None:
        if not self.paths or not all(
            _PATH.fullmatch(path) and "**" not in path.removesuffix("/**") for path in self.paths
        ):
            raise ValueError('a path is "" or begins with /; ** may only be its last segment')

    def _check_fields(self) -> None:
        if not self.fields:
            raise ValueError("a grant names the elements that may be released")
        if self.fields == EVERYTHING:
            return
        for text in self.fields:
            if text in EVERYTHING or not parse_pointer(text).steps:
                raise ValueError('the whole answer is granted as "*", alone')

    @property
    def whole(self) -> bool:
        """Whether the whole answer is granted."""
        return self.fields == EVERYTHING


class ServiceTerms(Struct, frozen=True, kw_only=True):
    """What policy must know of a service.

    default_purpose: assumed for clients that cannot send one. persons: pointers to the numbers of persons whose data
    an answer may hold. open: it describes services and holds nobody's data, so every listed subsystem may call it, for
    the purpose ``metadata``, and nobody is granted it.
    """

    service: ServiceId
    enabled: bool = True
    open: bool = False
    default_purpose: Purpose | None = None
    persons: tuple[str, ...] = ()
