"""Only what is granted leaves, byte by byte as the provider wrote it; outcomes are never folded into one another."""

import json
import time

import pytest

from adapters.simulators.wire import Answer
from tests.support.exchanges import HOLDING, SAFE_WRITE, Caller, exchange_of, fields_of, grant, json_answer, office
from tests.support.gateways import ECHO, OTHER, PORTAL, PROVIDER

WRITE = f"{PROVIDER}/write"
SECRET = "031060000017"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with office(tmp_path_factory.mktemp("minimised"), provider_seconds=0.3) as made:
        yield made


WHOLE = """{"note":"bí mật", "owner" : {"identity_number":"031060000017","full_name":"\\u0110ặng Thị Ánh", "x":1},
  "price": 1e9, "area" :1.10 ,"serial":9223372036854775809,
  "debts":[{"bank":"A","sum":1e2},{"bank":"B"},{"sum":0.30000000000000004}], "unknown":{"a":1}}"""
LEFT = (
    '{"owner":{"full_name":"\\u0110ặng Thị Ánh"},"area":1.10,"serial":9223372036854775809,'
    '"debts":[{"sum":1e2},{"sum":0.30000000000000004}]}'
)


def asked(place, reply, **more):
    place.provider.reply = reply
    message = place.message(service=HOLDING, **more)
    got = place.send(message)
    assert place.proof_of(got, message).bound
    return got


def test_only_granted_elements_leave_and_every_number_as_it_was_written(place):
    got = asked(place, json_answer(WHOLE))
    assert got.body.decode() == LEFT
    assert fields_of(got)["content-length"] == str(len(LEFT.encode()))
    _, answer = exchange_of(place.site, got.head.get("motlan-receipt"))
    assert answer["released"] == ["/owner/full_name", "/area", "/serial", "/debts/*/sum"]
    assert SECRET not in str(answer.skeleton)


def test_grant_of_everything_passes_the_bytes_themselves(place):
    got = asked(place, json_answer(WHOLE), client=OTHER)
    assert got.body.decode() == WHOLE
    _, answer = exchange_of(place.site, got.head.get("motlan-receipt"))
    assert answer["released"] == ["*"]
    assert answer.all("person") == [SECRET]


LEAKS = (
    ("X-Owner", SECRET),
    ("Location", f"/holdings/{SECRET}"),
    ("Link", f"</people/{SECRET}>; rel=owner"),
    ("Set-Cookie", f"last={SECRET}"),
    ("ETag", f'"{SECRET}"'),
    ("Warning", f'199 - "{SECRET}"'),
    ("Content-Disposition", f'attachment; filename="{SECRET}.json"'),
    ("Content-Location", f"/p/{SECRET}"),
)


@pytest.mark.parametrize("status", [200, 201, 422])
def test_headers_of_a_provider_carry_nothing_past_a_grant_of_fields(place, status):
    kept = (("Content-Language", "vi"), ("Retry-After", "9"))
    got = asked(place, json_answer(WHOLE, headers=(*LEAKS, *kept), status=status))
    assert SECRET not in str(got.head.fields) + got.body.decode()
    assert fields_of(got)["content-type"] == "application/json"
    assert fields_of(got)["content-language"] == "vi"
    assert fields_of(got)["retry-after"] == "9"
    whole = asked(place, json_answer(WHOLE, headers=LEAKS, status=status), client=OTHER)
    passed = {name: value for name, value in LEAKS if name != "Set-Cookie"}  # which is for nobody
    assert passed.items() <= dict(whole.head.fields).items()
    assert "set-cookie" not in fields_of(whole)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503])
def test_error_bodies_of_a_provider_do_not_pass_a_grant_of_fields(place, status):
    got = asked(place, json_answer({"detail": f"no holding of {SECRET}"}, status=status))
    assert (got.status, got.code, got.body) == (status, None, b"")
    _, answer = exchange_of(place.site, got.head.get("motlan-receipt"))
    assert answer["released"] == []
    assert answer.all("person") == []
    whole = asked(place, json_answer({"detail": SECRET}, status=status), client=OTHER)
    assert whole.json() == {"detail": SECRET}


