"""Reloading: what is changed comes into force without anybody noticing; what is wrong does not come into force."""

import asyncio
import hashlib
import json
import signal
import threading

import pytest

from gateway.model.errors import ExchangeError
from gateway.wiring.gateway import Gateway
from tests.support.exchanges import json_answer, office, records
from tests.support.gateways import ECHO, OTHER, PORTAL, PROVIDER
from tests.support.served import Load, outside, publish, serving


@pytest.fixture
def place(tmp_path):
    with office(tmp_path) as made:
        yield made


def reload(place):
    place.run(place.gateway.reload())


def edit(place, old, new, file="policy/grants.toml"):
    path = place.site.folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def draft(place):
    return json.loads((place.site.folder / "pki/trust/draft.json").read_bytes())


def without(place, subsystem):
    """The certificates of everybody else."""
    return [each for each in draft(place)["certificates"] if each["owner"] != str(subsystem)]


def configurations(place):
    return [each["decision"]["reasons"] for each in records(place.site) if each["kind"] == "configuration"]


DISABLED = ('name = "portal-echo"', 'name = "portal-echo"\nenabled = false')


def test_changed_policy_is_in_force_on_connections_that_are_open(place):
    before = configurations(place)
    with place.connect() as wire:
        for status in (200, 403):
            wire.send(place.message().encode())
            assert wire.answer().status == status
            edit(place, *DISABLED) if status == 200 else None
            reload(place)
    changed = configurations(place)[len(before) :]
    assert [kind for kind, _ in changed] == ["policy"]
    last = records(place.site)[-1]
    assert (last["kind"], last["digests"]["policy"]) == ("refusal", changed[0][1])


def test_nothing_changed_is_nothing_recorded(place):
    before = configurations(place)
    reload(place)
    place.restart()
    assert configurations(place) == before


def test_changed_services_are_in_force(place):
    edit(place, 'path = "/echo"', 'path = "/moved"', "services/registry.toml")
    reload(place)
    place.accepts(place.message(path="/x"))
    assert place.provider.last.target == "/moved/x"
    assert configurations(place)[-1][0] == "services"
    kept = place.run(place.gateway.core.store.log.newest_document("services"))
    assert (kept.digest, hashlib.sha256(kept.content).hexdigest()) == (configurations(place)[-1][1],) * 2
    assert b"registry.toml" in kept.content


def test_service_that_is_switched_off_is_unavailable_to_those_who_may_call_it(place):
    edit(place, f'id = "{ECHO}"', f'id = "{ECHO}"\nenabled = false', "services/registry.toml")
    edit(place, 'name = "other-echo"\n', 'name = "other-echo"\nenabled = false\n')
    reload(place)
    got = place.refuses(place.message(), "server.serverproxy.service_disabled", 503, recorded=True)
    assert got.json()["retryable"] is True
    nobody = place.message(client=PROVIDER)
    place.refuses(nobody, "server.serverproxy.access_denied", 403, recorded=True)  # learns nothing of it
    place.refuses(place.message(service=f"{PROVIDER}/none"), "server.serverproxy.unknown_service", 404, recorded=True)


def test_changed_trust_list_is_in_force(place):
    place.accepts(place.message(client=OTHER))
    publish(place.site, serial=2, certificates=without(place, OTHER))
    reload(place)
    place.refuses(place.message(client=OTHER), "client.unknown_key", 401, recorded=False)
    place.accepts(place.message(client=PORTAL))
    assert configurations(place)[-1][0] == "trust-list"
    request = records(place.site)[-2]
    assert request["digests"]["trust"] == configurations(place)[-1][1]


BROKEN = [
    ("policy/grants.toml", 'name = "portal-echo"', 'nmae = "portal-echo"'),
    ("policy/grants.toml", "[[grant]]", "[[grant"),
    ("policy/grants.toml", f'service = "{ECHO}"', 'service = "VN/GOV/G15/registry/nowhere"'),
    ("services/registry.toml", 'path = "/echo"', 'path = "echo"'),
    ("services/registry.toml", "base_url", "base-url"),
]


