"""Persons' numbers do not belong into targets."""

import pytest

from gateway.model.errors import ExchangeError
from gateway.validation.persons import check_no_person


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/031203004567", None),
        ("/031203004567/x", None),
        ("/x-123456789", None),
        ("", "id=031203004567"),
        ("", "a=b&cmnd=123456789&c=d"),
        ("/%30%33%31203004567", None),
        ("", "id=%D9%A031203004%EF%BC%9667"),
        ("", "id=０３１２０３００４５６７"),
    ],
)
def test_refused_without_saying_the_number(path, query):
    with pytest.raises(ExchangeError) as refused:
        check_no_person(path, query)
    assert refused.value.kind.code == "client.person_in_url"
    assert "031203004567" not in str(refused.value)
    assert "123456789" not in str(refused.value)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("", None),
        ("/0201234567", None),
        ("/x/12345678", "t=20261122103000"),
        ("", "page=10&size=100000"),
        ("/1234567890123", ""),
    ],
)
def test_other_runs_of_digits_pass(path, query):
    check_no_person(path, query)
