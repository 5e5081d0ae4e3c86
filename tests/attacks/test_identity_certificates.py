"""Who shows whose certificate, from where: each attempt is refused by name, nothing is forwarded, nothing durable left."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.model.ids import SubsystemId
from tests.support.attacks import World
from tests.support.gateways import PORTAL
from tests.support.mtls import CONFINED, KEYLESS, LEGACY, SHELF, client_cert, consumer, mtls_office, unlisted
from tests.support.rawhttp import Message, Response
from tests.support.xroad_rest import Answer, Consumer, tls_context

TERMINATOR = "127.0.0.9"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with mtls_office(tmp_path_factory.mktemp("site"), bad=True) as made:
        yield made


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Plain HTTP behind a TLS terminator."""
    site = {"tls": False, "bad": True, "listener": f'certificate_proxies = ["{TERMINATOR}/32"]'}
    with mtls_office(tmp_path_factory.mktemp("behind"), **site) as made:
        yield made


def refused(world: World, call: Callable[[], Answer], code: str) -> Answer:
    """Nothing forwarded, nothing durable, counted under its code."""
    forwarded, rows, counted = world.forwarded, world.rows(), world.counted(code)
    answer = call()
    assert (answer.fields.get("x-road-error"), answer.status) == (code, 500 if code.startswith("server.") else 400)
    assert (world.forwarded, world.rows(), world.counted(code)) == (forwarded, rows, counted + 1)
    return answer


def accepted(world: World, call: Callable[[], Answer]) -> Answer:
    forwarded, rows = world.forwarded, world.rows()
    answer = call()
    assert answer.status == 200, answer
    assert [each["kind"] for each in world.records(rows)] == ["request", "answer"]
    assert world.forwarded == forwarded + 1
    assert world.provider.last.header("Client-Cert") is None  # type: ignore[attr-defined]
    return answer


def showing(world: World, certificate: Path, key: Path, client: SubsystemId = LEGACY) -> Consumer:
    return Consumer(world.site.url, str(client), tls_context(str(world.site.pki.bundle), str(certificate), str(key)))


# -- the certificate of the handshake ------------------------------------------------------------------------------


def _another_one(gate: World) -> Consumer:
    return consumer(gate, LEGACY, shows=CONFINED)


def _unlisted(gate: World) -> Consumer:
    return showing(gate, *unlisted(gate))


def _signing_certificate(gate: World) -> Consumer:
    identity = gate.site.pki.identities[LEGACY]
    return showing(gate, identity.certificate, identity.key)


def _hosted_certificate(gate: World) -> Consumer:
    key, certificate = gate.site.pki.hosted[LEGACY]
    return showing(gate, certificate, key)


def _gateways_own(gate: World) -> Consumer:
    gateway = gate.site.pki.gateway
    return showing(gate, gateway.tls_certificate, gateway.tls_key)


def _revoked(gate: World) -> Consumer:
    bad = gate.site.pki.bad_tls["tls-revoked"]
    return showing(gate, bad.certificate, bad.key, PORTAL)


def _signs_only(gate: World) -> Consumer:
    return consumer(gate, PORTAL)


def _elsewhere(gate: World) -> Consumer:
    return consumer(gate, CONFINED)


def _no_key(gate: World) -> Consumer:
    return consumer(gate, KEYLESS)


def _nothing(gate: World) -> Consumer:
    return Consumer(gate.site.url, str(LEGACY), tls_context(str(gate.site.pki.bundle)))


def _nobody(gate: World) -> Consumer:
    return consumer(gate, SubsystemId("VN", "GOV", "H99", "x"), shows=LEGACY)


def _member(gate: World) -> Consumer:
    return consumer(gate, SubsystemId("VN", "GOV", "H57"), shows=LEGACY)


def _with_client_cert(gate: World) -> Consumer:
    """A right certificate, and the word of one that may speak for nobody."""
    told = client_cert(gate.site.pki.identities[CONFINED].tls_certificate)
    return consumer(gate, LEGACY, more=(told,))


