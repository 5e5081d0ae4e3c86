"""The frame: under which of our URLs a message came, and what of its head is not even looked at."""

import pytest

from gateway.exchange.frame import Raw, receive
from gateway.model.errors import ExchangeError
from gateway.model.ids import RecordId
from gateway.model.instant import Instant
from gateway.model.message import EMPTY, Body, Head
from gateway.model.stages import Peer
from gateway.signing.target import PublicUrl
from gateway.validation.limits import Limits

URLS = {url.authority: url for url in map(PublicUrl.parse, ("https://gw.example", "http://127.0.0.1:8080"))}
LIMITS = Limits(head=2000, headers=10, target=500, body=1000, memory=100)


def raw(target="/r1/a", fields=(("Host", "gw.example"),), body=EMPTY, method="GET"):
    head = Head(method=method, target=target, fields=fields)
    return Raw(id=RecordId("i"), at=Instant(1), head=head, body=body, peer=Peer(address="10.0.0.1"))


@pytest.mark.parametrize(
    ("host", "target", "origin"),
    [
        ("gw.example", "/x", "https://gw.example"),
        ("GW.Example", "/x?y", "https://gw.example"),
        ("127.0.0.1:8080", "/x", "http://127.0.0.1:8080"),
        ("elsewhere", "https://gw.example/x", "https://gw.example"),  # RFC 9112 §3.2.2: the target rules
        ("gw.example", "http://127.0.0.1:8080/x?y", "http://127.0.0.1:8080"),
    ],
)
def test_authority_must_be_ours(host, target, origin):
    received = receive(raw(target, (("Host", host),)), LIMITS, URLS)
    assert received.public_url == origin
    assert received.head.target == "/" + target.partition("://")[2].partition("/")[2] if "://" in target else target


@pytest.mark.parametrize(
    ("host", "target"),
    [
        ("elsewhere", "/x"),
        ("gw.example:8443", "/x"),
        ("gw.example.", "/x"),
        ("", "/x"),
        ("gw.example", "https://elsewhere/x"),
        ("gw.example", "http://gw.example/x"),  # another scheme
        ("gw.example", "https://gw.example@elsewhere/x"),
        ("gw.example", "https://gw.example.elsewhere/x"),
        ("gw.example", "https://gw.example"),
        ("gw.example", "*"),
    ],
)
def test_other_authorities_are_misdirected(host, target):
    with pytest.raises(ExchangeError) as caught:
        receive(raw(target, (("Host", host),)), LIMITS, URLS)
    assert caught.value.kind.status in {421, 400}
    assert caught.value.kind.code in {"client.misdirected", "client.target_refused"}


@pytest.mark.parametrize("fields", [(), (("Host", "gw.example"), ("host", "gw.example"))])
def test_host_is_there_once(fields):
    with pytest.raises(ExchangeError, match="bad_header"):
        receive(raw(fields=fields), LIMITS, URLS)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (raw("/" + "a" * 500), "client.target_too_long"),
        (raw(fields=(("Host", "gw.example"), *[(f"X-{n}", "") for n in range(10)])), "client.header_too_large"),
        (raw(fields=(("Host", "gw.example"), ("X", "a" * 2000))), "client.header_too_large"),
        (raw(body=Body(bytes(1001))), "client.body_too_large"),
        (raw("/a/../b"), "client.target_refused"),
        (raw("/a//b"), "client.target_refused"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_limits_hold(message, code):
    with pytest.raises(ExchangeError) as caught:
        receive(message, LIMITS, URLS)
    assert caught.value.kind.code == code
