"""A reply is judged by what it is, not by what the client that fetched it let through."""

import pytest

from gateway.exchange.judging import ProviderFailedError, judge
from gateway.exchange.rules import Route
from gateway.ledger.record import InForce
from gateway.model.errors import provider as kinds
from gateway.model.instant import Instant
from gateway.model.message import EMPTY, Body
from gateway.model.outcomes import Outcome
from gateway.model.stages import Reply
from gateway.validation.limits import Limits
from tests.support.adapters import SERVICE, canonical, recorded

NOW = Instant(1)
LIMITS = Limits(answer=100)
ROUTE = Route(service=SERVICE, target=None, in_force=InForce(policy=None, trust=None, build="test"))


def judged(route=ROUTE, **reply):
    whole = {"outcome": Outcome.FOUND, "status": 200, "body": EMPTY, **reply}
    return judge(recorded({}), Reply(**whole), route, LIMITS, NOW)


def failure(route=ROUTE, **reply):
    with pytest.raises(ProviderFailedError) as caught:
        judged(route, **reply)
    return caught.value


def test_answer_within_the_limit_passes_unparsed():
    replied = judged(body=Body(b"{" * 100))
    assert (replied.reply.body.size, replied.at) == (100, NOW)


def test_answer_over_the_limit_is_invalid_whoever_fetched_it():
    error = failure(body=Body(bytes(101)))
    assert (error.kind, error.outcome) == (kinds.INVALID_REPLY, Outcome.INVALID_REPLY)


@pytest.mark.parametrize(("outcome", "kind"), kinds.FOR_OUTCOME.items())
def test_reply_without_a_status_becomes_the_error_of_its_outcome(outcome, kind):
    error = failure(outcome=outcome, status=0, differing=("full_name",), retry_after=7)
    assert (error.kind, error.outcome, error.parts, error.retry_after) == (kind, outcome, ("full_name",), 7)


def test_time_out_has_an_error_of_its_own():
    assert failure(outcome=Outcome.UNAVAILABLE, status=0, provider_code=kinds.TIMED_OUT_CODE).kind is kinds.TIMED_OUT


def test_success_with_nothing_to_pass_on_is_an_invalid_reply():
    assert failure(outcome=Outcome.FOUND, status=0).kind is kinds.INVALID_REPLY


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("004", "provider code 004"),
        ("soap:Client.Auth-2", "provider code soap:Client.Auth-2"),
        ("Nguyễn Thị Ánh", ""),
        ("no such citizen 031090001234", ""),
        ("E031090001234", ""),
        ("123456789", ""),
        ("a" * 33, ""),
        ("", ""),
    ],
)
def test_only_what_looks_like_a_code_is_told_on(code, told):
    assert failure(outcome=Outcome.DENIED, status=0, provider_code=code).detail == told


def test_schema_is_held_against_successes_only():
    route = Route(
        service=SERVICE,
        target=None,
        in_force=ROUTE.in_force,
        response_schema=canonical("citizen-lookup.response"),
    )
    error = failure(route, body=Body(b'{"name":1}'))
    assert error.outcome is Outcome.INVALID_REPLY
    assert "/name" in error.detail
    assert judged(route, outcome=Outcome.REJECTED, status=422, body=Body(b"<html>")).reply.status == 422
