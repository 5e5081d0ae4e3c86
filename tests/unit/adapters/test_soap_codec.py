"""What the SOAP codec reads out of messages."""

import pytest
from lxml import etree

from gateway.model.envelope import BY_CERTIFICATE, MessageProtocol, ProofScheme, Purpose
from gateway.model.errors import ExchangeError
from gateway.model.message import Body, Part
from tests.support.soap_codec import CLIENT, NS, OPAQUE, SERVICE, TEXT, codec, head, recorded, request
from tests.support.xroad_soap import REPRESENTATION, SOAP, envelope, headers

SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"


def test_a_claim_is_read_from_the_header_blocks() -> None:
    more = (
        "<xrd:userId> VN-7 </xrd:userId><xrd:issue>H-1</xrd:issue>"
        '<m:purpose xmlns:m="urn:motlan:soap:v1" basis="ND-63/2024">1.001193</m:purpose>'
        f'<r:representedParty xmlns:r="{REPRESENTATION}"><r:partyClass>COM</r:partyClass><r:partyCode>01</r:partyCode>'
        "</r:representedParty>"
    )
    claim = codec().claim(head(), Body(request("citizenVerify", more=more)))
    assert claim.client == CLIENT
    assert claim.service == SERVICE
    assert (claim.method, claim.path, claim.query) == ("POST", "/verify", "a=1")
    assert (claim.message_id, claim.officer, claim.case) == ("m-1", "VN-7", "H-1")
    assert claim.represented == "COM/01"
    assert claim.purpose == Purpose("1.001193", "ND-63/2024")
    assert claim.scheme is ProofScheme.NONE
    assert claim.protocol is MessageProtocol.SOAP
    assert claim.operation == f"{{{NS}}}citizenVerify"


def test_a_security_header_says_how_it_is_proved() -> None:
    more = f'<w:Security xmlns:w="{WSSE}" SOAP-ENV:mustUnderstand="1"/>'
    assert codec().claim(head(), Body(request(more=more))).scheme is ProofScheme.WS_SECURITY
    with pytest.raises(ExchangeError, match="duplicate"):
        codec().claim(head(), Body(request(more=more + more)))


@pytest.mark.parametrize(
    ("element", "path"), [("opaque", ""), ("opaqueList", "/list"), ("opaqueOldCard", "/oldCard"), ("opaque2", "/2")]
)
def test_without_an_interface_the_element_is_named_after_the_service(element: str, path: str) -> None:
    claim = codec().claim(head(), Body(request(element, service=OPAQUE)))
    assert (claim.method, claim.path, claim.query) == ("POST", path, None)


@pytest.mark.parametrize("element", ["opa", "other", "opaquelist", "Opaque"])
def test_another_name_is_no_operation(element: str) -> None:
    with pytest.raises(ExchangeError, match="unknown_operation"):
        codec().claim(head(), Body(request(element, service=OPAQUE)))


def test_blocks_for_others_need_not_be_understood() -> None:
    more = '<x:tx xmlns:x="urn:x" SOAP-ENV:mustUnderstand="1" SOAP-ENV:actor="urn:somebody"/><x:log xmlns:x="urn:x"/>'
    assert codec().claim(head(), Body(request(more=more))).message_id == "m-1"


def test_soap_12() -> None:
    data = request().replace(SOAP.encode(), SOAP12.encode())
    fields = (("Content-Type", 'application/soap+xml; charset=utf-8; action="x"'),)
    assert codec().claim(head(fields=fields), Body(data)).service == SERVICE


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (request(), "text/xml"),
        (request(), 'text/xml; charset="UTF-8"'),
        (request(), "TEXT/XML;charset=us-ascii"),
        (b"\xef\xbb\xbf" + request(), "text/xml; charset=utf-8"),
        (request().replace(b'<?xml version="1.0" encoding="UTF-8"?>', b""), "text/xml"),
        (request().replace(b'"UTF-8"?>', b'"utf-8" standalone="yes" ?>\r\n'), "text/xml"),
        (request().decode().replace("UTF-8", "UTF-16").encode("utf-16"), "text/xml; charset=utf-16"),
        (request().decode().replace("UTF-8", "utf-16").encode("utf-16-be"), "text/xml"),
        (request().replace(b' encoding="UTF-8"', b"").decode().encode("utf-16-le"), "text/xml"),
        (
            request(inner="Nguyễn").decode().replace("UTF-8", "windows-1258").replace("ễ", "ê\u0303").encode("cp1258"),
            "text/xml",
        ),
    ],
)
def test_charsets(data: bytes, content_type: str) -> None:
    claim = codec().claim(head(fields=(("Content-Type", content_type),)), Body(data))
    assert claim.client == CLIENT


def test_what_is_opened_is_the_canonical_element() -> None:
    inner = '<b z="1" a="2">Nguyễn &amp; <!-- hidden --><![CDATA[<x>]]></b>'
    proved = recorded(codec(), head(), Body(request(inner=inner)))
    opened = proved.authorized.envelope
    text = f'<t:citizen xmlns:t="{NS}"><b a="2" z="1">Nguyễn &amp; &lt;x&gt;</b></t:citizen>'
    assert opened.body.data == text.encode()
    assert opened.document == {"text": text}
    assert opened.content_type == "text/xml; charset=utf-8"