ATTEMPTS = [
    (_another_one, "client.key_of_another_subsystem"),
    (_unlisted, "client.unknown_key"),
    (_signing_certificate, "client.unknown_key"),
    (_hosted_certificate, "client.unknown_key"),
    (_gateways_own, "client.unknown_key"),
    (_revoked, "client.certificate_revoked"),
    (_signs_only, "client.proof_scheme_not_allowed"),
    (_elsewhere, "client.network_not_listed"),
    (_no_key, "server.clientproxy.hosted_key_missing"),
    (_nothing, "client.signature_missing"),
    (_nobody, "client.key_of_another_subsystem"),
    (_member, "client.key_of_another_subsystem"),
    (_with_client_cert, "client.client_cert_refused"),
]


@pytest.mark.parametrize(("attempt", "code"), ATTEMPTS)
def test_a_certificate_that_does_not_prove_the_caller(
    gate: World, attempt: Callable[[World], Consumer], code: str
) -> None:
    attacker = attempt(gate)
    answer = refused(gate, lambda: attacker.call(str(SHELF)), code)
    assert b"BEGIN" not in answer.body
    assert b"CN=" not in answer.body


def test_the_right_ones_pass(gate: World) -> None:
    accepted(gate, lambda: consumer(gate).call(str(SHELF)))
    accepted(gate, lambda: consumer(gate, CONFINED, source="127.0.0.2").call(str(SHELF)))


def test_an_expired_certificate_ends_the_handshake(gate: World) -> None:
    bad = gate.site.pki.bad_tls["tls-expired"]
    attacker, forwarded = showing(gate, bad.certificate, bad.key, PORTAL), gate.forwarded
    with pytest.raises((ssl.SSLError, ConnectionError)):
        attacker.call(str(SHELF))
    assert gate.forwarded == forwarded


# -- a certificate beside a signature ------------------------------------------------------------------------------


def over_tls(gate: World, message: Message, shows: SubsystemId) -> Response:
    identity = gate.site.pki.identities[shows]
    with gate.connect() as wire:
        wire.secure(tls_context(str(gate.site.pki.bundle), str(identity.tls_certificate), str(identity.tls_key)))
        wire.send(message.encode())
        return wire.answer()


def test_a_signature_and_somebody_elses_certificate(gate: World) -> None:
    forwarded, rows = gate.forwarded, gate.rows()
    response = over_tls(gate, gate.message(), LEGACY)
    assert (response.code, response.status) == ("client.key_of_another_subsystem", 403)
    assert (gate.forwarded, gate.rows()) == (forwarded, rows)


def test_a_signature_and_the_signers_own_certificate(gate: World) -> None:
    rows = gate.rows()
    response = over_tls(gate, gate.message(), PORTAL)
    assert (response.code, response.status) == (None, 200), response.body
    assert gate.records(rows)[0]["signed_by"] == "caller"


@pytest.mark.parametrize("added", [("Signature", "sig1=:AAAA:"), ("Signature-Input", 'sig1=();tag="motlan-request"')])
def test_half_a_signature_is_not_ignored_for_the_certificates_sake(gate: World, added: tuple[str, str]) -> None:
    forwarded = gate.forwarded
    answer = consumer(gate, LEGACY, more=(added,)).call(str(SHELF))
    assert answer.is_xroads_own_error
    assert answer.fields["x-road-error"].startswith("client.signature")
    assert gate.forwarded == forwarded


def test_a_wrong_digest_of_a_right_body_is_refused_though_nobody_signed(gate: World) -> None:
    fields = [("Content-Type", "application/json"), ("Content-Digest", "sha-256=:" + "A" * 43 + "=:")]
    forwarded = gate.forwarded
    answer = consumer(gate).call(str(SHELF), method="POST", body=b"{}", fields=fields)
    assert answer.fields["x-road-error"] == "client.digest_mismatch"
    assert gate.forwarded == forwarded


# -- Client-Cert (RFC 9440) ----------------------------------------------------------------------------------------


def through(
    behind: World, *fields: tuple[str, str], client: SubsystemId = LEGACY, source: str = TERMINATOR
) -> Consumer:
    return Consumer(behind.site.url, str(client), None, source=source, more=fields)


def told(behind: World, shows: SubsystemId = LEGACY) -> tuple[str, str]:
    return client_cert(behind.site.pki.identities[shows].tls_certificate)


