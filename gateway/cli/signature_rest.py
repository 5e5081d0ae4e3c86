"""The proof of a captured REST request: RFC 9421 or ``Motlan-JWS``, and why it proves nothing."""

from collections.abc import Callable
from typing import cast

from cryptography import x509
from msgspec import Struct

from gateway.cli.signature_base import compare
from gateway.cli.signature_digest import explain_keyid
from gateway.cli.signature_guess import Key, find
from gateway.cli.signature_mistakes import IN_BASE, IN_JWS, Mistake
from gateway.cli.signature_steps import Asked, Diagnosis, fresh
from gateway.model.envelope import Claim
from gateway.model.errors import ExchangeError
from gateway.model.errors.exchange import PROOF_SCHEME_NOT_ALLOWED
from gateway.model.errors.signature import SIGNATURE_EXPIRED, SIGNATURE_NOT_YET_VALID
from gateway.model.instant import Instant, from_seconds, rfc3339, to_seconds
from gateway.model.message import Head
from gateway.model.stages import Direct
from gateway.signing.algorithms import PublicKey
from gateway.signing.components import Source, build_base
from gateway.signing.http_sig import ParsedSignature, dictionaries, parse_signature, verify_request
from gateway.signing.http_sig_cover import accept_signature
from gateway.signing.message_jws import MessageJws, parse_message_jws, verify_message_jws
from gateway.trust.store import TrustStore

_MILLISECONDS = 10**11


class _Signature(Struct, frozen=True):
    """What was signed, and how: the same questions are asked of both schemes."""

    base: bytes
    signature: bytes
    mistakes: tuple[Mistake, ...]
    jws: bool


def http_signature(asked: Asked, said: Claim, found: Diagnosis) -> None:
    """(3) RFC 9421, and (4)."""
    try:
        parsed = parse_signature(asked.head)
    except ExchangeError as error:
        found.take("proof", error)
        _explain_labels(asked, found)
        return
    has_body = asked.captured.body != b""
    key = _key(asked, said, found, parsed.keyid)
    if key is not None:

        def verify() -> Direct:
            return verify_request(asked.head, parsed, key, public_url=asked.url, has_body=has_body, now=asked.at)

        _verdict(verify, found, asked.at, (parsed.created, parsed.expires))
        found.extra.append(("Accept-Signature", accept_signature(asked.head, has_body=has_body)))
    base = _base(asked, parsed, found)
    if base is not None:
        _explain(asked, found, key, _Signature(base, parsed.signature, IN_BASE, jws=False))
    fresh(asked, found, asked.head)


def _base(asked: Asked, parsed: ParsedSignature, found: Diagnosis) -> bytes | None:
    try:
        return build_base(parsed.cover, parsed.params_text, Source(asked.head, asked.url))
    except ExchangeError as error:
        if found.refused is None:
            found.take("proof", error)
        return None


def _explain_labels(asked: Asked, found: Diagnosis) -> None:
    """What tags there are, where none is the right one."""
    try:
        tags = [(label, member.params.get("tag")) for label, (member, _, _) in dictionaries(asked.head).items()]
    except ExchangeError:
        return
    listed = ", ".join(f"{label}: {'no tag' if tag is None else tag!r}" for label, tag in tags)
    found.hint(f'Signatures that are there: {listed}. One has tag="motlan-request".', f"Các chữ ký hiện có: {listed}.")


def message_jws(asked: Asked, said: Claim, found: Diagnosis) -> None:
    """(3) Motlan-JWS, and (4)."""
    try:
        parsed = parse_message_jws(asked.head)
    except ExchangeError as error:
        found.take("proof", error)
        return
    key = _key(asked, said, found, parsed.keyid)
    compact = parsed.compact
    if key is not None:

        def verify() -> Direct:
            return verify_message_jws(
                asked.head, parsed, key, client=said.client, service=said.service, public_url=asked.url,
                has_body=asked.captured.body != b"", now=asked.at,
            )  # fmt: skip

        _verdict(verify, found, asked.at, (parsed.created, parsed.expires))
    _compare_claims(asked, parsed, found)
    _explain(asked, found, key, _Signature(compact.base, compact.signature, IN_JWS, jws=True))
    head, digest = asked.head, parsed.signed.digest
    if digest is not None and "content-digest" not in head.index:
        head = Head(method=head.method, target=head.target, fields=(*head.fields, ("Content-Digest", digest)))
    fresh(asked, found, head)


def _compare_claims(asked: Asked, parsed: MessageJws, found: Diagnosis) -> None:
    """Every claim that is not as the message is, not only the first."""
    signed = parsed.signed
    target = asked.url.origin + asked.head.target
    pairs = [("@method", signed.method, asked.head.method), ("@target-uri", signed.target, target)]
    pairs += [(name, value, (asked.head.get(name) or "").strip()) for name, value in signed.headers.items()]
    for name, stated, real in pairs:
        if stated != real:
            found.extra += [(f"{name} (signed)", stated), (f"{name} (sent)", real)]


