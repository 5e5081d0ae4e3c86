"""Errors of ours as REST callers read them: RFC 9457 problem details, or X-Road's own JSON and XML."""

import json
from enum import StrEnum
from xml.sax.saxutils import escape

from msgspec import Struct

from gateway.model.envelope import Claim
from gateway.model.errors import ErrorKind, ExchangeError
from gateway.model.ids import RecordId, encode
from gateway.model.language import asked_language, summary
from gateway.model.message import AnswerHead, Body, Head
from gateway.model.stages import Answer

PROBLEM_TYPE = "/docs/errors#"
"""Where the gateway publishes ``docs/errors.md``, relative to the request's URL (RFC 9457 §3.1.1); the code follows."""


class ErrorForm(StrEnum):
    """How an error is written for this caller."""

    PROBLEM = "application/problem+json"
    XROAD_JSON = "application/json"
    XROAD_XML = "application/xml"


def error_form(head: Head) -> ErrorForm:
    """Problem details for whoever signed or asks for them, else X-Road's own (protocols.md §1, "Errors of ours")."""
    accept = (head.get("accept") or "").lower()
    signed = head.all("signature-input") or head.all("motlan-jws")
    if signed or "application/problem+json" in accept:
        return ErrorForm.PROBLEM
    wants_xml = "xml" in accept and "json" not in accept
    return ErrorForm.XROAD_XML if wants_xml else ErrorForm.XROAD_JSON


class ErrorWriter(Struct, frozen=True, kw_only=True):
    """Writes errors. language: for callers that ask for neither of ours. legacy: codes as X-Road up to 7.7 has them."""

    language: str = "vi"
    legacy: bool = False

    def write(self, head: Head, claim: Claim | None, error: ExchangeError, record_id: RecordId) -> Answer:
        """The unsealed answer that carries an error."""
        kind, form = error.kind, error_form(head)
        code = kind.legacy_code if self.legacy else kind.code
        if form is ErrorForm.PROBLEM:
            body, status = self._problem(head, error, code, record_id), kind.status
        else:
            body, status = self._xroad(head, error, code, record_id, form), _xroad_status(kind)
        fields: list[tuple[str, str]] = [("Content-Type", form.value), ("X-Road-Error", code)]
        if claim is not None:
            if claim.message_id is not None:
                fields.append(("X-Road-Id", claim.message_id))
            fields += [("X-Road-Client", encode(claim.client)), ("X-Road-Service", encode(claim.service))]
        fields.append(("X-Road-Request-Id", record_id))
        if error.retry_after is not None:
            fields.append(("Retry-After", str(error.retry_after)))
        sent = b"" if head.method == "HEAD" else body  # what is digested and signed is what is sent: RFC 9530 B.2
        return Answer(head=AnswerHead(status=status, fields=tuple(fields)), body=Body(sent))

    def _problem(self, head: Head, error: ExchangeError, code: str, record_id: RecordId) -> bytes:
        kind, tongue = error.kind, asked_language(head, self.language)
        problem: dict[str, object] = {
            "type": PROBLEM_TYPE + kind.code,
            "title": kind.title.in_language(tongue),
            "status": kind.status,
            "detail": summary(error, tongue),
            "instance": f"urn:uuid:{record_id}",
            "code": code,
            "fault": kind.fault.value,
            "retryable": kind.retryable,
            "next": kind.next.in_language(tongue),
        }
        if error.parts:
            problem["parts"] = list(error.parts)
        return json.dumps(problem, ensure_ascii=False, separators=(",", ":")).encode()

    def _xroad(self, head: Head, error: ExchangeError, code: str, record_id: RecordId, form: ErrorForm) -> bytes:
        parts = {"type": code, "message": summary(error, asked_language(head, self.language)), "detail": record_id}
        if form is ErrorForm.XROAD_XML:
            inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in parts.items())
            return f'<?xml version="1.0" encoding="UTF-8"?><error>{inner}</error>'.encode()
        return json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()


def _xroad_status(kind: ErrorKind) -> int:
    return 500 if kind.code.startswith("server.") else 400
