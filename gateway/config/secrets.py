"""``ref:NAME`` → a secret, from a file that only its owner may read, or from the environment where that is allowed."""

import re
import stat
from collections.abc import Mapping
from pathlib import Path

from gateway.config.settings import Secrets
from gateway.model.errors import ExchangeError
from gateway.model.errors.config import SECRET_UNUSABLE
from gateway.ports import Secret

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_OTHERS = 0o077


class KeptSecret:
    """A secret in memory. Its representation does not show it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value."""
        return self._value

    def __repr__(self) -> str:
        return "KeptSecret(…)"


def resolve(name: str, settings: Secrets, variables: Mapping[str, str]) -> Secret:
    """The secret that ``ref:NAME`` refers to; the file goes before the environment.

    Raises ExchangeError(SECRET_UNUSABLE), naming the place, never the value.
    """
    if not _NAME.fullmatch(name):
        raise ExchangeError(SECRET_UNUSABLE, "a secret's name is 1 to 64 letters, digits, dots, underscores, hyphens")
    if settings.directory is not None:
        file = settings.directory / name
        if file.exists():
            return KeptSecret(_read(file))
    variable = "MOTLAN_SECRET_" + re.sub(r"[.-]", "_", name).upper()
    if settings.environment and variables.get(variable):
        return KeptSecret(variables[variable])
    places = [str(settings.directory / name)] if settings.directory else []
    places += [variable] if settings.environment else []
    where = " or ".join(places) or "anywhere: [secrets] names neither a directory nor the environment"
    raise ExchangeError(SECRET_UNUSABLE, f"ref:{name} is not in {where}")


def _read(file: Path) -> str:
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ExchangeError(SECRET_UNUSABLE, f"{file}: {reason}") from None
    if stat.S_IMODE(mode) & _OTHERS:
        raise ExchangeError(SECRET_UNUSABLE, f"{file} may be read by others; use chmod 600")
    if not text:
        raise ExchangeError(SECRET_UNUSABLE, f"{file} is empty")
    return text


_VAULT_KEY_BYTES = 32


def read_vault_key(file: Path) -> bytes:
    """The 32 bytes that stored payloads are encrypted under: raw, or as 64 hexadecimal digits.

    Raises ExchangeError(SECRET_UNUSABLE).
    """
    try:
        mode, data = file.stat().st_mode, file.read_bytes()
    except OSError as error:
        raise ExchangeError(SECRET_UNUSABLE, f"{file}: {error.strerror}") from None
    if stat.S_IMODE(mode) & _OTHERS:
        raise ExchangeError(SECRET_UNUSABLE, f"{file} may be read by others; use chmod 600")
    if len(data) == _VAULT_KEY_BYTES:
        return data
    try:
        key = bytes.fromhex(data.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != _VAULT_KEY_BYTES:
        raise ExchangeError(SECRET_UNUSABLE, f"{file} holds neither 32 bytes nor 64 hexadecimal digits")
    return key
