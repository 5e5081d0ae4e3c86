"""The steps that a gateway takes with a captured request, one by one, so that it can be said which one refuses it."""

from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from msgspec import Struct, field

from gateway.cli.signature_base import Difference
from gateway.cli.signature_capture import Captured
from gateway.cli.signature_digest import explain_digest
from gateway.keys.file import load_certificates
from gateway.model.envelope import Claim
from gateway.model.errors import ExchangeError
from gateway.model.errors.base import Text
from gateway.model.errors.request import MISDIRECTED
from gateway.model.errors.trust import UNKNOWN_KEY
from gateway.model.ids import ServiceId, SubsystemId
from gateway.model.instant import Instant
from gateway.model.message import Body, Head
from gateway.signing.algorithms import PublicKey
from gateway.signing.digest import content_digest, verify_content_digest
from gateway.signing.target import PublicUrl
from gateway.trust.document import TrustList
from gateway.trust.jws import LastSeen, VerifiedList, payload_of
from gateway.trust.store import TrustStore
from gateway.trust.wire import decode
from gateway.validation.limits import DEFAULT
from gateway.validation.target import parse_target
from gateway.wiring.rest import rest_codec


class Step(Struct, frozen=True, kw_only=True):
    """One step. error: why it refuses the request; None: it does not. skipped: why it could not be looked at."""

    name: str
    error: ExchangeError | None = None
    skipped: Text | None = None


class Diagnosis(Struct, kw_only=True):
    """What was found. base: as the gateway computes it. hints: what is wrong, as far as it is known. same_key: whether
    the caller's own base is what was signed, with the caller's key. extra: names and values of the scheme's own.
    """

    scheme: str
    steps: list[Step] = field(default_factory=list)
    base: bytes | None = None
    hints: list[Text] = field(default_factory=list)
    difference: Difference | None = None
    same_key: bool | None = None
    extra: list[tuple[str, str]] = field(default_factory=list)

    @property
    def refused(self) -> Step | None:
        """The first step that refuses; a gateway goes no further."""
        return next((step for step in self.steps if step.error is not None), None)

    def take(self, name: str, error: ExchangeError | None) -> None:
        """Note what became of a step."""
        self.steps.append(Step(name=name, error=error))

    def skip(self, name: str, en: str, vi: str) -> None:
        """Note that a step could not be looked at."""
        self.steps.append(Step(name=name, skipped=Text(en, vi)))

    def hint(self, en: str, vi: str) -> None:
        """Say what is wrong."""
        self.hints.append(Text(en, vi))


class Known(Struct, frozen=True, kw_only=True):
    """The keys to check with. certificates: DER, given by hand. store: the trust list."""

    certificates: tuple[bytes, ...] = ()
    store: TrustStore | None = None

    def all(self) -> dict[str, bytes]:
        """Keyid → certificate (DER) of everybody known."""
        found = {PublicKey.from_certificate(der).keyid: der for der in self.certificates}
        if self.store is not None:
            found |= {key.keyid: key.certificate.public_bytes(Encoding.DER) for key in self.store.listed()}
        return found

    def find(self, keyid: str, at: Instant) -> tuple[PublicKey, SubsystemId | None]:
        """The key, and whose it is where the trust list says so. Raises ExchangeError as the gateway does."""
        if self.store is not None:
            key = self.store.signing_key(keyid, at)
            return PublicKey.from_certificate(key.certificate.public_bytes(Encoding.DER)), key.owner
        der = self.all().get(keyid)
        if der is None:
            raise ExchangeError(UNKNOWN_KEY, "keyid is not that of the certificate given")
        return PublicKey.from_certificate(der), None


class Asked(Struct, frozen=True, kw_only=True):
    """A captured request, and what it is looked at with. base: the caller's own. service: behind an own path."""

    captured: Captured
    url: PublicUrl
    at: Instant
    known: Known
    base: bytes | None = None
    service: ServiceId | None = None

    @property
    def head(self) -> Head:
        """As captured."""
        return self.captured.head


def load_known(certificates: tuple[Path, ...], trust: Path | None) -> Known:
    """Keys out of files. The trust list's own signatures are not checked: nothing is admitted by what is said here."""
    ders = tuple(load_certificates(file)[0] for file in certificates)
    return Known(certificates=ders, store=None if trust is None else unverified_store(trust.read_bytes()))


def unverified_store(data: bytes) -> TrustStore:
    """A trust list compiled without a look at who signed it."""
    document: TrustList = decode(payload_of(data))
    seen = LastSeen(serial=document.serial, digest="", signers=document.signers, pinned="")
    return TrustStore.load(VerifiedList(document=document, data=data, digest="", signed_by=(), last_seen=seen))


def frame(asked: Asked, found: Diagnosis) -> None:
    """(1) Limits, target and Host."""
    head = asked.head
    error: ExchangeError | None = None
    try:
        DEFAULT.check_head(head)
        parse_target(head.target)
        host = head.get("host") or ""
        if PublicUrl.of(asked.url.scheme, host).authority != asked.url.authority:
            error = ExchangeError(MISDIRECTED, f"Host is {host or 'absent'}, the public URL is {asked.url.origin}")
    except ExchangeError as refused:
        error = refused
    except ValueError:
        error = ExchangeError(MISDIRECTED, "Host is absent or no authority")
    found.take("frame", error)


def claim(asked: Asked, found: Diagnosis) -> Claim | None:
    """(2) What it says of itself."""
    own = {asked.head.path: asked.service} if asked.service is not None else {}
    try:
        said = rest_codec(own).claim(asked.head, Body(asked.captured.body or b""))
    except ExchangeError as error:
        found.take("claim", error)
        return None
    found.take("claim", None)
    return said


def fresh(asked: Asked, found: Diagnosis, head: Head) -> None:
    """(4) The body's digest. Whether the nonce was used before, only the gateway knows."""
    data = asked.captured.body
    if data is None:
        found.skip(
            "digest", "the capture holds no body; give it with --body", "tệp ghi lại không có phần thân; dùng --body"
        )
        return
    body = Body(data)
    try:
        verify_content_digest(head, body)
    except ExchangeError as error:
        found.take("digest", error)
        found.extra.append(("Content-Digest", content_digest(body)))
        found.hints += explain_digest(head.get("content-digest") or "", data)
        return
    found.take("digest", None)
