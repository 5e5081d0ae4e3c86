"""Making signatures: a caller's over its request, the gateway's towards a provider and over an answer.

What each covers is fixed by protocols.md §2. Time, nonce and key are arguments. Each returns the header fields to add,
and what was signed, for the record.
"""

from functools import lru_cache
from typing import Final

from msgspec import Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import ANSWER_UNSIGNABLE
from gateway.model.instant import Instant, to_seconds
from gateway.model.message import AnswerHead, Fields, Head
from gateway.model.stages import Direct, Hosted
from gateway.ports import Outbound, Signer
from gateway.signing.components import Cover, MemberTexts, Source, build_base, compile_cover, is_signable
from gateway.signing.digest import content_digest
from gateway.signing.http_sig import ANSWER_TAG, FORWARD_TAG, MAX_LIFETIME, REQUEST_TAG
from gateway.signing.http_sig_cover import ANSWER_FIELDS, REQUEST_FIELDS, forward_fields
from gateway.signing.sf import base64_text, string
from gateway.signing.target import PublicUrl, split_url

REQUEST_LABEL: Final = "sig1"
GATEWAY_LABEL: Final = "gw"
DEFAULT_LIFETIME: Final = 60
"""Seconds between created and expires of a request that we sign."""

_ANSWER_FIELDS: Final = tuple((name, f'"{name}"') for name in ANSWER_FIELDS)


class Signed(Struct, frozen=True, kw_only=True):
    """A signature that was made.

    fields: header fields to add to the message. base: the exact bytes signed. signature: raw, in RFC 9421 form.
    members: its label and serialised members.
    """

    fields: Fields
    base: bytes
    signature: bytes
    members: MemberTexts


class SentRequest(Struct, frozen=True, kw_only=True):
    """A request as it goes on the wire, kept to verify its answer. head: with all fields, the signature's too."""

    head: Head
    url: PublicUrl
    signed: Signed


class Passed(Struct, frozen=True, kw_only=True):
    """A request whose caller's signature, or the one made in its name, may be passed along to the provider. head: with
    every field that the signature covers.
    """

    head: Head
    proof: Direct | Hosted


def members_of(proof: Direct | Hosted) -> MemberTexts:
    """The proved signature's label and members, for binding an answer to it."""
    return MemberTexts(proof.label, proof.signature_input, proof.signature)


def original_target(head: Head, public_url: PublicUrl) -> str:
    """``Motlan-Original-Target``: the target that the caller signed, as an sf-string. Raises sf.SfError."""
    return string(public_url.origin + head.target)


def _sign(cover: Cover, source: Source, *, label: str, params: str, key: Signer) -> tuple[bytes, bytes, MemberTexts]:
    """The base, the signature over it, and its members."""
    base = build_base(cover, params, source)
    signature = key.sign(base)
    return base, signature, MemberTexts(label, cover.text + params, f":{base64_text(signature)}:")


def _signed(made: tuple[bytes, bytes, MemberTexts], added: Fields = (), passed: MemberTexts | None = None) -> Signed:
    """What was signed, with the fields to add: those given, and the signature beside one that is passed along."""
    base, signature, members = made
    before = ("", "") if passed is None else _members_before(passed)
    fields = (
        *added,
        ("Signature-Input", f"{before[0]}{members.label}={members.signature_input}"),
        ("Signature", f"{before[1]}{members.label}={members.signature}"),
    )
    return Signed(fields=fields, base=base, signature=signature, members=members)


def _members_before(passed: MemberTexts) -> tuple[str, str]:
    return f"{passed.label}={passed.signature_input}, ", f"{passed.label}={passed.signature}, "


def _gateway_params(key: Signer, tag: str, now: Instant) -> str:
    return f';created={to_seconds(now)};keyid="{key.keyid}";alg="{key.algorithm}";tag="{tag}"'


def sign_request(
    outbound: Outbound,
    *,
    key: Signer,
    now: Instant,
    nonce: str,
    lifetime: int = DEFAULT_LIFETIME,
    label: str = REQUEST_LABEL,
) -> SentRequest:
    """Sign a request as a caller (protocols.md §2, "REST request").

    outbound: the request with all fields but Content-Digest, which is added if it has a body, and Host, which is never
    covered. nonce: 16 to 256 unpredictable characters, new each time. lifetime: seconds, at most 300. Raises
    ValueError for a lifetime or nonce out of range, ExchangeError if a field cannot be signed.
    """
    if not 0 < lifetime <= MAX_LIFETIME or not 16 <= len(nonce) <= 256:  # noqa: PLR2004 - protocols.md §2
        raise ValueError("the lifetime is 1 to 300 seconds, the nonce 16 to 256 characters")
    url, target = split_url(outbound.url)
    fields = outbound.fields
    head = Head(method=outbound.method, target=target, fields=fields)
    if outbound.body.size and "content-digest" not in head.index:
        fields = (*fields, ("Content-Digest", content_digest(outbound.body)))
        head = Head(method=outbound.method, target=target, fields=fields)
    components = ['"@method"', '"@target-uri"']
    components += [f'"{name}"' for name in ("content-digest", *REQUEST_FIELDS) if name in head.index]
    created = to_seconds(now)
    params = f";created={created};expires={created + lifetime};nonce={string(nonce)}"
    params += f';keyid="{key.keyid}";alg="{key.algorithm}";tag="{REQUEST_TAG}"'
    cover = compile_cover(f"({' '.join(components)})", "request")
    signed = _signed(_sign(cover, Source(head, url), label=label, params=params, key=key))
    whole = Head(method=outbound.method, target=target, fields=(*fields, *signed.fields))
    return SentRequest(head=whole, url=url, signed=signed)


