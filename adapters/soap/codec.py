"""The SOAP codec: X-Road message protocol v4.0 and the façade at the rim of the one pipeline.

Pure: heads and bodies in, claims, envelopes and unsealed answers out. Verifies nothing and decides nothing; nothing of
one message is kept for the next.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from adapters.soap.answers import answer_element, hash_block
from adapters.soap.apart import apart
from adapters.soap.facade import PREFIX, Facades, Offered, check_agency, offered, read_said
from adapters.soap.faults import MEDIA, FaultWriter
from adapters.soap.headers import addressed, echoed, read_fields
from adapters.soap.metadata import METADATA, MetadataInterface
from adapters.soap.mime import Composed, compose, joined
from adapters.soap.reading import SOAP11, SOAP12, Message, look, opened, read_message, read_proved, stands_alone
from adapters.soap.vocabulary import Looked, Vocabulary
from adapters.soap.xml import local_name
from adapters.soap.xop import inlined
from gateway.model.envelope import BY_CERTIFICATE, Claim, Envelope, MessageProtocol, ProofScheme, ProvedParts
from gateway.model.errors import ExchangeError
from gateway.model.errors import request as kinds
from gateway.model.errors.provider import INVALID_REPLY
from gateway.model.errors.soap import INVALID_SOAP, ROOT_TOO_LARGE, WRONG_OPERATION
from gateway.model.ids import MemberId, RecordId, ServiceId, encode
from gateway.model.message import AnswerHead, Body, Head
from gateway.model.stages import Answer, Minimised
from gateway.model.written import WrittenEnvelope
from gateway.ports import Interface, Work
from gateway.validation.mime import RELATED, parse_media_type

Interfaces = Callable[[ServiceId], Interface | None]
"""How a service is spoken over SOAP, in the configuration in force."""

ParseJson = Callable[[bytes], Any]
"""The strict parser of the gateway; raises ExchangeError."""

_MEDIA = {"text/xml": SOAP11, "application/soap+xml": SOAP12}
_XOP = "application/xop+xml"
_USUAL_MEDIA = 64
"""Characters of a Content-Type without a boundary, of which few are met."""
_media_of = lru_cache(maxsize=64)(parse_media_type)


class _Kind(Struct, frozen=True):
    """What a Content-Type says of an envelope: its SOAP version and its charset, where it says so."""

    soap: str
    charset: str | None


class SoapCodec:
    """Reads and writes SOAP messages.

    interfaces, facades: of the configuration in force. parse_json: the strict JSON parser. faults: writes errors.
    """

    def __init__(
        self,
        interfaces: Interfaces,
        facades: Facades,
        parse_json: ParseJson,
        faults: FaultWriter,
        vocabulary: Vocabulary | None = None,
    ) -> None:
        self._interfaces = interfaces
        self._facades = facades
        self._parse_json = parse_json
        self._faults = faults
        self._vocabulary = vocabulary or Vocabulary()

    protocol = MessageProtocol.SOAP

    def is_strange(self, head: Head, body: Body) -> bool:
        """Whether it holds names that libxml2 must not remember before somebody has proved that they are needed."""
        try:
            looked = body.read = look(_root(body), _kind(head, body).charset, self._vocabulary)
        except ExchangeError:
            return False  # claim() refuses it in the same words, before it is read
        return bool(looked.new)

    def apart(self, work: Callable[[], Work]) -> Work:
        """In a thread of its own, with which goes what libxml2 remembers. Raises what it raises, and ExchangeError."""
        return apart(work)

    def remember(self, body: Body, member: MemberId) -> None:
        """A message was proved: its names are known from now on. Raises ExchangeError where there are too many."""
        self._vocabulary.remember(look(_root(body), None, self._vocabulary), str(member))

    def claim(self, head: Head, body: Body) -> Claim:
        """Read what header blocks, or the elements of a façade's request, claim. Raises ExchangeError."""
        if head.method != "POST":
            raise ExchangeError(kinds.INVALID_HTTP_METHOD, "SOAP messages are sent by POST")
        path = head.path
        facade = offered(path, self._facades) if path.startswith(PREFIX) else None
        return self._claimed(facade, self._message(head, body))

    def claim_proved(self, head: Head, body: Body) -> Claim:
        """The same of the proved parts of a message. Raises ExchangeError."""
        facade = offered(head.path, self._facades) if head.path.startswith(PREFIX) else None
        message = body.read = read_proved(_root(body))
        return self._claimed(facade, message)

    def _claimed(self, facade: Offered | None, message: Message) -> Claim:
        if facade is None:
            said = read_fields(message)
            method, place, query = self._called(said.service, message, ruled=True)
            return Claim(
                client=said.client,
                service=said.service,
                method=method,
                path=place,
                query=query,
                message_id=said.message_id,
                officer=said.officer,
                case=said.case,
                represented=said.represented,
                purpose=said.purpose,
                scheme=ProofScheme.WS_SECURITY if said.signed else ProofScheme.NONE,
                protocol=MessageProtocol.SOAP,
                operation=message.operation,
            )
        told = read_said(message, facade.facade)
        method, place, query = self._called(facade.service, message, ruled=False)
        return Claim(
            client=BY_CERTIFICATE,
            service=facade.service,
            method=method,
            path=place,
            query=query,
            message_id=told.message_id,
            officer=told.officer,
            case=told.case,
            purpose=told.purpose,
            protocol=MessageProtocol.SOAP,
            operation=message.operation,
        )

    def open(self, parts: ProvedParts) -> Envelope:
        """The element in Body, as proved, and its JSON document. Raises ExchangeError."""
        message = _read(parts.body) if parts.attached is None else read_message(_root(parts.body))
        if parts.head.path.startswith(PREFIX):
            check_agency(message.payload, offered(parts.head.path, self._facades).facade, parts.claim.client)
        payload = message.octets
        interface = self._interface(parts.claim.service)
        document: Any | UnsetType = UNSET
        if interface is not None:
            whole = payload if parts.attached is None else inlined(message.payload, parts.attached.parts)
            if whole is not None:
                document = interface.document(whole)
        return Envelope(
            claim=parts.claim,
            content_type=MEDIA[SOAP11],
            body=Body(payload),
            document=document,
            attached=parts.attached,
        )

    def answer(self, minimised: Minimised, record_id: RecordId, request_hash: str) -> Answer:
        """The provider's answer in an envelope that repeats the request's X-Road header blocks.

        What the provider did not do is a Fault; so is an answer that the service's interface has no elements for.
        """
        recorded = minimised.replied.recorded
        head = recorded.authorized.verified.claimed.received.head
        enveloped = not head.path.startswith(PREFIX)
        try:
            return self._answer(minimised, record_id, request_hash, enveloped=enveloped)
        except ExchangeError as error:
            fault = self._faults.write(head, error, record_id, enveloped=enveloped)
            outcome = minimised.replied.reply.outcome.value
            added = (("Motlan-Outcome", outcome), ("Motlan-Receipt", record_id))
            told = AnswerHead(status=200, fields=fault.head.fields + added)
            return Answer(head=told, body=fault.body, enveloped=fault.enveloped)

    def _answer(self, minimised: Minimised, record_id: RecordId, request_hash: str, *, enveloped: bool) -> Answer:
        recorded = minimised.replied.recorded
        interface = self._interface(recorded.claim.service)
        message = _read(recorded.authorized.verified.parts.body)
        element = answer_element(minimised, message.operation, interface, self._parse_json)
        blocks = addressed(message)
        if enveloped:
            blocks += [*echoed(message), hash_block(request_hash)]
        written = WrittenEnvelope(soap=message.soap, blocks=tuple(blocks), element=element.octets)
        claim, request_id = recorded.claim, recorded.id
        fields = (
            ("X-Road-Id", claim.message_id or request_id),
            ("X-Road-Client", encode(claim.client)),
            ("X-Road-Service", encode(claim.service)),
            ("X-Road-Request-Id", request_id),
            ("X-Road-Request-Hash", request_hash),
            ("Motlan-Outcome", minimised.replied.reply.outcome.value),
            ("Motlan-Receipt", record_id),
        )
        attached = minimised.attached
        if isinstance(interface, MetadataInterface):
            attached = interface.attached(minimised.document)
        content_type, body = _composed(written, attached, record_id, enveloped=enveloped)
        in_pieces = enveloped and element.canonical and all(map(stands_alone, blocks))
        return Answer(
            head=AnswerHead(status=200, fields=(("Content-Type", content_type), *fields)),
            body=body,
            enveloped=enveloped,
            written=written if in_pieces else None,
        )

    def with_root(self, answer: Answer, root: bytes) -> Answer:
        """An answer with attachments, with another envelope (the sealed one) as its first part."""
        spool = answer.body.spool
        assert isinstance(spool, Composed)
        first = answer.body.parts[0]
        root_type, boundary = first.fields[0][1], first.fields[2][1][len("<root@") : -1]
        content_type, body = compose(root, root_type, spool.source, boundary)
        fields = tuple((name, content_type if name == "Content-Type" else value) for name, value in answer.head.fields)
        return Answer(head=AnswerHead(status=200, fields=fields), body=body, enveloped=answer.enveloped)

    def refuse(self, head: Head, claim: Claim | None, error: ExchangeError, record_id: RecordId) -> Answer:  # noqa: ARG002 - a Fault needs no claim
        """The error as a Fault."""
        return self._faults.write(head, error, record_id, enveloped=not head.path.startswith(PREFIX))

    def _message(self, head: Head, body: Body) -> Message:
        kind = _kind(head, body)
        root = _root(body)
        looked = body.read if isinstance(body.read, Looked) else look(root, kind.charset, self._vocabulary)
        message = body.read = opened(looked)
        if root.endswith(looked.octets):  # else it came in another charset
            body.tree = message.root
        if message.soap != kind.soap:
            raise ExchangeError(INVALID_SOAP, "the envelope is not of the SOAP version that Content-Type says")
        return message

    def _called(self, service: ServiceId, message: Message, *, ruled: bool) -> tuple[str, str, str | None]:
        """The service's own method, path and query. ruled: without an interface, X-Road's rule for names holds.

        An interface knows its operations; without one the element is named after the service (PR-MESS §2.2).
        """
        interface = self._interface(service)
        if interface is not None:
            found = interface.called(message.operation, lambda: message.octets)
            if found is None:
                raise ExchangeError(WRONG_OPERATION)
            return found
        name, code = local_name(message.payload), service.service_code
        rest = name[len(code) :]
        if ruled and (not name.startswith(code) or rest[:1].islower()):
            raise ExchangeError(WRONG_OPERATION, "the element's name begins with the service code")
        return "POST", f"/{rest[0].lower()}{rest[1:]}" if ruled and rest else "", None

    def _interface(self, service: ServiceId) -> Interface | None:
        return METADATA.get(service.service_code) or self._interfaces(service)


