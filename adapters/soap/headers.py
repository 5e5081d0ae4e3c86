"""The header blocks of the X-Road message protocol v4.0 (PR-MESS §2.2), and ours, as a claim.

SOAPAction decides nothing. A block that we act on stands in the header once; a block that must be understood and is
not ours to understand is refused (SOAP 1.1 §4.2.3).
"""

import re
from functools import lru_cache

from msgspec import Struct

from adapters.soap.reading import SOAP11, SOAP12, Message, canonical
from adapters.soap.translate_scalars import escaped
from adapters.soap.xml import Element
from gateway.model.envelope import Purpose
from gateway.model.errors import ErrorKind, ExchangeError
from gateway.model.errors.request import (
    DUPLICATE_HEADER,
    INCONSISTENT_HEADERS,
    INVALID_PROTOCOL_VERSION,
    MISSING_HEADER,
    UNKNOWN_SERVICE,
)
from gateway.model.errors.soap import BAD_FIELD, MISSING_FIELD, NOT_UNDERSTOOD
from gateway.model.ids import ServiceId, SubsystemId

XROAD = "http://x-road.eu/xsd/xroad.xsd"
IDENTIFIERS = "http://x-road.eu/xsd/identifiers"
REPRESENTATION = "http://x-road.eu/xsd/representation.xsd"
MOTLAN = "urn:motlan:soap:v1"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
ADDRESSING = ("http://www.w3.org/2005/08/addressing", "http://schemas.xmlsoap.org/ws/2004/08/addressing")
_ANYWHERE = frozenset({f"{ADDRESSING[0]}/anonymous", f"{ADDRESSING[1]}/role/anonymous"})

SECURITY = f"{{{WSSE}}}Security"
PURPOSE = f"{{{MOTLAN}}}purpose"
_CLIENT, _SERVICE = f"{{{XROAD}}}client", f"{{{XROAD}}}service"
_PARTY = f"{{{REPRESENTATION}}}representedParty"
_TYPE = f"{{{IDENTIFIERS}}}objectType"
_HASH = f"{{{XROAD}}}requestHash"
_OURS = frozenset({XROAD, REPRESENTATION, MOTLAN, WSSE})
_UNDERSTOOD = _OURS.union(ADDRESSING)
_NEXT = frozenset(
    {"", "http://schemas.xmlsoap.org/soap/actor/next", f"{SOAP12}/role/next", f"{SOAP12}/role/ultimateReceiver"}
)
_HOP = (f"{{{SOAP11}}}", f"{{{SOAP12}}}", f"{{{WSU}}}")
_VERSION = re.compile(r"4\.(?:[0-9]{1,3}|x)")
_LONGEST = 255
_CLIENT_PARTS = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode")
_SERVICE_PARTS = (*_CLIENT_PARTS, "serviceCode", "serviceVersion")
_PARTY_PARTS = ("partyClass", "partyCode")
_CLIENT_NAMES = {f"{{{IDENTIFIERS}}}{name}": name for name in _CLIENT_PARTS}
_SERVICE_NAMES = {f"{{{IDENTIFIERS}}}{name}": name for name in _SERVICE_PARTS}
_PARTY_NAMES = {f"{{{REPRESENTATION}}}{name}": name for name in _PARTY_PARTS}


class Fields(Struct, frozen=True, kw_only=True):
    """What the header blocks say. signed: there is a WS-Security header."""

    client: SubsystemId
    service: ServiceId
    message_id: str
    officer: str | None
    case: str | None
    represented: str | None
    purpose: Purpose | None
    signed: bool


