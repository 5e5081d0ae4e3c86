"""A gateway before a SOAP provider that does as told: its register, called as it is, and one with a façade."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adapters.simulators.wire import Answer, Received
from gateway.model.ids import SubsystemId, parse_service
from gateway.model.message import Part
from gateway.signing.wsse import verify_answer
from gateway.signing.wsse_sign import SignedEnvelope, sign_envelope
from gateway.validation.mime import split
from tests.support.attacks import World
from tests.support.exchanges import grant
from tests.support.gateways import BASIS, PORTAL, PURPOSE
from tests.support.mtls import CONFINED, KEYLESS, LEGACY, mtls_office
from tests.support.source import ROOT
from tests.support.xroad_rest import tls_context
from tests.support.xroad_soap import SOAP, SoapAnswer, SoapConsumer, envelope, headers

ARCHIVE = parse_service("VN/GOV/G15/registry/archive")
"""A SOAP service without WSDL: its elements are opaque, and named after it."""
CITIZENS = parse_service("VN/GOV/G15/registry/citizens")
"""The population database's own WSDL, with a façade."""
FACADE = "/soap/G15/registry/citizens"
AGENCY = "000.00.16.H57"
NATIVE = "http://dancuquocgia.bca"
NS = "urn:archive"

_SERVICES = f"""
[[service]]
id = "{ARCHIVE}"
adapter = "soap"
path = "/archive"
default_purpose = "{PURPOSE};{BASIS}"

[[service]]
id = "{CITIZENS}"
adapter = "soap"
path = "/population"
wsdl = "../contract/population.wsdl"
xroad_headers = false
asked = ["/SoDinhDanh"]
[service.facade]
purpose = "MaDVC"
officer = "MaCanBo"
agency = "MaDonVi"
message_id = "MaYeuCau"
basis = "{BASIS}"
agencies = {{ H57 = "{AGENCY}" }}
"""


@contextmanager
def soap_office(folder: Path, **site: Any) -> Iterator[World]:
    """A gateway with these services."""
    grants = "".join(
        grant(f"{client.member_code.lower()}-{service.service_code}", client, service)
        for client in (LEGACY, CONFINED, KEYLESS, PORTAL)
        for service in (ARCHIVE, CITIZENS)
    )
    contract = folder / "contract"  # a contract uses only files beside it
    contract.mkdir()
    for xsd in ("population-request.xsd", "population-answer.xsd"):
        shutil.copy(ROOT / "schemas/xsd" / xsd, contract)
    (contract / "population.wsdl").write_text(
        (ROOT / "schemas/wsdl/population.wsdl").read_text().replace("../xsd/", "")
    )
    with mtls_office(folder, services=_SERVICES, grants=grants, **site) as made:
        made.provider.reply = told(f'<a:archiveResponse xmlns:a="{NS}">ok</a:archiveResponse>')
        yield made


def told(element: str, **more: Any) -> Answer:
    """A provider's answer with that element in Body."""
    return Answer(body=envelope("", element), content_type="text/xml; charset=utf-8", **more)


def caller(place: World, subsystem: SubsystemId = LEGACY, *, shows: bool = True) -> SoapConsumer:
    """A SOAP consumer. shows: whether it shows its TLS certificate."""
    identity = place.site.pki.identities[subsystem]
    shown = (str(identity.tls_certificate), str(identity.tls_key)) if shows else (None, None)
    return SoapConsumer(place.site.url, str(subsystem), tls_context(str(place.site.pki.bundle), *shown))


def archive(inner: str = "") -> str:
    """A request's element."""
    return f'<a:archive xmlns:a="{NS}">{inner}</a:archive>'


def native(**changed: str) -> str:
    """A request's element as the population database's own callers write it."""
    values = {
        "MaYeuCau": "yc-1",
        "MaDVC": PURPOSE,
        "MaTichHop": "037",
        "MaDonVi": AGENCY,
        "MaCanBo": "cb-57",
        "SoDinhDanh": "001090000001",
    } | changed
    inner = "".join(f"<d:{name}>{value}</d:{name}>" for name, value in values.items())
    return f'<d:TraCuuThongTinCongDan xmlns:d="{NATIVE}">{inner}</d:TraCuuThongTinCongDan>'


def signed(
    place: World,
    message_id: str,
    body: str | None = None,
    *,
    attachments: tuple[Part, ...] = (),
    key: SubsystemId = PORTAL,
) -> SignedEnvelope:
    """A call of the portal's, signed with WS-Security."""
    purpose = f'<m:purpose xmlns:m="urn:motlan:soap:v1" basis="{BASIS}">{PURPOSE}</m:purpose>'
    root = envelope(headers(str(PORTAL), str(ARCHIVE), message_id, more=purpose), body or archive())
    return sign_envelope(root, key=place.key(key), now=place.clock.now(), attachments=attachments)


def proved(place: World, answer: SoapAnswer, confirms: str | None, raw: bytes | None = None) -> tuple[str, ...]:
    """Hold an answer's seal against the trust list: it covers all of it. The content ids of its attachments.

    raw: the whole body, where it has attachments.
    """
    parts = () if raw is None else split(answer.fields["content-type"], raw)[1:]
    trust = place.gateway.pipeline.rules.trust
    proof = verify_answer(
        answer.body, trust, owner=None, gateway=True, now=place.clock.now(), confirms=confirms, parts=parts
    )
    assert f"{{{SOAP}}}Body" in " ".join(proof.direct.covered) or proof.direct.covered
    return tuple(name for name, _ in proof.direct.attachments)


def body_of(received: Received) -> bytes:
    """The envelope that the provider received."""
    content_type = received.header("Content-Type") or ""
    if not content_type.startswith("multipart/"):
        return received.body
    return split(content_type, received.body)[0].data or b""
