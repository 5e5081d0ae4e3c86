"""SOAP 1.1 envelopes as providers send them: what stands in Body, or why there is nothing (W3C Note SOAP 1.1, §4)."""

from msgspec import Struct

from adapters.soap.xml import Element, UnreadableXmlError, local_name

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
CONTENT_TYPE = "text/xml; charset=utf-8"
"""Of a SOAP 1.1 request."""


class Fault(Struct, frozen=True):
    """A SOAP fault. code: the local part of faultcode, ``Client`` or ``Server`` first (§4.4.1)."""

    code: str

    @property
    def is_ours(self) -> bool:
        """Whether the provider says that the request was wrong."""
        return self.code.partition(".")[0] == "Client"


class Text(Struct, frozen=True):
    """Text where a document should stand (Q13: JSON in the Body element)."""

    text: str


def open_envelope(root: Element) -> Element | Fault | Text | None:
    """The one child of Body, a Fault, its text, or None for an empty Body. Raises UnreadableXmlError."""
    if root.tag != f"{{{SOAP11}}}Envelope":
        raise UnreadableXmlError("the document is not a SOAP 1.1 envelope")
    bodies = root.findall(f"{{{SOAP11}}}Body")
    if len(bodies) != 1 or len(bodies[0]) > 1:
        raise UnreadableXmlError("the envelope has not exactly one Body with at most one child")
    body = bodies[0]
    if len(body) == 0:
        return _text(body)
    child: Element = body[0]
    if child.tag == f"{{{SOAP11}}}Fault":
        return Fault((child.findtext("faultcode") or "").rpartition(":")[2].strip()[:64])
    if local_name(child) == "Body" and len(child) == 0:  # Q13
        return _text(child)
    return child


def _text(element: Element) -> Text | None:
    text = (element.text or "").strip()
    return Text(text) if text else None
