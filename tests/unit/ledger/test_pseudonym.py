import hashlib
import hmac

import pytest

from gateway.ledger.pseudonym import PSEUDONYM_BYTES, Subject, pseudonym

KEY = bytes(range(32))


def test_is_an_hmac_that_anyone_with_the_key_can_make():
    message = b"motlan/pseudonym/v1\n" + b"\x00\x06person" + b"\x00\x0c031090001234"
    expected = hmac.new(KEY, message, hashlib.sha256).digest()[:16]
    assert pseudonym(KEY, Subject.PERSON, "031090001234") == expected
    assert len(expected) == PSEUDONYM_BYTES


def test_differs_by_key_kind_and_value():
    made = {
        pseudonym(key, subject, value)
        for key in (KEY, bytes(32))
        for subject in Subject
        for value in ("031090001234", "031090001235")
    }
    assert len(made) == 2 * 2 * len(Subject)


def test_parts_are_not_run_together():
    made = [("a", "bc"), ("ab", "c"), ("abc",), ("a", "b", "c"), ("a\x00\x01b", "c")]
    assert len({pseudonym(KEY, Subject.OFFICER, *parts) for parts in made}) == len(made)


def test_the_same_text_in_another_normal_form_is_the_same_person():
    assert pseudonym(KEY, Subject.CASE, "Ho\u0302\u0300 so\u031b") == pseudonym(KEY, Subject.CASE, "Hồ sơ")


@pytest.mark.parametrize("parts", [(), ("",), ("a", ""), ("\ud800",), ("x" * 65536,)])
def test_refuses_what_names_nobody(parts):
    with pytest.raises(ValueError) as refused:
        pseudonym(KEY, Subject.PERSON, *parts)
    assert not isinstance(refused.value, UnicodeError)
