"""Bodies that two JSON parsers could read differently, and calls that no grant allows: proved, refused, recorded."""

from collections.abc import Iterator

import pytest

from adapters.simulators.backend import Backend
from tests.support.attacks import Parameters, World, world
from tests.support.gateways import BASIS, ECHO, OTHER, PORTAL, PURPOSE, RECORD, STRANGER, WRITE

PERSON = "031190001234"
CLOSED = "VN/GOV/G15/registry/closed"
NARROW = "VN/GOV/G15/registry/narrow"
ENDED = "VN/GOV/G15/registry/ended"

_SERVICES = "".join(
    f"""
[[service]]
id = "{service}"
path = "/{service.rpartition("/")[2]}"
{more}
"""
    for service, more in ((CLOSED, "enabled = false"), (NARROW, ""), (ENDED, ""))
)
_PURPOSES = f'purpose = [{{ code = "{PURPOSE}", bases = ["{BASIS}"] }}]'
_GRANTS = f"""
[[grant]]
name = "closed"
client = "{PORTAL}"
service = "{CLOSED}"
methods = ["POST"]
fields = ["*"]
{_PURPOSES}

[[grant]]
name = "narrow"
client = "{PORTAL}"
service = "{NARROW}"
methods = ["POST", "GET"]
paths = ["", "/cases/*"]
fields = ["*"]
case_required = true
officer_required = true
{_PURPOSES}

[[grant]]
name = "ended"
client = "{PORTAL}"
service = "{ENDED}"
methods = ["POST"]
fields = ["*"]
valid_from = 2020-01-01
valid_until = 2020-12-31
{_PURPOSES}
"""


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("site"), services=_SERVICES, grants=_GRANTS) as made:
        yield made


NAME = b'{"full_name":"An","birth_date":"1990"}'
DEPTH = 10_000
NOT_JSON = {
    "arrays 10,000 deep": b"[" * DEPTH + b"]" * DEPTH,
    "objects 10,000 deep": b'{"a":' * DEPTH + b"1" + b"}" * DEPTH,
    "10,000 deep and never closed": b"[" * DEPTH,
    "10,000 deep in a member": b'{"full_name":' + b"[" * DEPTH + b"]" * DEPTH + b"}",
    "65 deep": b"[" * 65 + b"]" * 65,
    "a name twice": b'{"full_name":"An","full_name":"Binh","birth_date":"1990"}',
    "a name twice, once escaped": b'{"full_name":"An","full\\u005fname":"Binh","birth_date":"1990"}',
    "a name twice, further in": b'{"a":[{"b":1,"c":2,"b":1}]}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":Infinity}',
    "minus Infinity": b'{"a":-Infinity}',
    "1e400": b'{"a":1e400}',
    "minus 1e400": b'{"a":-1e400}',
    "1e-400": b'{"a":1e-400}',
    "a fraction of 1001 characters": b'{"a":1.' + b"1" * 1000 + b"}",
    "an integer of 100,000 digits": b'{"a":' + b"1" * 100_000 + b"}",
    "half a surrogate pair": b'{"a":"\\ud83d"}',
    "the other half": b'{"a":"\\ude00x"}',
    "halves in the wrong order": b'{"a":"\\ude00\\ud83d"}',
    "half a surrogate pair in a name": b'{"\\ud83d":1}',
    "a surrogate in UTF-8": b'{"a":"\xed\xa0\xbd"}',
    "UTF-8 cut off": b'{"a":"\xe1\xbb"}',
    "overlong UTF-8": b'{"a":"\xc0\xae"}',
    "windows-1258": b'{"full_name":"Nguy\xeen"}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "UTF-32": '{"a":1}'.encode("utf-32-le"),
    "two BOMs": b"\xef\xbb\xbf\xef\xbb\xbf{}",
    "a control in a string": b'{"a":"\x01"}',
    "NUL behind it": b'{"a":1}\0',
    "two values": b'{"a":1}{"a":2}',
    "a comma too many": b'{"a":1,}',
    "a comment": b'{"a":1/*b*/}',
    "single quotes": b"{'a':1}",
    "no quotes": b"{a:1}",
    "a leading zero": b'{"a":01}',
    "a plus sign": b'{"a":+1}',
    "a number ending in a point": b'{"a":1.}',
    "hexadecimal": b'{"a":0x1}',
    "an escape that is none": b'{"a":"\\x41"}',
    "cut off": b'{"full_name":"An"',
    "blank": b" ",
    "text": b"hello",
    "gzip": bytes.fromhex("1f8b0800000000000003ab564a54b2323400009f7b2d7507000000"),
}


