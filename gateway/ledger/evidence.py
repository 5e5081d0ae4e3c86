"""What an evidence container holds, and how it is laid out (docs/evidence.md). Pure: material in, files out, and back.

Every file is either *material*, which was there before (receipts, trust lists, documents, revocation lists, a stamped
checkpoint, bodies), or *derived* from that for the convenience of other people's tools (skeletons, signature bases,
signatures in DER, certificates in PEM). A verifier derives these again and compares, so that what somebody checks with
openssl is what the receipts say.
"""

import base64
import hashlib
import re
from datetime import datetime
from typing import Any, Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509 import load_der_x509_certificate
from msgspec import Struct

from gateway.ledger.canonical import canonical
from gateway.ledger.evidence_decision import decision_of
from gateway.ledger.evidence_messages import MessageSignature, expected_signer, signatures_in, signer_in
from gateway.ledger.evidence_pem import certificate_pem, crl_pem, der_of
from gateway.ledger.openings import Openings
from gateway.ledger.receipt import parse_disclosure, parse_receipt
from gateway.ledger.skeleton import Skeleton, read_skeleton
from gateway.model.errors import ExchangeError
from gateway.model.errors.evidence import EVIDENCE_MALFORMED
from gateway.model.instant import Instant, from_datetime, rfc3339
from gateway.signing.algorithms import keyid_of
from gateway.trust.document import ListedCertificate, TrustList
from gateway.trust.jws import payload_of
from gateway.trust.wire import decode

VERSION: Final = 1
INDEX: Final = "evidence.json"
GUIDE: Final = "VERIFY.md"
"""For people; its words may change from release to release, and nothing is derived from it."""
CHECKPOINT: Final = "log/checkpoint"
TIMESTAMP: Final = "log/checkpoint.tsr"

_LONGEST_INDEX: Final = 1 << 20
_LONGEST_LIST: Final = 32 << 20
_LONGEST_PEM: Final = 64 << 10
_ROLE: Final = re.compile(r"[a-z]{1,20}")
_MOST: Final = 8
_MEDIA: Final = {
    "json": "application/json",
    "jws": "application/jose+json",
    "jwt": "application/jose",
    "pem": "application/x-pem-file",
    "crl": "application/pkix-crl",
    "tsr": "application/timestamp-reply",
    "md": "text/markdown; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "tlog-proof": "text/plain; charset=utf-8",
    "vkey": "text/plain; charset=utf-8",
    "checkpoint": "text/plain; charset=utf-8",
}


def media_type(path: str) -> str:
    """The media type of a file of ours."""
    name = path.rpartition("/")[2]
    return _MEDIA.get(name.partition(".")[2] or name, "application/octet-stream")


class Piece(Struct, frozen=True):
    """A record in the container. role: what it is in the exchange: ``request``, ``answer``, ``refusal``, ``abandoned``,
    ``parent`` … receipt: a tlog-proof that opens what is shown. body: of its message, where it was kept.
    """

    role: str
    receipt: bytes
    body: bytes | None = None


class Stamp(Struct, frozen=True):
    """A checkpoint as it was first published, and the authority's answer (TimeStampResp, DER) to its imprint."""

    checkpoint: bytes
    response: bytes


class Material(Struct, frozen=True, kw_only=True):
    """Everything that a container is made of.

    made: when. build: the gateway's version. signer: its certificate that signs the container, DER. vkey: the log's
    verifier key. trust: trust lists (JWS), those in force at the records' times, and last the one at its own
    time. crls: newer revocation lists, DER. documents: (kind, content) of policies and services. stamp: None where
    no authority has stamped the log since.
    """

    made: Instant
    build: str
    signer: bytes
    vkey: str
    pieces: tuple[Piece, ...]
    trust: tuple[bytes, ...]
    crls: tuple[bytes, ...] = ()
    documents: tuple[tuple[str, bytes], ...] = ()
    stamp: Stamp | None = None


class Shown(Struct, frozen=True, kw_only=True):
    """A piece, read: its record and opened fields, the list in force then (None if it is not in the container), and
    the signatures with their signers' listed certificates. Nothing of it is verified.
    """

    role: str
    index: int
    skeleton: Skeleton
    skeleton_bytes: bytes
    openings: Openings
    checkpoint: bytes
    trust: TrustList | None
    signatures: tuple[tuple[MessageSignature, ListedCertificate | None], ...]


class _Record(Struct, frozen=True, forbid_unknown_fields=True):
    role: str
    id: str
    kind: str
    body: bool
    private: int
    opened: int


class _Index(Struct, frozen=True, forbid_unknown_fields=True):
    """``evidence.json``. documents: paths. made: RFC 3339."""

    version: int
    made: str
    build: str
    signer: str
    vkey: str
    records: tuple[_Record, ...]
    trust: tuple[str, ...]
    crls: tuple[str, ...]
    documents: tuple[str, ...]
    timestamp: bool


