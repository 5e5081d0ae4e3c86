"""Plain SOAP: what the sidecar says for callers that know nothing of X-Road, and takes off the answer again.

The caller's envelope gets X-Road's header blocks and our purpose; whoever asks, for what and in which case may be read
from the request's own elements (the population database carries MaDVC and MaCanBo there).
"""

import re
from typing import Final

from gateway.client.sidecar_settings import LONGEST, Plain, sendable, stated_purpose
from gateway.client.zeep_wsse import xroad_headers
from gateway.model.errors import ExchangeError
from gateway.model.errors.request import DUPLICATE_HEADER, INCONSISTENT_HEADERS
from gateway.model.errors.soap import BAD_FIELD, INVALID_SOAP
from gateway.model.ids import ServiceId, SubsystemId, encode
from gateway.signing.wsse_names import SECURITY, SOAP11, SOAP12, WSU, WSU_ID
from gateway.signing.xml import Element, canonical, parse, written

_OURS: Final = (
    "{http://x-road.eu/xsd/xroad.xsd}",
    "{http://x-road.eu/xsd/identifiers}",
    "{http://x-road.eu/xsd/representation.xsd}",
    "{urn:motlan:soap:v1}",
)
_DECLARED: Final = re.compile(rb" xmlns:([A-Za-z_][A-Za-z0-9_.\-]*)=\"([^\"]*)\"")
_MAX_PREFIXES: Final = 256


def speaks_xroad(root: Element) -> bool:
    """Whether an envelope has header blocks of X-Road, of ours or of WS-Security: its caller knows what it does."""
    return any(
        block.tag == SECURITY or str(block.tag).startswith(_OURS) for header in _headers(root) for block in header
    )


def with_blocks(root: Element, plain: Plain, *, client: SubsystemId, service: ServiceId, message_id: str) -> bytes:
    """The envelope with the header blocks that X-Road and the purpose need. root: changed by this.

    Raises ExchangeError INVALID_SOAP, INCONSISTENT_HEADERS (it has such blocks), DUPLICATE_HEADER, BAD_FIELD.
    """
    if speaks_xroad(root):
        raise ExchangeError(INCONSISTENT_HEADERS, "signed messages and X-Road headers are for /soap", parts=("Header",))
    soap, payload = _opened(root)
    code = _value(payload, plain.purpose_element) or plain.purpose
    try:
        purpose = stated_purpose(code, plain.basis)
    except ValueError as error:
        raise ExchangeError(BAD_FIELD, str(error), parts=("purpose",)) from None
    blocks = xroad_headers(
        client=encode(client),
        service=encode(service),
        purpose=None if purpose is None else purpose.code,
        basis=None if purpose is None else purpose.basis,
        user_id=_value(payload, plain.officer_element) or plain.officer,
        issue=_value(payload, plain.case_element),
        message_id=message_id,
    )
    if not _headers(root):
        root.insert(0, root.makeelement(f"{{{soap}}}Header"))
    root[0].extend(blocks)
    return written(root)


def without_blocks(proved: bytes) -> bytes:
    """A proved answer's Body in an envelope of its own, as a provider of plain SOAP would have sent it.

    proved: what a signature was verified over. Raises ExchangeError INVALID_SOAP.
    """
    root = parse(proved)
    soap = _soap_of(root)
    body = root.find(f"{{{soap}}}Body")
    if body is None:
        raise ExchangeError(INVALID_SOAP, "there is no Body")
    body.attrib.pop(WSU_ID, "")
    declared = {prefix.decode() for prefix, uri in _DECLARED.findall(proved) if uri != WSU.encode()}
    octets = canonical(body, sorted(declared)[:_MAX_PREFIXES])  # prefixes that only values use are declared too
    opening = f'<?xml version="1.0" encoding="UTF-8"?>\n<e:Envelope xmlns:e="{soap}">'
    return b"".join([opening.encode(), octets, b"</e:Envelope>"])


def is_fault(envelope: bytes) -> bool:
    """Whether an envelope's Body holds a Fault. Raises ExchangeError."""
    root = parse(envelope)
    soap = _soap_of(root)
    return root.find(f"{{{soap}}}Body/{{{soap}}}Fault") is not None


def _soap_of(root: Element) -> str:
    soap = {f"{{{soap}}}Envelope": soap for soap in (SOAP11, SOAP12)}.get(str(root.tag))
    if soap is None:
        raise ExchangeError(INVALID_SOAP, "the root element is no SOAP Envelope")
    return soap


def _headers(root: Element) -> list[Element]:
    return [child for child in root if str(child.tag) in {f"{{{soap}}}Header" for soap in (SOAP11, SOAP12)}]


def _opened(root: Element) -> tuple[str, Element]:
    """The envelope's namespace, and the one element in its Body."""
    soap = _soap_of(root)
    tags = [child.tag for child in root]
    if tags not in ([f"{{{soap}}}Body"], [f"{{{soap}}}Header", f"{{{soap}}}Body"]) or len(root[-1]) != 1:
        raise ExchangeError(INVALID_SOAP, "not an Envelope of one Header, one Body with one element, and no more")
    return soap, root[-1][0]


def _value(payload: Element, path: str | None) -> str | None:
    """The text of the one element at a path; None where it is absent or empty. Raises ExchangeError."""
    if path is None:
        return None
    places = [payload]
    for name in path.split("/"):
        places = [child for place in places for child in place if str(child.tag).rpartition("}")[2] == name]
    if len(places) > 1:
        raise ExchangeError(DUPLICATE_HEADER, f"{path} is given twice", parts=(path,))
    if not places:
        return None
    text = (places[0].text or "").strip()
    if len(places[0]) or (text and not sendable(text)):
        raise ExchangeError(BAD_FIELD, f"{path} is printable ASCII of at most {LONGEST} characters", parts=(path,))
    return text or None