def _read(body: Body) -> Message:
    """The envelope in a body that ``claim`` has looked at, or would have."""
    read = body.read
    return read if isinstance(read, Message) else read_message(_root(body))


def _root(body: Body) -> bytes:
    root = body.root
    if root is None:
        raise ExchangeError(ROOT_TOO_LARGE, "large content is sent in attachments")
    return root


def _kind(head: Head, body: Body) -> _Kind:
    """What Content-Type says of the envelope. Raises ExchangeError."""
    if head.all("content-encoding"):
        raise ExchangeError(kinds.UNSUPPORTED_MEDIA_TYPE, "compressed envelopes are not taken")
    values = head.all("content-type")
    if len(values) != 1:
        kind = kinds.DUPLICATE_HEADER if values else kinds.UNSUPPORTED_MEDIA_TYPE
        raise ExchangeError(kind, "exactly one Content-Type is needed", parts=("content-type",))
    try:
        media = _media_of(values[0]) if len(values[0]) <= _USUAL_MEDIA else parse_media_type(values[0])
        if media.media == RELATED and body.parts:
            own = next((value for name, value in body.parts[0].fields if name.lower() == "content-type"), "")
            media = parse_media_type(own)
    except ValueError as error:
        raise ExchangeError(kinds.UNSUPPORTED_MEDIA_TYPE, str(error)) from None
    named = media.parameters.get("type", "text/xml").partition(";")[0].strip() if media.media == _XOP else media.media
    soap = _MEDIA.get(named.lower())
    if soap is None:
        detail = "an envelope is text/xml or application/soap+xml, with attachments multipart/related"
        raise ExchangeError(kinds.UNSUPPORTED_MEDIA_TYPE, detail)
    return _Kind(soap, media.parameters.get("charset"))


def _composed(
    written: WrittenEnvelope, attached: Body | None, record_id: RecordId, *, enveloped: bool
) -> tuple[str, Body]:
    """Content-Type and body of the unsealed answer, with the provider's attachments where it has any.

    The boundary is its record's id. A façade's answer is signed as a whole, so it must be in memory. Raises
    ExchangeError.
    """
    content_type, body = MEDIA[written.soap], Body(written.whole())
    if attached is not None and len(attached.parts) > 1:
        content_type, body = compose(written.whole(), content_type, attached, f"motlan-{record_id}")
        if not enveloped:
            whole = joined(body)
            if whole is None:
                raise ExchangeError(INVALID_REPLY, "attachments this large are for callers that send X-Road headers")
            body = whole
    return content_type, body
