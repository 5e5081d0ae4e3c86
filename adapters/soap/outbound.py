"""A SOAP provider as a target: elements go through as they are, or are made of JSON by the provider's WSDL.

What an answer means; HTTP statuses without an envelope mean what they mean of a REST provider:

==================================== ======================= =========================
answer                               look-up                 write
==================================== ======================= =========================
an element in Body, status 2xx       FOUND                   DONE; 202 ACCEPTED
empty with status 2xx                INVALID_REPLY           DONE; 202 ACCEPTED
a fault of ``not_found_faults``      NOT_FOUND               NOT_FOUND
a fault that denies                  DENIED                  DENIED
a fault that blames the request      REJECTED                REJECTED
any other fault                      UNAVAILABLE             UNKNOWN: it may have acted first
not readable, not signed as agreed   INVALID_REPLY           UNKNOWN
==================================== ======================= =========================
"""

from functools import partial
from typing import Any, Protocol

from msgspec import Struct, UnsetType

from adapters.canonical.reading import decoders
from adapters.provider import Failed, Provider, Request, UnsendableRequestError, bare_reply, failure_reply
from adapters.soap.composing import composed
from adapters.soap.heard import Heard, heard_of
from adapters.soap.outbound_answer import alone
from adapters.soap.outbound_envelope import envelope, xroad_blocks
from adapters.soap.outbound_reply import Reading, reply_of
from adapters.soap.reading import SOAP11, SOAP12, stands_alone
from adapters.soap.translate_shapes import MisfitError
from adapters.soap.xml import Element, UnreadableXmlError, parse
from gateway.model.charsets import Charset
from gateway.model.envelope import MessageProtocol
from gateway.model.errors import ExchangeError
from gateway.model.message import Body, Fields, is_xml
from gateway.model.outcomes import Outcome
from gateway.model.stages import Recorded, Reply
from gateway.model.written import WrittenEnvelope
from gateway.ports import Countersign

_MEDIA = {SOAP11: "text/xml", SOAP12: "application/soap+xml"}
_XOP = "application/xop+xml"
_CALLERS = Heard()


class SoapOptions(Struct, frozen=True, kw_only=True):
    """How a service of a SOAP provider is called.

    path: raw, of the service below the provider's base URL. lookup: calling it changes nothing. idempotent: repeating
    a write does no harm. not_found_faults: fault codes that mean "no such record". sign: requests get our WS-Security
    header. signed: answers must have the provider's. xroad_headers: header blocks say who calls what. charsets: tried
    in order where bytes are not UTF-8.
    """

    path: str = ""
    lookup: bool = False
    idempotent: bool = False
    not_found_faults: tuple[str, ...] = ()
    sign: bool = False
    signed: bool = False
    xroad_headers: bool = True
    charsets: tuple[Charset, ...] = ()

    def __post_init__(self) -> None:
        if self.path and (not self.path.startswith("/") or self.path.endswith("/")):
            raise ValueError("a service's path starts with a slash and does not end with one")
        if self.signed and not self.sign:
            raise ValueError("a provider that signs its answers is sent signed requests")


class Elements(Protocol):
    """What a provider's WSDL says: its elements as JSON and back."""

    @property
    def soap(self) -> str:
        """The namespace of its envelopes."""

    def request(self, path: str, document: Any) -> tuple[str, bytes] | None:
        """The operation behind a path, and its element of a document; None: there is no such one.

        Raises MisfitError for a document that the element cannot hold.
        """

    def knows(self, operation: str) -> bool:
        """Whether it has an operation with that request element."""

    def action(self, operation: str) -> str:
        """The SOAPAction of an operation."""

    def answered(self, operation: str, element: Element) -> Any:
        """An answer element as JSON. Raises MisfitError."""


class _UnfitError(Exception):
    """The request cannot be sent to this provider. places: what does not fit."""

    def __init__(self, *places: str) -> None:
        super().__init__("the request does not fit the provider's elements")
        self.places = places


