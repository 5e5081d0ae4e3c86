"""Paths into what a provider sends and gets: trees of dicts, lists and texts, by local names or JSON keys."""

import re
from collections.abc import Callable
from typing import Any

Tree = Any
"""Name → tree, a list of trees, a text, a JSON value, or None where there is nothing. Attributes are ``@name``."""

PLACED = re.compile(r"\{([A-Za-z0-9_]+)\}")
"""Names in a call's path, in whose place values go."""
_PATH = re.compile(r"/?[^/\s]+(?:/[^/\s]+)*|")


def is_path(text: str) -> bool:
    """Whether a text is a path: names with ``/`` between them, or nothing."""
    return _PATH.fullmatch(text) is not None


def steps(path: str) -> tuple[str, ...]:
    """The names of a path."""
    return tuple(step for step in path.split("/") if step)


def step_into(tree: Tree, name: str) -> Tree:
    """What is below a name; of a list, below its first item. None where there is nothing."""
    if tree.__class__ is list:
        tree = tree[0] if tree else None
    if not isinstance(tree, dict):
        return None
    found = tree.get(name)
    if found is None and name[0] == "@":
        return tree.get(name[1:])
    return found


def getter(path: str) -> Callable[[Tree, Tree], Tree]:
    """What finds a path in (item, whole answer); a path with a ``/`` first is of the whole answer."""
    names = steps(path)
    if path.startswith("/"):
        return lambda _, root: _descend(root, names)
    if not names:
        return lambda tree, _: tree
    if len(names) == 1 and names[0][0] != "@":
        only = names[0]
        return lambda tree, _: tree.get(only) if tree.__class__ is dict else step_into(tree, only)
    return lambda tree, _: _descend(tree, names)


def _descend(tree: Tree, names: tuple[str, ...]) -> Tree:
    for name in names:
        tree = step_into(tree, name)
        if tree is None:
            return None
    return tree


def items(path: str) -> Callable[[Tree], list[Tree]]:
    """All that stands at a path: the items of its list, or the one thing, or nothing."""
    find = getter(path)

    def every(root: Tree) -> list[Tree]:
        found = find(root, root)
        if found is None:
            return []
        return found if isinstance(found, list) else [found]

    return every


def replace(tree: Tree, names: tuple[str, ...], change: Callable[[Tree], Tree]) -> None:
    """Change what stands at a path, in place; nothing where there is nothing."""
    for name in names[:-1]:
        tree = step_into(tree, name)
    if isinstance(tree, list):
        tree = tree[0] if tree else None
    if isinstance(tree, dict) and tree.get(names[-1]) is not None:
        tree[names[-1]] = change(tree[names[-1]])


def put(tree: dict[str, Any], names: tuple[str, ...], value: Any) -> None:
    """Set a path in a tree that is being made."""
    for name in names[:-1]:
        tree = tree.setdefault(name, {})
    tree[names[-1]] = value
