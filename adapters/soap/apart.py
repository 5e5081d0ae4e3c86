"""Work in a thread of its own: what libxml2 remembers for as long as its thread lives is forgotten with it."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from gateway.model.errors import ExchangeError
from gateway.model.errors.gateway import OVERLOADED

T = TypeVar("T")


def apart(work: Callable[[], T]) -> T:
    """Do it, and wait: nothing happens at once. Raises what it raises; ExchangeError where no thread is to be had."""
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
            done.set_exception(error)

    thread = Thread(target=run, name="apart")
    try:
        thread.start()
    except RuntimeError:
        raise ExchangeError(OVERLOADED, "no thread is to be had", retry_after=1) from None
    thread.join()
    return done.result()
