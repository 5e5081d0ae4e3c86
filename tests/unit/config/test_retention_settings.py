"""How long private parts are kept: never below what the law wants."""

import pytest

from gateway.config.settings import RetentionSettings


@pytest.mark.parametrize(
    ("said", "minimum", "months"),
    [
        ({}, 12, 12),
        ({"level": 3}, 3, 12),
        ({"level": 4, "months": 6}, 6, 6),
        ({"level": 3, "minimum_months": 24, "months": 36}, 24, 36),
    ],
)
def test_what_holds(said, minimum, months) -> None:
    made = RetentionSettings(**said)
    assert (made.minimum, made.months) == (minimum, months)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"months": 6}, "below the statutory minimum of 12"),
        ({"level": 4, "minimum_months": 3}, "level 4 keeps its logs for 6"),
        ({"minimum_months": 24}, "below the statutory minimum of 24"),
    ],
)
def test_what_is_refused(said, why) -> None:
    with pytest.raises(ValueError, match=why):
        RetentionSettings(**said)
