"""RFC 9440: what a TLS terminator says that it saw, and who is believed."""

import base64
from ipaddress import ip_network
from unittest.mock import Mock

import http_sf
import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from gateway.model.errors import ExchangeError
from gateway.model.errors.identity import CLIENT_CERT_MALFORMED, CLIENT_CERT_REFUSED
from gateway.server.identity import Identities
from gateway.server.protocol import EdgeProtocol
from gateway.validation.client_cert import MAX_CERTIFICATE, MAX_CHAIN, parse_client_cert

PROXIES = (ip_network("10.1.0.0/16"), ip_network("2001:db8::/32"))
DER = b"\x30\x03\x02\x01\x05"
FIELD = f":{base64.b64encode(DER).decode()}:"


def request_from(address, *fields, shown=None):
    protocol = Mock(spec=EdgeProtocol)
    protocol.client_certificate = shown
    transport = Mock()
    transport.get_extra_info = lambda name, default=None: (address, 50_000) if name == "peername" else default
    request = make_mocked_request("GET", "/", headers=CIMultiDict(fields), transport=transport)
    request._protocol = protocol
    return request


def refusal(identities, request):
    with pytest.raises(ExchangeError) as refused:
        identities.peer_of(request)
    return refused.value.kind


# -- the field -----------------------------------------------------------------------------------------------------


@given(st.binary(min_size=1, max_size=200))
def test_it_reads_what_another_implementation_writes(der):
    assert parse_client_cert([http_sf.ser(der)]) == der


@settings(max_examples=60)
@given(st.text(":=+/Aa9 ;,?", max_size=24))
def test_whatever_it_reads_another_implementation_reads_alike(text):
    try:
        der = parse_client_cert([text])
    except ExchangeError:
        return
    assert http_sf.parse(text.encode(), tltype="item") == (der, {})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "::",
        base64.b64encode(DER).decode(),
        FIELD[:-1],
        FIELD + ";a=1",
        f"{FIELD}, {FIELD}",
        FIELD.replace("=", ""),
        ":MAMCAQX=:",  # bits left over
        ":MAMC AQU=:",
        ":MAMCAQU=\n:",
        "MIIB…",
        f'"{FIELD}"',
        ":" + "A" * (MAX_CERTIFICATE * 4 // 3 + 8) + ":",
    ],
)
def test_anything_but_one_byte_sequence_is_refused(text):
    with pytest.raises(ExchangeError) as refused:
        parse_client_cert([text])
    assert refused.value.kind is CLIENT_CERT_MALFORMED
    assert "MAMC" not in str(refused.value)


def test_a_chain_must_be_in_order_too():
    assert parse_client_cert([FIELD], [f"{FIELD},{FIELD}", FIELD]) == DER
    for chain in ("", "x", f"{FIELD},", f"{FIELD} {FIELD}", ", ".join([FIELD] * (MAX_CHAIN + 1))):
        with pytest.raises(ExchangeError):
            parse_client_cert([FIELD], [chain])


# -- who is believed -----------------------------------------------------------------------------------------------


def test_the_certificate_of_the_handshake_is_the_callers():
    for identities in (Identities(), Identities(PROXIES)):
        peer = identities.peer_of(request_from("192.0.2.7", shown=DER))
        assert (peer.address, peer.certificate) == ("192.0.2.7", DER)


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::9", "2001:db8::9%eth0"])
def test_a_terminator_is_believed(address):
    peer = Identities(PROXIES).peer_of(request_from(address, ("client-cert", FIELD)))
    assert (peer.address, peer.certificate) == (address, DER)


def test_the_terminators_own_certificate_is_nobodys_identity():
    identities = Identities(PROXIES)
    assert identities.peer_of(request_from("10.1.2.3", shown=b"its own")).certificate is None
    assert identities.peer_of(request_from("10.1.2.3", ("Client-Cert", FIELD), shown=b"its own")).certificate == DER


@pytest.mark.parametrize("proxies", [(), PROXIES])
@pytest.mark.parametrize("address", ["10.2.0.1", "::1", "::ffff:10.2.0.1", "", "unix", "10.1.2.3.4"])
@pytest.mark.parametrize("name", ["Client-Cert", "CLIENT-CERT", "Client-Cert-Chain"])
def test_a_strangers_client_cert_is_refused_even_beside_a_real_certificate(proxies, address, name):
    identities = Identities(proxies)
    for shown in (None, DER):
        assert refusal(identities, request_from(address, (name, FIELD), shown=shown)) is CLIENT_CERT_REFUSED


@pytest.mark.parametrize(
    "fields",
    [
        [("Client-Cert", FIELD), ("Client-Cert", FIELD)],
        [("Client-Cert", FIELD), ("client-cert", ":AAAA:")],
        [("Client-Cert", "")],
        [("Client-Cert-Chain", FIELD)],
        [("Client-Cert", FIELD), ("Client-Cert-Chain", "nonsense")],
    ],
)
def test_a_terminator_that_lets_callers_write_is_not_believed(fields):
    assert refusal(Identities(PROXIES), request_from("10.1.2.3", *fields)) is CLIENT_CERT_MALFORMED
