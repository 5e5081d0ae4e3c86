"""Verifying an evidence container: bytes and what the verifier trusts in, findings out. No network, server or clock.

Certificates are judged at the time of what they signed, so that evidence outlives them: messages at the record's time,
which the log fixes, and the container at the time that its timestamp proves (without one, at the time it states).
"""

import hashlib
from typing import Final

from msgspec import Struct

from gateway.ledger.checkpoint import SignedCheckpoint
from gateway.ledger.evidence import Material, Shown, authorities_of, material_of, media_type, shown
from gateway.ledger.evidence_findings import Finding, Findings
from gateway.ledger.evidence_records import check_exchange, check_record
from gateway.ledger.evidence_trust import Anchors, Trusted, anchored, trusted
from gateway.ledger.receipt import ProvedReceipt, verify_receipt
from gateway.ledger.timestamp import response_of, verify_token
from gateway.model.errors import ExchangeError
from gateway.model.errors.base import Text
from gateway.model.errors.evidence import EVIDENCE_INVALID
from gateway.model.instant import Instant, plus, rfc3339
from gateway.model.usage import Usage
from gateway.signing.algorithms import keyid_of
from gateway.signing.asice import MANIFEST, SIGNATURES, read_container, read_manifest
from gateway.signing.xades_read import XadesSignature, compare_files, read_signatures, verify_signature
from gateway.trust.jws import VerifiedList

CONTAINER: Final = "container"
TRUST: Final = "trust"
LOG: Final = "log"

_SKEW: Final = 300.0
"""Seconds by which the clocks of gateway and timestamp authority may differ."""

_FORM = Text(
    "an ASiC-E container: every file listed and signed, none changed or added",
    "gói ASiC-E: mọi tệp được liệt kê và ký, không bị sửa hay thêm",
)
_SIGNED = Text("signed (XAdES) with the key of the certificate in it", "chữ ký XAdES đúng với chứng thư kèm theo")
_DERIVED = Text(
    "the files for other tools say what the receipts say", "các tệp dành cho công cụ khác khớp với biên nhận"
)
_OWN = Text("your trust list is signed by its signers", "danh sách tin cậy của bạn do đúng các bên ký")
_LISTS = Text(
    "the trust lists in it are signed by the signers that you trust",
    "danh sách tin cậy trong gói do các bên bạn tin cậy ký",
)
_SIGNER = Text(
    "the signer is a listed gateway, its certificate valid then",
    "bên ký là cổng có trong danh sách, chứng thư còn hiệu lực khi ký",
)
_SIGNED_AT = Text(
    "a timestamp authority has seen the container's signature", "tổ chức cấp dấu thời gian đã xác nhận chữ ký của gói"
)
_ARCHIVE = Text(
    "certificates and revocation lists for later are with the signature (B-LT)",
    "chứng thư và danh sách thu hồi được lưu kèm chữ ký (B-LT)",
)
_IN_LOG = Text(
    "the record is in the log, and what is shown of it is its own",
    "bản ghi nằm trong nhật ký, phần hiển thị đúng là của nó",
)
_LOG_AT = Text(
    "a timestamp authority has seen the log with this record in it",
    "tổ chức cấp dấu thời gian đã xác nhận nhật ký chứa bản ghi này",
)


class Verified(Struct, frozen=True):
    """The findings. holds: whether everything that the container claims does. records: what could be read."""

    findings: tuple[Finding, ...]
    holds: bool
    records: tuple[Shown, ...] = ()


def verify_evidence(data: bytes, anchors: Anchors) -> Verified:
    """Verify a container. Never raises for what is wrong with it: that is a finding."""
    findings = Findings()
    read = findings.check(CONTAINER, _FORM, lambda: _opened(data), lambda found: f"{len(found[0])} files")
    if read is None:
        return Verified(tuple(findings.all), holds=False)
    files, signature = read
    findings.check(CONTAINER, _SIGNED, lambda: verify_signature(signature))
    material = findings.check(CONTAINER, _DERIVED, lambda: material_of(files))
    own = findings.check(TRUST, _OWN, lambda: anchored(anchors), _serials)
    if material is None or own is None:
        return Verified(tuple(findings.all), holds=False)
    believed = findings.check(
        TRUST, _LISTS, lambda: trusted(material, anchors, own), lambda it: f"{len(it.stores)} in it"
    )
    pieces = shown(material)
    if believed is not None:
        _check_signer(findings, signature, believed, anchors, material)
        _check_pieces(findings, material, pieces, believed, anchors)
    return Verified(tuple(findings.all), findings.holds, pieces)