class SoapTarget:
    """A service of a SOAP provider. elements: of its WSDL; None where it has none, then only XML passes."""

    def __init__(self, provider: Provider, options: SoapOptions, elements: Elements | None = None) -> None:
        self._provider = provider
        self._options = options
        self._elements = elements
        self._soap = SOAP11 if elements is None else elements.soap
        self._decoders = decoders(options.charsets)
        self._heard = heard_of(provider.options.base_url)

    async def send(self, request: Recorded, countersign: Countersign, deadline: float) -> Reply:
        """Call the provider. The answer is an element for a SOAP caller granted all of it, else JSON."""
        options = self._options
        try:
            operation, element = self._element(request)
            blocks = xroad_blocks(request) if options.xroad_headers else ()
        except (_UnfitError, MisfitError) as error:
            places = error.places if isinstance(error, _UnfitError) else (error.place,)
            return bare_reply(Outcome.REJECTED, differing=places)
        attached = request.authorized.envelope.attached
        if options.sign:
            written = self._written(request, element, blocks)
            root = self._signed(request, element, written, countersign)
        else:
            root = envelope(element, blocks, self._soap)
        content_type, body = await self._message(request, root, attached)
        outbound = Request(
            method="POST",
            path=options.path,
            fields=self._fields(content_type, operation),
            body=body,
            repeatable=options.lookup or options.idempotent,
        )
        try:
            result = await self._provider.call(outbound, countersign, deadline)
        except (UnsendableRequestError, ValueError):
            return bare_reply(Outcome.REJECTED)
        if isinstance(result, Failed):
            return failure_reply(result, may_have_acted=not options.lookup)
        reading = self._reading(request, operation, countersign)
        return await reply_of(reading, result.status, result.fields, result.body)

    def _reading(self, request: Recorded, operation: str, countersign: Countersign) -> Reading:
        options, elements = self._options, self._elements
        opaque = elements is None or not elements.knows(operation)
        return Reading(
            request=request,
            heard=self._heard,
            lookup=options.lookup,
            not_found_faults=options.not_found_faults,
            decoders=self._decoders,
            prove=countersign.opened if options.signed else None,
            to_json=None if elements is None or opaque else partial(elements.answered, operation),
        )

    def _signed(
        self, request: Recorded, element: bytes, written: bytes | WrittenEnvelope, countersign: Countersign
    ) -> bytes:
        """With our WS-Security. What did not come over SOAP has names that nobody has looked at."""
        attached = request.authorized.envelope.attached
        parts = () if attached is None else attached.parts[1:]
        if request.claim.protocol is MessageProtocol.SOAP:
            return countersign.envelope(written, parts)
        return _CALLERS.reading(element, lambda: countersign.envelope(written, parts))

    def _written(self, request: Recorded, element: bytes, blocks: tuple[bytes, ...]) -> bytes | WrittenEnvelope:
        """What is to be signed: in pieces, where the element is canonical, as the SOAP codec hands elements on."""
        if request.claim.protocol is MessageProtocol.SOAP and stands_alone(element):
            return WrittenEnvelope(soap=self._soap, blocks=blocks, element=element)
        return envelope(element, blocks, self._soap)

    def _element(self, request: Recorded) -> tuple[str, bytes]:
        """Operation and element of a request. Raises _UnfitError, MisfitError."""
        claim, opened = request.claim, request.authorized.envelope
        if claim.protocol is MessageProtocol.SOAP:
            return claim.operation or "", opened.body.data or b""
        if claim.method != "POST":
            raise _UnfitError("method")
        if is_xml((("Content-Type", opened.content_type or ""),)):
            return _of_caller(opened.body)
        if self._elements is None:
            raise _UnfitError("content-type")
        document: Any = {} if isinstance(opened.document, UnsetType) else opened.document
        made = self._elements.request(claim.path, document)
        if made is None:
            raise _UnfitError("path")
        return made

    async def _message(self, request: Recorded, root: bytes, attached: Body | None) -> tuple[str, Body]:
        media = _MEDIA[self._soap]
        if attached is None or not attached.parts:
            return f"{media}; charset=utf-8", Body(root)
        said = {name.lower(): value for name, value in attached.parts[0].fields}.get("content-type", "")
        if said.lower().startswith(_XOP):
            kind = f'{_XOP}; charset=utf-8; type="{media}"'
            content_type, body = await composed(root, kind, attached, f"motlan-{request.id}")
            return f'{content_type}; start-info="{media}"', body
        return await composed(root, f"{media}; charset=utf-8", attached, f"motlan-{request.id}")

    def _fields(self, content_type: str, operation: str) -> Fields:
        action = "" if self._elements is None else self._elements.action(operation)
        accept = ("Accept", "text/xml, application/soap+xml, multipart/related")
        if self._soap == SOAP12:
            said = f'; action="{action}"' if action and "multipart" not in content_type else ""
            return (("Content-Type", content_type + said), accept)
        return (("Content-Type", content_type), ("SOAPAction", f'"{action}"'), accept)  # SOAP 1.1 §6.1.1

    async def close(self) -> None:
        """Let go of the provider's connections."""
        await self._provider.close()


def _of_caller(body: Body) -> tuple[str, bytes]:
    """XML that a REST caller sends as it is: one element and nothing else. Raises _UnfitError."""
    data = body.data or b""

    def read() -> tuple[str, bytes]:
        element = parse(data)
        return element.tag, alone(element)

    try:
        return _CALLERS.reading(data, read)
    except (UnreadableXmlError, ExchangeError):
        raise _UnfitError("body") from None
