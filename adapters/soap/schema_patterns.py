"""Regular expressions of JSON Schema (ECMA-262) as those of XSD (XML Schema 2, appendix F) and back.

Only what both surely read alike is translated: characters, classes, groups, alternatives, counts. Anything else gives
None, and the value is then checked by the one schema that has the pattern.
"""

import re
from collections.abc import Callable

_TOKEN = re.compile(
    r"""(?P<group>\(\?:|\()|(?P<close>\))|(?P<bar>\|)|(?P<count>[*+?]|\{[0-9]+(?:,[0-9]*)?\})"""
    r"""|(?P<class>\[\^?(?:\\[\\\]\[^.\-/dw]|[^\\\[\]])+\])|(?P<escape>\\[\\.\-/*+?()\[\]{}|^$dw])"""
    r"""|(?P<dot>\.)|(?P<char>[^\\^$.*+?()\[\]{}|])""",
    re.DOTALL,
)
_DEPTH = {"group": 1, "close": -1}
_ESCAPES = {"\\d": "[0-9]", "\\w": "[0-9A-Za-z_]", "\\/": "/", "\\^": "\\^", "\\$": "\\$"}
_IN_CLASS = {"\\d": "0-9", "\\w": "0-9A-Za-z_", "\\/": "/", "\\.": "."}


def to_xsd(pattern: str) -> str | None:
    """The XSD pattern for one of JSON Schema; None where it is not surely the same.

    XSD patterns are always for the whole value; JSON Schema's only where they say so with ``^`` and ``$``.
    """
    starts, ends = pattern.startswith("^"), pattern.endswith("$") and not pattern.endswith("\\$")
    inner = pattern[1 if starts else 0 : -1 if ends else None]
    made = _translated(inner, _dollar)
    if made is None or (_has_alternatives(inner) and (starts or ends)):
        return None
    anything = "[\\s\\S]*"
    return (made if starts else f"{anything}({made})") + ("" if ends else anything)


def to_json(pattern: str) -> str | None:
    """The pattern of JSON Schema for one of XSD; None where it is not surely the same."""
    made = _translated(pattern, None)
    return None if made is None else f"^(?:{made})$"


def _dollar(escape: str) -> str:
    """XSD has no escape for ``$`` and ``/``, which are plain characters there."""
    return escape[1] if escape in {"\\$", "\\/"} else escape


def _translated(pattern: str, finish: Callable[[str], str] | None) -> str | None:
    """The pattern piece by piece. finish: makes an escape one of XSD's; None: the pattern is XSD's own."""
    made: list[str] = []
    position = depth = 0
    while position < len(pattern):
        found = _TOKEN.match(pattern, position)
        if found is None and finish is None and pattern[position] in "^$":  # plain characters in XSD
            made.append("\\" + pattern[position])
            position += 1
            continue
        if found is None:
            return None
        position = found.end()
        piece = _piece(found, pattern[position : position + 1], finish)
        depth += _DEPTH.get(found.lastgroup or "", 0)
        if piece is None or depth < 0:
            return None
        made.append(piece)
    return None if depth else "".join(made)


def _piece(found: re.Match[str], after: str, finish: Callable[[str], str] | None) -> str | None:
    text = found.group()
    match found.lastgroup:
        case "group":
            return "("
        case "escape":
            text = _ESCAPES.get(text, text)
            return text if finish is None else finish(text)
        case "class":
            return _class(text)
        case "dot":
            return "[^\\n\\r]"
        case "count" if after in {"?", "+"}:
            return None  # lazy and possessive counts are not XSD's
        case _:
            return text


def _class(token: str) -> str:
    for escape, plain in _IN_CLASS.items():
        token = token.replace(escape, plain)
    return token


def _has_alternatives(pattern: str) -> bool:
    """Whether a bar stands outside every group, so that anchors belong to its branches."""
    depth = 0
    position = 0
    while position < len(pattern):
        found = _TOKEN.match(pattern, position)
        if found is None:
            return True
        if found.lastgroup == "bar" and depth == 0:
            return True
        depth += _DEPTH.get(found.lastgroup or "", 0)
        position = found.end()
    return False
