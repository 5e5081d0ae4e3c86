"""libxml2 remembers every name that it ever saw: a hostile provider makes it remember little, and is still understood."""

import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from adapters.mapped_answer import PARSERS, SoapAnswers
from adapters.rest.http1 import Response
from adapters.soap.heard import Heard, heard_of
from adapters.soap.outbound import SoapOptions, SoapTarget
from gateway.mapping.compile import Mapping
from gateway.model.envelope import MessageProtocol
from gateway.model.errors import ExchangeError
from gateway.model.errors.provider import INVALID_REPLY
from gateway.model.message import Body
from gateway.model.outcomes import Outcome
from tests.support.adapters import Countersigned, contract, mapping_file, provider, recorded
from tests.support.provider_socket import ScriptedProvider
from tests.support.provider_socket import answer as scripted_answer
from tests.support.soap_attacks import resident
from tests.support.xroad_soap import envelope

XML = (("Content-Type", "text/xml"),)
MOST = 8 * 1024 * 1024
"""Bytes that twenty-five floods may leave: without a bound they leave half as many again, or more."""
NEW: Any = Countersigned
POPULATION = Mapping(mapping_file("population.toml").document, PARSERS)


def flood(form: str = "<{}/>", count: int = 4000) -> str:
    """Names that nobody used before."""
    return "".join(form.format(f"n{secrets.token_hex(60)}") for _ in range(count))


def grown(once: Callable[[], None]) -> int:
    """Bytes of memory that twenty-five times leave, after five that fill what may be filled."""
    before = 0
    for number in range(30):
        once()
        if number == 4:
            before = resident()
    return resident() - before


@pytest.mark.parametrize(("form", "outcome"), [("<{}/>", Outcome.FOUND), ("</{}>", Outcome.INVALID_REPLY)])
@pytest.mark.asyncio
async def test_a_soap_service(form: str, outcome: Outcome) -> None:
    made = recorded({}, body=Body(b"<ask/>"))
    claim = structs.replace(made.claim, protocol=MessageProtocol.SOAP, operation="ask")
    opened = structs.replace(made.authorized.envelope, claim=claim)
    asked = structs.replace(made, authorized=structs.replace(made.authorized, envelope=opened))
    fields = ("Content-Type: text/xml",)
    scripts = [scripted_answer(envelope("", f"<r>{flood(form)}</r>"), fields=fields) for _ in range(30)]
    async with ScriptedProvider(*scripts) as p:
        target = SoapTarget(provider(p.url, attempts=1), SoapOptions(lookup=True, xroad_headers=False))
        before = 0
        for number in range(30):
            assert (await target.send(asked, NEW(), time.monotonic() + 5)).outcome is outcome
            if number == 4:
                before = resident()
        await target.close()
    assert resident() - before < MOST


@pytest.mark.parametrize("form", ["<{}/>", "<a {}='1'/>", "<?{}?>"])
def test_a_mapped_service(form: str) -> None:
    answers = SoapAnswers(contract(), (), 8 * 1024 * 1024, Heard(), validated=True)
    call = POPULATION.operations[0].calls[0]

    def once() -> None:
        body = Body(envelope("", f"<{call.answer}>{flood(form)}</{call.answer}>"))
        assert answers.read(Response(200, XML, body), call).tree is None

    assert grown(once) < MOST


@pytest.mark.parametrize("count", [4000, 200])
def test_xml_that_travels_as_text(count: int) -> None:
    """All at once, and in pieces that are looked through."""

    def once() -> None:
        for _ in range(4000 // count):
            assert len(PARSERS.xml(f"<a>{flood(count=count)}</a>")["a"]) == count

    assert grown(once) < MOST


@pytest.mark.asyncio
async def test_xml_that_a_rest_caller_sends() -> None:
    """Nobody answers, which is not asked: the request's element is read before."""
    target = SoapTarget(provider("http://127.0.0.1:9", attempts=1), SoapOptions(lookup=True))
    before = 0
    for number in range(30):
        body = Body(f"<a>{flood()}</a>".encode())
        made = recorded({}, body=body)
        opened = structs.replace(made.authorized.envelope, content_type="application/xml", body=body)
        asked = structs.replace(made, authorized=structs.replace(made.authorized, envelope=opened))
        assert (await target.send(asked, NEW(), time.monotonic() + 5)).outcome is Outcome.UNAVAILABLE
        if number == 4:
            before = resident()
    assert resident() - before < MOST


# -- who is heard ------------------------------------------------------------------------------------------------------


def _thread(heard: Heard, data: bytes) -> bool:
    """Whether it was read here."""
    return heard.reading(data, threading.current_thread) is threading.current_thread()


def test_what_is_known_is_read_here_and_what_is_too_much_is_not() -> None:
    heard = Heard(most=1000)
    assert _thread(heard, b"<usual><name/></usual>")
    assert not _thread(heard, b"".join(b"<n%d/>" % number for number in range(100)))
    assert not _thread(heard, b"<usual>" + b"<x%d/>" % 1 + b"".join(b"</y%d>" % number for number in range(100)))
    assert _thread(heard, b"<usual><name/></usual>")  # nobody else pays for it
    assert not _thread(heard, "<?xml version='1.0' encoding='utf-16'?><usual/>".encode("utf-16"))
    assert not _thread(heard, b"".join(b"<%d/>" % number for number in range(5000)))  # nor is it refused


def test_what_is_large_takes_no_time_to_look_at() -> None:
    heard = Heard()
    assert _thread(heard, b"<a>" + b" " * 32_000)
    assert not _thread(heard, b"<a>" + b" " * 33_000)


def test_each_provider_has_its_own_room() -> None:
    one, other = heard_of("http://one.example"), heard_of("http://other.example")
    assert one is heard_of("http://one.example")
    for _ in range(40):
        one.reading(flood(count=200).encode(), lambda: None)
    assert not _thread(one, flood(count=200).encode())
    assert _thread(other, flood(count=200).encode())


def test_what_goes_wrong_there_goes_wrong_here() -> None:
    def work() -> None:
        raise ExchangeError(INVALID_REPLY)

    for most in (0, 1000):
        with pytest.raises(ExchangeError, match=INVALID_REPLY.code):
            Heard(most).reading(b"<a/>", work)
