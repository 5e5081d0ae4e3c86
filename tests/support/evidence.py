"""Evidence of exchanges that never went over a wire: everything real (keys, signatures, records, log, timestamps) and
all of it in memory, so that any of it can be made wrong.
"""

import base64
import functools
import hashlib
import io
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Iterable
from datetime import UTC
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec import Struct

from adapters.simulators.pki import SIGNERS_REQUIRED, Pki
from adapters.simulators.tsa import TsaSimulator
from adapters.simulators.tsa_certificate import make_tsa
from gateway.keys.file import FileKey, load_private_key, load_signing_key
from gateway.ledger.checkpoint import Checkpoint, sign_checkpoint
from gateway.ledger.evidence import Material, Piece, Stamp
from gateway.ledger.evidence_pack import pack, sign_material
from gateway.ledger.evidence_trust import Anchors
from gateway.ledger.note import VerifierKey
from gateway.ledger.record import BuiltRecord, Facts, InForce, RecordKind, Ruling, SignedBy, build, random_needed
from gateway.ledger.timestamp import timestamp_request
from gateway.model.ids import RecordId, SubsystemId, parse_service
from gateway.model.instant import Instant, plus, to_datetime
from gateway.model.message import AnswerHead, Body
from gateway.ports import Outbound
from gateway.signing.digest import content_digest
from gateway.signing.http_sig_sign import sign_request, sign_response
from gateway.signing.message_jws_sign import sign_message_jws, sign_message_jws_response
from gateway.signing.target import public_url
from gateway.signing.wsse_sign import sign_envelope
from gateway.trust.jws import payload_of
from tests.support import pki as shared_pki
from tests.support.ledger import MemoryLog, noise

URL = public_url("https://gateway.example")
SERVICE = parse_service("VN/GOV/G01/population/citizen")
PERSON = "031090001234"
OFFICER = "nv.an"
CASE = "000.00.01.H26-210101-0001"
PURPOSE = "1.001193"
REQUEST_BODY = b'{"identity_number":"031090001234"}'
ANSWER_BODY = '{"full_name":"Nguyễn Thị Ánh"}'.encode()
GRANTS = b"""[[grant]]
name = "portal-birth"
client = "VN/GOV/H24/portal"
service = "VN/GOV/G01/population/citizen"
methods = ["POST"]
fields = ["*"]
valid_from = 2026-01-01
purpose = [{ code = "1.001193", bases = ["ND-63/2024"] }]
"""
POLICY = b"grants.toml\n%d\n" % len(GRANTS) + GRANTS
SERVICES = b"population.toml\n3\nx=1"
ASK = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header/><e:Body><p:ask xmlns:p="urn:p">{}</p:ask></e:Body></e:Envelope>'

Field = tuple[str, Any]


class Message(Struct, frozen=True, kw_only=True):
    """A message and how its record keeps its signature."""

    body: bytes
    fields: tuple[Field, ...]
    signed: Any = None


class PkiLog(MemoryLog):
    """A log with the key of a PKI, under the name that its trust list gives it."""

    def __init__(self, pki: Pki) -> None:
        super().__init__()
        private = load_private_key(pki.log_key)
        self.key = VerifierKey(pki.log_vkey.partition("+")[0], private.public_key().public_bytes_raw())
        self.sign = private.sign
        self.publish()

    def publish(self) -> bytes:
        head = Checkpoint(self.key.name, self.state.size, self.state.root)
        self.files["checkpoint"] = sign_checkpoint(head, self.key, self.sign)
        return self.files["checkpoint"]


