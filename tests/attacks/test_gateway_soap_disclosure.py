"""What SOAP must not let out: elements that nobody granted, personal data in logs, metrics and fault texts."""

import json
import signal
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.simulators.wire import Answer
from gateway.model.errors import ExchangeError
from gateway.model.ids import ServiceId, SubsystemId
from gateway.model.message import AnswerHead, Body, Head
from gateway.signing import http_sig_check
from gateway.signing.components import MemberTexts, Source
from gateway.signing.digest import verify_content_digest
from gateway.signing.target import public_url
from tests.support import soap_office as office
from tests.support.attacks import World
from tests.support.exchanges import grant
from tests.support.gateways import BASIS, PORTAL, PURPOSE
from tests.support.mtls import LEGACY
from tests.support.served import serving
from tests.support.soap_attacks import ASKED, blocks, crafted, document, into_header, message_id, party, send
from tests.support.soap_office import ARCHIVE, CITIZENS, FACADE, NS, archive, native, soap_office, told
from tests.support.xroad_soap import SOAP, XROAD, SoapAnswer, envelope, headers, with_attachments

MIC = "http://www.mic.gov.vn/dancu/1.0"
SECRET = "031190007654"
NAME = "Mốc"
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://motlan.example/test/collection.json",
    "type": "object",
    "properties": {
        "CongDan": {
            "type": "array",
            "items": {"type": "object", "properties": {"SoDinhDanh": {}, "HoVaTen": {}, "GioiTinh": {}}},
        }
    },
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """LEGACY may see the names of citizens, and nothing else of them."""
    patch, folder = pytest.MonkeyPatch(), tmp_path_factory.mktemp("site")
    services = office._SERVICES.replace(
        'asked = ["/SoDinhDanh"]', 'asked = ["/SoDinhDanh"]\nresponse_schema = "c.json"'
    )

    def granted(name: str, client: SubsystemId, service: ServiceId) -> str:
        return grant(name, client, service, '["/CongDan/*/HoVaTen"]' if service == CITIZENS else '["*"]')

    patch.setattr(office, "_SERVICES", services)
    patch.setattr(office, "grant", granted)
    real = office.mtls_office

    def with_schema(path: Path, **site: Any) -> Any:
        from tests.support import exchanges  # noqa: PLC0415 - what it makes is changed here

        make = exchanges.make_office

        def made(folder: Path, backend: str, **more: Any) -> Any:
            written = make(folder, backend, **more)
            (folder / "schemas/c.json").write_text(json.dumps(SCHEMA))
            return written

        patch.setattr(exchanges, "make_office", made)
        return real(path, **site)

    patch.setattr(office, "mtls_office", with_schema)
    try:
        with soap_office(folder, admin=True) as made:
            yield made
    finally:
        patch.undo()


def citizen(inner: str = "", attributes: str = "", around: str = "") -> str:
    name = f"<m:HoVaTen><m:Ho>Đoàn</m:Ho><m:ChuDem>Thị</m:ChuDem><m:Ten>{NAME}</m:Ten></m:HoVaTen>"
    return (
        f'<m:CongdanCollection xmlns:m="{MIC}"{attributes}>{around}<m:CongDan>{inner}{name}</m:CongDan>'
        "</m:CongdanCollection>"
    )


NUMBER = f"<m:SoDinhDanh>{SECRET}</m:SoDinhDanh>"
FAULT = (
    f'<s:Fault xmlns:s="{SOAP}"><faultcode>s:Server</faultcode><faultstring>{SECRET}</faultstring>'
    f"<detail>{SECRET}</detail></s:Fault>"
)
ANSWERS = {
    "an element that is not granted": (citizen(NUMBER), None),
    "a comment": (citizen(NUMBER + f"<!-- {SECRET} -->"), None),
    "a processing instruction": (citizen(NUMBER) + f"<?x {SECRET}?>", None),
    "an attribute": (citizen(NUMBER, f' note="{SECRET}"'), "service_failed.invalid_reply"),
    "an attribute of a granted element": (
        citizen().replace("<m:HoVaTen>", f'<m:HoVaTen note="{SECRET}">'),
        "service_failed.invalid_reply",
    ),
    "an element that no schema knows": (citizen(f"<m:More>{SECRET}</m:More>"), "service_failed.invalid_reply"),
    "an element of another namespace": (
        citizen(f'<o:HoVaTen xmlns:o="urn:o">{SECRET}</o:HoVaTen>'),
        "service_failed.invalid_reply",
    ),
    "text between elements": (citizen(SECRET), "service_failed.invalid_reply"),
    "text in the collection": (citizen(NUMBER, around=SECRET), "service_failed.invalid_reply"),
    "a fault": (FAULT, "service_failed.unavailable"),
    "another element": (f'<x:Other xmlns:x="urn:x">{SECRET}</x:Other>', "service_failed.invalid_reply"),
}


