"""What the log keeps of an exchange: exactly what happened, private fields that open to exactly what was sent."""

import base64
import hashlib
import json
import re

import pytest
import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.simulators.wire import Answer
from tests.support.exchanges import (
    HOLDING,
    Caller,
    check_log,
    exchange_of,
    fetch_log,
    json_answer,
    office,
    records,
    sha256,
)
from tests.support.gateways import BASIS, ECHO, PORTAL, PURPOSE

ASKED, OWNER = "031090001234", "031060000017"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with office(tmp_path_factory.mktemp("records"), admin=True) as made:
        yield made


@pytest.fixture(autouse=True)
def _told(place):
    document = {"owner": {"identity_number": OWNER, "full_name": "Đặng Thị Ánh"}, "area": 61.5, "note": "thửa 12"}
    place.provider.reply = json_answer(document)


def listed(place):
    """Certificates by thumbprint, as the published trust list has them."""
    draft = json.loads((place.site.folder / "pki/trust/draft.json").read_bytes())
    return {
        each["x5t#S256"]: x509.load_der_x509_certificate(base64.b64decode(each["der"]))
        for each in draft["certificates"]
    }


def verify_base(place, base, signature):
    """As a court's expert would: the base and the signature out of the record, the key out of the trust list."""
    keyid = re.search(r'keyid="([^"]+)"', base.rsplit('"@signature-params": ', 1)[1])[1]
    certificate = listed(place)[keyid]
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    certificate.public_key().verify(encode_dss_signature(r, s), base.encode("latin-1"), ec.ECDSA(hashes.SHA256()))
    return certificate


def look_up(place, **more):
    body = {"identity_number": ASKED}
    return Caller(place).post(
        body, service=HOLDING, officer="cb.07", case="000.00.01.H24-1", path="/a%2Fb", query="q=1", **more
    )


def test_exchange_is_one_request_and_one_answer(place):
    before = len(records(place.site))
    answer = look_up(place)
    made = records(place.site, before)
    assert [each["kind"] for each in made] == ["request", "answer"]
    request, ended = exchange_of(place.site, answer.receipt)
    assert ended["parent"] == request["id"] == answer.head.get("x-road-request-id")
    for record in (request, ended):
        assert record["client"] == str(PORTAL)
        assert record["service"] == str(HOLDING)
        assert (record["method"], record["purpose"]) == ("POST", PURPOSE)
        assert record["version"] == 1
        assert all(
            re.fullmatch(r"[0-9a-f]{64}", record["digests"][name]) for name in ("policy", "trust", "mapping", "schema")
        )
        assert record["at"].endswith("Z")
    assert (request["basis"], request["grant"], request["outcome"]) == (BASIS, "portal-holding", None)
    assert request["decision"]["ruling"] == "allowed"
    assert {"client.granted", "purpose.granted", "basis.granted"} <= set(request["decision"]["reasons"])
    assert (request["signed_by"], ended["signed_by"]) == ("caller", "gateway")
    assert (ended["outcome"], ended["released"]) == ("FOUND", ["/owner/full_name", "/area"])


def test_private_fields_of_the_request_are_what_was_sent(place):
    answer = look_up(place, message_id="rec-1", represented="GOV/H24")
    request, _ = exchange_of(place.site, answer.receipt)
    assert request.all("person") == [ASKED]
    assert request.shown("officer") == "cb.07"
    assert request.shown("case") == "000.00.01.H24-1"
    assert request.shown("message_id") == "rec-1"
    assert request.shown("represented") == "GOV/H24"
    assert request.shown("target") == f"/r1/{HOLDING}/a%2Fb?q=1"
    assert request.shown("address") == "127.0.0.1"
    assert request.shown("body_sha256") == sha256(b'{"identity_number":"%s"}' % ASKED.encode())


def test_callers_signature_verifies_again_from_the_opening_alone(place):
    answer = look_up(place)
    request, _ = exchange_of(place.site, answer.receipt)
    base, signature = request.shown("signature_base"), base64.b64decode(request.shown("signature").strip(":"))
    certificate = verify_base(place, base, signature)
    assert certificate.public_bytes(Encoding.PEM) == place.site.pki.identities[PORTAL].certificate.read_bytes()
    digest = base64.b64encode(bytes.fromhex(request.shown("body_sha256"))).decode()
    assert f'"content-digest": sha-256=:{digest}:' in base
    assert f'"@target-uri": {place.site.url}{request.shown("target")}\n' in base
    with pytest.raises(InvalidSignature):
        verify_base(place, base.replace("POST", "PUT"), signature)