class Bench:
    """A PKI, its gateway, a log and a timestamp authority. now: the time of the exchanges."""

    def __init__(self, pki: Pki, now: Instant, seed: str = "bench") -> None:
        self.pki = pki
        self.now = now
        self.seed = seed
        self.gateway = load_signing_key(pki.gateway.key, pki.gateway.certificate)
        self.list = pki.trust_list.read_bytes()
        self.log = PkiLog(pki)
        self.records: list[BuiltRecord] = []

    # -- parties ---------------------------------------------------------------------------------------------------

    def key(self, subsystem: SubsystemId) -> FileKey:
        identity = self.pki.identities[subsystem]
        return load_signing_key(identity.key, identity.certificate)

    def hosted_key(self, subsystem: SubsystemId) -> FileKey:
        return load_signing_key(*self.pki.hosted[subsystem])

    def tsa(self, at: Instant | None = None) -> TsaSimulator:
        key_file, certificate_file = make_tsa(self.pki.folder, now=self.now)
        issuing = x509.load_pem_x509_certificate((self.pki.folder / "ca/issuing.pem").read_bytes())
        moment = to_datetime(self.now if at is None else at).astimezone(UTC)
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        return TsaSimulator(certificate, load_private_key(key_file), (issuing,), clock=lambda: moment)

    @property
    def roots(self) -> tuple[bytes, ...]:
        return (x509.load_pem_x509_certificate(self.pki.root.read_bytes()).public_bytes(Encoding.DER),)

    def stamp(self, data: bytes, at: Instant | None = None) -> bytes:
        """A TimeStampResp over data."""
        return self.tsa(at).stamp(timestamp_request(data, 1 << 70))

    # -- messages --------------------------------------------------------------------------------------------------

    def ask(self, client: SubsystemId, scheme: str = "http-sig", key: FileKey | None = None) -> Message:
        """A request, signed by the client in one of the three ways."""
        key = key or self.key(client)
        if scheme == "wsse":
            made = sign_envelope(ASK.format(PERSON).encode(), key=key, now=self.now)
            value = base64.b64encode(made.signature).decode()
            return Message(body=made.envelope, fields=_signature(made.base, value), signed=value)
        fields = (
            ("Content-Type", "application/json"),
            ("X-Road-Client", str(client)),
            ("X-Road-UserId", OFFICER),
            ("X-Road-Issue", CASE),
            ("Motlan-Purpose", f'"{PURPOSE}";basis="ND-63/2024"'),
        )
        out = Outbound(method="POST", url=f"{URL.origin}/r1/{SERVICE}", fields=fields, body=Body(REQUEST_BODY))
        nonce = noise((self.seed, "nonce", len(self.records)), 16).hex()
        if scheme == "jws":
            sent = sign_message_jws(out, client=client, service=SERVICE, key=key, now=self.now, jti=nonce)
        else:
            sent = sign_request(out, key=key, now=self.now, nonce=nonce)
        return Message(
            body=REQUEST_BODY, fields=_signature(sent.signed.base, sent.signed.members.signature), signed=sent
        )

    def answer(self, request: Message, record: RecordId, scheme: str = "http-sig") -> Message:
        """The gateway's answer, bound to a request, naming its own record."""
        if scheme == "wsse":
            made = sign_envelope(ASK.format("answer").encode(), key=self.gateway, now=self.now, confirms=request.signed)
            return Message(body=made.envelope, fields=_signature(made.base, made.signature.hex()))
        body = Body(ANSWER_BODY)
        fields = (
            ("Content-Type", "application/json"),
            ("Content-Digest", content_digest(body)),
            ("Motlan-Receipt", record),
        )
        head = AnswerHead(status=200, fields=fields)
        sent = request.signed
        if scheme == "jws":
            jws = sign_message_jws_response(
                head, body, request=sent.signed.members.signature, key=self.gateway, now=self.now
            )
            return Message(body=ANSWER_BODY, fields=_signature(jws.base, jws.signature.hex()))
        signed = sign_response(
            head, sent.head, public_url=URL, caller=sent.signed.members, key=self.gateway, now=self.now
        )
        return Message(body=ANSWER_BODY, fields=_signature(signed.base, signed.signature.hex()))

    # -- records ---------------------------------------------------------------------------------------------------

    @property
    def in_force(self) -> InForce:
        return InForce(
            policy=hashlib.sha256(POLICY).digest(),
            trust=hashlib.sha256(payload_of(self.list)).digest(),
            mapping=hashlib.sha256(SERVICES).digest(),
            build="motlan 0.1.0",
        )

    def next_id(self) -> RecordId:
        return RecordId(f"01932d3e-8f1c-7abc-8def-{len(self.records) + 1:012x}")

    def record(self, kind: RecordKind, client: SubsystemId, message: Message | None, **said: Any) -> BuiltRecord:
        """A record of a message, in the log."""
        private: tuple[Field, ...] = said.pop("private", ())
        if message is not None:
            private = (*private, ("body_sha256", hashlib.sha256(message.body).hexdigest()), *message.fields)
        facts = Facts(
            **{
                "id": self.next_id(),
                "at": self.now,
                "kind": kind,
                "in_force": self.in_force,
                "client": client,
                "service": SERVICE,
                "method": "POST",
                "purpose": PURPOSE,
                "private": private,
                **said,
            }
        )
        made = build(facts, noise((self.seed, "record", len(self.records)), random_needed(len(private))))
        self.records.append(made)
        self.log.append([made.entry])
        return made

    def request(self, client: SubsystemId, message: Message, **said: Any) -> BuiltRecord:
        usual = {
            "basis": "ND-63/2024",
            "grant": "portal-birth",
            "ruling": Ruling.ALLOWED,
            "reasons": ("grant portal-birth",),
            "signed_by": SignedBy.CALLER,
            "private": (("person", PERSON), ("officer", OFFICER), ("case", CASE)),
        }
        return self.record(RecordKind.REQUEST, client, message, **{**usual, **said})

    def exchange(
        self, client: SubsystemId, scheme: str = "http-sig", **said: Any
    ) -> dict[str, tuple[BuiltRecord, Message]]:
        """A request and its answer, both in the log."""
        ask = self.ask(client, scheme)
        asked = self.request(client, ask, **said)
        give = self.answer(ask, self.next_id(), scheme)
        usual = {
            "parent": asked.id,
            "outcome": "FOUND",
            "signed_by": SignedBy.GATEWAY,
            "released": ("citizen.full_name",),
        }
        given = self.record(RecordKind.ANSWER, client, give, private=(("person", PERSON),), **usual)
        return {"request": (asked, ask), "answer": (given, give)}

    # -- containers ------------------------------------------------------------------------------------------------

    def material(
        self,
        records: dict[str, Any],
        *,
        keep: Callable[[Any], bool] = lambda _: True,
        bodies: Iterable[str] = (),
        stamped: bool = True,
        **changes: Any,
    ) -> Material:
        """Of records (role → record and message). keep: which openings are shown. bodies: roles whose body is in it."""
        pieces = [
            Piece(
                role,
                self.log.receipt(self.records.index(record), record, keep),
                message.body if role in bodies else None,
            )
            for role, (record, message) in records.items()
        ]
        note = self.log.files["checkpoint"]
        usual = {
            "made": plus(self.now, 3600),
            "build": "motlan 0.1.0",
            "signer": self.gateway.certificate,
            "vkey": self.log.key.encode(),
            "pieces": tuple(pieces),
            "trust": (self.list,),
            "documents": (("policy", POLICY), ("services", SERVICES)),
            "stamp": Stamp(note, self.stamp(note, plus(self.now, 60))) if stamped else None,
        }
        return Material(**{**usual, **changes})

    def container(self, material: Material, *, stamped: bool = True, key: FileKey | None = None) -> bytes:
        signed = sign_material(material, key or self.gateway, stamped=stamped)
        response = self.stamp(signed.stamped, plus(material.made, 1)) if stamped else None
        return pack(signed, response)

    def anchors(self, **changes: Any) -> Anchors:
        return Anchors(**{"lists": (self.list,), "authorities": self.roots, **changes})


