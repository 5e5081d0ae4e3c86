"""Nothing is allowed unless a grant says so, and every answer says why."""

from datetime import date

import pytest

from gateway.model.envelope import Envelope, Purpose
from gateway.model.errors import ExchangeError
from gateway.model.ids import parse_service, parse_subsystem
from gateway.model.message import EMPTY
from gateway.policy.explain import explain
from gateway.policy.grants import Grant, GrantedPurpose, Quota, ServiceTerms
from gateway.policy.policyset import PolicySet
from tests.support.config import at, claim

PORTAL = parse_subsystem("VN/GOV/H24/portal")
OTHER = parse_subsystem("VN/GOV/H26/portal")
CITIZEN = parse_service("VN/GOV/G01/population/citizen")
ADDRESS = parse_service("VN/GOV/G01/population/address")
BIRTH = Purpose("1.001193", "ND-63/2024")
NOON = at("2026-11-22T12:00:00+07:00")


def pseudonym(kind, value):
    return f"<{kind}>".encode() + value.encode()[::-1]


def grant(**changes):
    values = {
        "name": "birth",
        "client": PORTAL,
        "service": CITIZEN,
        "methods": ("POST",),
        "purposes": (GrantedPurpose(code="1.001193", bases=("ND-63/2024",)),),
        "fields": ("/name/full",),
    }
    return Grant(**{**values, **changes})


def policy(*grants, **terms):
    return PolicySet.compile(
        grants or (grant(),), [ServiceTerms(service=CITIZEN, **terms), ServiceTerms(service=ADDRESS)]
    )


def decide(policy_set, asked, client=PORTAL, now=NOON):
    return policy_set.decide(Envelope(claim=asked, content_type=None, body=EMPTY), client, now, pseudonym)


def refusal(policy_set, asked, client=PORTAL, now=NOON):
    with pytest.raises(ExchangeError) as refused:
        decide(policy_set, asked, client, now)
    with pytest.raises(ExchangeError) as again:
        policy_set.coarse(asked, client, now)
    assert again.value.kind is refused.value.kind
    return refused.value.kind.code.rpartition(".")[2]


def test_what_is_granted_is_allowed():
    decision = decide(policy(), claim())
    assert decision.grant == "birth"
    assert decision.purpose == BIRTH
    assert decision.fields == ("/name/full",)
    assert decision.charges == ()
    assert decision.reasons[0] == "service.known"
    assert decision.reasons[-1] == "case.named"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"service": parse_service("VN/GOV/G01/population/nothing")}, "unknown_service"),
        ({"service": ADDRESS}, "access_denied"),
        ({"method": "GET"}, "method_not_granted"),
        ({"method": "post"}, "method_not_granted"),
        ({"path": "/"}, "method_not_granted"),
        ({"path": "/x"}, "method_not_granted"),
        ({"purpose": None}, "purpose_missing"),
        ({"purpose": Purpose("1.000001", "ND-63/2024")}, "purpose_not_granted"),
        ({"purpose": Purpose("*")}, "purpose_not_granted"),
        ({"purpose": Purpose("1.001193", "ND-64/2024")}, "basis_not_granted"),
    ],
)
def test_what_is_not_granted_is_refused(changes, code):
    assert refusal(policy(), claim(**changes)) == code


def test_the_proved_client_counts_not_the_claimed_one():
    assert refusal(policy(), claim(client=PORTAL), client=OTHER) == "access_denied"


def test_a_member_without_subsystem_is_granted_nothing():
    with pytest.raises(ValueError, match="subsystem"):
        grant(client=parse_subsystem("VN/GOV/H24"))
    assert refusal(policy(), claim(), client=parse_subsystem("VN/GOV/H24")) == "access_denied"