def test_gateways_signature_verifies_again_from_the_opening_alone(place):
    answer = look_up(place)
    _, ended = exchange_of(place.site, answer.receipt)
    base = ended.shown("signature_base")
    certificate = verify_base(place, base, bytes.fromhex(ended.shown("signature")))
    assert certificate.public_bytes(Encoding.PEM) == place.site.pki.gateway.certificate.read_bytes()
    assert ended.shown("body_sha256") == sha256(answer.body.data)
    assert f'"motlan-receipt": {ended["id"]}\n' in base
    assert f'"@target-uri";req: {place.site.url}/r1/{HOLDING}/a%2Fb?q=1\n' in base


def test_person_whose_elements_are_released_is_committed_to_though_the_number_is_not_released(place):
    answer = look_up(place)
    assert OWNER not in answer.body.data.decode()
    _, ended = exchange_of(place.site, answer.receipt)
    assert ended.all("person") == [OWNER]


def test_nothing_personal_is_public_or_readable_on_the_operators_disk(place):
    look_up(place, message_id="rec-disk")
    elsewhere = "127.0.0.77"  # the provider's own address stands in the service files that are kept
    with place.connect(source=elsewhere) as wire:
        wire.send(place.message().encode())
        request, _ = exchange_of(place.site, wire.answer().head.get("motlan-receipt"))
    assert request.shown("address") == elsewhere
    place.stop()
    try:
        told = [ASKED, OWNER, "cb.07", "000.00.01.H24-1", "rec-disk", "Đặng Thị Ánh", elsewhere]
        for file in place.site.folder.glob("motlan.sqlite*"):
            data = file.read_bytes()
            assert [each for each in told if each.encode() in data] == []
    finally:
        place.start()


def test_each_commitment_has_a_salt_of_its_own(place):
    look_up(place)
    look_up(place)
    one, other = (each for each in records(place.site)[-4:] if each["kind"] == "request")
    assert one.shown("officer") == other.shown("officer")
    assert not set(one["private"]) & set(other["private"])
    assert one["salt"] != other["salt"]


def test_refusal_of_a_proved_caller_is_one_record_with_what_was_asked(place):
    before = len(records(place.site))
    answer = Caller(place).post({"identity_number": ASKED}, service=HOLDING, purpose=None, officer="cb.09")
    [refusal] = records(place.site, before)
    assert refusal["id"] == answer.receipt
    assert (refusal["kind"], refusal["outcome"], refusal["signed_by"]) == ("refusal", "DENIED", "caller")
    assert refusal["decision"] == {"reasons": ["client.purpose_missing", "purpose.stated"], "ruling": "denied"}
    assert refusal.shown("officer") == "cb.09"
    verify_base(place, refusal.shown("signature_base"), base64.b64decode(refusal.shown("signature").strip(":")))


def test_what_came_into_force_is_recorded_before_anything_else(place):
    first = records(place.site)[:3]
    assert [each["kind"] for each in first] == ["configuration"] * 3
    kinds = {each["decision"]["reasons"][0]: each["decision"]["reasons"][1] for each in first}
    assert kinds["trust-list"] == hashlib.sha256((place.site.folder / "pki/trust/draft.json").read_bytes()).hexdigest()
    request = next(each for each in records(place.site) if each["kind"] == "request")
    assert request["digests"]["trust"] == kinds["trust-list"]
    assert request["digests"]["policy"] == kinds["policy"]
    assert request["digests"]["mapping"] == kinds["services"]
    assert {request["digests"][name] for name in ("trust", "policy", "mapping")} == set(
        first[-1]["digests"].values()
    ) - {None}


def test_end_without_an_answer_is_recorded_with_its_outcome_and_the_error_that_was_sent(place):
    place.provider.reply = Answer(drop=True)
    answer = look_up(place)
    request, ended = exchange_of(place.site, answer.receipt)
    assert (ended["kind"], ended["outcome"]) == ("answer", "UNAVAILABLE")
    assert ended["decision"]["reasons"] == ["server.serverproxy.service_failed.unavailable"]
    assert ended["released"] == []
    assert ended.shown("body_sha256") == sha256(answer.body.data)
    verify_base(place, ended.shown("signature_base"), bytes.fromhex(ended.shown("signature")))
    assert ended["parent"] == request["id"]


