"""Services that keep payloads: sealed to the readers, committed with the record, read by its own verb only."""

import json
from pathlib import Path

import apsw
import pytest

from gateway.model.ids import parse_service
from tests.support.cli import auditor, good, refused
from tests.support.exchanges import Caller, exchange_of, grant, json_answer, office, records, sha256
from tests.support.gateways import PORTAL

KEPT = parse_service("VN/GOV/G15/registry/kept")
PERSON, RELATIVE = "031093271828", "040195889861"
SERVICES = f"""
[[service]]
id = "{KEPT}"
path = "/kept"
payload = "sealed"
response_schema = "holding.json"
asked = ["/identity_number"]
released = ["/owner/identity_number"]
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("office")
    with office(folder, services=SERVICES, grants=grant("portal-kept", PORTAL, KEPT, '["/owner/full_name"]')) as made:
        yield made


def vault(world) -> list[tuple]:
    connection = apsw.Connection(str(world.site.folder / "motlan.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return connection.execute("SELECT id, owner, purpose, sealed FROM vault ORDER BY id").fetchall()
    finally:
        connection.close()


def reading(world, record, *more):
    return ["log", "payload", record, *auditor(world.site), *more]


def call(world, body, **more):
    owner = {"full_name": "Trần Thị Bảy", "identity_number": RELATIVE}
    world.provider.reply = json_answer({"owner": owner, "price": 5})
    return Caller(world).post(body, service=KEPT, **more)


def test_both_bodies_are_kept_and_only_the_reader_opens_them(world, tmp_path: Path) -> None:
    answer = call(world, {"identity_number": PERSON})
    assert answer.status == 200
    request, recorded = exchange_of(world.site, answer.head.get("motlan-receipt"))
    assert request.shown("payload") == recorded.shown("payload") == "sealed"
    kept = {name: sealed for name, _, _, sealed in vault(world)}
    assert {f"payload {request['id']}", f"payload {recorded['id']}"} <= kept.keys()
    everything = b"".join(path.read_bytes() for path in world.site.folder.glob("motlan.sqlite*"))
    assert PERSON.encode() not in everything
    assert b"Tr\xe1\xba\xa7n" not in everything
    for record, holds in ((request, PERSON), (recorded, "Trần Thị Bảy")):
        out = tmp_path / f"{record['id']}.json"
        good(*reading(world, record["id"], "--out", out))
        assert holds in out.read_text(encoding="utf-8")
        assert sha256(out.read_bytes()) == record.shown("body_sha256")
    # What the grant withholds was never kept.
    assert json.loads(out.read_bytes()) == {"owner": {"full_name": "Trần Thị Bảy"}}


def test_each_reading_is_recorded_before_it_is_done(world) -> None:
    answer = call(world, {"identity_number": PERSON})
    _, recorded = exchange_of(world.site, answer.head.get("motlan-receipt"))
    good(*reading(world, recorded["id"], "--out", world.site.folder / "read.json"))
    said = [each for each in records(world.site) if each["kind"] == "audit"]
    assert said[-1]["decision"]["reasons"] == ["payload"]
    assert (said[-1].shown("record"), said[-1].shown("auditor")) == (recorded["id"], "Kiem")


def test_a_larger_body_stays_digest_only_and_the_record_says_so(world) -> None:
    answer = call(world, {"identity_number": PERSON, "more": "x" * 300_000})
    request, recorded = exchange_of(world.site, answer.head.get("motlan-receipt"))
    assert request.shown("payload") == "digest only: too large"
    assert recorded.shown("payload") == "sealed"
    assert "digest only" in refused(*reading(world, request["id"]))


def test_other_services_keep_nothing(world) -> None:
    before = len(vault(world))
    answer = Caller(world).post({"a": 1})
    request, recorded = exchange_of(world.site, answer.head.get("motlan-receipt"))
    assert request.shown("payload") is recorded.shown("payload") is None
    assert len(vault(world)) == before
    assert "nothing says that one was kept" in refused(*reading(world, request["id"]))


@pytest.mark.parametrize(("change", "said"), [("DELETE", "one was kept"), ("swap", "digest")])
def test_what_was_taken_away_or_exchanged_is_noticed(world, change, said) -> None:
    first, second = (call(world, {"identity_number": PERSON, "n": number}) for number in (1, 2))
    one, _ = exchange_of(world.site, first.head.get("motlan-receipt"))
    two, _ = exchange_of(world.site, second.head.get("motlan-receipt"))
    names = [f"payload {each['id']}" for each in (one, two)]
    connection = apsw.Connection(str(world.site.folder / "motlan.sqlite"))
    connection.set_busy_timeout(5000)
    if change == "DELETE":
        connection.execute("DELETE FROM vault WHERE id = ?", names[:1])
    else:
        statement = "UPDATE vault SET sealed = (SELECT sealed FROM vault WHERE id = ?) WHERE id = ?"
        connection.execute(statement, names[::-1])
    connection.close()
    assert said in refused(*reading(world, one["id"]))
