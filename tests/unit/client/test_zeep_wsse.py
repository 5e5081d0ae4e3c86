"""An ordinary zeep client with our plugin, against a server that verifies and signs."""

import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import zeep
from lxml import etree

from gateway.client.zeep_wsse import MotlanWsse, xroad_headers
from gateway.model.errors import ExchangeError
from gateway.model.errors import signature as sig
from gateway.model.errors import wsse as kinds
from gateway.model.instant import plus
from gateway.signing.wsse_names import SOAP11
from gateway.signing.wsse_sign import sign_envelope
from tests.support import pki
from tests.support import wsse as w

WSDL = """<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:t="urn:test" xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:test">
  <types><xs:schema targetNamespace="urn:test" elementFormDefault="qualified">
    <xs:element name="citizen"><xs:complexType><xs:sequence>
      <xs:element name="number" type="xs:string"/></xs:sequence></xs:complexType></xs:element>
    <xs:element name="citizenResponse"><xs:complexType><xs:sequence>
      <xs:element name="name" type="xs:string"/><xs:element name="born" type="xs:date"/>
      <xs:element name="any" type="xs:anyType" minOccurs="0"/></xs:sequence></xs:complexType></xs:element>
  </xs:schema></types>
  <message name="in"><part name="body" element="t:citizen"/></message>
  <message name="out"><part name="body" element="t:citizenResponse"/></message>
  <portType name="port"><operation name="citizen"><input message="t:in"/><output message="t:out"/></operation></portType>
  <binding name="binding" type="t:port"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="citizen"><soap:operation soapAction=""/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation></binding>
  <service name="service"><port name="port" binding="t:binding"><soap:address location="@ADDRESS@"/></port></service>
</definitions>"""
ANSWER = '<t:citizenResponse xmlns:t="urn:test"><t:name>{}</t:name><t:born>1985-02-03</t:born>{}</t:citizenResponse>'
FAULT = f'<s:Fault xmlns:s="{SOAP11}"><faultcode>Server.X</faultcode><faultstring>no</faultstring></s:Fault>'


class Gateway:
    """Verifies what it gets and answers under the gateway's key; ``change`` is what an attacker does to the answer."""

    def __init__(self):
        self.requests, self.body, self.key = [], None, w.gateway_key()
        self.change = lambda answer, headers: (answer, headers)

    def answer(self, data):
        proof = w.verified(data)
        self.requests.append(proof)
        number = etree.fromstring(proof.envelope).findtext(".//{urn:test}number")
        body = self.body or ANSWER.format(f"citizen {number}", "")
        envelope = w.envelope(body)
        signed = sign_envelope(envelope, key=self.key, now=w.NOW, confirms=proof.direct.signature)
        return self.change(signed.envelope, {"Content-Type": "text/xml; charset=utf-8"})


@pytest.fixture(scope="module")
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            answer, headers = self.server.gateway.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            for name, value in (headers | {"Content-Length": str(len(answer))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture(scope="module")
def zeep_client(server, tmp_path_factory):
    wsdl = tmp_path_factory.mktemp("wsdl") / "service.wsdl"
    wsdl.write_text(WSDL.replace("@ADDRESS@", f"http://127.0.0.1:{server.server_port}/soap"))
    wsse = MotlanWsse(w.key(), gateway_certificates=[w.gateway_key().certificate], clock=lambda: w.NOW)
    return zeep.Client(str(wsdl), wsse=wsse, plugins=[wsse])


@pytest.fixture
def gateway(server):
    server.gateway = Gateway()
    return server.gateway


def _headers(**changes):
    asked = {"client": "VN/GOV/H24/portal", "service": "VN/GOV/G01/population/citizen"} | changes
    return xroad_headers(**asked)


def test_a_call_is_signed_and_its_answer_proved(zeep_client, gateway):
    headers = _headers(purpose="1.001193", basis="ND-63/2024", user_id="officer-17", issue="H-1")
    answer = zeep_client.service.citizen(number="079085000001", _soapheaders=headers)
    assert answer.name == "citizen 079085000001"
    assert answer.born.year == 1985
    names = [name.rpartition("}")[2] for name in gateway.requests[0].direct.covered]
    assert names == ["client", "service", "userId", "id", "issue", "protocolVersion", "purpose", "Body", "Timestamp"]


def test_header_blocks_say_what_they_were_told():
    document = etree.fromstring(
        b"<r>" + b"".join(etree.tostring(each) for each in _headers(purpose="a<b", basis='"&')) + b"</r>"
    )
    identifiers = "{http://x-road.eu/xsd/identifiers}"
    client, service = document[0], document[1]
    assert [each.text for each in client] == ["VN", "GOV", "H24", "portal"]
    assert client.get(f"{identifiers}objectType") == "SUBSYSTEM"
    assert service.find(f"{identifiers}serviceCode").text == "citizen"
    assert (document[-1].text, document[-1].get("basis")) == ("a<b", '"&')
    assert _headers()[2].text != _headers()[2].text, "each request has its own id"


def test_many_threads_share_one_client(zeep_client, gateway):
    def call(number):
        return zeep_client.service.citizen(number=str(number), _soapheaders=_headers()).name

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(call, range(12))) == [f"citizen {number}" for number in range(12)]
    assert len({proof.direct.nonce for proof in gateway.requests}) == 12


def test_the_same_call_twice_in_a_millisecond_is_two_messages(zeep_client, gateway):
    headers = _headers(message_id="the-same")
    for _ in range(2):
        zeep_client.service.citizen(number="1", _soapheaders=headers)
    first, second = gateway.requests
    assert first.direct.nonce != second.direct.nonce


def test_a_signed_fault_is_a_fault(zeep_client, gateway):
    gateway.body = FAULT
    with pytest.raises(zeep.exceptions.Fault, match="no"):
        zeep_client.service.citizen(number="1")


def test_typed_content_keeps_its_type(zeep_client, gateway):
    typed = (
        '<t:any xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xs="http://www.w3.org/2001/XMLSchema"'
        ' xsi:type="xs:int">7</t:any>'
    )
    gateway.body = ANSWER.format("x", typed)
    assert zeep_client.service.citizen(number="1").any == 7


def _unsigned(answer, headers):
    return w.envelope(ANSWER.format("evil", "")), headers


def _wrapped(answer, headers):
    evil = f'<s:Body xmlns:s="{SOAP11}">{ANSWER.format("evil", "")}</s:Body>'.encode()
    body = answer[answer.index(b"<s:Body") : answer.index(b"</s:Body>") + 9]
    return answer.replace(body, evil).replace(b"</s:Header>", b"<x>" + body + b"</x></s:Header>"), headers


def _changed(answer, headers):
    return answer.replace(b"1985-02-03", b"1985-02-04"), headers


def _multipart(answer, headers):
    body = b"--b\r\nContent-Type: text/xml\r\n\r\n%s\r\n--b\r\nContent-Id: <evil>\r\n\r\nevil\r\n--b--\r\n" % answer
    return body, {"Content-Type": 'multipart/related; boundary="b"; type="text/xml"'}


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (_unsigned, sig.ANSWER_UNSIGNED),
        (_wrapped, sig.ANSWER_UNSIGNED),
        (_changed, sig.ANSWER_SIGNATURE_INVALID),
        (_multipart, sig.ANSWER_UNSIGNED),
    ],
)
def test_answers_that_must_not_be_used(zeep_client, gateway, change, kind):
    gateway.change = change
    with pytest.raises(ExchangeError) as caught:
        zeep_client.service.citizen(number="1", _soapheaders=_headers())
    assert caught.value.kind == kind


