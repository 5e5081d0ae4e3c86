"""Values as TOML writes them, on one line. The standard library reads TOML and writes none."""

from collections.abc import Mapping

_BARE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def text(value: str) -> str:
    """A basic string."""
    return '"' + "".join(_escaped(each) for each in value) + '"'


def key(name: str) -> str:
    """A key, bare where it may be."""
    return name if name and set(name) <= _BARE else text(name)


def value(given: object) -> str:
    """A string, boolean, number, list or inline table."""
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, str):
        return text(given)
    if isinstance(given, int | float):
        return str(given)
    if isinstance(given, Mapping):
        inner = ", ".join(f"{key(str(name))} = {value(one)}" for name, one in given.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(given, list | tuple):
        return f"[{', '.join(value(one) for one in given)}]"
    raise TypeError(f"TOML has no {type(given).__name__}")


def comment(line: str) -> str:
    """A comment of one line, whatever stands in the text."""
    return "# " + "".join(each if each.isprintable() else " " for each in line)


def _escaped(each: str) -> str:
    if each in _ESCAPES:
        return _ESCAPES[each]
    return each if each.isprintable() else f"\\U{ord(each):08X}"
