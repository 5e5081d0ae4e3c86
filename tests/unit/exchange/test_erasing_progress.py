"""Long work says how far it is: an order to erase, to whoever carries it out at a terminal."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from gateway.cli import progress
from gateway.exchange.erasing import Eraser
from tests.support.erasing import DPO, LAN, YEAR, office, order_of


@pytest.mark.asyncio
async def test_an_order_says_how_far_it_is(tmp_path: Path) -> None:
    async with office(tmp_path, "memory") as log:
        for _ in range(4):
            await log.exchange((LAN,))
        log.clock.pass_(YEAR)
        said: list[tuple[int, int]] = []
        eraser = Eraser(log.site, log.store.vault, log.retention, backup_days=35)
        order = order_of(persons=(LAN,), clock=log.clock)
        report = await eraser.erase(
            order, log.trust, key=DPO, epochs=await log.opened(), progress=lambda *told: said.append(told)
        )
    assert len(report.erased) == 8
    done = [each for each, _ in said]
    assert done == sorted(done)
    assert said[-1] == (16, 16)  # each judged, and each overwritten
    assert all(each <= total for each, total in said)


def test_a_bar_learns_how_much_there_is_while_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(progress, "Console", lambda **_: Console(file=shown, force_terminal=True, width=80))
    with progress.counting("records") as report:
        report(3)
        report(5, 7)
    assert "records" in shown.getvalue()
    assert "5/7" in shown.getvalue()


def test_programs_are_shown_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.counting("records", quiet=True) as report:
        report(1, 2)
    assert capsys.readouterr() == ("", "")
