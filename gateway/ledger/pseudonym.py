"""Keyed pseudonyms: how records are found by person, officer or case without a name standing in any index.

The key belongs to an epoch, so a pseudonym is of use for that period only, and to those who hold its key.
"""

import hmac
import unicodedata
from enum import StrEnum

PSEUDONYM_BYTES = 16

_DOMAIN = b"motlan/pseudonym/v1\n"
_LONGEST = 0xFFFF


class Subject(StrEnum):
    """What a pseudonym stands for."""

    PERSON = "person"
    OFFICER = "officer"
    CASE = "case"
    MESSAGE = "message"
    CITIZEN = "citizen"


def pseudonym(key: bytes, subject: Subject, *parts: str) -> bytes:
    r"""The 16-byte pseudonym of a person (number), an officer (subsystem, code), a case (code) or a message (the
    caller's id of it), as ``parts`` name it.

    HMAC-SHA-256(key, ``motlan/pseudonym/v1\n`` ‖ kind ‖ each part), cut to 16 bytes; kind and parts are UTF-8 in NFC,
    each after its length as a big-endian uint16, so no two lists of parts give the same message. ``key``: the epoch's
    pseudonym key. Raises ValueError for no part, an empty or an overlong one, or text that has no UTF-8 form.
    """
    message = [_DOMAIN, _framed(subject.value)]
    for part in parts:
        if not part:
            raise ValueError("a pseudonym's parts are not empty")
        message.append(_framed(part))
    if not parts:
        raise ValueError("a pseudonym stands for at least one part")
    return hmac.digest(key, b"".join(message), "sha256")[:PSEUDONYM_BYTES]


def _framed(text: str) -> bytes:
    try:
        encoded = (text if text.isascii() else unicodedata.normalize("NFC", text)).encode()
    except UnicodeEncodeError:
        raise ValueError("the text holds a lone surrogate") from None
    if len(encoded) > _LONGEST:
        raise ValueError("a pseudonym's part is at most 65535 bytes")
    return len(encoded).to_bytes(2, "big") + encoded