def _signable_once(request: Head, name: str) -> bool:
    values = request.index.get(name, ())
    return len(values) == 1 and is_signable(values[0])


def sign_response(
    answer: AnswerHead,
    request: Head,
    *,
    public_url: PublicUrl,
    caller: MemberTexts | None,
    key: Signer,
    now: Instant,
    label: str = GATEWAY_LABEL,
) -> Signed:
    """Sign an answer, bound to its request (protocols.md §2, "Answer").

    answer: with all its fields; Content-Digest must be among them, also over an empty body. request: as received.
    caller: the signature that the request carried (``members_of(proof)``, for a refusal ``parsed.members``); None if
    it had none that could be read. Raises ValueError without Content-Digest, ExchangeError ANSWER_UNSIGNABLE if a
    covered field of the answer occurs twice or is not printable ASCII.
    """
    index = answer.index
    if "content-digest" not in index:
        raise ValueError("an answer is signed with its Content-Digest")
    cover = _answer_cover(
        tuple(index),
        "" if caller is None else string(caller.label),
        with_target=is_signable(request.target),  # a refused request may have any target
        with_digest=_signable_once(request, "content-digest"),
    )
    source = Source(answer, None, Source(request, public_url, None, caller))
    try:
        return _signed(_sign(cover, source, label=label, params=_gateway_params(key, ANSWER_TAG, now), key=key))
    except ExchangeError as error:
        raise ExchangeError(ANSWER_UNSIGNABLE, error.detail, parts=error.parts) from error


@lru_cache(maxsize=1024)
def _answer_cover(names: tuple[str, ...], caller: str, *, with_target: bool, with_digest: bool) -> Cover:
    """What is covered of an answer with these fields. caller: the request's label in quotes; empty: not bound to it."""
    components = ['"@status"', '"content-digest"', *[quoted for name, quoted in _ANSWER_FIELDS if name in names]]
    components.append('"@method";req')
    if with_target:
        components.append('"@target-uri";req')
    if with_digest:
        components.append('"content-digest";req')
    if caller:
        components += [f'"signature-input";req;key={caller}', f'"signature";req;key={caller}']
    return compile_cover(f"({' '.join(components)})", "answer")


def _survives(passed: Passed, sent: Head) -> bool:
    """Whether the provider can still verify the caller's signature: what it covers arrives unchanged."""
    original = passed.head
    if original.method != sent.method:
        return False
    names = _fields_of(passed.proof.covered)
    return [*map(sent.index.get, names)] == [*map(original.index.get, names)]


@lru_cache(maxsize=1024)
def _fields_of(covered: tuple[str, ...]) -> tuple[str, ...]:
    return tuple([name for name in covered if not name.startswith("@")])


def sign_forward(outbound: Outbound, *, key: Signer, now: Instant, passed: Passed | None = None) -> Signed:
    """Sign what a provider will receive (protocols.md §2, "Gateway → provider").

    outbound: the request with all fields (X-Road-*, Motlan-Purpose, Motlan-Original-Target, Motlan-Receipt …) but
    Signature-Input and Signature. Its Content-Digest is added if there is a body and none yet. passed: the caller's
    request, where its signature is to be passed along; it is, unless something it covers was left out or changed on
    the way (a dropped User-Agent, say), because then nobody could verify it. Raises ValueError if the fields hold a
    signature already, ExchangeError if a covered field cannot be signed.
    """
    url, target = split_url(outbound.url)
    added: Fields = ()
    head = Head(method=outbound.method, target=target, fields=outbound.fields)
    if "signature" in head.index or "signature-input" in head.index:
        raise ValueError("the fields to forward hold a signature already; pass it as `passed`")
    if outbound.body.size and "content-digest" not in head.index:
        added = (("Content-Digest", content_digest(outbound.body)),)
        head = Head(method=outbound.method, target=target, fields=outbound.fields + added)
    proof = passed.proof if passed is not None and _survives(passed, head) else None
    caller, covered = (None, ()) if proof is None else (members_of(proof), proof.covered)
    cover = _forward_cover(tuple(head.index), covered, "" if caller is None else string(caller.label))
    label = GATEWAY_LABEL if caller is None or caller.label != GATEWAY_LABEL else f"{GATEWAY_LABEL}1"
    source, params = Source(head, url, None, caller), _gateway_params(key, FORWARD_TAG, now)
    return _signed(_sign(cover, source, label=label, params=params, key=key), added, caller)


@lru_cache(maxsize=1024)
def _forward_cover(names: tuple[str, ...], passed: tuple[str, ...], caller: str) -> Cover:
    """What is covered of a forwarded request with these fields. passed: what the caller's signature covers, caller: its
    label in quotes; both empty where it is not passed along.
    """
    own = ["@method", "@target-uri", *forward_fields(names)]
    if "content-digest" in names:
        own.append("content-digest")
    components = [f'"{name}"' for name in own] + [f'"{name}"' for name in passed if name not in own]
    if caller:
        components += [f'"signature-input";key={caller}', f'"signature";key={caller}']
    return compile_cover(f"({' '.join(components)})", "forward")
