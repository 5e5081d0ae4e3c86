"""Request targets and authorities that could be read in two ways: refused before anything else is looked at."""

from collections.abc import Iterator

import pytest

from adapters.simulators.backend import Backend
from tests.support.attacks import World, world
from tests.support.gateways import ECHO

CODE = "client.target_refused"
BASE = "/r1/VN/GOV/G15/registry/echo"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("site")) as made:
        yield made


TRICKS = {
    "dot segment": "/.",
    "two dots": "/..",
    "two dots inside": "/a/../b",
    "out of the base and back": "/../echo",
    "out of everything": "/../../../../../../etc/passwd",
    "encoded dots": "/%2e%2e/x",
    "one dot encoded": "/.%2e/x",
    "upper-case encoding": "/%2E%2E",
    "encoded twice": "/%252e%252e/x",
    "encoded four times": "/%2525252e%2525252e/x",
    "encoded nine times": "/%" + "25" * 8 + "2e",
    "dots before an encoded slash": "/..%2fx",
    "dots between encoded slashes": "/a%2f..%2fb",
    "an encoded slash encoded twice before dots": "/a%252f..",
    "dots with a path parameter": "/..;x=1/y",
    "encoded dots with a path parameter": "/%2e%2e;/y",
    "dots with an encoded path parameter": "/..%3bx",
    "full-width dots": "/%ef%bc%8e%ef%bc%8e",
    "dots of a leader": "/%e2%80%a5",
    "overlong UTF-8 dot": "/%c0%ae%c0%ae",
    "overlong UTF-8 slash": "/%c0%af",
    "empty segment": "//x",
    "empty segment inside": "/a//b",
    "empty segment at the end": "/a//",
    "backslash": "/\\x",
    "backslash and dots": "/..\\x",
    "encoded backslash": "/%5cx",
    "encoded backslash, upper case": "/%5Cx",
    "backslash encoded twice": "/%255c",
    "full-width backslash": "/%ef%bc%bc",
    "fragment": "/a#b",
    "fragment with a path": "/#/../x",
    "fragment in the query": "?a=1#b",
    "encoded NUL": "/%00",
    "NUL encoded twice": "/%2500",
    "encoded line break": "/a%0d%0aX-Road-Client:%20x",
    "encoded tab": "/a%09",
    "encoded DEL": "/a%7f",
    "encoded C1 control": "/%c2%85",
    "broken percent-encoding": "/%zz",
    "cut percent-encoding": "/a%2",
    "percent alone": "/%",
    "not UTF-8": "/%ff",
    "braces": "/{x}",
    "pipe": "/a|b",
    "quote": '/"',
    "less than": "/<x>",
    "NUL in the query": "?a=%00",
    "quote in the query": '?a="',
}


@pytest.mark.parametrize("name", TRICKS)
def test_path_trick_is_refused_though_it_was_signed(gate: World, name: str) -> None:
    gate.refuses(gate.message(method="GET", path=TRICKS[name]), CODE, 400, recorded=False)


SERVICES = {
    "dots in the service": "VN/GOV/G15/registry/../echo",
    "dots as a member": "VN/GOV/../registry/echo",
    "encoded dots as a member": "VN/GOV/%2e%2e/registry/echo",
    "encoded slash between parts": "VN/GOV/G15/registry%2fecho",
    "no service": "VN/GOV/G15/registry",
    "an empty part": "VN/GOV//registry/echo",
    "nothing": "",
    "another service behind": "VN/GOV/G15/registry/write/../echo",
}


@pytest.mark.parametrize("name", SERVICES)
def test_service_that_is_none_is_refused(gate: World, name: str) -> None:
    gate.refuses(gate.message(method="GET", service=SERVICES[name]), CODE, 400, recorded=False)


OUTSIDE = [
    "/",
    "/R1/VN/GOV/G15/registry/echo",
    "/r1",
    "/r2/VN/GOV/G15/registry/echo",
    "/etc/passwd",
    "/metrics",
]


@pytest.mark.parametrize("target", OUTSIDE)
def test_path_that_is_nothing_of_ours_is_refused(gate: World, target: str) -> None:
    gate.refuses(gate.message(method="GET").at(target), "client.not_found", 404, recorded=False)


NOT_HTTP = ["/\xe9", "/a b", "/a\tb", "?a=\xff", "/\x01", "/\x7f"]


@pytest.mark.parametrize("path", NOT_HTTP)
def test_target_that_is_not_http_is_answered_by_framing(gate: World, path: str) -> None:
    forwarded, rows, counted = gate.forwarded, gate.rows(), gate.counted("client.bad_header")
    with gate.connect() as wire:
        wire.send(gate.message(method="GET", path=path).encode())
        answer = wire.answer()
        assert (answer.status, answer.code) == (400, "client.bad_header")
        assert wire.rest() == b""
    assert (gate.forwarded, gate.rows(), gate.counted("client.bad_header")) == (forwarded, rows, counted + 1)


