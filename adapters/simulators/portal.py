"""A provincial public-service portal, as a client of the gateway: an officer, a dossier, questions about people."""

from collections.abc import Iterable
from typing import Any, Final, Protocol

from msgspec import Struct

from gateway.client import Answer, Call
from gateway.model.envelope import Purpose
from gateway.model.ids import parse_service

CITIZEN: Final = "VN/GOV/G01/population/citizen"
INSURANCE: Final = "VN/GOV/G12/social-insurance/insurance"
BIRTH: Final = Purpose("1.001193", "ND-63/2024")
"""Birth registration, by the decree on interlinked procedures."""


class Sender(Protocol):
    """What the portal needs of ``gateway.client.Client``."""

    async def send(self, call: Call) -> Answer:
        """Sign, send, verify the answer."""


class Browsing(Struct, frozen=True, kw_only=True):
    """How an officer's browsing ended: how many people were shown, and the error that stopped it, if any."""

    shown: int
    stopped_by: str | None = None


class Portal:
    """Asks for one dossier at a time.

    officer: who is at the desk (``X-Road-UserId``). case: the dossier's code (``X-Road-Issue``). Bodies are those of
    ``schemas/json/*-lookup.request.json``.
    """

    def __init__(self, client: Sender, *, officer: str, case: str, purpose: Purpose = BIRTH) -> None:
        self._client = client
        self.officer = officer
        self.case = case
        self.purpose = purpose

    async def citizen(self, identity_number: str, **verify: str) -> Answer:
        """Ask the population database about a number; ``full_name`` and ``birth_date`` are verified where given."""
        return await self._ask(CITIZEN, {"identity_number": identity_number, **verify})

    async def insured(self, identity_number: str) -> Answer:
        """Ask social insurance about a personal number."""
        return await self._ask(INSURANCE, {"identity_number": identity_number})

    async def prefill(self, procedure: str, people: dict[str, dict[str, Any]]) -> Answer:
        """Ask the gateway to fill a form: role → what is known of that person."""
        body = {"procedure": procedure, "people": people, "case": self.case, "basis": self.purpose.basis}
        call = Call(own_path="/v1/prefill", body=body, purpose=self.purpose, officer=self.officer, case=self.case)
        return await self._client.send(call)

    async def browse(self, identity_numbers: Iterable[str]) -> Browsing:
        """Look at one person after another without a reason, until the gateway refuses."""
        shown = 0
        for number in identity_numbers:
            answer = await self.citizen(number)
            if answer.error_code is not None:
                return Browsing(shown=shown, stopped_by=answer.error_code)
            shown += 1
        return Browsing(shown=shown)

    async def _ask(self, service: str, body: dict[str, str]) -> Answer:
        call = Call(
            service=parse_service(service), body=body, purpose=self.purpose, officer=self.officer, case=self.case
        )
        return await self._client.send(call)
