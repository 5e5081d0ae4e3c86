"""The caller's signature on a request: RFC 9421, as protocols.md §2 narrows it.

In two steps, so that the key is looked up outside: ``parse_signature`` says which key claims to have signed,
``verify_request`` proves it. Nothing of the first may be believed before the second returns.

Verified is, in this order, everything that costs little first:

1. exactly one signature with our tag, none with another tag of ours, labels in both fields the same (§4.1, §4.2)
2. parameters: created, expires, nonce, keyid, alg and tag, of the right types, and no other
3. it is of this time: created ≤ now, expires ≥ now, each ± 60 s, and at most 300 s between them
4. the algorithm is the key's own (§7.3.6)
5. it covers the minimum, and each covered field occurs once, in printable ASCII (§2.5, §7.5.7)
6. the signature over the base, built from the raw request target and the configured public URL

The body's digest is checked separately (``digest.verify_content_digest``), since the body may still be on its way.
"""

import re
from typing import Final

from msgspec import Struct

from gateway.model.envelope import ProofScheme
from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import (
    SIGNATURE_ALGORITHM,
    SIGNATURE_AMBIGUOUS,
    SIGNATURE_COVER_INCOMPLETE,
    SIGNATURE_EXPIRED,
    SIGNATURE_INVALID,
    SIGNATURE_MALFORMED,
    SIGNATURE_MISSING,
    SIGNATURE_NOT_YET_VALID,
    SIGNATURE_PARAMETER,
    SIGNATURE_TAG_RESERVED,
)
from gateway.model.instant import MICROSECONDS, Instant, from_seconds
from gateway.model.message import AnswerHead, Head
from gateway.model.stages import Direct
from gateway.signing.algorithms import PublicKey
from gateway.signing.components import Cover, MemberTexts, Source, Use, build_base, compile_cover
from gateway.signing.http_sig_cover import missing_in_request
from gateway.signing.sf import (
    LIST_MEMBER,
    Member,
    Params,
    SfError,
    Token,
    octets,
    parse_byte_sequences,
    parse_signature_input,
)
from gateway.signing.target import PublicUrl

REQUEST_TAG: Final = "motlan-request"
FORWARD_TAG: Final = "motlan-gateway"
ANSWER_TAG: Final = "motlan-response"
_OUR_TAGS: Final = "motlan-"

SKEW: Final = 60 * MICROSECONDS
"""How far another computer's clock may be off, in microseconds."""
MAX_LIFETIME: Final = 300
"""Seconds between ``created`` and ``expires`` of a request's signature."""
_NONCE_LENGTH: Final = range(16, 257)
_KEYID_LENGTH: Final = range(1, 257)
_USUAL: Final = re.compile(
    rf"{LIST_MEMBER}(;created=([1-9][0-9]{{0,14}});expires=([1-9][0-9]{{0,14}})"
    r';nonce="([ !#-\[\]-~]{16,256})";keyid="([A-Za-z0-9_-]{1,256})";alg="([a-z0-9-]{1,256})";tag="motlan-request")'
)
JWS_NONCE: Final = "jti:"
"""Before a JWS's ``jti`` in ``Direct.nonce``."""
_OWN_NONCE: Final = "nonce:"
"""Before a nonce that could be taken for one of those, or for such a one itself."""
_REQUEST_PARAMS: Final = frozenset({"created", "expires", "nonce", "keyid", "alg", "tag"})


class ParsedSignature(Struct, frozen=True, kw_only=True):
    """A signature as the message states it; untrusted. keyid, algorithm: as claimed. created, expires: seconds.

    members: its members of Signature-Input and Signature, canonically serialised.
    """

    cover: Cover
    params_text: str
    keyid: str
    algorithm: str
    created: int
    expires: int
    nonce: str
    signature: bytes
    members: MemberTexts


