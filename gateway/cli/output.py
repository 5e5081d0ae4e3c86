"""What the verbs print: JSON for programs, tables for people, errors with what to do next."""

import functools
import importlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from types import ModuleType
from typing import Any, ParamSpec, TypeVar

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.model.errors import ExchangeError
from gateway.model.storage import JournalUnavailableError

F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
T = TypeVar("T")

_PIPED_WIDTH = 160
"""Columns where nobody's terminal says how many there are: wide enough that no record id is broken."""


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
        help="Language of messages.",
    )(function)


def json_option(function: F) -> F:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(function)


def console() -> Console:
    """Where people read."""
    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=_PIPED_WIDTH)


def example(*lines: str) -> str:
    """The epilog of a verb: its example, kept as it is written."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def language() -> str:
    """The language that was asked for."""
    context = click.get_current_context(silent=True)
    found = context.find_root().obj if context is not None else None
    return str(found or _asked_language())


def say(en: str, vi: str) -> str:
    """The text in the language that was asked for."""
    return en if language() == Language.EN else vi


def note(en: str, vi: str) -> None:
    """A line for people, on standard error: standard output is for what was asked."""
    click.echo(say(en, vi), err=True)


def warn(en: str, vi: str) -> None:
    """A warning, on standard error."""
    click.secho(f"⚠ {say(en, vi)}", fg="yellow", err=True)


def stop(en: str, vi: str) -> click.ClickException:
    """The exception that ends a verb with this text."""
    return click.ClickException(say(en, vi))


def verb(function: Callable[P, T]) -> Callable[P, T]:
    """What every verb has: ``--lang`` of its own too, and errors in plain words (``plain_errors``)."""
    option = click.option(
        "--lang",
        type=click.Choice([each.value for each in Language]),
        expose_value=False,
        callback=_speak,
        help="Language of messages, as  motlan --lang.",
    )
    return option(plain_errors(function))


def _speak(context: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.find_root().obj = value


def plain_errors(function: Callable[P, T]) -> Callable[P, T]:
    """A verb that fails says why and what to do, in the language asked for and without a trace of the program."""

    @functools.wraps(function)
    def careful(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except ExchangeError as error:
            fail(error)
            raise click.exceptions.Exit(1) from error
        except FileExistsError as error:
            raise stop(
                f"{error.filename} is there already and is not replaced; choose another place, or remove it",
                f"{error.filename} đã tồn tại và không bị thay thế; hãy chọn nơi khác hoặc xóa tệp đó",
            ) from error
        except _no_answer() as error:
            raise stop(
                f"the gateway could not be reached, or broke off: {str(error) or 'no answer in time'}; "
                "check the URL and --ca",
                f"không kết nối được tới cổng, hoặc kết nối bị ngắt: {str(error) or 'hết thời gian chờ'}; "
                "hãy kiểm tra URL và --ca",
            ) from error
        except OSError as error:
            raise click.ClickException(f"{error.filename or ''}: {error.strerror or error}".lstrip(": ")) from error
        except JournalUnavailableError as error:
            raise stop(
                f"the gateway's database cannot be used: {error}; check its path, rights and free space",
                f"không dùng được cơ sở dữ liệu của cổng: {error}; hãy kiểm tra đường dẫn, quyền và dung lượng",
            ) from error
        except ValueError as error:
            raise click.ClickException(str(error)) from error

    return careful


def needs_gateway(module: str) -> ModuleType:
    """A module of the gateway, for a verb that otherwise works where only the client is installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] in {"gateway", "adapters"}:
            raise
        raise stop(
            f"this needs {error.name}: install the gateway with  pip install 'motlan[gateway]'",
            f"cần có {error.name}: hãy cài cổng bằng  pip install 'motlan[gateway]'",
        ) from error


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


_HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """A text from elsewhere, with what would move a terminal's cursor or turn letters around written as escapes."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table of plain texts."""
    made = Table(
        title=escape(visible(title)), title_justify="left", header_style="bold", box=SIMPLE_HEAD, pad_edge=False
    )
    for column in columns:
        made.add_column(escape(column), overflow="fold")
    for row in rows:
        made.add_row(*[escape("" if cell is None else visible(str(cell))) for cell in row])
    return made


def fail(error: ExchangeError) -> None:
    """Say on standard error what went wrong, whose fault it is and what to do next."""
    wanted, kind = language(), error.kind
    text = f"{kind.title.in_language(wanted)} [{kind.code}]"
    if error.detail:
        text += f"\n  {error.detail}"
    click.echo(f"{text}\n  → {kind.next.in_language(wanted)}", err=True)


def _no_answer() -> tuple[type[Exception], ...]:
    """What a verb raises that got no answer; of the HTTP library only where the verb has loaded it."""
    library = sys.modules.get("aiohttp")
    return (TimeoutError,) if library is None else (library.ClientError, TimeoutError)


def _asked_language() -> str:
    arguments = sys.argv
    if "--lang" in arguments[:-1]:
        return arguments[arguments.index("--lang") + 1]
    return Language.VI.value
