"""What a 200 carries, what the provider receives for it, and that neither is more or less than the protocol says."""

import base64
import hashlib
import json
import re

import pytest

from adapters.simulators.wire import Answer
from gateway.keys.file import load_certificates
from gateway.model.instant import Instant
from gateway.model.message import Body
from gateway.signing.algorithms import PublicKey
from gateway.signing.http_sig import prove
from gateway.signing.http_sig_check import original_request, verify_forward
from gateway.signing.target import public_url
from tests.support.exchanges import Caller, fields_of, head_of, json_answer, office
from tests.support.gateways import BASIS, ECHO, PORTAL, PURPOSE

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with office(tmp_path_factory.mktemp("headers")) as made:
        yield made


@pytest.fixture(autouse=True)
def _told(place):
    place.provider.reply = json_answer({"ok": True})


def sent_names(received):
    return [name.lower() for name, _ in received.headers]


def test_answer_names_the_exchange_and_its_record(place):
    message = place.message(fields={"X-Road-Id": "case-77-1"})
    got = fields_of(place.accepts(message))
    assert got["x-road-id"] == "case-77-1"
    assert got["x-road-client"] == str(PORTAL)
    assert got["x-road-service"] == str(ECHO)
    request, answer = place.records()[-2:]
    assert got["x-road-request-id"] == request["id"]
    assert got["motlan-receipt"] == answer["id"]
    assert got["motlan-outcome"] == "FOUND"
    assert "x-road-error" not in got


def test_message_id_is_made_for_a_caller_that_sends_none(place):
    got = fields_of(place.accepts(place.message()))
    assert got["x-road-id"] == got["x-road-request-id"]
    assert UUID7.fullmatch(got["x-road-id"])
    assert place.provider.last.header("X-Road-Id") == got["x-road-id"]


def xroad_hash(received, verb, target):
    """X-Road Message Protocol for REST, §4.3, from what the provider got: head of the forwarded fields, and body."""
    ours = {"host", "content-length", "motlan-original-target", "motlan-receipt", "signature-input", "signature"}
    lines = [f"{name}:{value}\r\n" for name, value in received.headers if name.lower() not in ours]
    head = hashlib.sha512((f"{verb}\r\n{target}\r\n" + "".join(lines)).encode("latin-1")).digest()
    whole = head if not received.body else hashlib.sha512(head + hashlib.sha512(received.body).digest()).digest()
    return base64.b64encode(whole).decode()


@pytest.mark.parametrize("fields", [{}, {"X-Road-Id": "hash-{}", "X-Road-UserId": "officer 1", "Accept": "a/b, c/d"}])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/a%2Fb?x=%20&y"), ("GET", ""), ("GET", "/a/?q"), ("DELETE", "/x"), ("PUT", "")]
)
def test_request_hash_is_that_of_head_and_body_as_forwarded(place, method, path, fields):
    fields = {name: value.format(f"{method}{len(path)}") for name, value in fields.items()}
    message = place.message(method=method, path=path, fields=fields)
    got = fields_of(place.accepts(message))
    assert got["x-road-request-hash"] == xroad_hash(place.provider.last, method, message.head.target)


@pytest.mark.parametrize(
    ("below", "target"),
    [
        ("", "/echo"),
        ("/", "/echo/"),
        ("/a/b", "/echo/a/b"),
        ("/a%2Fb/c", "/echo/a%2Fb/c"),
        ("/%C4%91%C6%B0%E1%BB%9Dng?q=%C4%91", "/echo/%C4%91%C6%B0%E1%BB%9Dng?q=%C4%91"),
        ("/a;v=1/b:c@d", "/echo/a;v=1/b:c@d"),
        ("?x=1&x=2", "/echo?x=1&x=2"),
        ("?", "/echo?"),
        ("/p?a=b?c=d/e&f=%2e%2e", "/echo/p?a=b?c=d/e&f=%2e%2e"),
        ("/A%c3%a1", "/echo/A%c3%a1"),
    ],
)
def test_path_and_query_reach_the_provider_as_they_were_written(place, below, target):
    place.accepts(place.message(method="GET", path=below))
    assert place.provider.last.target == target


def test_segments_of_the_service_are_percent_encoded_each_on_its_own(place):
    place.accepts(place.message(service="V%4E/GOV/G15/registr%79/echo", path="/x"))
    assert place.provider.last.target == "/echo/x"
    # An encoded slash stays inside its segment, and no identifier may hold one.
    refused = place.send(place.message(service="VN/GOV/G15%2Fregistry/echo/x", path=""))
    assert refused.code == "client.target_refused"


KEPT = {
    "X-Road-UserId": "can-bo-7",
    "X-Road-Issue": "000.00.01.H24-251122-0001",
    "X-Road-Represented-Party": "GOV/H24",
    "X-Road-Security-Server": "VN/GOV/H24/ss1",
    "Idempotency-Key": "k-kept",
    "Prefer": "wait=10",
    "Content-Language": "vi",
    "X-Agency-Unit": "17",
    "Authorization": "Bearer of-the-caller",
}