def by_facade(place: World) -> SoapAnswer:
    return send(place, envelope("", native(MaYeuCau=message_id())), target=FACADE, subsystem=LEGACY)


def by_header(place: World) -> SoapAnswer:
    purpose = f'<m:purpose xmlns:m="urn:motlan:soap:v1" basis="{BASIS}">{PURPOSE}</m:purpose>'
    root = envelope(headers(str(LEGACY), str(CITIZENS), message_id(), more=purpose), native())
    return send(place, root, subsystem=LEGACY)


@pytest.mark.parametrize("way", [by_facade, by_header])
@pytest.mark.parametrize("name", ANSWERS)
def test_only_what_is_granted_leaves(place: World, name: str, way: Callable[[World], SoapAnswer]) -> None:
    """From SOAP to SOAP too: the provider's element never passes as it is."""
    element, code = ANSWERS[name]
    place.provider.reply = told(element)
    answer = way(place)
    assert SECRET.encode() not in answer.raw + answer.body
    if code is None:
        assert answer.fault is None, answer.fault
        assert NAME.encode() in answer.body
        assert not any(name.startswith("x-secret") for name in answer.fields)
    else:
        assert answer.fault is not None
        assert answer.fault[0] == f"server.serverproxy.{code}"


def test_attachments_are_for_whom_all_is_granted(place: World) -> None:
    content_type, data = with_attachments(envelope("", citizen(NUMBER)), {"photo": SECRET.encode()})
    place.provider.reply = Answer(body=data, content_type=content_type, headers=(("ETag", f'"{SECRET}"'),))
    answer = by_facade(place)
    assert answer.fault is None
    assert answer.attachments == {}
    assert SECRET.encode() not in answer.raw + answer.body
    assert not [value for value in answer.fields.values() if SECRET in value]


def test_an_opaque_answer_is_for_whom_all_is_granted(place: World) -> None:
    """PORTAL's grant of ARCHIVE is whole; what a provider adds of header fields does not pass over SOAP at all."""
    place.provider.reply = told(
        f'<a:archiveResponse xmlns:a="{NS}">ok</a:archiveResponse>', headers=(("X-Secret", "1"),)
    )
    answer = send(place, crafted(place))
    assert answer.fault is None
    assert "x-secret" not in answer.fields


def _verify(place: World, answer: SoapAnswer, target: str) -> tuple[str, ...]:
    """What the gateway's signature in the head of an answer to an unsigned request covers. Raises ExchangeError."""
    head = AnswerHead(status=answer.status, fields=tuple(answer.fields.items()))
    request = Head(method="POST", target=target, fields=())
    candidate = http_sig_check._select(head, http_sig_check.ANSWER_TAG, "answer", place._keys)
    source = Source(head, None, Source(request, public_url(place.site.url), None, MemberTexts("none", "", "")))
    http_sig_check._prove(candidate, source, place.clock.now())
    verify_content_digest(head, Body(answer.body))
    return tuple(candidate.cover.covered)


def test_answers_and_faults_of_a_facade_are_signed_in_the_head(place: World) -> None:
    place.provider.reply = told(citizen(NUMBER))
    for root, target in ((native(), FACADE), (native(MaDonVi="000.00.01.H01"), FACADE), (native(), f"{FACADE}x")):
        answer = send(place, envelope("", root), target=target, subsystem=LEGACY)
        covered = _verify(place, answer, target)
        assert {"@status", "content-digest", "@method;req", "@target-uri;req"} <= set(covered)
        with pytest.raises(ExchangeError):
            _verify(place, answer, "/soap")
        with pytest.raises(ExchangeError):
            _verify(place, replace(answer, body=answer.body + b" "), target)


# -- logs, metrics, fault texts ----------------------------------------------------------------------------------------


OFFICER = "canbo-doanvanhau"
CASE = "H26-HS-770077"
MARKERS = (SECRET, OFFICER, CASE, NAME, "M\\u1ed1c", "payload-770079")


