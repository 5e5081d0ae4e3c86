"""XOP (W3C XML-binary Optimized Packaging): the content that an Include stands for, put back in its place."""

import base64
from urllib.parse import unquote

from adapters.soap.reading import canonical
from adapters.soap.xml import Element
from gateway.model.message import Part

_INCLUDE = "{http://www.w3.org/2004/08/xop/include}Include"


def inlined(payload: Element, parts: tuple[Part, ...]) -> bytes | None:
    """The element with base64 in the place of each Include; None where some content was not kept in memory.

    payload: changed by this. An Include that names no part, or does not stand alone, stays, and fails the schema.
    """
    contents = {_identifier(part): part for part in parts[1:]}
    for include in list(payload.iter(_INCLUDE)):
        part = contents.get(unquote((include.get("href") or "").removeprefix("cid:")))
        parent = include.getparent()
        if part is None or parent is None or len(parent) != 1:
            continue
        if part.data is None:
            return None
        parent.remove(include)
        parent.text = _text(part)
    return canonical(payload)


def _text(part: Part) -> str:
    data = part.data or b""
    encoded = any(
        name.lower() == "content-transfer-encoding" and value.lower() == "base64" for name, value in part.fields
    )
    return b"".join(data.split()).decode("ascii", "replace") if encoded else base64.b64encode(data).decode()


def _identifier(part: Part) -> str:
    value = next((value for name, value in part.fields if name.lower() == "content-id"), "").strip()
    return value[1:-1] if value.startswith("<") and value.endswith(">") else value
