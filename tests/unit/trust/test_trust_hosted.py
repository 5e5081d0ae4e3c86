"""Callers that show a TLS certificate and nothing else: the keys that are held for them, and where they call from."""

import pytest
from msgspec.structs import replace

from adapters.simulators import parties
from gateway.keys.file import load_certificates
from gateway.model.errors import ExchangeError
from gateway.model.errors import trust as kinds
from gateway.model.errors.identity import HOSTED_KEY_MISSING, NETWORK_NOT_LISTED
from gateway.model.instant import plus
from gateway.model.usage import Usage
from gateway.trust.document import thumbprint
from tests.support import pki as support
from tests.support.pki import DAY, NOW

PKI = support.shared()
STORE = support.store(PKI)
HOSTED = thumbprint(load_certificates(PKI.hosted[parties.LEGACY][1])[0])


def refusal(function, *arguments):
    with pytest.raises(ExchangeError) as refused:
        function(*arguments)
    return refused.value.kind


def with_networks(*networks):
    changed = tuple(
        replace(each, networks=networks) if each.id == parties.LEGACY else each
        for each in support.document(PKI).subsystems
    )
    return support.changed_store(PKI, subsystems=changed)


def test_a_hosted_key_signs_for_its_subsystem_only():
    found = STORE.hosted_key(HOSTED, parties.LEGACY, NOW)
    assert (found.owner, found.usage) == (parties.LEGACY, Usage.HOSTED_SIGN)
    assert refusal(STORE.hosted_key, HOSTED, parties.PORTAL, NOW) is HOSTED_KEY_MISSING


@pytest.mark.parametrize(
    "key", [support.signing_key(PKI, parties.PORTAL).keyid, support.gateway_key(PKI).keyid, "", "unknown"]
)
def test_no_other_key_is_a_hosted_one(key):
    for subsystem in (parties.PORTAL, parties.LEGACY):
        assert refusal(STORE.hosted_key, key, subsystem, NOW) is HOSTED_KEY_MISSING


def test_a_hosted_key_ends_with_its_certificate_and_with_the_list():
    assert refusal(STORE.hosted_key, HOSTED, parties.LEGACY, plus(NOW, 100 * DAY)) is kinds.TRUST_LIST_EXPIRED
    longer = support.changed_store(PKI, valid_until=plus(NOW, 1000 * DAY))
    assert refusal(longer.hosted_key, HOSTED, parties.LEGACY, plus(NOW, 100 * DAY)) is kinds.CERTIFICATE_EXPIRED


@pytest.mark.parametrize(
    ("name", "kind"), [("expired", kinds.CERTIFICATE_EXPIRED), ("revoked", kinds.CERTIFICATE_REVOKED)]
)
def test_tls_certificates_that_are_over(name, kind):
    der = load_certificates(PKI.bad_tls[f"tls-{name}"].certificate)[0]
    assert refusal(STORE.tls_identity, der, NOW) is kind


def test_a_subsystem_without_networks_calls_from_anywhere():
    for address in ("192.0.2.1", "2001:db8::1", ""):
        STORE.check_network(parties.LEGACY, address)


@pytest.mark.parametrize(
    "address", ["10.9.0.1", "10.9.255.255", "::ffff:10.9.0.1", "2001:db8:9::1", "2001:db8:9::1%eth0"]
)
def test_a_call_from_a_listed_network(address):
    with_networks("10.9.0.0/16", "2001:db8:9::/48").check_network(parties.LEGACY, address)


@pytest.mark.parametrize(
    "address", ["10.10.0.1", "2001:db8:a::1", "::10.9.0.1", "", "localhost", "010.9.0.1", "10.9.0.1:80"]
)
def test_a_call_from_elsewhere(address):
    store = with_networks("10.9.0.0/16", "2001:db8:9::/48")
    assert refusal(store.check_network, parties.LEGACY, address) is NETWORK_NOT_LISTED
    store.check_network(parties.PORTAL, address)  # its entry names none
