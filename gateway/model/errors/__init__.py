"""The one tree of errors: stable code, whose fault, what to do next, in two languages.

Each area keeps its kinds in a module of this package; ``catalogue.KINDS`` gathers them all.
"""

from gateway.model.errors.base import ErrorKind, ExchangeError, Fault, Text

__all__ = ["ErrorKind", "ExchangeError", "Fault", "Text"]