def test_prefixes_in_values_keep_their_meaning() -> None:
    instance = "http://www.w3.org/2001/XMLSchema-instance"
    inner = '<a><b xmlns:d="urn:d" d:x="1"/><c i:type="d:T"/></a>'
    data = request(inner=inner).replace(
        b"<SOAP-ENV:Body>", f'<SOAP-ENV:Body xmlns:d="urn:d" xmlns:i="{instance}">'.encode()
    )
    opened = etree.fromstring(recorded(codec(), head(), Body(data)).authorized.envelope.body.data or b"")
    (typed,) = opened.iter("c")
    assert typed.nsmap["d"] == "urn:d"


def test_a_comment_does_not_cut_a_value() -> None:
    data = request().replace(b">m-1<", b">m-<!-- -->1<")
    assert codec().claim(head(), Body(data)).message_id == "m-1"


def test_xop_content_stands_in_the_document_in_its_place() -> None:
    inner = '<f><i:Include xmlns:i="http://www.w3.org/2004/08/xop/include" href="cid:a%40b"/></f>'
    data = request(inner=inner)
    attached = Body(b"")
    root = Part(fields=(), offset=0, size=0, sha256=b"", data=data)
    file = Part(fields=(("Content-ID", "<a@b>"),), offset=0, size=2, sha256=b"", data=b"\x00\xff")
    attached.parts = (root, file)
    opened = recorded(codec(), head(), Body(data), attached).authorized.envelope
    assert opened.document == {"text": f'<t:citizen xmlns:t="{NS}"><f>AP8=</f></t:citizen>'}
    assert b"Include" in (opened.body.data or b"")  # to the provider it goes as it came
    assert opened.attached is attached


FACADE_BODY = (
    f'<t:citizen xmlns:t="{NS}"><t:MaDVC>1.001193</t:MaDVC><MaDonVi>000.00.57</MaDonVi>'
    "<t:MaCanBo>cb-9</t:MaCanBo><HoSo><Ma>H-7</Ma></HoSo></t:citizen>"
)


def facade(body: str = FACADE_BODY, header: str = "") -> bytes:
    return envelope(header, body)


def test_a_facade_reads_the_requests_own_elements() -> None:
    claim = codec().claim(head("/soap/G01/register/citizen"), Body(facade()))
    assert claim.client == BY_CERTIFICATE
    assert claim.service == SERVICE
    assert claim.purpose == Purpose("1.001193", "ND-63/2024")
    assert (claim.officer, claim.case, claim.message_id) == ("cb-9", "H-7", None)
    assert claim.scheme is ProofScheme.NONE


def test_a_facade_needs_no_header_and_no_name() -> None:
    data = facade(FACADE_BODY.replace("t:citizen", "t:TraCuu")).replace(b"<SOAP-ENV:Header></SOAP-ENV:Header>", b"")
    assert codec().claim(head("/soap/G01/register/opaque"), Body(data)).path == ""


@pytest.mark.parametrize(
    ("target", "data", "code"),
    [
        ("/soap/G01/register/other", facade(), "unknown_service"),
        ("/soap/G01/register", facade(), "target_refused"),
        ("/soap/G01/register/citizen/x", facade(), "target_refused"),
        ("/soap/G01//citizen", facade(), "target_refused"),
        ("/soap/G01/register/citizen", facade(header=headers(str(CLIENT), str(SERVICE), "1")), "inconsistent_headers"),
        ("/soap/G01/register/citizen", facade(header=f'<w:Security xmlns:w="{WSSE}"/>'), "inconsistent_headers"),
        ("/soap/G01/register/citizen", facade(FACADE_BODY.replace("</HoSo>", "</HoSo><MaDVC>2</MaDVC>")), "duplicate"),
        ("/soap/G01/register/citizen", facade(FACADE_BODY.replace("cb-9", "<b>9</b>")), "invalid_header_field"),
        ("/soap/G01/register/citizen", facade(FACADE_BODY.replace("cb-9", "&#10;x&#10;y")), "invalid_header_field"),
    ],
)
def test_what_a_facade_does_not_take(target: str, data: bytes, code: str) -> None:
    with pytest.raises(ExchangeError, match=code):
        codec().claim(head(target), Body(data))


def test_a_facades_agency_is_the_certificates() -> None:
    assert recorded(codec(), head("/soap/G01/register/citizen"), Body(facade())).claim.client == CLIENT
    for other in ("000.00.58", "H57", ""):
        with pytest.raises(ExchangeError, match="inconsistent_headers"):
            recorded(codec(), head("/soap/G01/register/citizen"), Body(facade(FACADE_BODY.replace("000.00.57", other))))


def test_an_envelope_on_disk_is_refused() -> None:
    class Spool:
        def close(self) -> None: ...

    with pytest.raises(ExchangeError, match="envelope_too_large"):
        codec().claim(head(), Body.spooled(Spool(), size=9, sha256=b"", sha512=b""))  # type: ignore[arg-type]


@pytest.mark.parametrize("fields", [(), (*TEXT, *TEXT), (("Content-Type", "application/json"),)])
def test_content_types(fields: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ExchangeError) as caught:
        codec().claim(head(fields=fields), Body(request()))
    assert caught.value.kind.code in {"client.invalid_content_type", "client.duplicate_header_field"}
