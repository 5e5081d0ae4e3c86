"""SOAP messages under attack at a real gateway: signed envelopes in pieces, and what becomes of what was sent."""

import ctypes
import gc
import itertools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gateway.keys.file import FileKey
from gateway.model.ids import ServiceId, SubsystemId
from gateway.model.instant import Instant
from tests.support import wsse
from tests.support.attacks import World
from tests.support.gateways import BASIS, PORTAL, PROVIDER, PURPOSE
from tests.support.soap_office import ARCHIVE, NS, caller, proved
from tests.support.wsse import Ref
from tests.support.xroad_soap import IDENTIFIERS, SOAP, XROAD, SoapAnswer

TEXT = "text/xml; charset=utf-8"
BODY_REF = Ref("#body", "/s:Envelope/s:Body")
TIME_REF = Ref("#time", "/s:Envelope/s:Header/wsse:Security/wsu:Timestamp")
BLOCKS = ("client", "service", "id", "protocol", "purpose")
BLOCK_REFS = tuple(Ref(f"#{name}", f"/s:Envelope/s:Header/*[@wsu:Id='{name}']") for name in BLOCKS)
REFS = (*BLOCK_REFS, BODY_REF, TIME_REF)
NUMBER = "001090000001"
ASKED = f'<a:archive xmlns:a="{NS}"><number>{NUMBER}</number></a:archive>'
EVIL = f'<a:archive xmlns:a="{NS}"><number>001099999999</number></a:archive>'

WRAPPER = '<w:wrapper xmlns:w="urn:w">{}</w:wrapper>'
EVIL_BODY = f'<s:Body wsu:Id="evil">{EVIL}</s:Body>'
NOTHING = f"{PROVIDER}/nothing"
"""No service."""
Change = Callable[[str], str]

_numbers = itertools.count()


def message_id() -> str:
    """One that nothing used before."""
    return f"attack-{next(_numbers)}"


def party(name: str, identifier: str, kind: str) -> str:
    """A ``client`` or ``service`` block with its id for the signature."""
    names = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode", "serviceCode")
    inner = "".join(f"<i:{each}>{text}</i:{each}>" for each, text in zip(names, identifier.split("/"), strict=False))
    return (
        f'<x:{name} xmlns:x="{XROAD}" xmlns:i="{IDENTIFIERS}" i:objectType="{kind}" wsu:Id="{name}">{inner}</x:{name}>'
    )


def blocks(
    client: SubsystemId | str = PORTAL, service: ServiceId | str = ARCHIVE, identifier: str | None = None
) -> str:
    """The header blocks of a right request."""
    return (
        party("client", str(client), "SUBSYSTEM")
        + party("service", str(service), "SERVICE")
        + f'<x:id xmlns:x="{XROAD}" wsu:Id="id">{identifier or message_id()}</x:id>'
        f'<x:protocolVersion xmlns:x="{XROAD}" wsu:Id="protocol">4.0</x:protocolVersion>'
        f'<m:purpose xmlns:m="urn:motlan:soap:v1" basis="{BASIS}" wsu:Id="purpose">{PURPOSE}</m:purpose>'
    )


def document(body: str = ASKED, header: str | None = None) -> str:
    """An envelope as it is signed; ``@SECURITY@`` is where its Security header goes."""
    return (
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:wsu="{wsse.WSU}"><s:Header>@SECURITY@{header or blocks()}</s:Header>'
        f'<s:Body wsu:Id="body">{body}</s:Body></s:Envelope>'
    )


def crafted(
    place: World,
    text: str | None = None,
    refs: Iterable[Ref] = REFS,
    *,
    signer: FileKey | None = None,
    at: Instant | None = None,
    **how: Any,
) -> str:
    """A signed envelope: right over what it says, whether or not that is acceptable."""
    how.setdefault("times", wsse.timestamp(place.clock.now() if at is None else at))
    return wsse.craft(text or document(), refs, signer=signer or place.key(PORTAL), **how).decode()


def to_nowhere() -> str:
    return document('<n:nothing xmlns:n="urn:n"/>', blocks(service=NOTHING))


def cut(text: str, name: str) -> str:
    """The first element of that name, with all that is in it."""
    begin = text.index(f"<{name}")
    return text[begin : text.index(f"</{name}>", begin) + len(f"</{name}>")]