@pytest.mark.parametrize(
    "body",
    [
        b"Unauthorized",
        b"<html/>",
        b"",
        b"[]",
        b'{"owner":1}',
        b'{"area":"x","owner":{}}',
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
    ],
)
def test_answer_that_is_not_of_its_schema_is_invalid_and_nothing_of_it_leaves(place, body):
    got = asked(place, Answer(body=body))
    if not body:
        assert (got.status, got.body) == (200, b"")
        return
    assert (got.status, got.code) == (502, "server.serverproxy.service_failed.invalid_reply")
    assert fields_of(got)["motlan-outcome"] == "INVALID_REPLY"
    _, answer = exchange_of(place.site, got.head.get("motlan-receipt"))
    assert (answer["outcome"], answer["released"]) == ("INVALID_REPLY", [])


def test_compressed_answer_cannot_pass_a_grant_of_fields(place):
    got = asked(place, Answer(headers=(("Content-Encoding", "gzip"),), body=b"\x1f\x8b\x08whatever"))
    assert (got.status, fields_of(got)["motlan-outcome"]) == (502, "INVALID_REPLY")


def test_elements_that_are_not_there_are_not_released(place):
    got = asked(place, json_answer({"owner": {"identity_number": SECRET}, "price": 3}))
    assert got.json() == {}
    _, answer = exchange_of(place.site, got.head.get("motlan-receipt"))
    assert answer["released"] == []


# -- outcomes ----------------------------------------------------------------------------------------------------------

FROZEN = "frozen"
GONE = "gone"
LOOKUP, WRITES, REPEATABLE = "look-up", "write", "repeatable write"
SERVICES = {LOOKUP: ECHO, WRITES: WRITE, REPEATABLE: SAFE_WRITE}

FAILED = "server.serverproxy.service_failed."
TABLE = [
    # (what the provider does, kind of service, outcome, status, code)
    (Answer(status=200, body=b"{}"), LOOKUP, "FOUND", 200, None),
    (Answer(status=200, body=b"{}"), WRITES, "DONE", 200, None),
    (Answer(status=201, body=b"{}"), WRITES, "DONE", 201, None),
    (Answer(status=202, body=b"{}"), WRITES, "ACCEPTED", 202, None),
    (Answer(status=404, body=b"{}"), LOOKUP, "REJECTED", 404, None),  # "no such path" is not "no such person"
    (Answer(status=400, body=b"{}"), LOOKUP, "REJECTED", 400, None),
    (Answer(status=409, body=b"{}"), WRITES, "REJECTED", 409, None),
    (Answer(status=401, body=b"{}"), LOOKUP, "DENIED", 401, None),
    (Answer(status=403, body=b"{}"), WRITES, "DENIED", 403, None),
    (Answer(status=429, body=b"{}"), WRITES, "UNAVAILABLE", 429, None),
    (Answer(status=503, body=b"{}"), WRITES, "UNAVAILABLE", 503, None),
    (Answer(status=500, body=b"{}"), LOOKUP, "UNAVAILABLE", 500, None),
    (Answer(status=500, body=b"{}"), WRITES, "UNKNOWN", 500, None),
    (Answer(status=502, body=b"<html>"), WRITES, "UNKNOWN", 502, None),
    (Answer(status=304, content_type=None), WRITES, "INVALID_REPLY", 502, FAILED + "invalid_reply"),
    (Answer(status=302, body=b""), LOOKUP, "INVALID_REPLY", 502, FAILED + "invalid_reply"),
    (Answer(body=b"12345678", cut=4), LOOKUP, "INVALID_REPLY", 502, FAILED + "invalid_reply"),
    (Answer(body=b"12345678", cut=4), WRITES, "UNKNOWN", 504, FAILED + "end_unknown"),
    (Answer(drop=True), LOOKUP, "UNAVAILABLE", 503, FAILED + "unavailable"),
    (Answer(drop=True), WRITES, "UNKNOWN", 504, FAILED + "end_unknown"),
    (Answer(drop=True), REPEATABLE, "UNKNOWN", 504, FAILED + "end_unknown"),
    (FROZEN, LOOKUP, "UNAVAILABLE", 504, FAILED + "timeout"),
    (FROZEN, WRITES, "UNKNOWN", 504, FAILED + "end_unknown"),
    (GONE, LOOKUP, "UNAVAILABLE", 503, FAILED + "unavailable"),
    (GONE, WRITES, "UNAVAILABLE", 503, FAILED + "unavailable"),
]


