"""A large envelope, looked at before it is parsed: whoever has no listed key makes us read little of it.

Of the first 64 KiB only: the Header is there, whole; its Signature is a listed key's, over a SignedInfo that has the
digest of this very Timestamp; and that is of this time. Nothing is proved by it: what passes is verified as any other.
"""

import hmac
from collections.abc import Mapping

from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import SIGNATURE_INVALID, SIGNATURE_MISSING
from gateway.model.errors.soap import INVALID_SOAP, ROOT_TOO_LARGE
from gateway.model.errors.wsse import SECURITY_COVER_INCOMPLETE, SECURITY_DIGEST_MISMATCH
from gateway.model.instant import Instant
from gateway.signing.algorithms import PublicKey
from gateway.signing.wsse import check_time
from gateway.signing.wsse_names import DIGESTS, ID_NAMES, SECURITY, SOAP11, SOAP12, TIMESTAMP
from gateway.signing.wsse_parse import Signed, read_signed, read_times
from gateway.signing.wsse_token import Listing
from gateway.signing.xml import BEGINNING, Element, beginning, canonical

_TAGS = tuple(f"{{{soap}}}{name}" for soap in (SOAP11, SOAP12) for name in ("Header", "Body"))


def is_worth_a_glance(root: bytes) -> bool:
    """Whether parsing it could cost much more than this."""
    return len(root) > BEGINNING


def glance(root: bytes, listing: Listing, keys: Mapping[str, PublicKey], now: Instant) -> None:
    """Return if a listed key may have signed this envelope lately. keys: by keyid.

    Raises ExchangeError: what ``parse_security`` and ``verify_envelope`` raise, ROOT_TOO_LARGE for a Header that does
    not end in time.
    """
    header = header_of(root)
    found = header.findall(SECURITY)
    if len(found) != 1:
        raise ExchangeError(SIGNATURE_MISSING, "the envelope has no Security header")
    signed = read_signed(found[0], header)
    candidates = [keys[keyid] for keyid in signed.hint.keyids(listing) if keyid in keys]
    _check_signature(signed, candidates)
    _check_timestamp(signed, now)


def header_of(root: bytes) -> Element:
    """The Header of a large envelope, which its first 64 KiB must hold. Raises ExchangeError, as ``glance``."""
    document = beginning(root, _TAGS)
    if document is None:
        raise ExchangeError(ROOT_TOO_LARGE, f"of an envelope this large, Header ends within {BEGINNING} bytes")
    soap = {f"{{{soap}}}Envelope": soap for soap in (SOAP11, SOAP12)}.get(str(document.tag))
    if soap is None:
        raise ExchangeError(INVALID_SOAP, "the root element is no SOAP Envelope")
    if document[0].tag != f"{{{soap}}}Header":
        raise ExchangeError(SIGNATURE_MISSING, "the envelope has no Header")
    return document[0]


def _check_signature(signed: Signed, candidates: list[PublicKey]) -> None:
    refused = ExchangeError(SIGNATURE_INVALID)
    for key in candidates:
        if signed.info.method in key.xml_algorithms:
            try:
                return key.verify_xml(signed.info.method, signed.signature, signed.info.base)
            except ExchangeError as error:
                refused = error
    raise refused


def _check_timestamp(signed: Signed, now: Instant) -> None:
    """That the Timestamp is the one that was signed: another one costs nothing."""
    timestamp = signed.parts[TIMESTAMP][0]
    ids = {str(value) for name, value in timestamp.items() if name in ID_NAMES}
    reference = next((each for each in signed.info.references if each.id is not None and each.id in ids), None)
    if reference is None:
        raise ExchangeError(SECURITY_COVER_INCOMPLETE, "not covered: Timestamp", parts=("Timestamp",))
    digest = DIGESTS[reference.method](canonical(timestamp, reference.prefixes)).digest()
    if not hmac.compare_digest(digest, reference.digest):
        raise ExchangeError(SECURITY_DIGEST_MISMATCH, "Timestamp", parts=("Timestamp",))
    check_time(*read_times(timestamp), now)