def shown(material: Material) -> tuple[Shown, ...]:
    """The pieces, read. Raises ExchangeError LOG_MALFORMED, EVIDENCE_MALFORMED, TRUST_LIST_INVALID."""
    lists = {digest_of(data): decode(payload_of(data)) for data in material.trust}
    return tuple(_shown(piece, lists) for piece in material.pieces)


def digest_of(trust_list: bytes) -> str:
    """What records name a trust list by: SHA-256 of its payload, hex. Raises ExchangeError (TRUST_LIST_INVALID)."""
    return hashlib.sha256(payload_of(trust_list)).hexdigest()


def _shown(piece: Piece, lists: dict[str, TrustList]) -> Shown:
    receipt = parse_receipt(piece.receipt)
    if receipt.extra is None:
        raise ExchangeError(EVIDENCE_MALFORMED, "a receipt does not carry its record")
    disclosed = parse_disclosure(receipt.extra)
    skeleton = read_skeleton(disclosed.skeleton)
    trust = lists.get(skeleton.digests.trust or "")
    signatures = [
        (each, None if trust is None else signer_in(trust, each, expected_signer(skeleton, each.name)))
        for each in signatures_in(skeleton, disclosed.openings)
    ]
    return Shown(
        role=piece.role,
        index=receipt.index,
        skeleton=skeleton,
        skeleton_bytes=disclosed.skeleton,
        openings=disclosed.openings,
        checkpoint=receipt.checkpoint,
        trust=trust,
        signatures=tuple(signatures),
    )


def files_of(material: Material) -> dict[str, bytes]:
    """Every file of the container but the guide and META-INF, by path, ``evidence.json`` first. Raises as ``shown``."""
    pieces = shown(material)
    files = {INDEX: _index(material, pieces)}
    for piece, each in zip(material.pieces, pieces, strict=True):
        files[f"records/{piece.role}.tlog-proof"] = piece.receipt
        files[f"records/{piece.role}.skeleton.json"] = each.skeleton_bytes
        files[f"records/{piece.role}.openings.json"] = each.openings.encode()
        if piece.body is not None:
            files[f"messages/{piece.role}.body"] = piece.body
        for signature, listed in each.signatures:
            files |= _signature_files(f"messages/{piece.role}-{signature.name}", signature, listed)
    files |= _certificate_files(material, pieces)
    for data in material.trust:
        files[f"trust/{digest_of(data)}.jws"] = data
        files[f"trust/{digest_of(data)}.json"] = payload_of(data)
    files |= {_document_path(kind, content): content for kind, content in material.documents}
    files["decision.json"] = decision_of([(each.role, each.skeleton) for each in pieces], _policies(material))
    files["log/log.vkey"] = f"{material.vkey}\n".encode()
    if material.stamp is not None:
        files |= {CHECKPOINT: material.stamp.checkpoint, TIMESTAMP: material.stamp.response}
    return files


def material_of(files: dict[str, bytes]) -> Material:
    """The material of a container's files, of which every derived one must be as it is derived here.

    files: by path, without META-INF. Raises ExchangeError (EVIDENCE_MALFORMED), naming in ``parts`` each file that is
    missing, unknown or not what it should be; and as ``shown``.
    """
    try:
        material = _material(files)
        derived = files_of(material)
    except (ValueError, UnsupportedAlgorithm, RecursionError):  # a certificate or list in it, of whatever kind
        raise ExchangeError(EVIDENCE_MALFORMED, "a certificate or revocation list in it cannot be read") from None
    wrong = [f"{path}: missing" for path in derived.keys() - files.keys()]
    wrong += [f"{path}: unknown" for path in files.keys() - derived.keys() - {GUIDE}]
    wrong += [
        f"{path}: not what the records say" for path in derived.keys() & files.keys() if derived[path] != files[path]
    ]
    if GUIDE not in files:
        wrong.append(f"{GUIDE}: missing")
    if wrong:
        raise ExchangeError(EVIDENCE_MALFORMED, "; ".join(sorted(wrong)[:5]), parts=tuple(sorted(wrong)))
    return material


def _material(files: dict[str, bytes]) -> Material:
    try:
        index = msgspec.json.decode(_bounded(files, INDEX, _LONGEST_INDEX), type=_Index)
        if index.version != VERSION:
            raise ExchangeError(EVIDENCE_MALFORMED, f"its version is {index.version}; this release knows {VERSION}")
        _check_index(index)
        stamp = Stamp(files[CHECKPOINT], files[TIMESTAMP]) if index.timestamp else None
        return Material(
            made=from_datetime(datetime.fromisoformat(index.made)),
            build=index.build,
            signer=der_of(_bounded(files, f"certificates/{index.signer}.pem", _LONGEST_PEM)),
            vkey=index.vkey,
            pieces=tuple(_piece(files, record) for record in index.records),
            trust=tuple(_bounded(files, path, _LONGEST_LIST) for path in index.trust),
            crls=tuple(files[path] for path in index.crls),
            documents=tuple((path.partition("/")[2].partition("-")[0], files[path]) for path in index.documents),
            stamp=stamp,
        )
    except KeyError as error:
        raise ExchangeError(EVIDENCE_MALFORMED, f"{error.args[0]}: missing") from None
    except (msgspec.MsgspecError, ValueError):
        raise ExchangeError(EVIDENCE_MALFORMED, f"{INDEX} does not parse") from None