def test_who_has_no_grant_does_not_learn_that_the_service_is_off():
    switched_off = policy(enabled=False)
    assert refusal(switched_off, claim(), client=OTHER) == "access_denied"
    assert refusal(switched_off, claim()) == "service_disabled"


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        ("2026-11-21T23:59:59+07:00", False),
        ("2026-11-22T00:00:00+07:00", True),
        ("2026-11-21T17:00:00+00:00", True),
        ("2026-11-23T23:59:59+07:00", True),
        ("2026-11-24T00:00:00+07:00", False),
    ],
)
def test_validity_is_counted_in_vietnamese_days(now, allowed):
    rules = policy(grant(valid_from=date(2026, 11, 22), valid_until=date(2026, 11, 23)))
    if allowed:
        assert decide(rules, claim(), now=at(now)).grant == "birth"
    else:
        assert refusal(rules, claim(), now=at(now)) == "grant_expired"


def test_a_disabled_grant_grants_nothing():
    assert refusal(policy(grant(enabled=False)), claim()) == "grant_expired"


@pytest.mark.parametrize(
    ("paths", "path", "allowed"),
    [
        (("",), "", True),
        (("/people",), "/people", True),
        (("/people",), "/people/", False),
        (("/people",), "/people/1", False),
        (("/people",), "/People", False),
        (("/people/*",), "/people/1", True),
        (("/people/*",), "/people/", False),
        (("/people/*",), "/people/1/2", False),
        (("/people/*/name",), "/people/1/name", True),
        (("/people/*/name",), "/people/1/2/name", False),
        (("/people/**",), "/people", True),
        (("/people/**",), "/people/1/2/3", True),
        (("/people/**",), "/peoples", False),
        (("/**",), "", True),
        (("/**",), "/any/thing", True),
        (("/a.b",), "/aXb", False),
        (("/a", "/b/*"), "/b/c", True),
    ],
)
def test_paths(paths, path, allowed):
    rules = policy(grant(paths=paths))
    if allowed:
        decide(rules, claim(path=path))
    else:
        assert refusal(rules, claim(path=path)) == "method_not_granted"


def test_the_only_basis_is_given_to_who_states_none():
    assert decide(policy(), claim(purpose=Purpose("1.001193"))).purpose == BIRTH


def test_of_several_bases_one_must_be_stated():
    both = policy(grant(purposes=(GrantedPurpose(code="1.001193", bases=("ND-63/2024", "Luat-60/2014")),)))
    assert refusal(both, claim(purpose=Purpose("1.001193"))) == "basis_not_granted"
    assert decide(both, claim(purpose=Purpose("1.001193", "Luat-60/2014"))).purpose.basis == "Luat-60/2014"


def test_a_default_purpose_helps_who_cannot_send_one():
    rules = policy(default_purpose=BIRTH)
    assert decide(rules, claim(purpose=None)).purpose == BIRTH
    assert refusal(rules, claim(purpose=Purpose("2.000001"))) == "purpose_not_granted"


def test_officer_and_case_can_be_required():
    assert refusal(policy(grant(officer_required=True)), claim(officer=None)) == "officer_missing"
    assert refusal(policy(grant(officer_required=True)), claim(officer="")) == "officer_missing"
    assert refusal(policy(grant(case_required=True)), claim(case=None)) == "case_missing"
    decide(policy(grant(officer_required=True, case_required=True)), claim(officer="cb-1", case="H24-1"))


def test_quotas_are_charged_by_day_client_and_officer():
    rules = policy(grant(quota=Quota(client_per_day=1000, officer_per_day=20)))
    of_client, of_officer = decide(rules, claim(officer="can-bo-07")).charges
    assert (of_client.limit, of_officer.limit) == (1000, 20)
    assert of_client.window == of_officer.window == 20_779  # 2026-11-22 in days since 1970-01-01
    assert "can-bo-07" not in of_officer.key
    assert pseudonym("officer", "can-bo-07").hex() in of_officer.key
    others = decide(rules, claim(officer="can-bo-08")).charges
    assert others[0].key == of_client.key
    assert others[1].key != of_officer.key
    late = decide(rules, claim(officer="can-bo-07"), now=at("2026-11-23T00:00:00+07:00")).charges
    assert late[1].window == of_officer.window + 1


