"""Verifying the gateway's signatures: a client's check of an answer, a provider's check of a forwarded request."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import (
    ANSWER_SIGNATURE_INVALID,
    ANSWER_UNSIGNED,
    SIGNATURE_AMBIGUOUS,
    SIGNATURE_COVER_INCOMPLETE,
    SIGNATURE_EXPIRED,
    SIGNATURE_INVALID,
    SIGNATURE_MALFORMED,
    SIGNATURE_MISSING,
    SIGNATURE_NOT_YET_VALID,
)
from gateway.model.instant import MICROSECONDS, Instant, from_seconds
from gateway.model.message import AnswerHead, Body, Head
from gateway.signing.algorithms import PublicKey
from gateway.signing.components import Cover, MemberTexts, Source, Use, build_base, compile_cover
from gateway.signing.digest import verify_content_digest
from gateway.signing.http_sig import (
    ANSWER_TAG,
    FORWARD_TAG,
    MAX_LIFETIME,
    SKEW,
    ParsedSignature,
    check_key,
    dictionaries,
    parse_passed,
    text_param,
    time_param,
)
from gateway.signing.http_sig_cover import missing_in_answer, missing_in_forward
from gateway.signing.http_sig_sign import SentRequest
from gateway.signing.sf import SfError, parse_string
from gateway.signing.target import PublicUrl, split_url

_MAX_AGE: Final = MAX_LIFETIME * MICROSECONDS
_ERRORS: Final = 400

Keys = Mapping[str, PublicKey]
"""The gateway's keys that a client or provider knows, by keyid."""


class GatewayProof(Struct, frozen=True, kw_only=True):
    """A gateway's signature, as verified. covered: as ``name[;req][;key="…"]``. base: the exact bytes signed."""

    keyid: str
    algorithm: str
    covered: tuple[str, ...]
    created: Instant
    base: bytes
    members: MemberTexts


class AnswerProof(Struct, frozen=True, kw_only=True):
    """A verified answer. bound: whether it is bound to the very signature of the request (errors may not be)."""

    proof: GatewayProof
    bound: bool


class ForwardProof(Struct, frozen=True, kw_only=True):
    """A verified forwarded request. passed: the caller's own signature, if it was passed along; not yet proved."""

    proof: GatewayProof
    passed: ParsedSignature | None


class _Candidate(Struct, frozen=True):
    label: str
    cover: Cover
    params_text: str
    created: int
    signature: bytes
    signature_text: str
    key: PublicKey


def _select(head: Head | AnswerHead, tag: str, use: Use, keys: Keys) -> _Candidate:
    """The one signature with this tag by a known key; keyid and tag are what it is selected by, never the label."""
    found: list[_Candidate] = []
    for label, (member, signature, signature_text) in dictionaries(head).items():
        params = member.params
        if params.get("tag") != tag or (key := keys.get(keyid := text_param(params, "keyid"))) is None:
            continue
        text_param(params, "tag")  # a string, not a token
        check_key(keyid, text_param(params, "alg"), key)
        cover, created = compile_cover(member.inner, use), time_param(params, "created")
        found.append(_Candidate(label, cover, member.params_text, created, signature, signature_text, key))
    if not found:
        raise ExchangeError(SIGNATURE_MISSING, f'no signature with tag="{tag}" by a known key')
    if len(found) > 1:
        raise ExchangeError(SIGNATURE_AMBIGUOUS)
    return found[0]


def _prove(candidate: _Candidate, source: Source, now: Instant) -> GatewayProof:
    cover, key, created = candidate.cover, candidate.key, from_seconds(candidate.created)
    if created > now + SKEW:
        raise ExchangeError(SIGNATURE_NOT_YET_VALID)
    if created < now - SKEW - _MAX_AGE:
        raise ExchangeError(SIGNATURE_EXPIRED)
    base = build_base(cover, candidate.params_text, source)
    key.verify(candidate.signature, base)
    return GatewayProof(
        keyid=key.keyid,
        algorithm=key.algorithm,
        covered=cover.names,
        created=created,
        base=base,
        members=MemberTexts(candidate.label, cover.text + candidate.params_text, candidate.signature_text),
    )


def _require(missing: tuple[str, ...]) -> None:
    if missing:
        raise ExchangeError(SIGNATURE_COVER_INCOMPLETE, f"not covered: {', '.join(missing)}", parts=missing)


def verify_response(answer: AnswerHead, body: Body, sent: SentRequest, *, keys: Keys, now: Instant) -> AnswerProof:
    """Prove that a known gateway gave this answer, to this request, with this body.

    An error of the gateway (``X-Road-Error``, status from 400) may lack the binding to the request's signature, since
    the gateway may not have been able to read that; ``bound`` says so. Raises ExchangeError ANSWER_UNSIGNED if there
    is no fitting signature, ANSWER_SIGNATURE_INVALID if it does not verify.
    """
    try:
        proof = _verify_answer(answer, sent, keys, now)
        verify_content_digest(answer, body)
    except ExchangeError as error:
        invalid = error.kind == SIGNATURE_INVALID or error.kind.code.startswith("client.digest")
        kind = ANSWER_SIGNATURE_INVALID if invalid else ANSWER_UNSIGNED
        raise ExchangeError(kind, str(error), parts=error.parts) from error
    return proof


def _verify_answer(answer: AnswerHead, sent: SentRequest, keys: Keys, now: Instant) -> AnswerProof:
    candidate = _select(answer, ANSWER_TAG, "answer", keys)
    covered, label = candidate.cover.covered, sent.signed.members.label
    binding = (f'signature-input;req;key="{label}"', f'signature;req;key="{label}"')
    unbound = tuple(name for name in binding if name not in covered)
    is_error = answer.status >= _ERRORS and "x-road-error" in answer.index
    _require(missing_in_answer(covered, answer, sent.head) + (() if is_error else unbound))
    source = Source(answer, None, Source(sent.head, sent.url, None, sent.signed.members))
    return AnswerProof(proof=_prove(candidate, source, now), bound=not unbound)


def verify_forward(head: Head, body: Body, *, url: PublicUrl, keys: Keys, now: Instant) -> ForwardProof:
    """Prove, as a provider, that a known gateway sent this request here.

    url: under which the provider is reached. The caller's signature, where it was passed along, must be covered with
    everything that it covers; prove it with ``original_request`` and ``http_sig.prove``. Raises ExchangeError
    SIGNATURE_*, HEADER_* or DIGEST_*.
    """
    candidate = _select(head, FORWARD_TAG, "forward", keys)
    covered = candidate.cover.covered
    missing = missing_in_forward(covered, head, has_body=body.size > 0)
    passed = parse_passed(head)
    if passed is not None:
        label = passed.members.label
        needed = (*passed.cover.names, f'signature-input;key="{label}"', f'signature;key="{label}"')
        missing += tuple(name for name in needed if name not in covered)
    _require(missing)
    proof = _prove(candidate, Source(head, url, None, passed.members if passed else None), now)
    verify_content_digest(head, body)
    return ForwardProof(proof=proof, passed=passed)


def original_request(head: Head) -> tuple[Head, PublicUrl]:
    """A forwarded request in the context in which its caller signed it: Motlan-Original-Target instead of the target.

    Raises ExchangeError SIGNATURE_MALFORMED if that field is absent or wrong.
    """
    try:
        url, target = split_url(parse_string(head.get("motlan-original-target") or ""))
    except (SfError, ValueError):
        raise ExchangeError(SIGNATURE_MALFORMED, "Motlan-Original-Target is no sf-string with a URL") from None
    return Head(method=head.method, target=target, fields=head.fields), url