def _opened(data: bytes) -> tuple[dict[str, bytes], XadesSignature]:
    """The files and the signature, of which each file is listed once and signed once, and nothing else is."""
    files = read_container(data)
    if sorted(path for path in files if path.startswith("META-INF/")) != [MANIFEST, SIGNATURES]:
        raise ExchangeError(EVIDENCE_INVALID, "META-INF holds something else than one manifest and one signature file")
    manifest, signature = read_manifest(files.pop(MANIFEST)), read_signatures(files.pop(SIGNATURES))
    if manifest != {path: media_type(path) for path in files}:
        raise ExchangeError(EVIDENCE_INVALID, "the manifest lists other files than there are, or of other types")
    if {file.path: file.media_type for file in signature.files} != manifest:
        raise ExchangeError(EVIDENCE_INVALID, "the signature lists other files than there are, or of other types")
    compare_files(signature, {path: hashlib.sha256(content).digest() for path, content in files.items()})
    return files, signature


def _check_signer(
    findings: Findings, signature: XadesSignature, believed: Trusted, anchors: Anchors, material: Material
) -> None:
    at = material.made
    if signature.token is None:
        findings.absent(CONTAINER, _SIGNED_AT, f"it states {signature.at} itself")
    else:
        stamped = findings.check(CONTAINER, _SIGNED_AT, lambda: _stamped(signature, anchors, material), rfc3339)
        at = material.made if stamped is None else stamped

    def listed() -> str:
        key = believed.store_at_signing.gateway_key(keyid_of(signature.certificate), at)
        if key.usage is not Usage.GATEWAY_SIGN:
            raise ExchangeError(EVIDENCE_INVALID, f"the signer's key speaks for {key.owner}, not for a gateway")
        if signature.at != rfc3339(material.made) or signature.certificate != material.signer:
            raise ExchangeError(EVIDENCE_INVALID, "the signature and the index state different times or signers")
        return f"{key.owner}, {rfc3339(at)}"

    findings.check(CONTAINER, _SIGNER, listed, str)
    certificates, crls = authorities_of(material)
    archive = signature.archive
    if set(certificates) <= set(archive.certificates) and set(crls) <= set(archive.crls):
        findings.proved(CONTAINER, _ARCHIVE)
    else:
        findings.failed(CONTAINER, _ARCHIVE, "some of the authorities in its trust lists are not among them")


def _stamped(signature: XadesSignature, anchors: Anchors, material: Material) -> Instant:
    assert signature.token is not None
    at = _token_time(response_of(signature.token), signature.draft.stamped, anchors)
    if at < plus(material.made, -_SKEW):
        raise ExchangeError(EVIDENCE_INVALID, "it was stamped before the time at which it says it was made")
    return at


def _token_time(response: bytes, stamped: bytes, anchors: Anchors) -> Instant:
    if not anchors.authorities:
        raise ExchangeError(EVIDENCE_INVALID, "give the authority's root certificates (--tsa-ca)")
    return verify_token(response, stamped, anchors.authorities)


def _check_pieces(
    findings: Findings, material: Material, pieces: tuple[Shown, ...], believed: Trusted, anchors: Anchors
) -> None:
    proved: list[Shown] = []
    for piece, each in zip(material.pieces, pieces, strict=True):

        def receipt(data: bytes = piece.receipt) -> ProvedReceipt:
            return _receipt(data, believed, material.vkey)

        found = findings.check(each.role, _IN_LOG, receipt, lambda it: f"entry {it.index} of {_origin(it.checkpoint)}")
        if found is None:
            continue
        proved.append(each)
        _check_log_time(findings, material, each, found, anchors)
        check_record(findings, each, piece.body, believed)
    check_exchange(findings, tuple(proved), material)


def _receipt(data: bytes, believed: Trusted, vkey: str) -> ProvedReceipt:
    """Proved by a key of the log that a believed list (or the verifier) names."""
    keys = [key for keys in believed.logs.values() for key in keys if key.encode() == vkey]
    if not keys:
        raise ExchangeError(EVIDENCE_INVALID, "no trust list that you believe names this log's key")
    return verify_receipt(data, keys[0])


def _origin(signed: SignedCheckpoint) -> str:
    return f"{signed.checkpoint.origin}, tree of {signed.checkpoint.size}"


def _check_log_time(
    findings: Findings, material: Material, each: Shown, proved: ProvedReceipt, anchors: Anchors
) -> None:
    stamp = material.stamp
    if stamp is None:
        findings.absent(each.role, _LOG_AT, "the log had no timestamp since; the time is the gateway's word")
        return

    def stamped() -> Instant:
        if not proved.checkpoint.note.startswith(stamp.checkpoint) or not stamp.checkpoint.endswith(b"\n"):
            raise ExchangeError(EVIDENCE_INVALID, "the receipt is of another checkpoint than the stamped one")
        at = _token_time(stamp.response, stamp.checkpoint, anchors)
        if at < plus(each.skeleton.instant, -_SKEW):
            raise ExchangeError(EVIDENCE_INVALID, "the record states a later time than the log's timestamp")
        return at

    findings.check(each.role, _LOG_AT, stamped, lambda at: f"not later than {rfc3339(at)}")


def _serials(lists: tuple[VerifiedList, ...]) -> str:
    return ", ".join(f"list {each.document.serial}" for each in lists)