PLAIN = {
    "an encoded slash stays in its segment": "/a%2fb",
    "a path parameter": "/a;v=1",
    "encoded Vietnamese": "/Nguy%E1%BB%85n",
    "dots inside a name": "/a..b",
    "three dots": "/...",
    "dots in the query": "?path=../..",
    "slashes in the query": "?u=http://x//y",
    "an empty query": "?",
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_target_reaches_the_provider_as_it_was_signed(gate: World, name: str) -> None:
    gate.accepts(gate.message(method="GET", path=PLAIN[name]))
    assert isinstance(gate.provider, Backend)
    assert gate.provider.last is not None
    assert gate.provider.last.target == f"/echo{PLAIN[name]}"


def test_encoded_spelling_of_a_service_is_decided_as_the_service(gate: World) -> None:
    gate.accepts(gate.message(method="GET", service="VN/GOV/%4715/registry/%65cho"))
    assert gate.records()[-1]["service"] == str(ECHO)


# -- authorities -------------------------------------------------------------------------------------------------------

FOREIGN_HOSTS = {
    "another host": "evil.example",
    "another port": "127.0.0.1:1",
    "no port": "127.0.0.1",
    "empty": "",
    "two in a list": "{host}, evil.example",
    "with a path": "{host}/x",
    "with a user": "evil@{host}",
    "with a fragment": "{host}#",
    "of another host that begins so": "{host}.evil.example",
    "with a dot at the end": "127.0.0.1.:{port}",
    "as a decimal address": "2130706433:{port}",
}


@pytest.mark.parametrize("name", FOREIGN_HOSTS)
def test_host_of_another_authority_is_misdirected(gate: World, name: str) -> None:
    host = FOREIGN_HOSTS[name].format(host=f"127.0.0.1:{gate.site.port}", port=gate.site.port)
    message = gate.message(fields={"Host": host})
    gate.refuses(message, "client.misdirected", 421, recorded=False)


@pytest.mark.parametrize(
    "target",
    [
        "http://evil.example{base}",
        "https://127.0.0.1:{port}{base}",
        "http://127.0.0.1{base}",
        "http://127.0.0.1:{port}@evil.example{base}",
        "http://evil.example/http://127.0.0.1:{port}{base}",
        "http://127.0.0.1.evil.example:{port}{base}",
        "http://user@127.0.0.1:{port}{base}",
        "http://127.0.0.1:{port}?{base}",
        "ftp://127.0.0.1:{port}{base}",
    ],
)
def test_absolute_form_of_another_authority_is_misdirected(gate: World, target: str) -> None:
    """Though Host is ours: the target overrides it (RFC 9112 §3.2.2)."""
    message = gate.message(method="GET").at(target.format(base=BASE, port=gate.site.port))
    gate.refuses(message, "client.misdirected", 421, recorded=False, signed=False)


def test_absolute_form_of_ours_is_the_same_request_whatever_host_says(gate: World) -> None:
    message = gate.message(method="GET", fields={"Host": "evil.example"})
    absolute = message.at(gate.site.url + BASE)
    forwarded = gate.forwarded
    response = gate.send(absolute)
    assert response.status == 200
    assert gate.proof_of(response, message).bound
    assert gate.forwarded == forwarded + 1


def test_path_trick_in_absolute_form_is_refused(gate: World) -> None:
    message = gate.message(method="GET").at(f"{gate.site.url}{BASE}/../write")
    gate.refuses(message, CODE, 400, recorded=False, signed=False)


def test_signature_for_another_of_our_names_is_invalid(gate: World) -> None:
    """Signed for one authority, sent to another: the gateway builds the target from what it was sent to."""
    message = gate.message().having(host=f"localhost:{gate.site.port}")
    gate.refuses(message, "client.signature_invalid", 401, recorded=False, signed=False)


METHODS = ["TRACE", "PROPFIND", "PURGE", "LINK"]


@pytest.mark.parametrize("method", METHODS)
def test_method_outside_the_protocol_is_refused(gate: World, method: str) -> None:
    gate.refuses(gate.message(method=method, body=None), "client.invalid_http_method", 405, recorded=False)


def test_connect_is_refused(gate: World) -> None:
    forwarded, rows = gate.forwarded, gate.rows()
    response = gate.send(gate.message(method="CONNECT", body=None).at("127.0.0.1:80"))
    assert (response.status, response.code) == (400, "client.bad_header")
    assert (gate.forwarded, gate.rows()) == (forwarded, rows)


METHOD_OVERRIDES = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL"]


@pytest.mark.parametrize("name", METHOD_OVERRIDES)
def test_unsigned_override_never_reaches_the_provider(gate: World, name: str) -> None:
    gate.accepts(gate.message(added=((name, "DELETE"),)))
    assert isinstance(gate.provider, Backend)
    assert gate.provider.last is not None
    assert gate.provider.last.header(name) is None
    assert gate.provider.last.method == "POST"