def test_a_terminator_says_who_calls(behind: World) -> None:
    accepted(behind, lambda: through(behind, told(behind)).call(str(SHELF)))
    chain = ("Client-Cert-Chain", client_cert(behind.site.pki.bundle)[1])
    accepted(behind, lambda: through(behind, told(behind), chain).call(str(SHELF)))


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.8", "127.0.0.90"])
def test_a_strangers_client_cert(behind: World, source: str) -> None:
    stranger = through(behind, told(behind), source=source)
    refused(behind, lambda: stranger.call(str(SHELF)), "client.client_cert_refused")


MALFORMED = "server.clientproxy.client_cert_malformed"


@pytest.mark.parametrize(
    "fields",
    [
        lambda right: (right, right),
        lambda right: (right, ("client-cert", ":AAAA:")),
        lambda right: ((right[0], f"{right[1]}, {right[1]}"),),
        lambda right: ((right[0], right[1] + ";a"),),
        lambda right: ((right[0], right[1].strip(":")),),
        lambda right: ((right[0], ""),),
        lambda right: (("Client-Cert-Chain", right[1]),),
        lambda right: (right, ("Client-Cert-Chain", "-----BEGIN CERTIFICATE-----")),
    ],
)
def test_a_terminator_that_lets_callers_write(
    behind: World, fields: Callable[[tuple[str, str]], tuple[tuple[str, str], ...]]
) -> None:
    caller = through(behind, *fields(told(behind)))
    refused(behind, lambda: caller.call(str(SHELF)), MALFORMED)


@pytest.mark.parametrize("name", ["Client_Cert", "X-Client-Cert", "X-Forwarded-Client-Cert", "SSL-Client-Cert"])
def test_no_other_field_says_who_calls(behind: World, name: str) -> None:
    caller = through(behind, (name, told(behind)[1]))
    refused(behind, lambda: caller.call(str(SHELF)), "client.signature_missing")


def test_what_a_terminator_saw_is_judged_like_a_handshake(behind: World) -> None:
    pki = behind.site.pki
    attempts = [
        (client_cert(pki.identities[CONFINED].tls_certificate), LEGACY, "client.key_of_another_subsystem"),
        (client_cert(unlisted(behind)[0]), LEGACY, "client.unknown_key"),
        (client_cert(pki.gateway.tls_certificate), LEGACY, "client.unknown_key"),
        (client_cert(pki.identities[LEGACY].certificate), LEGACY, "client.unknown_key"),
        (client_cert(pki.bad_tls["tls-expired"].certificate), PORTAL, "client.certificate_expired"),
        (client_cert(pki.bad_tls["tls-revoked"].certificate), PORTAL, "client.certificate_revoked"),
        (told(behind, PORTAL), PORTAL, "client.proof_scheme_not_allowed"),
        (told(behind, KEYLESS), KEYLESS, "server.clientproxy.hosted_key_missing"),
        (told(behind, CONFINED), CONFINED, "client.network_not_listed"),  # the address is the terminator's
        (("Client-Cert", ":MAMCAQU=:"), LEGACY, "client.unknown_key"),
    ]
    for field, client, code in attempts:
        caller = through(behind, field, client=client)
        refused(behind, lambda caller=caller: caller.call(str(SHELF)), code)  # type: ignore[misc]


def test_forwarded_does_not_change_where_a_call_comes_from(behind: World) -> None:
    caller = through(behind, told(behind, CONFINED), ("Forwarded", "for=127.0.0.2"), client=CONFINED)
    refused(behind, lambda: caller.call(str(SHELF)), "client.network_not_listed")


def test_one_connection_of_a_terminator_carries_many_callers(behind: World) -> None:
    """What was said of one request is not believed of the next."""
    host = ("Host", f"127.0.0.1:{behind.site.port}")
    with behind.connect(source=TERMINATOR) as wire:
        for client, fields, code in (
            (LEGACY, (told(behind),), None),
            (LEGACY, (), "client.signature_missing"),
            (LEGACY, (told(behind, CONFINED),), "client.key_of_another_subsystem"),
            (LEGACY, (told(behind),), None),
        ):
            lines = [
                f"GET /r1/{SHELF} HTTP/1.1",
                *(f"{n}: {v}" for n, v in (host, ("X-Road-Client", str(client)), *fields)),
            ]
            wire.send(("\r\n".join(lines) + "\r\n\r\n").encode())
            assert wire.answer().code == code
