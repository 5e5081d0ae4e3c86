"""Heads and bodies beyond the limits are refused, each with its own status."""

import pytest

from gateway.model.errors import ExchangeError
from gateway.model.message import Head
from gateway.validation.limits import Limits

LIMITS = Limits(head=200, headers=3, target=50, body=10)


def head(target="/", fields=()):
    return Head(method="GET", target=target, fields=tuple(fields))


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (head("/" + "a" * 50), 414),
        (head(fields=[("a", "b")] * 4), 431),
        (head(fields=[("a", "b" * 200)]), 431),
        (head(fields=[("a" * 200, "")]), 431),
    ],
)
def test_too_large(given, status):
    with pytest.raises(ExchangeError) as refused:
        LIMITS.check_head(given)
    assert refused.value.kind.status == status


def test_at_the_limit():
    LIMITS.check_head(head("/" + "a" * 49, [("a", "b")] * 3))
    LIMITS.check_body(10)
    with pytest.raises(ExchangeError) as refused:
        LIMITS.check_body(11)
    assert refused.value.kind.status == 413


@pytest.mark.parametrize("name", Limits.__struct_fields__)
def test_a_limit_is_positive(name):
    with pytest.raises(ValueError, match=name):
        Limits(**{name: 0})