def test_the_answer_to_another_request(zeep_client, gateway):
    earlier = []
    gateway.change = lambda answer, headers: (earlier.append(answer) or earlier[0], headers)
    zeep_client.service.citizen(number="1", _soapheaders=_headers())
    with pytest.raises(ExchangeError) as caught:
        zeep_client.service.citizen(number="2", _soapheaders=_headers())
    assert caught.value.kind == kinds.SECURITY_CONFIRMATION


def test_an_answer_by_somebody_else(zeep_client, gateway):
    gateway.key = w.other_key()
    with pytest.raises(ExchangeError) as caught:
        zeep_client.service.citizen(number="1", _soapheaders=_headers())
    assert caught.value.kind == sig.ANSWER_UNSIGNED


def test_an_answer_to_nothing():
    wsse = MotlanWsse(w.key(), gateway_certificates=[w.gateway_key().certificate], clock=lambda: w.NOW)
    answer = sign_envelope(w.envelope(), key=w.gateway_key(), now=w.NOW).envelope
    with pytest.raises(ExchangeError) as caught:
        wsse.verify(etree.fromstring(answer))
    assert caught.value.kind == sig.ANSWER_UNSIGNED


def _exchanged(change=lambda answer: answer):
    """A plugin that has sent a request, and the answer to it as lxml reads it."""
    wsse = MotlanWsse(w.key(), gateway_certificates=[w.gateway_key().certificate], clock=lambda: w.NOW)
    request, _ = wsse.apply(etree.fromstring(w.envelope()), {})
    value = w.verified(etree.tostring(request)).direct.signature
    answer = sign_envelope(w.envelope(), key=w.gateway_key(), now=w.NOW, confirms=value).envelope
    return wsse, etree.fromstring(change(answer))


def test_only_what_was_proved_is_left_to_read():
    wsse, answer = _exchanged(lambda octets: octets.replace(b"<s:Header>", b"<s:Header><evil/>"))
    assert wsse.verify(answer) is answer
    assert answer.find(".//evil") is None
    assert [block.tag for block in answer[0]] == [
        f"{{{w.XROAD}}}id",
        f"{{{w.XROAD}}}protocolVersion",
        f"{{{w.PURPOSE}}}purpose",
    ]
    assert answer.find(".//{urn:p}number").text == "079085000001"


def test_a_request_is_answered_once():
    wsse, answer = _exchanged()
    again = etree.fromstring(etree.tostring(answer))
    wsse.verify(answer)
    with pytest.raises(ExchangeError) as caught:
        wsse.verify(again)
    assert caught.value.kind == sig.ANSWER_UNSIGNED


def test_it_opens_files():
    shared = pki.shared()
    identity = next(iter(shared.identities.values()))
    wsse = MotlanWsse.open(
        key=identity.key, certificate=identity.certificate, gateway_certificates=[shared.gateway.certificate]
    )
    signed, headers = wsse.apply(etree.fromstring(w.envelope()), {"SOAPAction": ""})
    assert headers == {"SOAPAction": ""}
    assert w.verified(etree.tostring(signed), signer=w.keys()[0], now=plus(wsse._clock(), 1))