def _key(asked: Asked, said: Claim, found: Diagnosis, keyid: str) -> PublicKey | None:
    """The key that claims to have signed, if it may."""
    try:
        key, owner = asked.known.find(keyid, asked.at)
        if owner is not None and asked.known.store is not None:
            _check_party(asked.known.store, keyid, said, asked.at)
    except ExchangeError as error:
        found.take("key", error)
        ders = asked.known.all()
        text = explain_keyid(keyid, ders.values())
        if text is not None:
            found.hints.append(text)
        elif keyid not in ders and len(ders) == 1:
            found.extra.append(("keyid", next(iter(ders))))
        return PublicKey.from_certificate(ders[keyid]) if keyid in ders else None
    found.take("key", None)
    return key


def _check_party(store: TrustStore, keyid: str, said: Claim, at: Instant) -> None:
    store.signing_key(keyid, at).require_owner(said.client)
    subsystem = store.subsystem(said.client)
    if subsystem is None or said.scheme not in subsystem.schemes:
        raise ExchangeError(PROOF_SCHEME_NOT_ALLOWED, f"{said.scheme} is not allowed for {said.client}")


def _verdict(verify: Callable[[], Direct], found: Diagnosis, at: Instant, times: tuple[int, int]) -> None:
    """What the gateway says of the proof."""
    try:
        verify()
    except ExchangeError as error:
        found.take("proof", error)
        if error.kind in {SIGNATURE_EXPIRED, SIGNATURE_NOT_YET_VALID}:
            _explain_time(found, at, times)
        return
    found.take("proof", None)


def _explain_time(found: Diagnosis, at: Instant, times: tuple[int, int]) -> None:
    created, expires = times
    now = to_seconds(at)
    if created > _MILLISECONDS:
        found.hint("created is in milliseconds; it counts seconds.", "created đang tính bằng mili giây; phải là giây.")
    elif created > now:
        found.hint(
            f"It was created {created - now} s after the time of this check: the signing clock is ahead.",
            f"Được tạo sau thời điểm kiểm tra {created - now} giây: đồng hồ máy ký chạy nhanh.",
        )
    else:
        found.hint(
            f"It expired {now - expires} s before the time of this check; for a capture, give the time with --at.",
            f"Đã hết hạn {now - expires} giây trước thời điểm kiểm tra; với bản ghi lại, hãy dùng --at.",
        )
    found.extra += [("created", _shown(created)), ("expires", _shown(expires))]


def _shown(seconds: int) -> str:
    try:
        return rfc3339(from_seconds(seconds))
    except (OverflowError, ValueError):
        return str(seconds)


def _explain(asked: Asked, found: Diagnosis, key: PublicKey | None, made: _Signature) -> None:
    """Set the bases beside each other, and look for what was signed if it was not this."""
    found.base = made.base
    if asked.base is not None:
        found.difference = compare(made.base, asked.base)
        if found.difference is not None and found.difference.why is not None:
            found.hints.append(found.difference.why)
    if key is not None:
        found.same_key = None if asked.base is None else _verifies(key, made, asked.base)
        if _verifies(key, made, made.base):
            return
        explained = find(made.base, _raw(asked, key), made.signature, made.mistakes, jws=made.jws)
        if explained is not None:
            found.hints += [text for text in explained[0] if text not in found.hints]
            return
    _explain_key(asked, found, key, made)


def _verifies(key: PublicKey, made: _Signature, base: bytes) -> bool:
    try:
        (key.verify_jws if made.jws else key.verify)(made.signature, base)
    except ExchangeError:
        return False
    return True


def _raw(asked: Asked, key: PublicKey) -> Key:
    return cast("Key", x509.load_der_x509_certificate(asked.known.all()[key.keyid]).public_key())


def _explain_key(asked: Asked, found: Diagnosis, key: PublicKey | None, made: _Signature) -> None:
    """Whether somebody else of those known has signed it."""
    for keyid, der in asked.known.all().items():
        if key is not None and keyid == key.keyid:
            continue
        try:
            other = PublicKey.from_certificate(der)
        except ValueError:
            continue
        if _verifies(other, made, made.base):
            found.hint(
                f"It was signed with the key of another certificate: its keyid is {keyid}",
                f"Chữ ký dùng khóa của chứng thư khác, có keyid {keyid}",
            )
            return
    if key is not None and found.same_key is False:
        found.hint(
            "It does not verify over your own base either: another key signed, or another text than that file holds.",
            "Chữ ký cũng không đúng với chuỗi ký của bạn: khóa khác đã ký, hoặc nội dung ký khác với tệp đó.",
        )