@pytest.mark.parametrize("service", [RECORD, ECHO], ids=["with a schema", "without"])
@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_not_strictly_json_is_refused(gate: World, name: str, service: object) -> None:
    body = NOT_JSON[name]
    response = gate.refuses(gate.message(service=service, body=body), "client.bad_json", 400, recorded=True)
    assert "An" not in response.json()["detail"]


def test_json_by_another_name_is_read_as_strictly(gate: World) -> None:
    for media in ("application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.an+json", "text/x+json;a=b"):
        message = gate.message(body=b'{"a":1,"a":2}', fields={"Content-Type": media})
        gate.refuses(message, "client.bad_json", 400, recorded=True)


GOOD = {
    "plain": NAME,
    "one BOM": b"\xef\xbb\xbf" + NAME,
    "white space": b" \r\n\t" + NAME + b"\n",
    "escapes": b'{"full_name":"\\u0041n","birth_date":"1990"}',
    "a surrogate pair": b'{"full_name":"\\ud83d\\ude00","birth_date":"1990"}',
}


@pytest.mark.parametrize("name", GOOD)
def test_good_json_reaches_the_provider_byte_for_byte(gate: World, name: str) -> None:
    gate.accepts(gate.message(service=RECORD, body=GOOD[name]))
    assert isinstance(gate.provider, Backend)
    assert gate.provider.last is not None
    assert gate.provider.last.body == GOOD[name]


TYPES: dict[str, tuple[bytes | None, Parameters]] = {
    "text": (NAME, {"Content-Type": "text/plain"}),
    "XML": (b"<a/>", {"Content-Type": "application/xml"}),
    "a form": (b"full_name=An", {"Content-Type": "application/x-www-form-urlencoded"}),
    "almost JSON": (NAME, {"Content-Type": "application/jsonp"}),
    "no type": (NAME, {"Content-Type": None}),
    "empty type": (NAME, {"Content-Type": ""}),
    "no body": (None, {}),
}


@pytest.mark.parametrize("name", TYPES)
def test_service_with_a_schema_takes_nothing_else(gate: World, name: str) -> None:
    body, fields = TYPES[name]
    message = gate.message(service=RECORD, body=body, fields=fields)
    gate.refuses(message, "client.invalid_content_type", 415, recorded=True)


def test_body_too_large_to_be_read_is_not_taken_unread(gate: World) -> None:
    """More than fits in memory is not parsed: a service with a schema does not take it."""
    body = NAME[:-1] + b" " * (1024 * 1024) + b"}"
    message = gate.message(service=RECORD, body=body)
    gate.refuses(message, "client.invalid_content_type", 415, recorded=True)


MISMATCHED = {
    "null": (b"null", ""),
    "an array": (b"[]", ""),
    "a number for text": (b'{"full_name":7,"birth_date":"1990"}', "/full_name"),
    "an unknown member": (b'{"full_name":"An","birth_date":"1990","also":1}', ""),
    "a number of another form": (b'{"identity_number":"' + PERSON.encode() + b'0"}', "/identity_number"),
    "nothing asked for": (b"{}", ""),
}


@pytest.mark.parametrize("name", MISMATCHED)
def test_body_that_does_not_fit_the_schema_is_refused_without_being_quoted(gate: World, name: str) -> None:
    body, place = MISMATCHED[name]
    message = gate.message(service=RECORD, body=body)
    response = gate.refuses(message, "client.schema_mismatch", 422, recorded=True)
    assert place in response.json()["detail"]
    assert PERSON.encode() not in response.body
    assert b"An" not in response.body


# -- grants ------------------------------------------------------------------------------------------------------------


def test_unknown_service_is_refused(gate: World) -> None:
    message = gate.message(service="VN/GOV/G15/registry/nothing")
    gate.refuses(message, "server.serverproxy.unknown_service", 404, recorded=True)


@pytest.mark.parametrize(("client", "service"), [(STRANGER, ECHO), (OTHER, WRITE), (OTHER, RECORD)])
def test_client_without_a_grant_is_refused(gate: World, client: object, service: object) -> None:
    message = gate.message(client=client, service=service, body=NAME)
    gate.refuses(message, "server.serverproxy.access_denied", 403, recorded=True)


def test_service_that_is_switched_off_is_refused(gate: World) -> None:
    gate.refuses(gate.message(service=CLOSED), "server.serverproxy.service_disabled", 503, recorded=True)


def test_grant_that_has_ended_allows_nothing(gate: World) -> None:
    gate.refuses(gate.message(service=ENDED), "server.serverproxy.grant_expired", 403, recorded=True)


