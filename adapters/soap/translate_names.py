"""Names of JSON as names of XML and back: what is no NCName is escaped, as ISO/IEC 9075-14 does it.

A character that cannot stand where it stands becomes ``_xHHHH_`` (its code point, at least four hexadecimal digits); a
``_`` that could be read as the start of such an escape becomes ``_x005F_``. So every name has one form, and every form
one name.
"""

import re

# Only what is a name in every edition of XML 1.0 (4th, appendix B, allows less than the 5th): validators differ.
_START = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff\u0100-\u0131\u0134-\u013e\u0141-\u0148\u014a-\u017e"
    "\u0180-\u01c3\u01cd-\u01f0\u1e00-\u1e9b\u1ea0-\u1ef9"
)
_OTHER = _START + "0-9.\u00b7\u0300-\u0345-"
_NCNAME = re.compile(f"[{_START}][{_OTHER}]*")  # Namespaces in XML 1.0, §3
_NOT_START = re.compile(f"[^{_START}]")
_NOT_OTHER = re.compile(f"[^{_OTHER}]")
_LOOKS_ESCAPED = re.compile("_(?=x[0-9A-F]{4,6}_)")
_ESCAPE = re.compile("_x([0-9A-F]{4,6})_")


def element_name(name: str) -> str:
    """An NCName for any name. Raises ValueError for an empty one."""
    if not name:
        raise ValueError("a member without a name has no element")
    if "_x" in name:
        name = _LOOKS_ESCAPED.sub("_x005F_", name)
    if _NCNAME.fullmatch(name):
        return name
    first = _NOT_START.sub(_escaped, name[0])
    return first + _NOT_OTHER.sub(_escaped, name[1:])


def member_name(element: str) -> str:
    """The name that an NCName stands for."""
    return _ESCAPE.sub(_plain, element) if "_x" in element else element


def _escaped(found: re.Match[str]) -> str:
    return f"_x{ord(found.group()):04X}_"


def _plain(found: re.Match[str]) -> str:
    point = int(found.group(1), 16)
    return chr(point) if point <= 0x10FFFF else found.group()  # noqa: PLR2004 - the last code point