def _signature(base: bytes, value: str) -> tuple[Field, ...]:
    return (("signature_base", base.decode("latin-1")), ("signature", value))


def bench(seed: str = "bench") -> Bench:
    """On the shared PKI."""
    return Bench(shared_pki.shared(), shared_pki.NOW, seed)


@functools.cache
def usual() -> tuple[Bench, Material, bytes]:
    """An exchange as it mostly is, and its container."""
    from adapters.simulators.parties import PORTAL  # noqa: PLC0415 - only here

    made = bench()
    material = made.material(made.exchange(PORTAL))
    return made, material, made.container(material)


ABSENT = ("motlan", "gateway", "adapters")
"""Our program, as a verifier's machine does not have it."""


def blocks_of(guide: str) -> list[tuple[str, str]]:
    """The code blocks of a VERIFY.md in order, each with its language: ``sh``, ``sh xmlsec1``, ``sh go``, ``sh go online``
    or ``python``.
    """
    return re.findall(r"```([a-z0-9 ]+)\n(.*?)```", guide, re.DOTALL)


class Unzipped:
    """A container unzipped by another library, and what a verifier of it brings: for the commands of its VERIFY.md.

    Our program is absent: no path leads to it. more: of its environment, such as ``LOG_URL``.
    """

    def __init__(self, folder: Path, made: Bench, container: bytes, **more: str) -> None:
        self.root, self.scratch, brought = folder / "unzipped", folder / "scratch", folder / "brought"
        for each in (self.root, self.scratch, brought):
            each.mkdir()
        with zipfile.ZipFile(io.BytesIO(container)) as opened:
            opened.extractall(self.root)
        (brought / "tsa.pem").write_bytes(made.pki.root.read_bytes())
        for file in made.pki.signer_keys:
            (brought / file.name).write_bytes(file.read_bytes())
        ours = {str(Path(sys.executable).parent), str(Path.cwd())}
        self.environment = {
            **os.environ,
            "PATH": os.pathsep.join(each for each in os.environ["PATH"].split(os.pathsep) if each not in ours),
            # With -S no .pth file is read, and so an editable install of ours is not seen.
            "PYTHONPATH": os.pathsep.join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}),
            "TMPDIR": str(self.scratch),
            "SIGNERS": str(brought / "*.pub.pem"),
            "REQUIRED": str(SIGNERS_REQUIRED),
            "TSA_ROOTS": str(brought / "tsa.pem"),
            **more,
        }

    @property
    def blocks(self) -> list[tuple[str, str]]:
        """Its code blocks."""
        return blocks_of((self.root / "VERIFY.md").read_text())

    def commands(self, language: str) -> list[str]:
        """The code blocks of a language."""
        return [code for each, code in self.blocks if each == language]

    def run(self, command: str, language: str) -> subprocess.CompletedProcess[str]:
        """As somebody would who pastes it into a terminal in the unzipped root."""
        interpreter = ["sh", "-e", "-c"] if language.startswith("sh") else [sys.executable, "-S", "-c"]
        return subprocess.run(
            [*interpreter, command],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
