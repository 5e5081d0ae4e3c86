"""Verifying an evidence container: bytes and what the verifier trusts in, findings out. No network, server or clock.

Certificates are judged at the time of what they signed, so that evidence outlives them: messages at the record's time,
which the log fixes, and the container at the time that its timestamp proves (without one, at the time it states). All
revocation lists at hand are asked, of whatever date; and so is when a key of the log was replaced.
"""

import hashlib
from typing import Final

from msgspec import Struct

from gateway.ledger.checkpoint import SignedCheckpoint
from gateway.ledger.evidence import Material, Shown, authorities_of, material_of, media_type, shown
from gateway.ledger.evidence_findings import Finding, Findings
from gateway.ledger.evidence_records import check_exchange, check_record
from gateway.ledger.evidence_stamps import Stamps
from gateway.ledger.evidence_trust import Anchors, Trusted, anchored, trusted
from gateway.ledger.evidence_witnesses import LOG, Cosigned, check_witnesses, cosignatures_on
from gateway.ledger.receipt import ProvedReceipt, verify_receipt
from gateway.ledger.timestamp import response_of
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
SIGNED_AT = Text(
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
LOG_AT = Text(
    "a timestamp authority has seen the log with this record in it",
    "tổ chức cấp dấu thời gian đã xác nhận nhật ký chứa bản ghi này",
)


class Verified(Struct, frozen=True):
    """The findings. holds: whether everything that the container claims does. records: what could be read; proved:
    those of them that are in the log.
    """

    findings: tuple[Finding, ...]
    holds: bool
    records: tuple[Shown, ...] = ()
    proved: tuple[Shown, ...] = ()


class _Case(Struct, frozen=True, kw_only=True):
    """What every judgement here needs."""

    findings: Findings
    material: Material
    anchors: Anchors
    believed: Trusted
    stamps: Stamps


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
    proved: tuple[Shown, ...] = ()
    if believed is not None:
        stamps = Stamps(
            roots=anchors.authorities,
            certificates=authorities_of(material)[0],
            crls=(*believed.crls, *signature.archive.crls),
        )
        case = _Case(findings=findings, material=material, anchors=anchors, believed=believed, stamps=stamps)
        proved = _check_pieces(case, pieces, _check_signer(case, signature))
    return Verified(tuple(findings.all), findings.holds, pieces, proved)


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


def _check_signer(case: _Case, signature: XadesSignature) -> tuple[Instant, ...]:
    """Judge who signed the container, and when: that time, if an authority has stamped it, and not the signer alone."""
    findings, material, at = case.findings, case.material, case.material.made
    seen = None
    if signature.token is None:
        findings.absent(CONTAINER, SIGNED_AT, f"it states {signature.at} itself")
    else:
        response = response_of(signature.token)

        def stamped() -> Instant:
            found = case.stamps.time(response, signature.draft.stamped)
            if found < plus(material.made, -_SKEW):
                raise ExchangeError(EVIDENCE_INVALID, "it was stamped before the time at which it says it was made")
            return found

        seen = findings.check(CONTAINER, SIGNED_AT, stamped, rfc3339)
        if seen is not None:
            case.stamps.judge(findings, CONTAINER, response, seen)
            at = seen

    def listed() -> str:
        store = case.believed.store_at_signing
        if at > store.document.valid_until:
            raise ExchangeError(EVIDENCE_INVALID, f"trust list {store.document.serial} was over at that time")
        key = store.gateway_key(keyid_of(signature.certificate), at)
        known = case.believed.check_key(key, store, at)
        if key.usage is not Usage.GATEWAY_SIGN:
            raise ExchangeError(EVIDENCE_INVALID, f"the signer's key speaks for {key.owner}, not for a gateway")
        if signature.at != rfc3339(material.made) or signature.certificate != material.signer:
            raise ExchangeError(EVIDENCE_INVALID, "the signature and the index state different times or signers")
        return f"{key.owner}, {rfc3339(at)}{known}"

    findings.check(CONTAINER, _SIGNER, listed, str)
    certificates, crls = authorities_of(material)
    archive = signature.archive
    if set(certificates) <= set(archive.certificates) and set(crls) <= set(archive.crls):
        findings.proved(CONTAINER, _ARCHIVE)
    else:
        findings.failed(CONTAINER, _ARCHIVE, "some of the authorities in its trust lists are not among them")
    return () if seen is None else (seen,)


def _check_pieces(case: _Case, pieces: tuple[Shown, ...], signed_at: tuple[Instant, ...]) -> tuple[Shown, ...]:
    """Judge the records, and what they hang from; those that are proved to be in the log. signed_at: when an authority
    has seen the whole container.
    """
    findings, stamped_at = case.findings, _log_stamped(case)
    proved: list[Shown] = []
    cosigned: dict[bytes, Cosigned] = {}
    for piece, each in zip(case.material.pieces, pieces, strict=True):

        def receipt(data: bytes = piece.receipt, each: Shown = each) -> ProvedReceipt:
            return _receipt(case, data, each, (*signed_at, *stamped_at), cosigned)

        found = findings.check(each.role, _IN_LOG, receipt, lambda it: f"entry {it.index} of {_origin(it.checkpoint)}")
        if found is None:
            continue
        proved.append(each)
        _check_log_time(case, each, found)
        check_record(findings, each, piece.body, case.believed)
    if proved:
        made = Instant(max(each.skeleton.instant for each in proved))
        check_witnesses(findings, cosigned, made, quorum=case.anchors.quorum, skew=_SKEW)
        if case.material.stamp is not None and stamped_at:
            case.stamps.judge(findings, LOG, case.material.stamp.response, stamped_at[0])
    check_exchange(findings, tuple(proved), case.material)
    return tuple(proved)


def _receipt(
    case: _Case, data: bytes, each: Shown, seen: tuple[Instant, ...], cosigned: dict[bytes, Cosigned]
) -> ProvedReceipt:
    """Proved by a key of the log that a believed list (or the verifier) names, and named then.

    seen: when somebody has seen the container or the log's checkpoint. cosigned: what is known of cosignatures, by
    checkpoint, is added to.
    """
    log = case.believed.logs.get(case.material.vkey)
    if log is None:
        raise ExchangeError(EVIDENCE_INVALID, "no trust list that you believe names this log's key")
    found = verify_receipt(data, log.key)
    note = found.checkpoint.note
    by = cosignatures_on(note, case.believed.witnesses, log.key)
    log.check(each.skeleton.instant, (*seen, *by.times))
    cosigned[note] = by
    return found


def _origin(signed: SignedCheckpoint) -> str:
    return f"{signed.checkpoint.origin}, tree of {signed.checkpoint.size}"


def _log_stamped(case: _Case) -> tuple[Instant, ...]:
    """When the log's checkpoint was stamped, if that is so; what is wrong with it is said of each record."""
    stamp = case.material.stamp
    try:
        return () if stamp is None else (case.stamps.time(stamp.response, stamp.checkpoint),)
    except ExchangeError:
        return ()


def _check_log_time(case: _Case, each: Shown, proved: ProvedReceipt) -> None:
    stamp = case.material.stamp
    if stamp is None:
        case.findings.absent(each.role, LOG_AT, "the log had no timestamp since; the time is the gateway's word")
        return

    def stamped() -> Instant:
        if not proved.checkpoint.note.startswith(stamp.checkpoint) or not stamp.checkpoint.endswith(b"\n"):
            raise ExchangeError(EVIDENCE_INVALID, "the receipt is of another checkpoint than the stamped one")
        at = case.stamps.time(stamp.response, stamp.checkpoint)
        if at < plus(each.skeleton.instant, -_SKEW):
            raise ExchangeError(EVIDENCE_INVALID, "the record states a later time than the log's timestamp")
        return at

    case.findings.check(each.role, LOG_AT, stamped, lambda at: f"not later than {rfc3339(at)}")


def _serials(lists: tuple[VerifiedList, ...]) -> str:
    return ", ".join(f"list {each.document.serial}" for each in lists)
