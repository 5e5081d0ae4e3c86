"""Faults of the sidecar's own, written as the gateway writes its own (SOAP 1.1 §4.4, SOAP 1.2 §5.4)."""

from typing import Final
from xml.sax.saxutils import escape

from gateway.client.sidecar_mime import SOAP11_MEDIA, SOAP12_MEDIA
from gateway.model.errors import ExchangeError, Fault
from gateway.signing.wsse_names import SOAP11, SOAP12

_OPEN: Final = '<?xml version="1.0" encoding="UTF-8"?>\n<S:Envelope xmlns:S="{}"><S:Body><S:Fault>'
_CLOSE: Final = "</S:Fault></S:Body></S:Envelope>"


def fault(error: ExchangeError, language: str, *, soap12: bool) -> tuple[str, bytes]:
    """The media type and the envelope of a Fault that says what an error says."""
    kind = error.kind
    title = kind.title.in_language(language)
    text = escape(f"{title} ({error.detail})" if error.detail else title)
    detail = (
        f'<problem xmlns="urn:motlan:soap:v1"><fault>{kind.fault.value}</fault>'
        f"<retryable>{str(kind.retryable).lower()}</retryable><next>{escape(kind.next.in_language(language))}</next>"
        "</problem>"
    )
    if not soap12:
        inner = f"<faultcode>{kind.code}</faultcode><faultstring>{text}</faultstring><detail>{detail}</detail>"
        return SOAP11_MEDIA, f"{_OPEN.format(SOAP11)}{inner}{_CLOSE}".encode()
    who = "Sender" if kind.fault is Fault.CALLER else "Receiver"
    inner = (
        f"<S:Code><S:Value>S:{who}</S:Value><S:Subcode><S:Value>{kind.code}</S:Value></S:Subcode></S:Code>"
        f'<S:Reason><S:Text xml:lang="{language}">{text}</S:Text></S:Reason><S:Detail>{detail}</S:Detail>'
    )
    return SOAP12_MEDIA, f"{_OPEN.format(SOAP12)}{inner}{_CLOSE}".encode()
