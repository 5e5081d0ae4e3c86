"""The provincial portal: what it asks, in whose name, and how browsing ends."""

from types import SimpleNamespace

import pytest

from adapters.simulators.portal import Portal
from gateway.model.envelope import Purpose
from tests.support.simulators import people

STORY = people().story
pytestmark = pytest.mark.asyncio


class _Gateway:
    """Answers so many calls, then refuses."""

    def __init__(self, allowed: int = 100) -> None:
        self.calls = []
        self.allowed = allowed

    async def send(self, call):
        self.calls.append(call)
        over = len(self.calls) > self.allowed
        return SimpleNamespace(error_code="server.serverproxy.quota_exceeded" if over else None)


def _portal(gateway: _Gateway) -> Portal:
    return Portal(gateway, officer="cb-7", case="H24.11-261101-0001")


async def test_each_question_carries_officer_case_and_purpose():
    gateway = _Gateway()
    portal = _portal(gateway)
    number = STORY.mother.identity_number
    await portal.citizen(number, full_name="Hoàng Thị Thuỳ Linh", birth_date="1995-03-02")
    await portal.insured(number)
    await portal.prefill("birth-registration", {"mother": {"identity_number": number}})
    assert {(call.officer, call.case, call.purpose) for call in gateway.calls} == {
        ("cb-7", "H24.11-261101-0001", Purpose("1.001193", "ND-63/2024"))
    }
    assert [call.target for call in gateway.calls] == [
        "/r1/VN/GOV/G01/population/citizen",
        "/r1/VN/GOV/G12/social-insurance/insurance",
        "/v1/prefill",
    ]
    assert gateway.calls[0].body == {
        "identity_number": number,
        "full_name": "Hoàng Thị Thuỳ Linh",
        "birth_date": "1995-03-02",
    }


async def test_browsing_goes_on_until_the_gateway_refuses():
    neighbours = [one.identity_number for one in STORY.neighbours]
    stopped = await _portal(_Gateway(allowed=20)).browse(neighbours)
    assert (stopped.shown, stopped.stopped_by) == (20, "server.serverproxy.quota_exceeded")
    everybody = await _portal(_Gateway()).browse(neighbours)
    assert (everybody.shown, everybody.stopped_by) == (30, None)
