"""What a SOAP provider's answer becomes: a reply in the consumer's own notation, with its outcome."""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET, Struct

from adapters.provider import bare_reply, retry_after
from adapters.soap.heard import Heard
from adapters.soap.outbound_answer import Fault, Opened, Prove, UnreadableAnswerError, alone, open_answer, root_of
from adapters.soap.reading import passed_on
from adapters.soap.translate_shapes import MisfitError
from adapters.soap.xml import Decode, Element, UnreadableXmlError, parse
from adapters.soap.xop import inlined
from adapters.statuses import TRY_LATER, classify
from gateway.model.decision import EVERYTHING
from gateway.model.envelope import MessageProtocol
from gateway.model.errors import ExchangeError
from gateway.model.jsontext import encode
from gateway.model.message import EMPTY, Body, Fields
from gateway.model.outcomes import SUCCESSES, Outcome
from gateway.model.stages import Recorded, Reply

XML_FIELDS: Fields = (("Content-Type", "text/xml; charset=utf-8"),)
_JSON_FIELDS: Fields = (("Content-Type", "application/json"),)
_DENYING = ("accessdenied", "access_denied", "failedauthentication", "failedcheck", "invalidsecurity", "unauthorized")
"""Ends of fault codes: X-Road's, and those of WS-Security 1.1, §12."""
_PLAIN_LIMIT = 256
"""Bytes: a plain-text refusal is short (Q11)."""
_OK = range(200, 300)
_DENIED = frozenset({401, 403})

ToJson = Callable[[Element], Any]
"""An answer element as JSON. Raises MisfitError."""


class Reading(Struct, frozen=True, kw_only=True):
    """How one call's answer is read.

    heard: the provider, for what libxml2 may remember of it. lookup: a failure has changed nothing. prove: what the
    provider's signature proves; None where it signs nothing.
    to_json: None where the provider's elements are opaque.
    """

    request: Recorded
    heard: Heard
    lookup: bool
    not_found_faults: tuple[str, ...]
    decoders: tuple[Decode, ...]
    prove: Prove | None
    to_json: ToJson | None

    @property
    def as_xml(self) -> bool:
        """Whether the element itself is passed on: to a SOAP caller who is granted all of it, or where it is opaque."""
        if self.to_json is None:
            return True
        soap = self.request.claim.protocol is MessageProtocol.SOAP
        return soap and self.request.authorized.decision.fields == EVERYTHING


async def reply_of(reading: Reading, status: int, fields: Fields, body: Body) -> Reply:
    """The reply that an HTTP answer is. The body is let go of, unless attachments are passed on."""
    reply = await _reply(reading, status, fields, body)
    if reply.attached is not body:
        body.close()
    return reply


async def _reply(reading: Reading, status: int, fields: Fields, body: Body) -> Reply:
    outcome = classify(status, lookup=reading.lookup)
    if status in _DENIED or (status in TRY_LATER and not _is_soap(fields)):
        return bare_reply(outcome, retry_after=retry_after(fields) if status in TRY_LATER else None)
    if not body.size and status in _OK:
        return _empty(reading, outcome)
    try:
        root = await root_of(_content_type(fields), body)
        return reading.heard.reading(root, lambda: _of_envelope(reading, root, status, body))
    except UnreadableAnswerError:
        return _unreadable(reading, status, outcome, body)
    except ExchangeError:  # no thread is to be had
        return _broken(reading)


def _of_envelope(reading: Reading, root: bytes, status: int, body: Body) -> Reply:
    opened = open_answer(root, body, reading.decoders, reading.prove)
    outcome = classify(status, lookup=reading.lookup)
    if isinstance(opened.content, Fault):
        return _faulted(reading, opened, opened.content)
    if status not in _OK:
        return bare_reply(outcome)
    if opened.content is None:
        return _empty(reading, outcome)
    return _answered(reading, opened, opened.content, body, outcome)


def _answered(reading: Reading, opened: Opened, element: Element, body: Body, outcome: Outcome) -> Reply:
    whole = element
    if opened.attached and reading.to_json is not None:
        filled = inlined(parse(alone(element)), body.parts)
        if filled is None and not reading.as_xml:
            return _broken(reading)  # JSON cannot carry what was too large to be kept
        whole = element if filled is None else parse(filled)
    try:
        document = UNSET if reading.to_json is None else reading.to_json(whole)
    except (MisfitError, UnreadableXmlError):
        return _broken(reading)
    return Reply(
        outcome=outcome,
        status=200,
        fields=XML_FIELDS if reading.as_xml else _JSON_FIELDS,
        body=_body(reading, element, document),
        document=document,
        attached=body if opened.attached and reading.as_xml else None,
        evidence=_evidence(opened),
    )


def _body(reading: Reading, element: Element, document: Any) -> Body:
    if not reading.as_xml:
        return Body(encode(document))
    soap = reading.request.claim.protocol is MessageProtocol.SOAP
    return passed_on(element) if soap else Body(alone(element))


def _evidence(opened: Opened) -> tuple[tuple[str, str], ...]:
    """The digest of the provider's envelope: what is passed on is taken out of it, or made of it."""
    return (("provider_sha256", opened.root_sha256),)


def _faulted(reading: Reading, opened: Opened, fault: Fault) -> Reply:
    outcome = _outcome_of(reading, fault)
    code = fault.codes[-1] if fault.codes else None
    if not reading.as_xml or reading.request.claim.protocol is not MessageProtocol.SOAP:
        return bare_reply(outcome, provider_code=code)
    body = Body(alone(fault.element))
    return Reply(
        outcome=outcome, status=200, fields=XML_FIELDS, body=body, provider_code=code, evidence=_evidence(opened)
    )


def _outcome_of(reading: Reading, fault: Fault) -> Outcome:
    if any(code in reading.not_found_faults for code in fault.codes):
        return Outcome.NOT_FOUND
    if any(code.lower().endswith(_DENYING) for code in fault.codes):
        return Outcome.DENIED
    if fault.blamed:
        return Outcome.REJECTED
    return Outcome.UNAVAILABLE if reading.lookup else Outcome.UNKNOWN


def _empty(reading: Reading, outcome: Outcome) -> Reply:
    """An answer without content: a one-way operation's, never a look-up's."""
    if reading.lookup:
        return bare_reply(Outcome.INVALID_REPLY)
    return Reply(outcome=outcome, status=202 if outcome is Outcome.ACCEPTED else 200, body=EMPTY)


def _unreadable(reading: Reading, status: int, outcome: Outcome, body: Body) -> Reply:
    if body.data is not None and len(body.data) <= _PLAIN_LIMIT and _says_unauthorized(body.data):
        return bare_reply(Outcome.DENIED)  # Q11
    if status in _OK or outcome in SUCCESSES:
        return _broken(reading)
    return bare_reply(outcome)


def _broken(reading: Reading) -> Reply:
    return bare_reply(Outcome.INVALID_REPLY if reading.lookup else Outcome.UNKNOWN)


def _says_unauthorized(data: bytes) -> bool:
    return data.strip().strip(b'"').lower().startswith(b"unauthorized")


def _content_type(fields: Fields) -> str:
    return next((value for name, value in fields if name.lower() == "content-type"), "")


def _is_soap(fields: Fields) -> bool:
    media = _content_type(fields).partition(";")[0].strip().lower()
    return media in {"text/xml", "application/soap+xml", "multipart/related"}