def _bounded(files: dict[str, bytes], path: str, most: int) -> bytes:
    """A file that is read into many small things, so that a container's few bytes cannot become gigabytes of them."""
    if len(files[path]) > most:
        raise ExchangeError(EVIDENCE_MALFORMED, f"{path}: over {most} bytes")
    return files[path]


def _check_index(index: _Index) -> None:
    roles = [record.role for record in index.records]
    if not 0 < len(roles) <= _MOST or len(set(roles)) != len(roles) or not all(map(_ROLE.fullmatch, roles)):
        raise ExchangeError(EVIDENCE_MALFORMED, "its records have impossible roles")
    if not 0 < len(index.trust) <= _MOST * 2 or max(len(index.crls), len(index.documents)) > _MOST * _MOST:
        raise ExchangeError(EVIDENCE_MALFORMED, "it has no trust list, or too many documents")
    named = (*index.trust, *index.crls, *index.documents)
    if len(set(named)) != len(named):
        raise ExchangeError(EVIDENCE_MALFORMED, "it names a document twice")


def _piece(files: dict[str, bytes], record: _Record) -> Piece:
    body = files[f"messages/{record.role}.body"] if record.body else None
    return Piece(record.role, files[f"records/{record.role}.tlog-proof"], body)


def _index(material: Material, pieces: tuple[Shown, ...]) -> bytes:
    records = [
        _Record(
            role=each.role,
            id=each.skeleton.id,
            kind=each.skeleton.kind,
            body=piece.body is not None,
            private=len(each.openings.fields),
            opened=len(each.openings.shown),
        )
        for piece, each in zip(material.pieces, pieces, strict=True)
    ]
    index = _Index(
        version=VERSION,
        made=rfc3339(material.made),
        build=material.build,
        signer=keyid_of(material.signer),
        vkey=material.vkey,
        records=tuple(records),
        trust=tuple(f"trust/{digest_of(data)}.jws" for data in material.trust),
        crls=tuple(f"certificates/{number}.crl" for number in range(1, len(material.crls) + 1)),
        documents=tuple(_document_path(kind, content) for kind, content in material.documents),
        timestamp=material.stamp is not None,
    )
    return canonical(msgspec.to_builtins(index))


def _document_path(kind: str, content: bytes) -> str:
    return f"in-force/{kind}-{hashlib.sha256(content).hexdigest()}.txt"


def _policies(material: Material) -> dict[str, bytes]:
    return {hashlib.sha256(content).hexdigest(): content for kind, content in material.documents if kind == "policy"}


def _signature_files(stem: str, signature: MessageSignature, listed: ListedCertificate | None) -> dict[str, bytes]:
    files = {f"{stem}.base": signature.base, f"{stem}.signature": signature.value}
    if signature.text is not None and signature.text.count(".") == 2:  # noqa: PLR2004 - a compact JWS
        files[f"{stem}.jwt"] = signature.text.encode()
    elif signature.claims:
        files[f"{stem}.jwt"] = signature.base + b"." + _base64url(signature.value)
    der = None if listed is None else _as_der(signature.value, listed.der)
    return files if der is None else files | {f"{stem}.der": der}


def _as_der(value: bytes, certificate: bytes) -> bytes | None:
    """An ECDSA signature as openssl reads it; None for other keys, whose octets it takes as they are."""
    key = load_der_x509_certificate(certificate).public_key()
    if not isinstance(key, EllipticCurvePublicKey) or len(value) % 2:
        return None
    half = len(value) // 2
    return encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _certificate_files(material: Material, pieces: tuple[Shown, ...]) -> dict[str, bytes]:
    signers = {listed.keyid: listed.der for each in pieces for _, listed in each.signatures if listed is not None}
    signers[keyid_of(material.signer)] = material.signer
    files = {f"certificates/{keyid}.pem": certificate_pem(signers[keyid]) for keyid in sorted(signers)}
    files |= {f"certificates/{number}.crl": crl for number, crl in enumerate(material.crls, 1)}
    certificates, crls = authorities_of(material)
    for number, der in enumerate(certificates, 1):
        files[f"certificates/authority-{number}.pem"] = certificate_pem(der)
    files["certificates/authorities.pem"] = b"".join(certificate_pem(der) for der in certificates)
    files["certificates/crls.pem"] = b"".join(crl_pem(der) for der in crls)
    return files


def authorities_of(material: Material) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Certificates and revocation lists, DER, of every authority of the container's trust lists, each once."""
    lists: list[Any] = [decode(payload_of(data)) for data in material.trust]
    certificates = dict.fromkeys(der for each in lists for der in each.authorities)
    crls = dict.fromkeys((*material.crls, *(der for each in reversed(lists) for der in each.crls)))
    return tuple(certificates), tuple(crls)