def dictionaries(head: Head | AnswerHead) -> dict[str, tuple[Member, bytes, str]]:
    """Label → Signature-Input member, signature, serialised signature.

    Raises ExchangeError SIGNATURE_MISSING or SIGNATURE_MALFORMED.
    """
    inputs, signatures = head.get("signature-input"), head.get("signature")
    if inputs is None or signatures is None:
        absent = "Signature-Input" if inputs is None else "Signature"
        raise ExchangeError(SIGNATURE_MISSING, f"{absent} is absent")
    try:
        members = parse_signature_input(inputs)
    except SfError as error:
        raise ExchangeError(SIGNATURE_MALFORMED, f"Signature-Input: {error}") from None
    try:
        values = parse_byte_sequences(signatures)
    except SfError as error:
        raise ExchangeError(SIGNATURE_MALFORMED, f"Signature: {error}") from None
    if members.keys() != values.keys():
        raise ExchangeError(SIGNATURE_MALFORMED, "Signature-Input and Signature have different labels")
    return {label: (member, *values[label]) for label, member in members.items()}


def _is_ours(tag: object) -> bool:
    return isinstance(tag, str) and tag.lower().startswith(_OUR_TAGS)


def parse_signature(head: Head) -> ParsedSignature:
    """Find the caller's signature. Raises ExchangeError SIGNATURE_MISSING, _MALFORMED, _AMBIGUOUS, _TAG_RESERVED,
    _PARAMETER or _COMPONENT_UNSUPPORTED.

    Signatures without a tag, or with one that is not ours, are somebody else's and are not looked at.
    """
    usual = _usual(head)
    if usual is not None:
        return usual
    ours = [(label, *rest) for label, rest in dictionaries(head).items() if _is_ours(rest[0].params.get("tag"))]
    if any(member.params["tag"] != REQUEST_TAG for _, member, _, _ in ours):
        raise ExchangeError(SIGNATURE_TAG_RESERVED)
    if not ours:
        raise ExchangeError(SIGNATURE_MISSING, f'no signature has tag="{REQUEST_TAG}"')
    if len(ours) > 1:
        raise ExchangeError(SIGNATURE_AMBIGUOUS)
    return _parse(*ours[0], "request")


def _usual(head: Head) -> ParsedSignature | None:
    """What ``parse_signature`` gives, for one signature written as docs/signing.md shows it: nearly all of them.

    None for any other form, and where something is wrong.
    """
    match = _USUAL.fullmatch(head.get("signature-input") or "")
    if match is None:
        return None
    label, inner, params_text, created, expires, nonce, keyid, algorithm = match.groups()
    start, value = f"{label}=:", head.get("signature") or ""
    if not (value.startswith(start) and value.endswith(":")):
        return None
    try:
        signature = octets(value[len(start) : -1])
    except SfError:
        return None
    cover = compile_cover(inner, "request")
    return ParsedSignature(
        cover=cover,
        params_text=params_text,
        keyid=keyid,
        algorithm=algorithm,
        created=int(created),
        expires=int(expires),
        nonce=nonce,
        signature=signature,
        members=MemberTexts(label, cover.text + params_text, value[len(start) - 1 :]),
    )


def parse_passed(head: Head) -> ParsedSignature | None:
    """The caller's signature in a request that the gateway forwarded; None if none was passed along.

    For providers; ``http_sig_check.verify_forward`` must have proved the request first. Raises as parse_signature does.
    """
    for label, rest in dictionaries(head).items():
        if rest[0].params.get("tag") == REQUEST_TAG:
            return _parse(label, *rest, "request")
    return None


def _parse(label: str, member: Member, signature: bytes, signature_text: str, use: Use) -> ParsedSignature:
    cover = compile_cover(member.inner, use)
    params = member.params
    unknown = params.keys() - _REQUEST_PARAMS
    if unknown:
        raise ExchangeError(SIGNATURE_PARAMETER, f"not supported: {', '.join(sorted(unknown))}", parts=tuple(unknown))
    text_param(params, "tag")  # it was compared; now it must be a string, not a token
    return ParsedSignature(
        cover=cover,
        params_text=member.params_text,
        keyid=text_param(params, "keyid", _KEYID_LENGTH),
        algorithm=text_param(params, "alg", _KEYID_LENGTH),
        created=time_param(params, "created"),
        expires=time_param(params, "expires"),
        nonce=text_param(params, "nonce", _NONCE_LENGTH),
        signature=signature,
        members=MemberTexts(label, cover.text + member.params_text, signature_text),
    )


