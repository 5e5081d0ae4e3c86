"""Envelopes that we write: the answer element in Body, the request's X-Road blocks and requestHash in Header."""

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import quoteattr

from msgspec import UNSET, Struct

from adapters.soap.headers import XROAD
from adapters.soap.heard import Heard
from adapters.soap.metadata import MetadataInterface
from adapters.soap.reading import PassedOn, canonical, look, read, stands_alone
from gateway.model.errors import ExchangeError
from gateway.model.errors.provider import INVALID_REPLY, kind_of
from gateway.model.message import Body, is_xml
from gateway.model.outcomes import SUCCESSES
from gateway.model.stages import Minimised
from gateway.ports import Interface

_ANSWERS = Heard()
HASH_ALGORITHM = "http://www.w3.org/2001/04/xmlenc#sha512"


class AnswerElement(Struct, frozen=True):
    """The element in Body. canonical: whether it stands by itself as ``reading.stands_alone`` has it."""

    octets: bytes
    canonical: bool = False


def hash_block(request_hash: str) -> bytes:
    """The header block that binds an answer to its request (PR-MESS §2.2), canonical. request_hash: base64."""
    text = f'<x:requestHash xmlns:x="{XROAD}" algorithmId="{HASH_ALGORITHM}">{request_hash}</x:requestHash>'
    return text.encode()


def answer_element(
    minimised: Minimised,
    operation: str,
    interface: Interface | None,
    parse_json: Callable[[bytes], Any],
) -> AnswerElement:
    """The element that answers an operation. Raises ExchangeError where the reply has none.

    XML of the provider is passed on as it is, once it was seen to be one element; JSON by the service's interface.
    """
    reply, body = minimised.replied.reply, minimised.body
    if isinstance(interface, MetadataInterface):
        return AnswerElement(_translated(minimised, operation, interface, parse_json))
    if is_xml(minimised.fields) and body.size:
        octets = _passed_on(body)
        return AnswerElement(octets, stands_alone(octets))
    if reply.outcome not in SUCCESSES:
        raise ExchangeError(kind_of(reply.outcome, reply.provider_code), parts=reply.differing)
    if not body.size:
        return AnswerElement(_empty(operation))
    if interface is None:
        raise ExchangeError(INVALID_REPLY, "the service has no SOAP interface for this answer")
    return AnswerElement(_translated(minimised, operation, interface, parse_json))


def _passed_on(body: Body) -> bytes:
    """The provider's element, canonical, once it was seen to be one that may be passed on."""
    if body.data is None:
        raise ExchangeError(INVALID_REPLY, "the answer is too large for an envelope")
    if isinstance(body.read, PassedOn):
        return body.data
    data = body.data
    try:
        return _ANSWERS.reading(data, lambda: canonical(read(look(data))))
    except ExchangeError as error:
        raise ExchangeError(INVALID_REPLY, f"the answer: {error.detail}") from None


def _translated(
    minimised: Minimised, operation: str, interface: Interface, parse_json: Callable[[bytes], Any]
) -> bytes:
    body = minimised.body
    document = minimised.document
    if document is UNSET:
        if body.data is None:
            raise ExchangeError(INVALID_REPLY, "the answer is too large for an envelope")
        try:
            document = parse_json(body.data)
        except ExchangeError:
            raise ExchangeError(INVALID_REPLY, "the answer is not JSON") from None
    try:
        return interface.payload(operation, document)
    except ValueError as error:
        raise ExchangeError(INVALID_REPLY, f"the service's elements cannot hold the answer: {error}") from None


def _empty(operation: str) -> bytes:
    """An answer without content: the operation's name and ``Response`` (PR-MESS §2.3)."""
    namespace, _, name = operation.rpartition("}")
    if not namespace:
        return f"<{name}Response/>".encode()
    return f"<a:{name}Response xmlns:a={quoteattr(namespace[1:])}/>".encode()
