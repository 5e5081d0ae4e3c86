"""Evidence of real exchanges in every way of proving oneself: whatever the gateway records can be exported and proved."""

import hashlib
import time

import pytest

from gateway.client import Scheme
from gateway.model.message import Part
from tests.support.cli import auditor, good
from tests.support.exchanges import Caller, office, records
from tests.support.gateways import OTHER, PORTAL, STRANGER
from tests.support.soap_office import ARCHIVE, archive, caller, signed, soap_office
from tests.support.xroad_soap import with_attachments


@pytest.fixture(scope="module")
def soap(tmp_path_factory):
    with soap_office(tmp_path_factory.mktemp("soap")) as made:
        yield made


@pytest.fixture(scope="module")
def rest(tmp_path_factory):
    with office(tmp_path_factory.mktemp("rest")) as made:
        yield made


def evidence_of(place, record, folder, *options):
    """Exported and verified: the findings, by what they say."""
    log = place.gateway.core.store.log
    for _ in range(200):
        stored = place.run(log.record(record))
        if stored is not None and stored.index is not None:
            break
        time.sleep(0.02)  # the sequencer follows within a second
    file = folder / f"{record}.asice"
    good("evidence", "export", record, *auditor(place.site), "--out", file, *options)
    found = good("evidence", "verify", file, "--trust", place.site.pki.trust_list, "--json").values
    assert found["valid"]
    return {(each["subject"], each["what"]): (each["verdict"], each["detail"]) for each in found["findings"]}


def proved(findings, start):
    return [
        detail for (_, what), (verdict, detail) in findings.items() if what.startswith(start) and verdict == "proved"
    ]


@pytest.mark.parametrize("subsystem", [PORTAL, OTHER])
@pytest.mark.parametrize("scheme", [Scheme.HTTP_SIGNATURE, Scheme.JWS])
def test_a_signed_rest_exchange(rest, tmp_path, subsystem, scheme):
    answer = Caller(rest, subsystem, scheme=scheme).post()
    record = next(value for name, value in answer.head.fields if name.lower() == "motlan-receipt")
    findings = evidence_of(rest, record, tmp_path)
    assert proved(findings, "signed by the caller")[0].startswith(str(subsystem))
    assert proved(findings, "the answer's signature is bound")


def test_a_refused_rest_call(rest, tmp_path):
    answer = Caller(rest, STRANGER).get()  # granted; then one that is not
    assert answer.head.status == 200
    refused = Caller(rest, OTHER).post(service="VN/GOV/G15/registry/write")
    record = next(value for name, value in refused.head.fields if name.lower() == "motlan-receipt")
    findings = evidence_of(rest, record, tmp_path)
    assert proved(findings, "signed by the caller")[0].startswith(str(OTHER))


def test_an_error_of_ours_that_ends_a_request(rest, tmp_path):
    before = rest.provider.reply
    rest.provider.reply = lambda _: (_ for _ in ()).throw(ConnectionResetError)
    try:
        answer = Caller(rest).post()
    finally:
        rest.provider.reply = before
    record = next(value for name, value in answer.head.fields if name.lower() == "motlan-receipt")
    findings = evidence_of(rest, record, tmp_path)
    assert proved(findings, "signed by the gateway, its")
    assert proved(findings, "the answer's signature is bound")


def test_a_signed_soap_exchange_with_its_envelopes(soap, tmp_path):
    message = signed(soap, "evidence-1")
    answer = caller(soap, OTHER, shows=False).post(message.envelope, target="/soap")
    assert answer.fault is None, answer
    bodies = {"request": message.envelope, "answer": answer.body}
    options = []
    for role, body in bodies.items():
        (tmp_path / role).write_bytes(body)
        options += ["--body", f"{role}={tmp_path / role}"]
    findings = evidence_of(soap, answer.fields["motlan-receipt"], tmp_path, *options)
    assert proved(findings, "signed by the caller")[0].startswith(f"{PORTAL}, wsse")
    assert proved(findings, "the answer's signature is bound") == ["it confirms the request's SignatureValue"]
    assert len([1 for (_, what), (verdict, _) in findings.items() if what.startswith("the kept body")]) == 2


def test_a_soap_exchange_with_an_attachment(soap, tmp_path):
    content = b"scan" * 100
    fields = (("Content-ID", "<scan>"), ("Content-Type", "application/octet-stream"))
    part = Part(fields=fields, offset=0, size=len(content), sha256=hashlib.sha256(content).digest(), data=content)
    message = signed(soap, "evidence-2", attachments=(part,))
    media, body = with_attachments(message.envelope, {"scan": content})
    answer = caller(soap, OTHER, shows=False).post(body, content_type=media)
    assert answer.fault is None, answer
    evidence_of(soap, answer.fields["motlan-receipt"], tmp_path)


def test_a_soap_exchange_on_mutual_tls_evidence(soap, tmp_path):
    answer = caller(soap).call(str(ARCHIVE), archive("<x>1</x>"), more="<xrd:userId>cb-1</xrd:userId>")
    assert answer.fault is None, answer
    findings = evidence_of(soap, answer.fields["motlan-receipt"], tmp_path)
    assert proved(findings, "signed by the gateway with a key hosted")
    assert proved(findings, "signed by the gateway, its certificate")


def test_every_other_record_of_a_gateway(rest, tmp_path):
    """Its epoch, its documents, what auditors read: each can be proved by itself."""
    Caller(rest).post()
    kinds = {each["kind"]: each["id"] for each in records(rest.site)}
    assert {"configuration"} <= set(kinds)
    for kind, record in kinds.items():
        if kind not in {"request", "answer", "refusal"}:
            assert (kind, "the record is in the log, and what is shown of it is its own") in evidence_of(
                rest, record, tmp_path
            )
