"""TLS contexts, by handshakes in memory."""

import contextlib
import ssl
import time

import pytest

from adapters.simulators import parties
from adapters.simulators.pki import make
from gateway.keys.file import load_certificates
from gateway.keys.tls import client_context, server_context
from gateway.model.errors import ExchangeError
from gateway.model.instant import from_seconds
from tests.support import pki as support

PKI = support.shared()
ROOT = load_certificates(PKI.root)
PORTAL = PKI.identities[parties.PORTAL]


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """A PKI of now: the shared one lives at a fixed time, a handshake reads the machine's clock."""
    return make(tmp_path_factory.mktemp("tls"), parties.DEMO[:1], now=from_seconds(time.time()))


def handshake(server, client, host="localhost"):
    """Run a TLS handshake between two contexts; returns both ends."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    left = server.wrap_bio(to_server, to_client, server_side=True)
    right = client.wrap_bio(to_client, to_server, server_hostname=host)
    waiting = [right, left]
    for _ in range(20):
        for end in list(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except ssl.SSLWantReadError:
                pass
        if not waiting:
            break
    assert not waiting
    with contextlib.suppress(ssl.SSLWantReadError):
        left.read(1)  # in TLS 1.3 the server learns of the client's certificate after its own handshake
    return left, right


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_the_gateway_is_recognised_by_name_and_address(live, host):
    server = server_context(live.gateway.tls_certificate, live.gateway.tls_key)
    left, right = handshake(server, client_context(load_certificates(live.root)), host)
    assert right.version() == "TLSv1.3"
    assert left.getpeercert(binary_form=True) is None


def test_a_client_certificate_reaches_the_server_and_the_trust_store_knows_it(live):
    identity = live.identities[parties.PORTAL]
    roots = load_certificates(live.root)
    server = server_context(live.gateway.tls_certificate, live.gateway.tls_key, roots, require_client_certificate=True)
    left, _ = handshake(server, client_context(roots, identity.tls_certificate, identity.tls_key))
    shown = left.getpeercert(binary_form=True)
    issued = live_now(live)
    assert support.store(live, issued).tls_identity(shown, issued) == parties.PORTAL


def live_now(live):
    return support.document(live).issued


def test_a_required_client_certificate_cannot_be_left_out(live):
    roots = load_certificates(live.root)
    server = server_context(live.gateway.tls_certificate, live.gateway.tls_key, roots, require_client_certificate=True)
    with pytest.raises(ssl.SSLError):
        handshake(server, client_context(roots))


def test_a_client_of_another_authority_is_refused_in_the_handshake(live):
    server = server_context(live.gateway.tls_certificate, live.gateway.tls_key, load_certificates(live.root))
    with pytest.raises(ssl.SSLError):
        handshake(server, client_context(load_certificates(live.root), PORTAL.tls_certificate, PORTAL.tls_key))


def test_a_server_of_another_authority_or_name_is_refused(live):
    server = server_context(live.gateway.tls_certificate, live.gateway.tls_key)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, client_context(ROOT))
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, client_context(load_certificates(live.root)), "example.org")


def test_old_protocols_and_weak_ciphers_are_not_offered(live):
    context = server_context(live.gateway.tls_certificate, live.gateway.tls_key)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert all(name["aead"] and name["strength_bits"] >= 128 for name in context.get_ciphers())
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("AES128-SHA:ECDHE-ECDSA-AES128-SHA")
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        handshake(context, old)


def test_unusable_files_are_named_without_a_prompt(tmp_path):
    with pytest.raises(ExchangeError, match="do not make a TLS identity"):
        server_context(PORTAL.tls_certificate, PKI.gateway.tls_key)
    with pytest.raises(ExchangeError, match="CA certificate"):
        client_context([b"junk"])
