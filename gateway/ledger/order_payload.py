"""The payload of what holders of roles sign: canonical JSON of a document's fields and a version, read strictly."""

import re
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from gateway.ledger.canonical import canonical
from gateway.model.errors import ExchangeError
from gateway.model.errors.erasure import ORDER_MALFORMED
from gateway.model.instant import from_datetime, rfc3339

D = TypeVar("D", bound=Struct)

HEX_ID = re.compile(r"[0-9a-f]{32}")
"""16 bytes in hex: a document's id, a pseudonym, a mark."""
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
"""A record's id."""

_VERSION = 1
_TIMES = ("issued", "until")


def encode_payload(document: Struct) -> bytes:
    """A document's one canonical form: what is signed. Its times are RFC 3339."""
    written = {name: getattr(document, name) for name in document.__struct_fields__}
    written |= {name: rfc3339(written[name]) for name in _TIMES if name in written}
    return canonical({**written, "version": _VERSION})


def parse_payload(payload: bytes, kind: type[D], what: str) -> D:
    """Read a payload as a document of this kind, which it must be to the byte. what: the kind, in words.

    Raises ExchangeError(ORDER_MALFORMED), quoting nothing of it.
    """
    try:
        written = msgspec.json.decode(payload, type=dict[str, Any])
        version = written.pop("version", None)
        for name in _TIMES:
            if name in written:
                written[name] = from_datetime(datetime.fromisoformat(written[name]))
        document = msgspec.convert(written, kind)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError):
        raise ExchangeError(ORDER_MALFORMED, f"the payload is not {what}") from None
    if version != _VERSION or encode_payload(document) != payload:  # with unknown members it is not, either
        raise ExchangeError(ORDER_MALFORMED, f"{what} of another version, or not in its canonical form")
    return document
