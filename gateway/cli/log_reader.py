"""What every verb that reads records asks for: who reads, and why. It becomes a record before anything is shown."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.cli.output import needs_gateway, say, warn
from gateway.cli.values import ASK, File, Moment, passphrase_of, private_value
from gateway.exchange.audit_desk import Reader
from gateway.exchange.audit_question import Question
from gateway.keys.file import load_private_key

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

_CONDITIONS = ("client", "service", "provider", "purpose", "kind", "outcome", "since", "until")


def reader_options(function: F) -> F:
    """Who reads, and why."""
    for option in reversed(
        (
            click.option("--config", required=True, type=File, help="The gateway's settings."),
            click.option(
                "--auditor-key",
                required=True,
                type=File,
                help="The reader's private key, PEM; listed for an auditor or data-protection officer.",
            ),
            click.option("--auditor", required=True, help="Who reads; stands in the record of this reading."),
            click.option("--case", required=True, help="The investigation's number; stands there too."),
            click.option("--reason", required=True, help="Why, in words; stands there too."),
            click.option(
                "--second-key",
                type=File,
                help="A second auditor's private key, where one alone is shown too many persons in a day.",
            ),
        )
    ):
        function = option(function)
    return function


def condition_options(function: F) -> F:
    """What is looked for."""
    for option in reversed(
        (
            click.option(
                "--person",
                is_flag=False,
                flag_value=ASK,
                help="Records about a person. '-' reads the number from standard input; without a value, asks.",
            ),
            click.option("--officer", metavar="SUBSYSTEM:CODE", help="Records of an officer's calls."),
            click.option("--about-case", help="Records of a dossier."),
            click.option("--message", metavar="X-ROAD-ID", help="Records of the message that its caller named so."),
            click.option("--client", help="Of this calling subsystem."),
            click.option("--service", help="Of this service."),
            click.option("--provider", help="Of the services of this member or subsystem."),
            click.option("--purpose", help="For this procedure code."),
            click.option("--kind", help="request, answer, refusal, audit, configuration …"),
            click.option("--outcome", help="FOUND, NOT_FOUND, DENIED …"),
        )
    ):
        function = option(function)
    return time_options(function)


def time_options(function: F) -> F:
    """From when until when."""
    for option in (
        click.option("--until", type=Moment(end=True), help="Before this time; of a day, its end."),
        click.option("--since", type=Moment(), help="Not before this time (Vietnamese, unless it says an offset)."),
    ):
        function = option(function)
    return function


def page_options(function: F) -> F:
    """How many, and which page."""
    for option in (
        click.option(
            "--before", type=int, metavar="SEQ", help="Only records committed before this one: the next page."
        ),
        click.option(
            "--limit", default=100, show_default=True, type=click.IntRange(1, 100_000), help="How many at most."
        ),
    ):
        function = option(function)
    return function


def reader_of(options: dict[str, Any]) -> Reader:
    """Who the options say reads. Raises ExchangeError(KEY_FILE_UNUSABLE), ValueError."""
    second = options["second_key"]
    return Reader(
        name=options["auditor"],
        case=options["case"],
        reason=options["reason"],
        key=_key(options["auditor_key"]),
        second=None if second is None else _key(second),
    )


def question_of(options: dict[str, Any]) -> Question:
    """What the options ask. Raises click.UsageError, ValueError."""
    return Question(
        person=person_of(options["person"]),
        officer=_officer(options["officer"]),
        case=options["about_case"],
        message=options["message"],
        before_seq=options.get("before"),
        limit=options["limit"],
        **{name: options[name] for name in _CONDITIONS},
    )


def person_of(given: str | None) -> str | None:
    """A person's number, preferably not from the command line."""
    if given not in {None, "-", ASK}:
        warn(
            "other users of this machine can see a number on the command line; better:  --person -",
            "người khác trên máy này có thể thấy số ghi trên dòng lệnh; nên dùng:  --person -",
        )
    return private_value(given, say("Identity number", "Số định danh"))


def with_auditing(config: Path, work: Callable[[Any], Awaitable[T]]) -> T:
    """Do ``work`` with the use cases (``gateway.wiring.audit.Auditing``) on a gateway's database."""
    tools = needs_gateway("gateway.wiring.audit")

    async def run() -> T:
        async with tools.open_auditing(config) as auditing:
            return await work(auditing)

    return asyncio.run(run())


def _key(file: Path) -> Any:
    return load_private_key(file, passphrase=passphrase_of(file))


def _officer(given: str | None) -> tuple[str, str] | None:
    if given is None:
        return None
    subsystem, colon, code = given.partition(":")
    if not colon or not code:
        raise click.UsageError("an officer is written SUBSYSTEM:CODE, for instance VN/GOV/H24/portal:ht.nam")
    return subsystem, code