def test_covered_headers_reach_the_provider_in_their_order_and_as_they_are(place):
    place.accepts(place.message(fields=KEPT))
    sent = [(name, value) for name, value in place.provider.last.headers if name in KEPT]
    assert sent == list(KEPT.items())
    assert place.provider.last.header("Content-Type") == "application/json"
    assert place.provider.last.header("Motlan-Purpose") == f'"{PURPOSE}";basis="{BASIS}"'


def test_uncovered_headers_end_here_but_for_those_that_choose_a_representation(place):
    chosen = (("Accept", "application/xml"), ("Accept-Language", "vi"), ("If-None-Match", '"e"'))
    trace = (("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),)
    dropped = (("X-Unsigned", "1"), ("Cookie", "a=b"), ("Forwarded", "for=1.2.3.4"), ("X-Forwarded-For", "1.2.3.4"))
    place.accepts(place.message(added=(*chosen, *trace, *dropped)))
    sent = dict(place.provider.last.headers)
    assert {name: sent[name] for name, _ in (*chosen, *trace)} == dict((*chosen, *trace))
    assert not {name for name, _ in dropped} & sent.keys()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("User-Agent", "portal/1"),
        ("Server", "x"),
        ("Keep-Alive", "timeout=5"),
        ("TE", "trailers"),
        ("Proxy-Authorization", "Basic eDp5"),
        ("X-Road-Request-Id", "0199a5f0-0000-7000-8000-000000000001"),
        ("X-Road-Request-Hash", "Zm9yZ2Vk"),
        ("Motlan-Receipt", "0199a5f0-0000-7000-8000-000000000001"),
        ("Motlan-Original-Target", '"https://elsewhere/"'),
    ],
)
def test_what_is_hop_by_hop_or_ours_to_say_is_not_forwarded_though_it_is_signed(place, name, value):
    got = fields_of(place.accepts(place.message(fields={name: value})))
    assert value not in [sent for _, sent in place.provider.last.headers]
    assert sent_names(place.provider.last).count(name.lower()) == (
        1 if name in {"X-Road-Request-Id", "Motlan-Receipt", "Motlan-Original-Target"} else 0
    )
    assert got["x-road-request-id"] == place.records()[-2]["id"]


def test_headers_that_connection_names_end_here(place):
    place.accepts(place.message(added=(("Accept", "a/b"), ("Connection", "close, Accept"))))
    assert place.provider.last.header("Accept") is None


def test_connection_cannot_take_signed_headers_out(place):
    message = place.message(fields={"X-Road-UserId": "cb-1"}, added=(("Connection", "X-Road-UserId"),))
    place.refuses(message, "client.inconsistent_headers", 400, recorded=False)


@pytest.mark.parametrize(
    "media",
    ["application/json;charset=UTF-8", 'multipart/form-data; boundary="a;b"', "text/plain", "application/VND.x+json"],
)
def test_content_type_and_body_pass_unmodified_both_ways(place, media):
    body = '{"tên":"Đặng Thị Ánh", "n": 1.10}\r\n'.encode()
    reply = '  {"đ" : 1e2}\n'.encode()
    place.provider.reply = Answer(content_type=media, body=reply)
    got = place.accepts(place.message(body=body, fields={"Content-Type": media}))
    assert place.provider.last.header("Content-Type") == media
    assert place.provider.last.body == body
    assert fields_of(got)["content-type"] == media
    assert got.body == reply


def test_answer_without_content_type_is_bytes_and_is_still_proved(place):
    place.provider.reply = Answer(content_type=None, body=b"\x00\x01")
    got = place.accepts(place.message())
    assert fields_of(got)["content-type"] == "application/octet-stream"
    assert got.body == b"\x00\x01"


def test_answer_without_content_has_no_content_type_either(place):
    place.provider.reply = Answer(content_type=None)
    assert "content-type" not in fields_of(place.accepts(place.message()))


def test_compressed_answer_passes_as_the_bytes_that_it_is(place):
    place.provider.reply = Answer(headers=(("Content-Encoding", "gzip"),), body=b"\x1f\x8bnot really")
    got = place.accepts(place.message(fields={"Accept-Encoding": "gzip"}))
    assert place.provider.last.header("Accept-Encoding") == "gzip"
    assert fields_of(got)["content-encoding"] == "gzip"
    assert got.body == b"\x1f\x8bnot really"


def test_provider_is_not_asked_to_compress_unless_the_caller_asked(place):
    place.accepts(place.message())
    assert place.provider.last.header("Accept-Encoding") is None