def attacks(place: World) -> Iterator[tuple[str | bytes, dict[str, Any]]]:
    """Messages with the markers in every place, most of them refused."""
    told_of = f'<x:userId xmlns:x="{XROAD}">{OFFICER}</x:userId><x:issue xmlns:x="{XROAD}">{CASE}</x:issue>'
    inner = f"<number>{SECRET}</number><name>{NAME}</name><x>payload-770079</x>"
    good = document(f'<a:archive xmlns:a="{NS}">{inner}</a:archive>')
    yield crafted(place, good), {}
    replayed = crafted(place, good)
    yield replayed, {}
    yield replayed, {}
    yield into_header(crafted(place, good), told_of), {}
    yield crafted(place, good).replace(SECRET, SECRET[::-1]), {}
    yield crafted(place, good).replace("</name>", ""), {}
    yield crafted(place, good).replace("<name>", f"<name {SECRET}>"), {}
    yield crafted(place, good).replace("<name>", f"<name>&{NAME};"), {}
    yield crafted(place, document(f"<n{SECRET}/>")), {}
    yield crafted(place, document(ASKED, blocks(service=f"VN/GOV/G15/registry/{SECRET}"))), {}
    yield crafted(place, document(ASKED, blocks(client=f"VN/GOV/H24/{SECRET}"))), {}
    yield crafted(place, document(ASKED, blocks(identifier=SECRET + NAME))), {}
    yield into_header(crafted(place), party("client", f"VN/GOV/{SECRET}", "SUBSYSTEM").replace("wsu:Id", "Id")), {}
    yield crafted(place, good).replace("wsse:BinarySecurityToken", f"wsse:Token{SECRET}"), {}
    yield crafted(place, good).replace('"#body"', f'"#b{SECRET}"'), {}
    yield crafted(place, good), {"content_type": f"text/{SECRET}"}
    yield crafted(place, good), {"content_type": f"multipart/related; boundary={SECRET}"}
    yield crafted(place, good).encode("utf-16"), {"content_type": f"text/xml; charset={OFFICER}"}
    yield crafted(place, good), {"target": f"/soap/{SECRET}/{SECRET}/{SECRET}"}
    yield crafted(place, good), {"target": f"/soap/{SECRET}"}
    for changed in ({"MaDVC": SECRET}, {"MaDonVi": SECRET}, {"MaCanBo": NAME}, {"MaTichHop": SECRET}, {SECRET: SECRET}):
        with_name = native(**{f"x{name}" if name.isdigit() else name: value for name, value in changed.items()})
        yield envelope("", with_name), {"target": FACADE, "subsystem": LEGACY}
    yield envelope(headers(str(LEGACY), str(ARCHIVE), SECRET), archive(inner)), {"subsystem": LEGACY}


REPLIES = (
    told(citizen(NUMBER)[:-10]),
    told(citizen(f"<m:x{SECRET}/>")),
    told(FAULT),
    told(FAULT.replace("s:Server", f"s:{NAME}{SECRET}")),
    Answer(status=500, body=SECRET.encode(), content_type="text/plain"),
    Answer(body=SECRET.encode(), content_type=f"text/{SECRET}"),
    Answer(drop=True),
)


@pytest.fixture(scope="module")
def said(place: World) -> dict[str, str]:
    """All that a served gateway said while it was attacked, by where it said it."""
    faults: list[str] = []
    place.stop()
    try:
        with serving(place.site) as process:
            place.provider.reply = told(f'<a:archiveResponse xmlns:a="{NS}">ok</a:archiveResponse>')
            for data, how in attacks(place):
                faults.append(" ".join(send(place, data, **how).fault or ()))
            for reply in REPLIES:
                place.provider.reply = reply
                faults.append(" ".join(by_facade(place).fault or ()))
            lines = place.site.config.read_text().partition("[admin]")[2].splitlines()
            port = next(line.partition("= ")[2] for line in lines if line.startswith("port"))
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                metrics = answer.read().decode()
            process.signal(signal.SIGTERM)
            assert process.wait() == 0
    finally:
        place.start()
    return {"faults": "\n".join(faults), "metrics": metrics, "log": "".join(process.said)}


@pytest.mark.parametrize("where", ["faults", "metrics", "log"])
def test_nothing_of_a_person_or_a_payload_is_told(said: dict[str, str], where: str) -> None:
    assert said[where]
    assert {marker: line for marker in MARKERS for line in said[where].splitlines() if marker in line} == {}


def test_what_happened_is_told_all_the_same(said: dict[str, str]) -> None:
    for code in ("client.security_digest_mismatch", "client.replayed_nonce", "client.invalid_xml"):
        assert f'code="{code}"' in said["metrics"]
        assert code in said["faults"]
    assert str(PORTAL) not in said["metrics"]
