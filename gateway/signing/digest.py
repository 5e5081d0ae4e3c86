"""Content-Digest (RFC 9530): made with sha-256, verified with sha-256 and sha-512."""

import hmac

from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import DIGEST_MALFORMED, DIGEST_MISMATCH, DIGEST_MISSING
from gateway.model.message import AnswerHead, Body, Head
from gateway.signing.sf import SfError, base64_text, parse_byte_sequences

_LENGTHS = {"sha-256": 32, "sha-512": 64}


def content_digest(body: Body) -> str:
    """The ``Content-Digest`` value of a body: ``sha-256=:…:``."""
    return f"sha-256=:{base64_text(body.sha256)}:"


def verify_content_digest(head: Head | AnswerHead, body: Body) -> None:
    """Return if the head's Content-Digest is that of the body, or both are absent.

    Every digest with a known algorithm (sha-256, sha-512) must be right, and there must be one; unknown algorithms
    say nothing. Raises ExchangeError DIGEST_MISSING, DIGEST_MALFORMED or DIGEST_MISMATCH.
    """
    values = head.index.get("content-digest")
    if values is None:
        if body.size:
            raise ExchangeError(DIGEST_MISSING)
        return
    if len(values) != 1:
        raise ExchangeError(DIGEST_MALFORMED, "Content-Digest occurs more than once")
    if values[0] != content_digest(body):  # the usual single sha-256 is settled by this one comparison
        _verify_members(values[0], body)


def _verify_members(value: str, body: Body) -> None:
    try:
        members = parse_byte_sequences(value)
    except SfError as error:
        raise ExchangeError(DIGEST_MALFORMED, str(error)) from None
    known = {name: digest for name, (digest, _) in members.items() if name in _LENGTHS}
    if not known:
        raise ExchangeError(DIGEST_MALFORMED, "neither sha-256 nor sha-512 is given")
    for name, digest in known.items():
        if len(digest) != _LENGTHS[name]:
            raise ExchangeError(DIGEST_MALFORMED, f"a {name} digest has {_LENGTHS[name]} bytes")
        if not hmac.compare_digest(digest, body.sha256 if name == "sha-256" else body.sha512):
            raise ExchangeError(DIGEST_MISMATCH, name)