def read_fields(message: Message) -> Fields:
    """The X-Road header fields. Raises ExchangeError."""
    if message.header is None:
        raise ExchangeError(MISSING_HEADER, "the envelope has no Header", parts=("Header",))
    blocks = once(message)
    check_understood(message)
    if f"{{{XROAD}}}centralService" in blocks:
        raise _bad("centralService", "central services are not known here; name the service")
    version = _text(blocks, f"{{{XROAD}}}protocolVersion")
    identifier = _text(blocks, f"{{{XROAD}}}id")
    client, service = _client(_needed(blocks, _CLIENT)), _service(_needed(blocks, _SERVICE))
    if version is None or identifier is None:
        name = "protocolVersion" if version is None else "id"
        raise ExchangeError(MISSING_FIELD, f"{name} is required", parts=(name,))
    if not _VERSION.fullmatch(version):
        raise ExchangeError(INVALID_PROTOCOL_VERSION, "protocolVersion is 4.0", parts=("protocolVersion",))
    return Fields(
        client=client,
        service=service,
        message_id=identifier,
        officer=_text(blocks, f"{{{XROAD}}}userId"),
        case=_text(blocks, f"{{{XROAD}}}issue"),
        represented=_represented(blocks.get(_PARTY)),
        purpose=_purpose(blocks.get(PURPOSE)),
        signed=SECURITY in blocks,
    )


def once(message: Message) -> dict[str, Element]:
    """Name → block, of the blocks that we act on. Raises ExchangeError for one that stands there twice."""
    blocks: dict[str, Element] = {}
    for block in message.blocks:
        tag = block.tag
        if tag in blocks and _namespace(block) in _UNDERSTOOD:
            raise ExchangeError(DUPLICATE_HEADER, f"{_local(block)} is given twice", parts=(_local(block),))
        blocks[tag] = block
    return blocks


def check_understood(message: Message) -> None:
    """Refuse what must be understood and is not (SOAP 1.1 §4.2.3, SOAP 1.2 §5.2.3). Raises ExchangeError."""
    for block in message.blocks:
        namespace = _namespace(block)
        if namespace in _OURS:
            continue
        if namespace in ADDRESSING and _local(block) in {"ReplyTo", "FaultTo"}:
            address = (block.findtext(f"{{{namespace}}}Address") or "").strip()
            if address not in _ANYWHERE:
                raise _not_understood(block, "answers go back over the connection only")
        if namespace not in _UNDERSTOOD and _must(block, message.soap):
            raise _not_understood(block, f"{{{namespace}}}{_local(block)}")


def echoed(message: Message) -> list[bytes]:
    """The X-Road blocks for the answer: the same ones with the same values, in the same order (PR-MESS §2.2).

    Left out: requestHash, which is made anew, and attributes for the hop to us (mustUnderstand, actor, wsu:Id).
    """
    texts = []
    for block in message.blocks:
        if block.tag != _HASH and _namespace(block) in {XROAD, REPRESENTATION}:
            for name in block.attrib.keys():  # noqa: SIM118 - a list, while they go
                if str(name).startswith(_HOP):
                    del block.attrib[name]
            texts.append(canonical(block))
    return texts


def addressed(message: Message) -> list[bytes]:
    """WS-Addressing of the answer to a request with a message id: which one it answers (WS-A 1.0 §3.4). Canonical."""
    blocks = []
    for namespace in sorted({_namespace(block) for block in message.blocks}.intersection(ADDRESSING)):
        said = {_local(block): (block.text or "").strip() for block in message.blocks if _namespace(block) == namespace}
        if said.get("MessageID"):
            action = said.get("Action", "").removesuffix("Request") + "Response"
            for name, text in (("Action", action), ("RelatesTo", said["MessageID"])):
                blocks.append(f'<w:{name} xmlns:w="{namespace}">{escaped(text)}</w:{name}>'.encode())
    return blocks


def plain(value: str, name: str) -> str | None:
    """A value that may stand in a header: printable ASCII, at most 255 characters; None for an empty one.

    Raises ExchangeError.
    """
    text = value.strip()
    if len(text) > _LONGEST or not text.isascii() or not (text.isprintable()):
        raise _bad(name, f"{name} is printable ASCII of at most {_LONGEST} characters")
    return text or None


def _client(block: Element) -> SubsystemId:
    parts = _parts(block, _CLIENT_NAMES)
    kind = "SUBSYSTEM" if "subsystemCode" in parts else "MEMBER"
    _check_type(block, kind)
    try:
        return _subsystem(*[parts[name] for name in _CLIENT_PARTS[: len(parts)]])
    except (KeyError, TypeError, ValueError):
        raise _bad("client", "client is xRoadInstance, memberClass, memberCode and subsystemCode") from None


