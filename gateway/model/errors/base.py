"""What an error is: a kind with a stable code, and the exception that carries one."""

from enum import StrEnum

from msgspec import Struct


class Fault(StrEnum):
    """Whose fault it is, so that the reader knows who must act."""

    CALLER = "caller"
    PROVIDER = "provider"
    GATEWAY = "gateway"


class Text(Struct, frozen=True):
    """One text for people, in the two languages."""

    en: str
    vi: str

    def in_language(self, language: str) -> str:
        """The text in ``"en"`` or ``"vi"``; Vietnamese for anything else."""
        return self.en if language == "en" else self.vi


_PROXIES = {"clientproxy": "ClientProxy", "serverproxy": "ServerProxy"}


class ErrorKind(Struct, frozen=True, kw_only=True):
    """A kind of error, one per stable code.

    code: as ``X-Road-Error`` and problem details carry it, in X-Road 7.8 spelling: lower case, ``client.…`` for the
        caller's mistakes, ``server.clientproxy.…`` for what the gateway found on the consumer's side,
        ``server.serverproxy.…`` on the provider's side.
    status: the HTTP status of the problem-details form.
    retryable: whether the same call may succeed later without being changed.
    title: what happened. ``next``: what the reader should do. Neither ever holds a value from a message.
    legacy: the name up to X-Road 7.7, where it is not the mechanical CamelCase of ``code``.
    """

    code: str
    status: int
    fault: Fault
    retryable: bool = False
    title: Text
    next: Text
    legacy: str | None = None

    def __post_init__(self) -> None:
        if not self.code.startswith(("client.", "server.")) or self.code != self.code.lower():
            raise ValueError(f"not an X-Road error code: {self.code}")

    @property
    def legacy_code(self) -> str:
        """The code as X-Road up to 7.7 spells it: ``Server.ServerProxy.AccessDenied``."""
        if self.legacy is not None:
            return self.legacy
        return ".".join(_PROXIES.get(part) or part.title().replace("_", "") for part in self.code.split("."))


class ExchangeError(Exception):
    """An exchange was refused or failed.

    kind: its kind. detail: what exactly, in English, for the caller: names of headers, components, grants, fields;
    never a person's data, a secret or a value out of a payload. parts: the same as structured names (missing
    components, differing elements). retry_after: seconds, where it is known when to come back.
    """

    def __init__(
        self, kind: ErrorKind, detail: str = "", *, parts: tuple[str, ...] = (), retry_after: int | None = None
    ) -> None:
        super().__init__(f"{kind.code}: {detail}" if detail else kind.code)
        self.kind = kind
        self.detail = detail
        self.parts = parts
        self.retry_after = retry_after
