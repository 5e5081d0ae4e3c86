"""What the verbs print: JSON for programs, tables for people, errors with what to do next."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.model.errors import ExchangeError

F = TypeVar("F", bound=Callable[..., Any])


class Language(StrEnum):
    """The languages of messages."""

    VI = "vi"
    EN = "en"


def language_option(function: F) -> F:
    """``--lang vi|en``."""
    return click.option(
        "--lang",
        type=click.Choice([each.value for each in Language]),
        default=Language.VI.value,
        show_default=True,
        envvar="MOTLAN_LANG",
        help="Language of messages.",
    )(function)


def json_option(function: F) -> F:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(function)


def console() -> Console:
    """Where people read."""
    return Console(highlight=False)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table of plain texts."""
    made = Table(title=escape(title), title_justify="left", header_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(escape(column), overflow="fold")
    for row in rows:
        made.add_row(*[escape("" if cell is None else str(cell)) for cell in row])
    return made


def fail(error: ExchangeError) -> None:
    """Say on standard error what went wrong, whose fault it is and what to do next."""
    context = click.get_current_context(silent=True)
    language = (context.find_root().obj if context is not None else None) or _asked_language()
    kind = error.kind
    text = f"{kind.title.in_language(language)} [{kind.code}]"
    if error.detail:
        text += f"\n  {error.detail}"
    click.echo(f"{text}\n  → {kind.next.in_language(language)}", err=True)


def _asked_language() -> str:
    arguments = sys.argv
    if "--lang" in arguments[:-1]:
        return arguments[arguments.index("--lang") + 1]
    return Language.VI.value
