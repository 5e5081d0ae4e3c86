"""XAdES signature files, read and verified: of the one form that ``xades`` writes, and of no other.

What is read is written again by the template and compared with the file, byte for byte. So no element can stand
elsewhere, twice, or under another's id: there is nothing that a wrapped, moved or second signature could hide in, and
what is verified is what the template says, never what a search for an id finds.
"""

import binascii
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from cryptography.exceptions import UnsupportedAlgorithm
from msgspec import Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors.evidence import EVIDENCE_INVALID, EVIDENCE_MALFORMED
from gateway.signing.algorithms import PublicKey
from gateway.signing.wsse_names import DS
from gateway.signing.xades import (
    XADES,
    Archive,
    Draft,
    SignedFile,
    in_scope,
    properties_digest,
    signed_info,
    signed_properties,
    write_signatures,
)
from gateway.signing.xml import Element, parse

_D: Final = f"{{{DS}}}"
_X: Final = f"{{{XADES}}}"
_REFERENCE: Final = f"{_D}Reference"
_LONGEST: Final = 16 * 1024 * 1024


class XadesSignature(Struct, frozen=True, kw_only=True):
    """A signature file as it was read, which proves nothing before ``verify``.

    files: what it signs. at: the time that the signer states, RFC 3339. token: the TimeStampToken over
    ``draft.stamped``, DER.
    """

    draft: Draft
    files: tuple[SignedFile, ...]
    at: str
    token: bytes | None
    archive: Archive

    @property
    def certificate(self) -> bytes:
        """The signer's certificate as KeyInfo has it, DER."""
        return self.draft.certificate


def read_signatures(data: bytes) -> XadesSignature:
    """Read a signature file. Raises ExchangeError (EVIDENCE_MALFORMED) for any other form than ours."""
    if len(data) > _LONGEST:
        raise ExchangeError(EVIDENCE_MALFORMED, "the signature file is too long")
    try:
        read = _read(parse(data))
        again = write_signatures(read.draft, token=read.token, archive=read.archive)
    except ExchangeError as error:
        raise ExchangeError(EVIDENCE_MALFORMED, f"the signature file: {error.detail or error.kind.code}") from None
    except (ValueError, LookupError, AttributeError, UnsupportedAlgorithm):
        raise ExchangeError(EVIDENCE_MALFORMED, "the signature file has another form than ours") from None
    if again != data:
        raise ExchangeError(EVIDENCE_MALFORMED, "the signature file has another form than ours")
    return read


def verify_signature(read: XadesSignature) -> None:
    """Return if the certificate's key signed these files and properties.

    The files' own bytes are for the caller to compare, and whether the certificate is to be believed for it to decide.
    Raises ExchangeError (EVIDENCE_INVALID).
    """
    draft = read.draft
    try:
        key = PublicKey.from_certificate(draft.certificate)
        key.verify_xml(draft.method, draft.value, in_scope(draft.info, "ds:SignedInfo"))
    except ValueError:
        raise ExchangeError(EVIDENCE_INVALID, "the signer's certificate cannot be used") from None
    except ExchangeError as error:
        raise ExchangeError(EVIDENCE_INVALID, "the container's signature is not its certificate's") from error


def compare_files(read: XadesSignature, found: Mapping[str, bytes]) -> None:
    """Return if what is signed is exactly what was found: path → SHA-256.

    Raises ExchangeError (EVIDENCE_INVALID), whose ``parts`` name each file that was changed, added or taken away.
    """
    signed = {file.path: file.sha256 for file in read.files}
    wrong = [f"{path}: not signed" for path in found if path not in signed]
    wrong += [f"{path}: missing" for path in signed if path not in found]
    wrong += [
        f"{path}: changed"
        for path in signed.keys() & found.keys()
        if not hmac.compare_digest(signed[path], found[path])
    ]
    if wrong:
        raise ExchangeError(EVIDENCE_INVALID, "; ".join(sorted(wrong)[:5]), parts=tuple(sorted(wrong)))


def _read(root: Element) -> XadesSignature:
    """What the file says, found by path. Whatever is not where the template has it makes the comparison fail."""
    (signature,) = root
    info, value, key_info, holder = signature
    (qualifying,) = holder
    signed = qualifying[0]
    *listed, of_properties = info.findall(_REFERENCE)
    media = [_text(each) for each in signed.iter(f"{_X}MimeType")]
    files = tuple(
        SignedFile(unquote(reference.get("URI", "")), mime, _bytes(reference[-1]))
        for reference, mime in zip(listed, media, strict=True)
    )
    certificate = _bytes(key_info[0][0])
    method = str(info.find(f"{_D}SignatureMethod").get("Algorithm"))  # type: ignore[union-attr]  # caught above
    at = _text(signed[0][0])
    properties = signed_properties(files, certificate, at)
    if not hmac.compare_digest(properties_digest(properties), _bytes(of_properties[-1])):
        raise ExchangeError(EVIDENCE_MALFORMED, "the signed properties are not those that were signed")
    draft = Draft(
        method=method,
        info=signed_info(files, method, properties_digest(properties)),
        properties=properties,
        value=_bytes(value),
        certificate=certificate,
    )
    return XadesSignature(draft=draft, files=files, at=at, token=_token(qualifying), archive=_archive(qualifying))


def _token(qualifying: Element) -> bytes | None:
    found = [_bytes(each) for each in qualifying.iter(f"{_X}EncapsulatedTimeStamp")]
    return found[0] if found else None  # of a second one the comparison says that it is too much


def _archive(qualifying: Element) -> Archive:
    return Archive(
        certificates=tuple(_bytes(each) for each in qualifying.iter(f"{_X}EncapsulatedX509Certificate")),
        crls=tuple(_bytes(each) for each in qualifying.iter(f"{_X}EncapsulatedCRLValue")),
    )


def _text(element: Element) -> str:
    return element.text or ""


def _bytes(element: Element) -> bytes:
    return binascii.a2b_base64(_text(element).encode(), strict_mode=True)