def test_what_only_the_gateway_may_say_is_not_taken_from_a_provider(place):
    forged = (
        ("X-Road-Id", "forged"),
        ("X-Road-Error", "client.forged"),
        ("X-Road-Request-Id", "forged"),
        ("Motlan-Outcome", "NOT_FOUND"),
        ("Motlan-Receipt", "forged"),
        ("Content-Digest", "sha-256=:AAAA:"),
        ("Signature-Input", 'x=("@status")'),
        ("Signature", "x=:AAAA:"),
        ("Server", "IIS/6.0"),
        ("X-Own", "kept"),
    )
    place.provider.reply = json_answer({}, headers=forged)
    got = fields_of(place.accepts(place.message()))
    assert "forged" not in "".join(got.values())
    assert got["x-own"] == "kept"
    assert got["motlan-outcome"] == "FOUND"
    assert got["server"] == "motlan"


@pytest.mark.parametrize("status", [201, 202, 203, 204, 206, 226])
def test_statuses_of_success_pass(place, status):
    body = b"" if status == 204 else b'{"a":1}'
    place.provider.reply = Answer(status=status, body=body, content_type=None if status == 204 else "application/json")
    message = place.message()
    got = place.send(message)
    assert (got.status, got.body) == (status, body)
    assert place.proof_of(got, message).bound


def test_not_modified_passes_without_a_body(place):
    place.provider.reply = Answer(status=304, content_type=None, headers=(("ETag", '"v1"'),))
    message = place.message(method="GET", added=(("If-None-Match", '"v1"'),))
    got = place.send(message)
    assert (got.status, got.body, fields_of(got)["etag"]) == (304, b"", '"v1"')
    assert place.proof_of(got, message).bound


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_neither_followed_nor_passed_on(place, status):
    place.provider.reply = Answer(status=status, headers=(("Location", place.provider.url + "/elsewhere"),))
    message = place.message(method="GET", path="/once")
    before = place.forwarded
    got = place.send(message)
    assert (got.status, got.code) == (502, "server.serverproxy.service_failed.invalid_reply")
    assert "location" not in fields_of(got)
    assert place.forwarded == before + 1
    assert place.proof_of(got, message).bound


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
def test_methods_without_a_body_reach_the_provider_without_one(place, method):
    got = place.accepts(place.message(method=method))
    assert place.provider.last.method == method
    assert place.provider.last.body == b""
    assert place.provider.last.header("Content-Length") is None
    assert place.provider.last.header("Content-Digest") is None
    assert got.body == (b"" if method == "HEAD" else b'{"ok": true}')


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_methods_with_a_body_carry_it(place, method):
    caller = Caller(place)
    got = caller.post({"n": method}, method=method)
    assert (got.status, got.error_code) == (200, None)
    assert (place.provider.last.method, json.loads(place.provider.last.body)) == (method, {"n": method})


def test_provider_verifies_the_gateway_and_the_caller_behind_it(place):
    message = place.message(path="/a%2Fb?q=1", fields={"X-Road-Id": "passed-1", "X-Road-UserId": "cb-1"}, label="anruf")
    place.accepts(message)
    received = place.provider.last
    known = PublicKey.from_certificate(load_certificates(place.site.pki.gateway.certificate)[0])
    head, url = head_of(received), public_url(place.provider.url)
    now = Instant(place.clock.now())
    forward = verify_forward(head, Body(received.body), url=url, keys={known.keyid: known}, now=now)
    covered = set(forward.proof.covered)
    assert {"@method", "@target-uri", "content-digest", "content-type", "motlan-purpose"} <= covered
    assert {"motlan-original-target", "motlan-receipt", "x-road-request-id", "x-road-client", "x-road-id"} <= covered
    assert {'signature-input;key="anruf"', 'signature;key="anruf"'} <= covered
    # The caller's own, in the context of the target that the caller signed.
    original, origin = original_request(head)
    assert original.target == message.head.target
    assert origin.origin == place.site.url
    certificate = load_certificates(place.site.pki.identities[PORTAL].certificate)[0]
    caller = prove(original, forward.passed, PublicKey.from_certificate(certificate), public_url=origin)
    assert caller.keyid == place.key().keyid


def test_receipt_towards_the_provider_is_the_requests_record(place):
    place.accepts(place.message())
    request, _ = place.records()[-2:]
    assert place.provider.last.header("Motlan-Receipt") == request["id"]
    assert place.provider.last.header("X-Road-Request-Id") == request["id"]


def test_callers_signature_stays_behind_where_nobody_could_verify_it(place):
    place.accepts(place.message(fields={"User-Agent": "portal/1"}))  # covered, and never forwarded
    received = place.provider.last
    known = PublicKey.from_certificate(load_certificates(place.site.pki.gateway.certificate)[0])
    forward = verify_forward(
        head_of(received),
        Body(received.body),
        url=public_url(place.provider.url),
        keys={known.keyid: known},
        now=Instant(place.clock.now()),
    )
    assert forward.passed is None
    assert "sig1=" not in (received.header("Signature") or "")
