"""Progress of long work, for people at a terminal; nothing for programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn


class Report(Protocol):
    """Told how much is done; total: of how much, where that was not known at the beginning."""

    def __call__(self, done: int, total: int | None = None, /) -> None:
        """So much."""


@contextmanager
def counting(what: str, total: int | None = None, *, quiet: bool = False) -> Iterator[Report]:
    """Shows how much of ``what`` is done, on standard error. total: if it is known. quiet: shows nothing."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda *_: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done, total=None, /: bar.update(task, completed=done, total=total)