PURPOSES = {
    "none": (None, "client.purpose_missing", 400),
    "another": (f'"2.000001";basis="{BASIS}"', "server.serverproxy.purpose_not_granted", 403),
    "another's beginning": (f'"{PURPOSE}0"', "server.serverproxy.purpose_not_granted", 403),
    "another basis": (f'"{PURPOSE}";basis="ND-1/2000"', "server.serverproxy.basis_not_granted", 403),
}


@pytest.mark.parametrize("name", PURPOSES)
def test_wrong_purpose_is_refused(gate: World, name: str) -> None:
    purpose, code, status = PURPOSES[name]
    gate.refuses(gate.message(fields={"Motlan-Purpose": purpose}), code, status, recorded=True)


NO_PURPOSES = [
    "",
    "1.001193",
    "birth",
    '"1.001193"; basis=ND',
    '"1.001193";basis=1',
    '"1.001193", "2.000001"',
    '("1.001193")',
    '"1.001193',
    '""',
    '"1.001193";basis',
    '"1.001193";else="x"',
]


@pytest.mark.parametrize("purpose", NO_PURPOSES)
def test_purpose_of_another_form_is_refused(gate: World, purpose: str) -> None:
    message = gate.message(fields={"Motlan-Purpose": purpose})
    gate.refuses(message, "client.bad_header", 400, recorded=False)


NARROWED: dict[str, tuple[str, str, Parameters, str]] = {
    "another method": ("PUT", "", {}, "server.serverproxy.method_not_granted"),
    "another path": ("POST", "/people", {}, "server.serverproxy.method_not_granted"),
    "further down": ("POST", "/cases/1/people", {}, "server.serverproxy.method_not_granted"),
    "a step too few": ("POST", "/cases", {}, "server.serverproxy.method_not_granted"),
    "an empty step": ("POST", "/cases/", {}, "server.serverproxy.method_not_granted"),
    "the path spelled otherwise": ("POST", "/%63ases/1", {}, "server.serverproxy.method_not_granted"),
    "no officer": ("POST", "", {"X-Road-UserId": None}, "server.serverproxy.officer_missing"),
    "no case": ("POST", "", {"X-Road-Issue": None}, "server.serverproxy.case_missing"),
}


@pytest.mark.parametrize("name", NARROWED)
def test_beyond_a_narrow_grant_is_refused(gate: World, name: str) -> None:
    method, path, fields, code = NARROWED[name]
    named: Parameters = {"X-Road-UserId": "officer", "X-Road-Issue": "case-1", **fields}
    gate.accepts(
        gate.message(service=NARROW, path="/cases/1", fields={**named, "X-Road-UserId": "o", "X-Road-Issue": "c"})
    )
    message = gate.message(service=NARROW, method=method, path=path, fields=named)
    gate.refuses(message, code, 403, recorded=True)


@pytest.mark.parametrize("name", ["X-Road-Id", "X-Road-UserId", "X-Road-Issue", "Idempotency-Key"])
@pytest.mark.parametrize("value", ["", "\xe1\xbb\x85"], ids=["empty", "not ASCII"])
def test_header_of_another_form_is_refused(gate: World, name: str, value: str) -> None:
    gate.refuses(gate.message(fields={name: value}), "client.bad_header", 400, recorded=False)


IN_URL = {
    "twelve digits in the path": f"/{PERSON}",
    "inside a segment": f"/person-{PERSON}.json",
    "nine digits": "/031190001",
    "in the query": f"?id={PERSON}",
    "as the name of a parameter": f"?{PERSON}",
    "encoded": "/" + "".join(f"%{ord(digit):02x}" for digit in PERSON),
    "partly encoded": f"/{PERSON[:5]}%3{PERSON[5]}{PERSON[6:]}",
    "encoded twice": f"/{PERSON[:5]}%253{PERSON[5]}{PERSON[6:]}",
    "encoded in the query": f"?id={PERSON[:5]}%3{PERSON[5]}{PERSON[6:]}",
    "full-width digits": "/" + "".join(f"%ef%bc%{0x90 + int(digit):02x}" for digit in PERSON),
}


@pytest.mark.parametrize("name", IN_URL)
def test_persons_number_in_the_url_is_refused_and_not_repeated(gate: World, name: str) -> None:
    message = gate.message(method="GET", path=IN_URL[name])
    response = gate.refuses(message, "client.person_in_url", 400, recorded=True)
    assert b"031190001" not in response.body
    assert "031190001" not in str(gate.records())


@pytest.mark.parametrize("path", ["/1234567890", "/12345678", "/2025-11-22", "?page=1234567890123"])
def test_other_numbers_in_the_url_pass(gate: World, path: str) -> None:
    gate.accepts(gate.message(method="GET", path=path))
