"""WS-Security signatures on envelopes that we have just written: their pieces are canonical, so nothing is read again.

Each block, and Body, gets its wsu:Id in the bytes themselves, at the place where canonical form has it (Canonical XML
1.0 §2.2: namespaces by prefix, then attributes by the URI of their namespace and local name). What does not allow that
as simply (another ``wsu``, prefixes in values) is signed as any envelope is, by ``wsse_sign``.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from msgspec import Struct

from gateway.model.written import WrittenEnvelope
from gateway.signing.wsse_names import SOAP11, SOAP12, WSSE, WSU
from gateway.signing.wsse_sign import sign_read
from gateway.signing.wsse_template import SignedEnvelope, Terms, prefix_of, reference, security_header

_START: Final = re.compile(rb'<([^ />]+)((?: xmlns(?::[^ ="]+)?="[^"]*")*+)((?: [^ ="]+="[^"]*")*+)>')
_DECLARATION: Final = re.compile(rb' (xmlns(?::([^ ="]+))?="([^"]*)")')
_ATTRIBUTE: Final = re.compile(rb' (?:([^ ="]+):)?[^ :="]+="[^"]*"')
_DECLARED: Final = re.compile(rb'xmlns:([^ ="]+)="')
_NAMESPACE: Final = WSU.encode()
_WSU: Final = b'xmlns:wsu="' + _NAMESPACE + b'"'
_TAKEN: Final = (b"xmlns:wsu=", b"xmlns:S=", f'="{WSSE}"'.encode())
"""What Body declares here, which canonical form would leave out inside of it; and ``wsu`` in blocks likewise. And the
namespace of Security: another such header inside is refused where the envelope is read.
"""
_FEW: Final = 32
_IN_VALUE: Final = re.compile(rb'="\s*([^\s"=<>:]{1,64}):')
_IN_TEXT: Final = re.compile(rb">\s*([A-Za-z_][^\s\"=<>:]{0,63}):")
_BODIES: Final = {
    soap: (f'<S:Body xmlns:S="{soap}" xmlns:wsu="{WSU}" wsu:Id="'.encode(), b'">', b"</S:Body>")
    for soap in (SOAP11, SOAP12)
}
_ENVELOPES: Final = {soap: f'<S:Envelope xmlns:S="{soap}"><S:Header>'.encode() for soap in (SOAP11, SOAP12)}
_END: Final = b"</S:Envelope>"


Read = Callable[[bytes, Terms], SignedEnvelope]
"""Signs what must be read for it: ``sign_read``, here or where what it leaves behind is forgotten."""


def sign(envelope: bytes | WrittenEnvelope, terms: Terms, read: Read = sign_read) -> SignedEnvelope:
    """Sign Body, every header block and a new Timestamp of an envelope. Raises as ``sign_envelope``."""
    return read(envelope, terms) if isinstance(envelope, bytes) else sign_written(envelope, terms, read)


def sign_written(written: WrittenEnvelope, terms: Terms, read: Read = sign_read) -> SignedEnvelope:
    """Sign an envelope that we wrote. Raises as ``sign_envelope``."""
    content = b"".join((*written.blocks, written.element))
    prefix = prefix_of(content)
    pieces = _identified(written, content, prefix)
    if pieces is None:
        return read(written.whole(), terms)
    references = [reference(f"{prefix}-{number}", piece) for number, piece in enumerate(pieces)]
    made = security_header(written.soap, prefix, references, terms)
    *blocks, body = pieces
    envelope = b"".join((_ENVELOPES[written.soap], made.octets, *blocks, b"</S:Header>", body, _END))
    return SignedEnvelope(envelope=envelope, base=made.base, signature=made.signature)


def _identified(written: WrittenEnvelope, content: bytes, prefix: str) -> list[bytes] | None:
    """Blocks and Body with their ids, canonical; None where that takes reading them. content: all of them."""
    if any(taken in content for taken in _TAKEN) or _uses_prefixes(content):
        return None
    pieces: list[bytes] = []
    for number, block in enumerate(written.blocks):
        identified = _with_id(block, f"{prefix}-{number}".encode())
        if identified is None:
            return None
        pieces.append(identified)
    opened, named, closed = _BODIES[written.soap]
    pieces.append(b"".join((opened, f"{prefix}-{len(pieces)}".encode(), named, written.element, closed)))
    return pieces


def _uses_prefixes(content: bytes) -> bool:
    """Whether values or texts begin with a declared prefix: its meaning must be signed by a PrefixList."""
    declared = frozenset(_DECLARED.findall(content))
    if not declared:
        return False
    if len(declared) > _FEW:
        return not declared.isdisjoint(_IN_VALUE.findall(content)) or not declared.isdisjoint(_IN_TEXT.findall(content))
    in_value, in_text = _used(declared)
    return in_value.search(content) is not None or in_text.search(content) is not None


@lru_cache(maxsize=256)
def _used(declared: frozenset[bytes]) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Two patterns, since one that begins with a fixed text is found many times faster."""
    names = b"(?:" + b"|".join([re.escape(prefix) for prefix in sorted(declared)]) + b"):"
    return re.compile(rb'="\s*' + names), re.compile(rb">\s*" + names)


def _with_id(block: bytes, identifier: bytes) -> bytes | None:
    """A canonical block with a wsu:Id, canonical; None for one that has no simple place for it."""
    start = _START.match(block)
    scope = None if start is None else _scope(start[2])
    if start is None or scope is None:
        return None
    name, _, attributes = start.groups()
    cut = len(attributes)
    for attribute in _ATTRIBUTE.finditer(attributes):
        if attribute[1] in scope.later:
            cut = attribute.start()
            break
    return b'<%b%b%b wsu:Id="%b"%b>%b' % (
        name,
        scope.declared,
        attributes[:cut],
        identifier,
        attributes[cut:],
        block[start.end() :],
    )


class _Scope(Struct, frozen=True):
    """declared: a start tag's namespaces with ``wsu`` among them. later: prefixes of attributes that follow wsu:Id."""

    declared: bytes
    later: frozenset[bytes]


@lru_cache(maxsize=256)
def _scope(namespaces: bytes) -> _Scope | None:
    """None where the namespace is declared already, or written with entities, so that its place is not known."""
    found = _DECLARATION.findall(namespaces)
    if any(uri == _NAMESPACE or prefix == b"wsu" or b"&" in uri for _, prefix, uri in found):
        return None
    before = [text for text, prefix, _ in found if prefix < b"wsu"]
    after = [text for text, prefix, _ in found if prefix > b"wsu"]
    declared = b"".join([b" " + text for text in (*before, _WSU, *after)])
    return _Scope(declared, frozenset({b"xml", *[prefix for _, prefix, uri in found if uri > _NAMESPACE]}))