@pytest.mark.parametrize(("file", "old", "new"), BROKEN)
def test_wrong_configuration_is_refused_and_the_old_stays_in_force(place, file, old, new):
    before = configurations(place)
    edit(place, old, new, file)
    with pytest.raises(ExchangeError, match=file.rpartition("/")[2]):
        reload(place)
    place.accepts(place.message())
    assert configurations(place) == before


def test_wrong_trust_lists_are_refused_and_the_old_stays_in_force(place):
    publish(place.site, serial=5, certificates=without(place, OTHER))
    reload(place)
    good = place.site.pki.trust_list.read_bytes()
    signed_by_one = json.loads(good)
    signed_by_one["signatures"] = signed_by_one["signatures"][:1]
    altered = json.loads(good)
    altered["payload"] = altered["payload"][:-8] + "AAAAAAAA"
    for bad in (json.dumps(signed_by_one), json.dumps(altered), "{}", ""):
        place.site.pki.trust_list.write_text(bad)
        with pytest.raises(ExchangeError, match="trust"):
            reload(place)
    for serial in (4, 5):  # lower; the same with other bytes
        publish(place.site, serial=serial)
        with pytest.raises(ExchangeError, match="trust"):
            reload(place)
    place.refuses(place.message(client=OTHER), "client.unknown_key", 401, recorded=False)
    place.accepts(place.message())


def test_lower_serial_is_refused_after_a_restart_too(place):
    old = place.site.pki.trust_list.read_bytes()
    publish(place.site, serial=2)
    reload(place)
    new = place.site.pki.trust_list.read_bytes()
    place.stop()
    place.site.pki.trust_list.write_bytes(old)
    with pytest.raises(ExchangeError, match="serial"):
        place.run(Gateway.start(place.site.config))
    place.site.pki.trust_list.write_bytes(new)
    place.start()
    place.accepts(place.message())


def test_exchange_under_way_ends_as_it_began(place):
    gate = threading.Event()

    async def held():
        while not gate.is_set():  # noqa: ASYNC110 - set from another thread
            await asyncio.sleep(0.005)
        return json_answer({"done": True})

    place.provider.reply = lambda _: held()
    message = place.message()
    with place.connect() as wire:
        wire.send(message.encode())
        while not place.provider.seen:
            pass
        edit(place, *DISABLED)
        reload(place)
        gate.set()
        answer = wire.answer()
        assert (answer.status, answer.body) == (200, b'{"done": true}')
        wire.send(place.message().encode())
        assert wire.answer().status == 403
    request, ended = (each for each in records(place.site) if each["kind"] in {"request", "answer"})
    assert ended["parent"] == request["id"]
    assert ended["digests"] == request["digests"]


def test_reloading_under_load_fails_nobody(place):
    load = Load(place, callers=6)
    for number in range(12):
        load.until(len(load.answered) + 5)
        edit(place, "[[grant]]", f"# {number}\n[[grant]]")
        reload(place)
    calls = load.stop()
    assert {call.response.status for call in calls if call.response is not None} == {200}
    assert all(call.response is not None for call in calls)
    assert [kind for kind, _ in configurations(place)].count("policy") == 13


def test_hang_up_signal_reloads_a_served_gateway(tmp_path):
    with outside(tmp_path) as place, serving(place.site) as process, place.connect() as wire:
        wire.send(place.message().encode())
        assert wire.answer().status == 200
        edit(place, "[[grant]]", "[[grant")
        process.signal(signal.SIGHUP)
        said = process.until("not reloaded")
        assert "grants.toml" in said["detail"]
        wire.send(place.message().encode())
        assert wire.answer().status == 200
        edit(place, "[[grant", "[[grant]]")
        edit(place, *DISABLED)
        process.signal(signal.SIGHUP)
        process.until("reloaded")
        wire.send(place.message().encode())
        assert wire.answer().code == "server.serverproxy.grant_expired"
        publish(place.site, serial=0)
        process.signal(signal.SIGHUP)
        process.until("not reloaded")
        process.signal(signal.SIGTERM)
        assert process.wait() == 0