def test_an_officer_quota_needs_an_officer():
    assert refusal(policy(grant(quota=Quota(officer_per_day=20))), claim(officer=None)) == "officer_missing"


def test_two_clients_never_share_a_quota():
    quota = Quota(client_per_day=10)
    rules = policy(grant(name="a", quota=quota), grant(name="b", client=OTHER, quota=quota))
    keys = {decide(rules, claim(client=who), client=who).charges[0].key for who in (PORTAL, OTHER)}
    assert len(keys) == 2


def test_of_several_grants_the_first_that_fits_decides():
    wide = grant(name="wide", fields=("*",), purposes=(GrantedPurpose(code="2.000815", bases=("Luat-60/2014",)),))
    rules = policy(grant(name="old", valid_until=date(2026, 1, 1)), grant(), grant(name="later"), wide)
    assert decide(rules, claim()).grant == "birth"
    assert decide(rules, claim(purpose=Purpose("2.000815"))).fields == ("*",)


def test_a_refusal_is_about_the_grant_that_came_furthest():
    rules = policy(grant(name="read", methods=("GET",)), grant(name="old", valid_until=date(2026, 1, 1)))
    with pytest.raises(ExchangeError) as refused:
        decide(rules, claim(method="GET", purpose=Purpose("9.999999")))
    assert refused.value.parts == ("purpose.granted",)
    assert "1.001193" in refused.value.detail


def test_impossible_grants_cannot_be_built():
    for changes in (
        {"name": "With Space"},
        {"methods": ()},
        {"methods": ("*",)},
        {"purposes": ()},
        {"fields": ()},
        {"fields": ("*", "/name")},
        {"fields": ("name",)},
        {"fields": ("",)},
        {"paths": ()},
        {"paths": ("people",)},
        {"paths": ("/**/x",)},
        {"valid_from": date(2026, 2, 1), "valid_until": date(2026, 1, 1)},
    ):
        with pytest.raises(ValueError):
            grant(**changes)
    with pytest.raises(ValueError, match="no purpose for everything"):
        GrantedPurpose(code="*", bases=("x",))
    with pytest.raises(ValueError, match="legal basis"):
        GrantedPurpose(code="1.001193", bases=())
    with pytest.raises(ValueError, match="at least 1"):
        Quota(officer_per_day=0)


def test_a_policy_with_two_grants_of_one_name_or_an_unknown_service_is_refused():
    with pytest.raises(ValueError, match="two grants"):
        policy(grant(), grant())
    with pytest.raises(ValueError, match="no service here"):
        PolicySet.compile([grant()], [])


def test_an_explanation_shows_every_step_of_every_grant():
    rules = policy(grant(name="read", methods=("GET",)), grant(quota=Quota(officer_per_day=20)))
    told = explain(rules, claim(officer="cb-1"), PORTAL, NOON)
    assert told.refusal is None
    assert told.decision.grant == "birth"
    table = {(step.grant, step.code): step.passed for step in told.steps}
    assert table[None, "service.known"] is table[None, "client.granted"] is table[None, "service.enabled"] is True
    assert table["read", "method.granted"] is False
    assert table["read", "purpose.granted"] is None
    assert table["birth", "case.named"] is True
    assert table["birth", "quota.officer"] is None


def test_an_explanation_of_a_refusal_agrees_with_the_decision():
    for asked, client in ((claim(service=ADDRESS), PORTAL), (claim(), OTHER), (claim(purpose=Purpose("9")), PORTAL)):
        told = explain(policy(), asked, client, NOON)
        assert told.decision is None
        assert told.refusal.kind.code.endswith(refusal(policy(), asked, client))
        assert any(step.passed is False for step in told.steps)
