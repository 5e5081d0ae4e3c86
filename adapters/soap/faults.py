"""Errors of ours as SOAP callers read them: faults, as X-Road writes them (PR-MESS §2.5, annex D).

HTTP 200 and ``text/xml``; faultcode is our code, ``detail/faultDetail`` the id that finds the log entry. Beside it, in
our own namespace, whose fault it is and what to do.
"""

from xml.sax.saxutils import escape

from msgspec import Struct

from adapters.soap.headers import MOTLAN
from adapters.soap.reading import SOAP11, SOAP12
from gateway.model.errors import ExchangeError, Fault
from gateway.model.ids import RecordId
from gateway.model.language import asked_language, summary
from gateway.model.message import AnswerHead, Body, Head
from gateway.model.stages import Answer

MEDIA = {SOAP11: "text/xml; charset=utf-8", SOAP12: "application/soap+xml; charset=utf-8"}
"""Namespace of an envelope → its Content-Type."""
_OPEN = '<?xml version="1.0" encoding="UTF-8"?>\n<S:Envelope xmlns:S="{}"><S:Header/><S:Body><S:Fault>'
_CLOSE = "</S:Fault></S:Body></S:Envelope>"


class FaultWriter(Struct, frozen=True, kw_only=True):
    """Writes faults. language: for callers that ask for neither of ours. legacy: codes as X-Road up to 7.7 has them."""

    language: str = "vi"
    legacy: bool = False

    def write(self, head: Head, error: ExchangeError, record_id: RecordId, *, enveloped: bool) -> Answer:
        """The unsealed answer that carries an error. enveloped: whether its own header takes the seal."""
        kind = error.kind
        soap = soap_of(head)
        code = kind.legacy_code if self.legacy else kind.code
        tongue = asked_language(head, self.language)
        text = escape(summary(error, tongue))
        detail = self._detail(error, record_id, tongue)
        if soap == SOAP12:
            who = "Sender" if kind.fault is Fault.CALLER else "Receiver"
            inner = (
                f"<S:Code><S:Value>S:{who}</S:Value><S:Subcode><S:Value>{code}</S:Value></S:Subcode></S:Code>"
                f'<S:Reason><S:Text xml:lang="{tongue}">{text}</S:Text></S:Reason><S:Detail>{detail}</S:Detail>'
            )
        else:
            inner = (
                f"<faultcode>{code}</faultcode><faultstring>{text}</faultstring><faultactor></faultactor>"
                f"<detail>{detail}</detail>"
            )
        fields: list[tuple[str, str]] = [
            ("Content-Type", MEDIA[soap]),
            ("X-Road-Error", code),
            ("X-Road-Request-Id", record_id),
        ]
        if error.retry_after is not None:
            fields.append(("Retry-After", str(error.retry_after)))
        body = Body((_OPEN.format(soap) + inner + _CLOSE).encode())
        return Answer(head=AnswerHead(status=200, fields=tuple(fields)), body=body, enveloped=enveloped)

    def _detail(self, error: ExchangeError, record_id: RecordId, tongue: str) -> str:
        kind = error.kind
        parts = "".join(f"<part>{escape(part)}</part>" for part in error.parts)
        return (
            f'<faultDetail>{record_id}</faultDetail><problem xmlns="{MOTLAN}"><fault>{kind.fault.value}</fault>'
            f"<retryable>{str(kind.retryable).lower()}</retryable>"
            f"<next>{escape(kind.next.in_language(tongue))}</next>{parts}</problem>"
        )


def soap_of(head: Head) -> str:
    """The SOAP version to answer a head in, by its namespace: 1.2 where the request says so, else 1.1."""
    return SOAP12 if "application/soap+xml" in (head.get("content-type") or "").lower() else SOAP11
