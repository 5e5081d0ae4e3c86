"""Values on the command line: subsystems, services, times; and what should not stand there, such as passphrases."""

import sys
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import click

from gateway.cli.output import say
from gateway.model.ids import ServiceId, SubsystemId, parse_service, parse_subsystem
from gateway.model.instant import Instant, from_datetime, plus, to_datetime

VIETNAM = timezone(timedelta(hours=7))
"""Asia/Ho_Chi_Minh: no summer time since 1975."""

DAY = 86_400

File = click.Path(exists=True, dir_okay=False, path_type=Path)
Folder = click.Path(exists=True, file_okay=False, path_type=Path)
NewFile = click.Path(dir_okay=False, path_type=Path)

_DAY_TEXT = len("2026-11-22")
_LONGEST_PEM = 1 << 20


class _Subsystem(click.ParamType):  # type: ignore[type-arg]  # generic only in newer releases
    name = "SUBSYSTEM"

    def convert(
        self, value: str | SubsystemId, param: click.Parameter | None, ctx: click.Context | None
    ) -> SubsystemId:
        if isinstance(value, SubsystemId):
            return value
        try:
            found = parse_subsystem(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if found.subsystem_code is None:
            self.fail(f"{value} names a member; a subsystem is written instance/class/member/subsystem", param, ctx)
        return found


class _Service(click.ParamType):  # type: ignore[type-arg]  # generic only in newer releases
    name = "SERVICE"

    def convert(self, value: str | ServiceId, param: click.Parameter | None, ctx: click.Context | None) -> ServiceId:
        if isinstance(value, ServiceId):
            return value
        try:
            return parse_service(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic only in newer releases
    """A time in ISO 8601; Vietnamese where it says no offset. A day alone is its start, or with ``end`` its end."""

    name = "TIME"

    def __init__(self, *, end: bool = False) -> None:
        self._end = end

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> Instant:
        """The instant."""
        if isinstance(value, int):
            return Instant(value)
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is no time: write 2026-11-22, or 2026-11-22T08:30", param, ctx)
        aware = found if found.tzinfo is not None else found.replace(tzinfo=VIETNAM)
        moment = from_datetime(aware)
        return plus(moment, DAY) if self._end and len(value) == _DAY_TEXT else moment


SUBSYSTEM = _Subsystem()
SERVICE = _Service()


def now() -> Instant:
    """The machine's time."""
    return from_datetime(datetime.now(UTC))


def today() -> date:
    """The day it is in Vietnam."""
    return datetime.now(VIETNAM).date()


def local(moment: Instant) -> str:
    """A time for people, Vietnamese: ``2026-11-22 09:51:02``."""
    return f"{to_datetime(moment).astimezone(VIETNAM):%Y-%m-%d %H:%M:%S}"


def day(moment: Instant) -> str:
    """The Vietnamese day of an instant."""
    return f"{to_datetime(moment).astimezone(VIETNAM):%Y-%m-%d}"


def passphrase_of(key_file: Path) -> str | None:
    """The passphrase of an encrypted private key, asked for at the terminal; None for a key without one."""
    try:
        with key_file.open("rb") as file:
            head = file.read(_LONGEST_PEM)
    except OSError:
        return None  # whoever loads the key says what is wrong with the file
    if b"ENCRYPTED" not in head:
        return None
    text = say(f"Passphrase of {key_file}", f"Mật khẩu của {key_file}")
    return str(click.prompt(text, hide_input=True, err=True))


def new_passphrase() -> str:
    """A passphrase for a new key, asked for twice at the terminal."""
    text = say("Passphrase of the new key", "Mật khẩu cho khóa mới")
    return str(click.prompt(text, hide_input=True, confirmation_prompt=True, err=True))


ASK = "?"
"""What an option is given that stands without a value: it is asked for."""


def private_value(given: str | None, what: str) -> str | None:
    """A value that should not be seen in a list of processes: ``-`` reads it from standard input, no value asks."""
    if given == "-":
        return sys.stdin.readline().strip() or None
    if given == ASK:
        return str(click.prompt(what, err=True)).strip()
    return given