def body(text: str) -> str:
    return cut(text, "s:Body")


def security(text: str) -> str:
    return cut(text, "wsse:Security ").replace("</wsse:Security >", "</wsse:Security>")


def into_header(text: str, more: str) -> str:
    return text.replace("</s:Header>", more + "</s:Header>", 1)


def swapped(text: str, inside: Change) -> str:
    """The evil Body in the signed one's place, which goes to where ``inside`` puts it in the rest."""
    held = body(text)
    return inside(text.replace(held, "@HERE@")).replace("@HERE@", EVIL_BODY, 1).replace("@SIGNED@", held)


def whole(text: str) -> str:
    """The Security header."""
    begin = text.index("<wsse:Security ")
    return text[begin : text.index("</wsse:Security>") + len("</wsse:Security>")]


def signature(text: str) -> str:
    begin = text.index("<ds:Signature ")
    return text[begin : text.index("</ds:Signature>") + len("</ds:Signature>")]


def unsigned(element: str) -> Change:
    return lambda text: into_header(text, element)


def changed(old: str, new: str) -> Change:
    return lambda text: text.replace(old, new, 1)


def value_of(envelope: str) -> str | None:
    """The request's SignatureValue, which its answer confirms."""
    _, found, rest = envelope.partition("<ds:SignatureValue>")
    return rest.partition("</ds:SignatureValue>")[0] if found else None


def send(
    place: World,
    data: str | bytes,
    *,
    subsystem: SubsystemId | None = None,
    content_type: str = TEXT,
    target: str = "/soap",
    fields: Iterable[tuple[str, str]] = (),
) -> SoapAnswer:
    """Send a message. subsystem: whose TLS certificate is shown; None: nobody's."""
    sender = caller(place, subsystem or PORTAL, shows=subsystem is not None)
    return sender.post(
        data.encode() if isinstance(data, str) else data, content_type, target=target, fields=tuple(fields)
    )


def refused(
    place: World, data: str | bytes, code: str, *, recorded: bool = False, confirms: str | None = None, **how: Any
) -> SoapAnswer:
    """Send it and see that it ends in a signed Fault of this code, that nothing was forwarded, and what is left of it.

    recorded: as the one record of a proved caller; else it is only counted. confirms: the SignatureValue that the
    Fault must confirm.
    """
    forwarded, rows, counted = place.forwarded, place.rows(), place.counted(code)
    answer = send(place, data, **how)
    assert answer.fault is not None, answer.body[:2000]
    assert (answer.fault[0], answer.status) == (code, 200), answer.fault
    assert answer.fields["x-road-error"] == code
    assert answer.fields["content-type"].startswith(("text/xml", "application/soap+xml"))
    proved(place, answer, confirms)
    assert place.forwarded == forwarded
    left = [(each["kind"], each["decision"]["reasons"][0]) for each in place.records(rows)]
    if recorded:
        assert left == [("refusal", code)], left
        assert place.counted(code) == counted
        assert answer.fields["motlan-receipt"] == answer.fault[2]
    else:
        assert left == [], left
        assert place.counted(code) == counted + 1
        assert "motlan-receipt" not in answer.fields
    return answer


def accepted(place: World, data: str | bytes, *, confirms: str | None = None, **how: Any) -> SoapAnswer:
    """Send it and see that it passes: forwarded once, recorded twice, and answered under the gateway's signature."""
    forwarded, rows = place.forwarded, place.rows()
    answer = send(place, data, **how)
    assert answer.fault is None, answer.fault
    proved(place, answer, confirms)
    assert place.forwarded == forwarded + 1
    assert [each["kind"] for each in place.records(rows)] == ["request", "answer"]
    return answer


def spooled(folder: Path) -> list[str]:
    """Open files of this process that have no name any more below a folder: bodies on disk."""
    found = []
    for each in Path("/proc/self/fd").iterdir():
        try:
            target = str(each.readlink())
        except OSError:
            continue
        if target.startswith(str(folder)) and target.endswith("(deleted)"):
            found.append(target)
    return found


def resident() -> int:
    """Bytes of this process in memory, without what is free."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