def test_refusals_before_proof_become_one_record_a_minute(place):
    place.run(place.gateway.chores.flush_tally())
    before = len(records(place.site))
    for _ in range(20):
        assert place.send(place.message(sign=lambda _: bytes(64))).code == "client.signature_invalid"
    for client in ("VN/GOV/X1/a", "VN/GOV/X2/a"):
        requests.get(f"{place.site.url}/r1/{ECHO}", headers={"X-Road-Client": client}, timeout=5)
    with place.connect() as wire:
        wire.send(b"BROKEN\r\n\r\n")
        wire.rest()
    assert records(place.site, before) == []
    place.run(place.gateway.chores.flush_tally())
    [one] = records(place.site, before)
    assert (one["kind"], one["client"], one["service"]) == ("refusals", None, None)
    assert one["decision"]["ruling"] == "denied"
    rows = one.shown("refusals")
    counts = {(row["code"], row["client"]): row["count"] for row in rows}
    assert counts == {
        ("client.signature_invalid", str(PORTAL)): 20,
        ("client.signature_missing", "VN/GOV/X1/a"): 1,
        ("client.signature_missing", "VN/GOV/X2/a"): 1,
        ("client.bad_header", ""): 1,
    }
    assert {row["network"] for row in rows} == {"127.0.0.0/24"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", row["first"]) for row in rows)
    place.run(place.gateway.chores.flush_tally())
    assert len(records(place.site, before)) == 1


# -- the log, over HTTP ------------------------------------------------------------------------------------------------


def settled(place):
    """Every record is in the published tree."""

    async def drain():
        while await place.gateway.sequencer.step():
            pass

    place.run(drain())


def test_log_verifies_over_http_and_holds_every_record(place):
    look_up(place)
    settled(place)
    older = fetch_log(place.site)("checkpoint")
    look_up(place)
    settled(place)
    verified = check_log(place.site, older)
    assert verified.checkpoint.checkpoint.size == len(records(place.site))


def test_record_is_in_the_log_within_a_second(place):
    before = check_log(place.site).checkpoint.checkpoint.size
    look_up(place)
    for _ in range(150):
        text = requests.get(f"{place.site.url}/log/checkpoint", timeout=5).text
        if int(text.split("\n")[1]) >= before + 2:
            break
    assert int(text.split("\n")[1]) >= before + 2


def test_checkpoint_is_fresh_and_tiles_are_for_ever(place):
    settled(place)
    checkpoint = requests.get(f"{place.site.url}/log/checkpoint", timeout=5)
    origin, size, root = checkpoint.text.split("\n")[:3]
    assert origin == "motlan.example/log"
    assert len(base64.b64decode(root)) == 32
    assert checkpoint.headers["Cache-Control"] == "no-cache"
    assert checkpoint.headers["Content-Type"].startswith("text/plain")
    for path in (f"tile/0/000.p/{int(size) % 256}", f"tile/entries/000.p/{int(size) % 256}"):
        got = requests.get(f"{place.site.url}/log/{path}", timeout=5)
        assert got.status_code == 200
        assert got.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert got.headers["Content-Type"] == "application/octet-stream"
        assert requests.head(f"{place.site.url}/log/{path}", timeout=5).headers["Content-Length"] == str(
            len(got.content)
        )
        assert requests.get(f"{place.site.url}/log/{path}", timeout=5).content == got.content


def test_entries_are_33_bytes_behind_their_length(place):
    settled(place)
    bundle = fetch_log(place.site)("tile/entries/000.p/3")
    assert bundle[:3] == b"\x00\x21\x01"
    assert len(bundle) == 3 * 35


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/001",
        "tile/0/000.p/255",
        "tile/entries/000.p/0",
        "tile/0/0",
        "tile/9/000",
        "tile/0/x001/000",
        "",
        "tile/0/000.p/1x",
    ],
)
def test_what_the_log_does_not_have_is_a_404(place, path):
    got = requests.get(f"{place.site.url}/log/{path}", timeout=5)
    assert got.status_code == 404
    assert "immutable" not in got.headers.get("Cache-Control", "")


def test_log_is_read_only(place):
    got = requests.post(f"{place.site.url}/log/checkpoint", data=b"x", timeout=5)
    assert (got.status_code, got.headers["Allow"]) == (405, "GET, HEAD")


def test_no_personal_data_in_metrics(place):
    look_up(place)
    text = requests.get(f"{place.gateway.admin_url}/metrics", timeout=5).text
    assert str(HOLDING) in text
    assert not [each for each in (ASKED, OWNER, "cb.07", "000.00.01") if each in text]


def test_health_and_readiness_are_the_operators(place):
    assert requests.get(f"{place.gateway.admin_url}/healthz", timeout=5).status_code == 200
    assert requests.get(f"{place.gateway.admin_url}/readyz", timeout=5).text == "ready\n"
    assert requests.get(f"{place.site.url}/metrics", timeout=5).status_code == 400  # an exchange that is none
    assert requests.get(f"{place.gateway.admin_url}/r1/x", timeout=5).status_code == 404
    place.gateway.chores.halted = "log halted"
    try:
        got = requests.get(f"{place.gateway.admin_url}/readyz", timeout=5)
        assert (got.status_code, got.text) == (503, "log halted\n")
    finally:
        place.gateway.chores.halted = None