def _never(_):
    async def hang():
        import asyncio  # noqa: PLC0415 - on the provider's loop only

        await asyncio.Event().wait()

    return hang()


@pytest.mark.parametrize("case", TABLE, ids=lambda case: f"{case[1]}-{case[2]}-{case[3]}")
def test_each_failure_of_a_provider_is_told_apart(place, case):
    does, kind, outcome, status, code = case
    place.provider.reply = _never if does in {FROZEN, GONE} else does
    port = int(place.provider.root.rpartition(":")[2])
    if does == GONE:
        place.run(place.provider.stop())
    try:
        message = place.message(service=SERVICES[kind])
        got = place.send(message)
    finally:
        if does == GONE:
            place.run(place.provider.start(port=port))
    assert (got.status, got.code, fields_of(got)["motlan-outcome"]) == (status, code, outcome)
    assert place.proof_of(got, message).bound
    _, answer = exchange_of(place.site, got.head.get("motlan-receipt"))
    assert answer["outcome"] == outcome
    if code is not None:
        assert got.json()["fault"] == "provider"


def test_declared_not_found_is_not_found(place):
    got = asked(place, Answer(status=404, body=b"{}"), client=OTHER)
    assert (got.status, got.code, fields_of(got)["motlan-outcome"]) == (404, None, "NOT_FOUND")


def test_time_out_is_never_not_found(place):
    place.provider.reply = _never
    before = place.forwarded
    got = Caller(place).post(service=HOLDING)
    assert (got.status, got.outcome, got.error_code) == (504, "UNAVAILABLE", FAILED + "timeout")
    assert place.forwarded == before + 1  # the route's time is for all attempts together
    assert got.json()["retryable"] is True


def test_time_of_the_service_is_for_the_whole_call(tmp_path):
    service = f"{PROVIDER}/hurried"
    more = f'[[service]]\nid = "{service}"\npath = "/hurried"\ntimeout_seconds = 0.3\n'
    with office(tmp_path, services=more, grants=grant("hurried", PORTAL, service)) as place:
        place.provider.reply = _never
        start = time.monotonic()
        got = place.send(place.message(service=service))
        assert time.monotonic() - start < 2  # its provider alone would have five seconds
        assert (got.status, got.code) == (504, FAILED + "timeout")


def test_reads_on_a_write_service_are_look_ups(place):
    place.provider.reply = Answer(status=200, body=b"{}")
    message = place.message(service=WRITE, method="GET")
    assert fields_of(place.send(message))["motlan-outcome"] == "FOUND"


def test_wrong_fields_of_a_provider_do_not_break_the_answers_signature(place):
    twice = (("Content-Type", "text/plain"),)
    place.provider.reply = Answer(body=b"{}", headers=twice)
    message = place.message()
    got = place.send(message)
    assert (got.status, got.code) == (502, "server.serverproxy.answer_unsignable")
    assert place.proof_of(got, message).bound
    _, answer = exchange_of(place.site, got.head.get("motlan-receipt"))
    assert answer["outcome"] == fields_of(got)["motlan-outcome"] == "INVALID_REPLY"


def test_broken_json_of_a_whole_grant_passes_as_it_is(place):
    place.provider.reply = Answer(body=b'{"a":1,"a":NaN')
    assert place.accepts(place.message()).body == b'{"a":1,"a":NaN'


def test_body_of_the_request_is_strict_json(place):
    place.provider.reply = Answer(body=b"{}")
    got = place.refuses(place.message(body=b'{"a":1,"a":2}'), "client.bad_json", 400, recorded=True)
    assert json.loads(got.body)["fault"] == "caller"