def time_param(params: Params, name: str) -> int:
    """A time parameter in seconds. Raises ExchangeError SIGNATURE_PARAMETER."""
    value = params.get(name)
    if type(value) is not int:  # a Boolean is an int to Python
        raise ExchangeError(SIGNATURE_PARAMETER, f"{name} is absent or no integer", parts=(name,))
    return value


def text_param(params: Params, name: str, length: range = _KEYID_LENGTH) -> str:
    """A string parameter. Raises ExchangeError SIGNATURE_PARAMETER."""
    value = params.get(name)
    if not isinstance(value, str) or isinstance(value, Token):
        raise ExchangeError(SIGNATURE_PARAMETER, f"{name} is absent or no string", parts=(name,))
    if len(value) not in length:
        detail = f"{name} must have {length.start} to {length.stop - 1} characters"
        raise ExchangeError(SIGNATURE_PARAMETER, detail, parts=(name,))
    return value


def _check_time(created: int, expires: int, now: Instant) -> None:
    if not 0 < expires - created <= MAX_LIFETIME:
        detail = f"expires must be 1 to {MAX_LIFETIME} s after created"
        raise ExchangeError(SIGNATURE_PARAMETER, detail, parts=("expires",))
    if created * MICROSECONDS > now + SKEW:
        raise ExchangeError(SIGNATURE_NOT_YET_VALID)
    if expires * MICROSECONDS < now - SKEW:
        raise ExchangeError(SIGNATURE_EXPIRED)


def check_key(keyid: str, algorithm: str, key: PublicKey) -> None:
    """Return if a signature claims this key and its algorithm. Raises SIGNATURE_INVALID or SIGNATURE_ALGORITHM."""
    if keyid != key.keyid:
        raise ExchangeError(SIGNATURE_INVALID, "keyid names another key")
    if algorithm != key.algorithm:
        raise ExchangeError(SIGNATURE_ALGORITHM, f"the key's algorithm is {key.algorithm}")


def verify_request(
    head: Head, parsed: ParsedSignature, key: PublicKey, *, public_url: PublicUrl, has_body: bool, now: Instant
) -> Direct:
    """Prove that ``key`` signed this request, and that it signed enough of it, now.

    key: the trust list's for ``parsed.keyid``. public_url: the configured one that the request was sent to. has_body:
    whether it has or announces content. Raises ExchangeError: SIGNATURE_* or HEADER_*; for too small a cover
    SIGNATURE_COVER_INCOMPLETE, with the missing components as ``parts``.
    """
    _check_time(parsed.created, parsed.expires, now)
    missing = missing_in_request(parsed.cover.covered, head, has_body=has_body)
    if missing:
        raise ExchangeError(SIGNATURE_COVER_INCOMPLETE, f"not covered: {', '.join(missing)}", parts=missing)
    return prove(head, parsed, key, public_url=public_url)


def prove(head: Head, parsed: ParsedSignature, key: PublicKey, *, public_url: PublicUrl) -> Direct:
    """Prove that ``key`` made this signature, whenever it was and whatever it covers: for providers and auditors.

    Raises ExchangeError SIGNATURE_INVALID, SIGNATURE_ALGORITHM, SIGNATURE_COMPONENT_ABSENT or HEADER_*.
    """
    check_key(parsed.keyid, parsed.algorithm, key)
    base = build_base(parsed.cover, parsed.params_text, Source(head, public_url))
    key.verify(parsed.signature, base)
    members = parsed.members
    return Direct(
        scheme=ProofScheme.HTTP_SIGNATURE,
        keyid=parsed.keyid,
        algorithm=parsed.algorithm,
        label=members.label,
        signature_input=members.signature_input,
        signature=members.signature,
        base=base,
        covered=parsed.cover.names,
        created=from_seconds(parsed.created),
        expires=from_seconds(parsed.expires),
        nonce=_own(parsed.nonce),
    )


def _own(nonce: str) -> str:
    """A nonce as it is used up: none is that of another scheme under the same key."""
    return f"{_OWN_NONCE}{nonce}" if nonce.startswith((JWS_NONCE, _OWN_NONCE)) else nonce


def proved_head(head: Head, proof: Direct) -> Head:
    """The head with only those fields that the proof covers: what may be believed of it."""
    covered = set(proof.covered)
    return Head(
        method=head.method,
        target=head.target,
        fields=tuple((name, value) for name, value in head.fields if name.lower() in covered),
    )
