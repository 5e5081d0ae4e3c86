"""Envelopes for SOAP providers: X-Road header blocks re-made from what was proved, and the element as it is."""

from functools import lru_cache

from adapters.soap.reading import SOAP11
from adapters.soap.translate_scalars import escaped, in_attribute
from adapters.soap.wsdl_headers import IDENTIFIERS, MOTLAN, XROAD
from gateway.model.envelope import Purpose
from gateway.model.ids import ServiceId, SubsystemId
from gateway.model.stages import Recorded

REPRESENTATION = "http://x-road.eu/xsd/representation.xsd"
VERSION = "4.0"
"""Of the X-Road message protocol."""
_PARTS = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode", "serviceCode")


def envelope(element: bytes, blocks: tuple[bytes, ...] = (), soap: str = SOAP11) -> bytes:
    """An envelope around an element. blocks: of the header. soap: the envelope's namespace."""
    opened = f'<?xml version="1.0" encoding="UTF-8"?>\n<S:Envelope xmlns:S="{soap}">'.encode()
    header = (b"<S:Header>", *blocks, b"</S:Header>") if blocks else ()
    return b"".join((opened, *header, b"<S:Body>", element, b"</S:Body></S:Envelope>"))


def xroad_blocks(request: Recorded) -> tuple[bytes, ...]:
    """The header blocks of the X-Road Message Protocol v4.0, §2.2, and the purpose: as recorded, whoever wrote them.

    Each in exclusive canonical form. Raises MisfitError for a value that XML cannot carry.
    """
    claim, authorized = request.claim, request.authorized
    texts = (
        ("userId", claim.officer),
        ("id", claim.message_id or request.id),
        ("issue", claim.case),
        ("protocolVersion", VERSION),
    )
    blocks = [f'<x:{name} xmlns:x="{XROAD}">{escaped(text)}</x:{name}>' for name, text in texts if text is not None]
    if claim.represented is not None:
        blocks.append(_represented(claim.represented))
    blocks.append(_purpose(authorized.decision.purpose))
    return (*_parties(authorized.verified.client, claim.service), *[block.encode() for block in blocks])


@lru_cache(maxsize=1024)
def _parties(client: SubsystemId, service: ServiceId) -> tuple[bytes, bytes]:
    kind = "MEMBER" if client.subsystem_code is None else "SUBSYSTEM"
    return _identifier("client", kind, str(client)), _identifier("service", "SERVICE", str(service))


def _identifier(name: str, kind: str, identifier: str) -> bytes:
    parts = zip(_PARTS, identifier.split("/"), strict=False)
    inside = "".join(f"<i:{part}>{escaped(text)}</i:{part}>" for part, text in parts)
    block = f'<x:{name} xmlns:i="{IDENTIFIERS}" xmlns:x="{XROAD}" i:objectType="{kind}">{inside}</x:{name}>'
    return block.encode()


def _represented(party: str) -> str:
    party_class, found, code = party.rpartition("/")
    inside = f"<r:partyClass>{escaped(party_class)}</r:partyClass>" if found else ""
    inside += f"<r:partyCode>{escaped(code)}</r:partyCode>"
    return f'<r:representedParty xmlns:r="{REPRESENTATION}">{inside}</r:representedParty>'


def _purpose(purpose: Purpose) -> str:
    basis = "" if purpose.basis is None else f' basis="{in_attribute(purpose.basis)}"'
    return f'<m:purpose xmlns:m="{MOTLAN}"{basis}>{escaped(purpose.code)}</m:purpose>'
