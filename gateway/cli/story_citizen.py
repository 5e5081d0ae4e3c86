"""The scene of the neighbour: with a token of their own, a citizen sees who looked, and can prove each line of it."""

import asyncio
from typing import Any

from gateway.cli.story import Teller
from gateway.client import Answer, Call, Client
from gateway.ledger.note import parse_vkey
from gateway.ledger.receipt import verify_receipt_by
from gateway.model.envelope import Purpose
from gateway.model.errors import ExchangeError
from gateway.model.errors.base import Text
from gateway.model.errors.citizen import CITIZEN_TOKEN_NEEDED
from gateway.wiring.demo import CITIZEN, PORTAL
from gateway.wiring.demo_citizens import citizen_token

ACCESSES = "/v1/accesses"
PURPOSE = Purpose("xem-luot-truy-cap", "Luat-91/2025")
"""For what a portal asks in a citizen's name."""
NEIGHBOUR = Text("A neighbour, at the portal", "Người hàng xóm, trên cổng dịch vụ công")

_MOST = 20
_OK = 200


class _Citizen:
    """A person at the portal. number: theirs."""

    def __init__(self, teller: Teller, client: Client, number: str) -> None:
        self._teller = teller
        self._client = client
        self._number = number

    async def ask(self, path: str, query: str | None = None) -> Answer:
        """One call of the portal, with a new token of theirs."""
        world = self._teller.world
        token = citizen_token(
            world.files.citizens_key,
            self._number,
            audience=str(world.gateway.settings.gateway.subsystem),
            now=world.gateway.core.clock.now(),
        )
        return await self._client.send(_call(path, query, (("Motlan-Citizen", token),)))

    async def proved(self, access: dict[str, Any]) -> int:
        """How many receipts of an access hold: fetched, verified with the log's key, and of the record they name."""
        key = parse_vkey(self._teller.world.vkey)
        good = 0
        for each in access["receipts"]:
            answer = await self.ask(each["href"])
            try:
                receipt = verify_receipt_by(answer.body.data or b"", (key,))
            except ExchangeError:
                continue
            good += receipt.skeleton.id == each["id"]
        return good


async def accesses(teller: Teller, client: Client, *, seen: str, spared: str) -> None:
    """seen: the number of somebody whom the officer looked at. spared: of somebody whom nobody did."""
    teller.scene("The neighbour sees it too", "Người hàng xóm cũng thấy")
    citizen = _Citizen(teller, client, seen)
    sending = citizen.ask(ACCESSES, f"limit={_MOST}")
    answer = await teller.call(NEIGHBOUR, Text("who looked at my data?", "ai đã xem dữ liệu của tôi?"), sending)
    listed = answer.json()["accesses"] if answer.status == _OK else []
    looks = [each for each in listed if each["service"] == CITIZEN]
    teller.told.accesses = looks
    proved = sum(await asyncio.gather(*map(citizen.proved, looks)))
    whole = all(each["client"] == str(PORTAL) and each["purpose"] and each["fields"] for each in looks)
    teller.step(
        bool(looks) and whole and proved == 2 * len(looks),
        f"Their own list has each look-up ({len(looks)}): who, when, for what, which fields; {proved} receipts hold",
        f"Danh sách của họ có từng lượt ({len(looks)}): ai, khi nào, vì sao, trường nào; {proved} biên nhận đều đúng",
    )
    other = await _Citizen(teller, client, spared).ask(ACCESSES)
    theirs = other.json()["accesses"] if other.status == _OK else looks
    nobody = await client.send(_call(ACCESSES, None, ()))
    teller.step(
        not [each for each in theirs if each["service"] == CITIZEN] and nobody.error_code == CITIZEN_TOKEN_NEEDED.code,
        "Whom the quota has spared has no such line; and without the citizen's token, no portal sees anything",
        "Người được hạn mức che chở không có dòng nào như vậy; thiếu mã của công dân thì không cổng nào xem được gì",
        aside=True,
    )


def _call(path: str, query: str | None, extra: tuple[tuple[str, str], ...]) -> Call:
    return Call(own_path=path, method="GET", query=query, purpose=PURPOSE, extra=extra)