def _service(block: Element) -> ServiceId:
    parts = _parts(block, _SERVICE_NAMES)
    _check_type(block, "SERVICE")
    if "serviceCode" in parts and "subsystemCode" not in parts:
        raise ExchangeError(UNKNOWN_SERVICE, "services belong to subsystems here")
    try:  # of one service's versions the contract is the same (PR-MESS §3.1)
        return _service_id(*[parts[name] for name in _SERVICE_PARTS[:-1]])
    except (KeyError, TypeError, ValueError):
        detail = "service is xRoadInstance, memberClass, memberCode, subsystemCode and serviceCode"
        raise _bad("service", detail) from None


# The same few parties and services come with every message.
_subsystem = lru_cache(maxsize=4096)(SubsystemId)
_service_id = lru_cache(maxsize=4096)(ServiceId)


def _check_type(block: Element, kind: str) -> None:
    given = block.get(_TYPE)
    if given is None:
        raise _bad(_local(block), f"{_local(block)} needs the attribute objectType")
    if given != kind:
        detail = f"{_local(block)} has the parts of a {kind}, and says that it is another thing"
        raise ExchangeError(INCONSISTENT_HEADERS, detail, parts=(_local(block),))


def _parts(block: Element, names: dict[str, str]) -> dict[str, str]:
    """The children's texts by local name, each at most once, none but these; empty optional ones are as if absent."""
    parts: dict[str, str] = {}
    for child in block:
        name = names.get(child.tag)
        if name is None or len(child):
            raise _bad(_local(block), f"{_local(block)} has an element that it may not have")
        if name in parts:
            raise ExchangeError(DUPLICATE_HEADER, f"{name} is given twice", parts=(name,))
        text = (child.text or "").strip()
        if text:
            parts[name] = text
    return parts


def _represented(block: Element | None) -> str | None:
    """As ``X-Road-Represented-Party`` writes it: ``[class/]code`` (X-Road third party representation extension)."""
    if block is None:
        return None
    parts = _parts(block, _PARTY_NAMES)
    if "partyCode" not in parts or any("/" in part for part in parts.values()):
        raise _bad("representedParty", "representedParty has a partyCode, and may have a partyClass")
    return plain("/".join(parts[name] for name in _PARTY_PARTS if name in parts), "representedParty")


def _purpose(block: Element | None) -> Purpose | None:
    if block is None:
        return None
    code = plain(_own_text(block), "purpose")
    basis = plain(block.get("basis") or "", "purpose")
    try:
        return Purpose(code or "", basis)
    except ValueError as error:
        raise _bad("purpose", str(error)) from None


def _needed(blocks: dict[str, Element], tag: str) -> Element:
    block = blocks.get(tag)
    if block is None:
        name = tag.partition("}")[2]
        raise ExchangeError(MISSING_FIELD, f"{name} is required", parts=(name,))
    return block


def _text(blocks: dict[str, Element], tag: str) -> str | None:
    block = blocks.get(tag)
    return None if block is None else plain(_own_text(block), _local(block))


def _own_text(block: Element) -> str:
    if len(block):
        raise _bad(_local(block), f"{_local(block)} holds text only")
    return block.text or ""


def _must(block: Element, soap: str) -> bool:
    """Whether it is for us and must be understood."""
    role = block.get(f"{{{soap}}}{'actor' if soap == SOAP11 else 'role'}") or ""
    return block.get(f"{{{soap}}}mustUnderstand") in {"1", "true"} and role in _NEXT


def _namespace(element: Element) -> str:
    tag: str = element.tag
    return tag[1 : tag.index("}")] if tag[:1] == "{" else ""


def _local(element: Element) -> str:
    tag: str = element.tag
    return tag.rpartition("}")[2]


def _bad(name: str, detail: str, kind: ErrorKind = BAD_FIELD) -> ExchangeError:
    return ExchangeError(kind, detail, parts=(name,))


def _not_understood(block: Element, detail: str) -> ExchangeError:
    return ExchangeError(NOT_UNDERSTOOD, detail[:_LONGEST], parts=(_local(block)[:_LONGEST],))
