"""The consistency watch in a whole gateway: what was altered on the disk is on /metrics soon after the start."""

import time

import apsw
import pytest
from prometheus_client import generate_latest

from tests.support.exchanges import json_answer, office
from tests.support.gateways import PROVIDER


@pytest.fixture
def place(tmp_path):
    with office(tmp_path) as made:
        made.provider.reply = json_answer({"done": True})
        yield made


def told(place):
    """The watch's metrics, by name."""
    lines = generate_latest(place.gateway.metrics.registry).decode().splitlines()
    return {line.split()[0]: float(line.split()[1]) for line in lines if line.startswith("motlan_log_verified")}


def after_a_round(place):
    end = time.monotonic() + 20
    while not told(place)["motlan_log_verified_rounds"]:
        assert time.monotonic() < end
        time.sleep(0.02)
    return told(place)


def restarted_after(place, statement=None):
    place.stop()
    if statement is not None:
        connection = apsw.Connection(str(place.site.folder / "motlan.sqlite"))
        connection.execute(statement)
        assert connection.changes() >= 1
        connection.close()
    place.start()


def test_a_gateway_verifies_what_it_wrote(place):
    for _ in range(5):
        place.accepts(place.message(service=f"{PROVIDER}/write"))
    restarted_after(place)
    found = after_a_round(place)
    assert found["motlan_log_verified_size"] >= 10
    assert found["motlan_log_verified_faults"] == 0


def test_what_was_altered_on_the_disk_is_counted(place):
    for _ in range(5):
        place.accepts(place.message(service=f"{PROVIDER}/write"))
    restarted_after(
        place, "UPDATE journal SET row = CAST(substr(row, 1, 200) || x'7a' || substr(row, 202) AS BLOB) WHERE seq = 5"
    )
    assert after_a_round(place)["motlan_log_verified_faults"] >= 1
    place.accepts(place.message(service=f"{PROVIDER}/write"))  # it is an alarm, and stops nothing
