"""Services that are open to every listed subsystem: decided and named in records all the same, and never granted."""

from datetime import date

import pytest

from gateway.model.decision import EVERYTHING
from gateway.model.envelope import MessageProtocol, Purpose
from gateway.model.errors import ExchangeError
from gateway.model.errors import policy as kinds
from gateway.model.ids import parse_service, parse_subsystem
from gateway.policy.explain import explain
from gateway.policy.grants import Grant, GrantedPurpose, ServiceTerms
from gateway.policy.policyset import METADATA, OPEN, PolicySet
from tests.support.config import at, claim

LISTING = parse_service("VN/GOV/G01/population/listMethods")
CITIZEN = parse_service("VN/GOV/G01/population/citizen")
NOBODY = parse_subsystem("VN/GOV/H99/nobody")
NOW = at("2026-07-01T08:00:00+07:00")


def policy(*grants, enabled=True):
    return PolicySet.compile(
        grants, [ServiceTerms(service=LISTING, open=True, enabled=enabled), ServiceTerms(service=CITIZEN)]
    )


def asked(**changes):
    return claim(**{"service": LISTING, "method": "GET", "purpose": None, "client": NOBODY, **changes})


def decide(this, said):
    this.coarse(said, NOBODY, NOW)
    return this.decide_claim(said, NOBODY, NOW, lambda _kind, _value: b"")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"purpose": Purpose("1.001193", "x")},
        {"method": "POST", "protocol": MessageProtocol.SOAP},
        {"query": "serviceCode=x"},
    ],
)
def test_anybody_may_read_it_for_one_purpose(changes):
    decision = decide(policy(), asked(**changes))
    assert (decision.grant, decision.purpose, decision.fields) == (OPEN, METADATA, EVERYTHING)
    assert decision.reasons == ("service.known", "service.open", "service.enabled", "method.granted", "path.granted")
    assert decision.charges == ()
    assert policy().persons(OPEN, {"identity_number": "001090000001"}) == ()


@pytest.mark.parametrize(
    ("changes", "enabled", "kind"),
    [
        ({"method": "POST"}, True, kinds.METHOD_NOT_GRANTED),
        ({"method": "DELETE"}, True, kinds.METHOD_NOT_GRANTED),
        ({"method": "DELETE", "protocol": MessageProtocol.SOAP}, True, kinds.METHOD_NOT_GRANTED),
        ({"path": "/citizen"}, True, kinds.METHOD_NOT_GRANTED),
        ({"path": "/"}, True, kinds.METHOD_NOT_GRANTED),
        ({}, False, kinds.SERVICE_DISABLED),
    ],
)
def test_nothing_else_is_open(changes, enabled, kind):
    for step in (policy(enabled=enabled).coarse, lambda *a: policy(enabled=enabled).decide_claim(*a, None)):
        with pytest.raises(ExchangeError) as refused:
            step(asked(**changes), NOBODY, NOW)
        assert refused.value.kind is kind


def test_other_services_stay_closed():
    with pytest.raises(ExchangeError) as refused:
        decide(policy(), asked(service=CITIZEN))
    assert refused.value.kind is kinds.ACCESS_DENIED


def test_it_is_never_granted_and_no_grant_has_its_name():
    values = {
        "client": NOBODY,
        "methods": ("GET",),
        "purposes": (GrantedPurpose(code="a", bases=("b",)),),
        "fields": ("*",),
    }
    with pytest.raises(ValueError, match="which is open to everybody"):
        policy(Grant(name="x", service=LISTING, **values))
    with pytest.raises(ValueError, match="a grant's name"):
        Grant(name=OPEN, service=CITIZEN, **values)


def test_the_explanation_says_why():
    steps = explain(policy(), asked(), NOBODY, NOW).steps
    assert [(step.code, step.passed) for step in steps] == [
        ("service.known", True),
        ("service.open", True),
        ("service.enabled", True),
    ]


def test_grants_in_force_of_a_client():
    values = {"client": NOBODY, "service": CITIZEN, "methods": ("POST",), "fields": ("*",)}
    purposes = (GrantedPurpose(code="a", bases=("b",)),)
    now = Grant(name="now", purposes=purposes, **values)
    over = Grant(name="over", purposes=purposes, valid_until=date(2026, 6, 30), **values)
    off = Grant(name="off", purposes=purposes, enabled=False, **values)
    this = policy(now, over, off)
    assert [grant.name for grant in this.in_force(CITIZEN, NOBODY, NOW)] == ["now"]
    assert this.in_force(CITIZEN, parse_subsystem("VN/GOV/H24/portal"), NOW) == ()
    assert this.in_force(LISTING, NOBODY, NOW) == ()
