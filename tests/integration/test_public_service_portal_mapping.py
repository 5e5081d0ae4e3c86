"""The National Public Service Portal through its mapping: session, dossiers there and back, progress, procedures."""

import asyncio
import json

import pytest

from adapters.simulators import dossiers
from adapters.simulators.json_system import RefusedError
from adapters.simulators.misbehave import Mode
from adapters.simulators.public_service_portal import PublicServicePortalSimulator
from adapters.simulators.public_service_portal_dossiers import of_person
from gateway.model.outcomes import Outcome
from tests.support.adapters import Known, ask, canonical, recorded
from tests.support.agencies import TROUBLE, TROUBLE_OF_A_WRITE, UNIT, USERS, once, target
from tests.support.simulators import people

STORY = people().story
FATHER = STORY.father
NAME = "public-service-portal"
QUERY = {"dossier_code": dossiers.code_of(FATHER)}
pytestmark = pytest.mark.asyncio


def portal(**options):
    return PublicServicePortalSimulator(people(), users=USERS, **options)


async def call(sim, document, path, **more):
    return await once(sim, NAME, document, path=path, sessions=True, **more)


def dossier(code="H24.15-261101-9003", **changes):
    return {
        "dossier_code": code,
        "procedure": {"code": "1.001193", "name": "Đăng ký khai sinh"},
        "applicant": {
            "name": {"full": FATHER.name.full},
            "kind": "citizen",
            "identifications": [{"kind": "citizen", "number": FATHER.identity_number}],
        },
        "received_at": "2026-11-01T01:30:00Z",
        "due_at": "2026-11-03T17:00:00+07:00",
        "status": "accepted",
        "return_by": "office",
        "office": "UBND phường Lê Chân",
        "identified_by_vneid": True,
        "documents": [{"name": "gcs.pdf", "digitised": True, "reused": True, "from_store": False}],
        **changes,
    }


def synchronisation(*given, update=False):
    document = {"update": update, "dossiers": list(given or [dossier()])}
    canonical("dossier-sync.request").check(document)
    return document


async def test_a_dossier_goes_there_and_comes_back_as_it_was():
    async with portal() as sim:
        sent = await call(sim, synchronisation(), "/synchronise")
        kept = sim.kept["H24.15-261101-9003"]
        found = await call(sim, {"dossier_code": "H24.15-261101-9003"}, "/dossier")
    assert (sent.outcome, sent.document) == (Outcome.DONE, {"status": "synchronised"})
    assert (kept["NgayTiepNhan"], kept["NgayHenTra"], kept["TrangThaiHoSo"]) == (
        "20261101083000",
        "20261103170000",
        "2",
    )
    assert kept["TaiLieuNop"] == [
        {"TenTepDinhKem": "gcs.pdf", "DuocSoHoa": "1", "DuocTaiSuDung": "1", "DuocLayTuKhoDMQG": "0"}
    ]
    canonical("dossier-lookup.response").check(found.document)
    assert found.document == dossier(received_at="2026-11-01T08:30:00+07:00")


async def test_every_generated_dossier_is_canonical():
    schema = canonical("dossier-lookup.response")
    seen = set()
    async with portal() as sim:
        for person in list(people())[:60]:
            reply = await call(sim, {"dossier_code": dossiers.code_of(person)}, "/dossier")
            schema.check(reply.document)
            assert reply.document["applicant"]["identifications"][0]["number"] == person.identity_number
            seen |= {reply.document["status"], reply.document["return_by"]}
    assert seen == {
        *("new", "accepted", "refused", "processing", "supplement_needed", "payment_due", "withdrawal_requested"),
        *("stopped", "done", "returned", "office", "post"),
    }


async def test_codes_outside_their_lists_are_told_as_such():
    async with portal() as sim:
        code = QUERY["dossier_code"]
        sim.kept[code] = {**of_person(FATHER, code), "TrangThaiHoSo": "11", "HinhThuc": "5", "LoaiDoiTuong": "9"}
        found = (await call(sim, QUERY, "/dossier")).document
    canonical("dossier-lookup.response").check(found)
    assert (found["status"], found["return_by"], found["applicant"]["kind"]) == ("unlisted",) * 3


async def test_progress_moves_a_dossier():
    step = {
        "dossier_code": QUERY["dossier_code"],
        "officer": "Trần Văn A",
        "done_at": "2026-11-01T09:00:00+07:00",
        "status": "done",
    }
    document = {"steps": [step]}
    canonical("dossier-progress.request").check(document)
    async with portal() as sim:
        reply = await call(sim, document, "/progress")
        assert sim.find(QUERY["dossier_code"])["TrangThaiHoSo"] == "9"
        (kept,) = sim.steps[QUERY["dossier_code"]]
    assert (reply.outcome, reply.document) == (Outcome.DONE, {"status": "updated"})
    assert kept["ThoiDiemXuLy"] == "20261101090000"


async def test_a_procedure_of_the_catalogue():
    async with portal() as sim:
        reply = await call(sim, {"code": "1.001193"}, "/procedure")
        nobody = await call(sim, {"code": "9.999999"}, "/procedure")
    canonical("procedure-lookup.response").check(reply.document)
    assert reply.document == {
        "code": "1.001193",
        "name": "Đăng ký khai sinh",
        "fields": [{"code": "G15-HT", "name": "Hộ tịch"}],
    }
    assert nobody.outcome is Outcome.NOT_FOUND


# -- the session -------------------------------------------------------------------------------------------------------


async def _twice(sim, between):
    made = target(NAME, sim.url, sessions=True)
    replies = []
    for _ in range(2):
        replies.append(await made.send(recorded(QUERY, path="/dossier"), lambda _: (), 1e12))
        between()
    await made.close()
    return [each.outcome for each in replies]


async def test_a_session_is_opened_once_and_again_when_it_is_gone():
    async with portal() as sim:
        assert await _twice(sim, lambda: None) == [Outcome.FOUND] * 2
        assert sim.requests["login"] == 1
        assert await _twice(sim, sim.forget_sessions) == [Outcome.FOUND] * 2
        assert sim.requests["login"] == 3


async def test_many_calls_at_once_log_in_once_and_again_once():
    async with portal() as sim:
        made = target(NAME, sim.url, sessions=True)

        async def ten():
            calls = (made.send(recorded(QUERY, path="/dossier"), lambda _: (), 1e12) for _ in range(10))
            return {each.outcome for each in await asyncio.gather(*calls)}

        assert await ten() == {Outcome.FOUND}
        assert sim.requests["login"] == 1
        sim.forget_sessions()
        assert await ten() == {Outcome.FOUND}
        await made.close()
        assert sim.requests["login"] == 2


async def test_a_stale_session_repeats_a_write_too_since_it_was_not_taken():
    async with portal() as sim:
        made = target(NAME, sim.url, sessions=True)
        await made.send(recorded(QUERY, path="/dossier"), lambda _: (), 1e12)
        sim.forget_sessions()
        reply = await made.send(recorded(synchronisation(), path="/synchronise"), lambda _: (), 1e12)
        await made.close()
        assert reply.outcome is Outcome.DONE
        assert sim.requests["DongBoHoSoMC"] == 2


async def test_a_portal_that_always_says_stale_is_not_asked_for_ever():
    async with portal(lifetime=0) as sim:
        reply = await call(sim, QUERY, "/dossier")
        assert reply.outcome is Outcome.DENIED
        assert sim.requests["TraCuuHoSo"] == 2


async def test_a_wrong_password_is_denied_and_nothing_is_sent():
    async with PublicServicePortalSimulator(people(), users={"motlan": ("other", UNIT)}) as sim:
        reply = await call(sim, QUERY, "/dossier")
        assert reply.outcome is Outcome.DENIED
        assert set(sim.requests) == {"login"}


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        (Mode.FREEZE, Outcome.UNAVAILABLE),
        (Mode.BAD_GATEWAY, Outcome.UNAVAILABLE),
        (Mode.DROP, Outcome.UNAVAILABLE),
        (Mode.HALF, Outcome.UNAVAILABLE),
        (Mode.DEEP, Outcome.UNAVAILABLE),
        (Mode.LIE, Outcome.DENIED),
        (Mode.DUPLICATE_KEYS, Outcome.UNAVAILABLE),
    ],
)
async def test_a_login_that_goes_wrong_sends_nothing_even_of_a_write(mode, outcome):
    async with portal() as sim:
        sim.misbehave(mode)
        reply = await ask(
            target(NAME, sim.url, sessions=True), recorded(synchronisation(), path="/synchronise"), seconds=0.3
        )
        assert reply.outcome is outcome
        assert set(sim.requests) == {"login"}


async def test_the_password_goes_to_the_login_only():
    bodies = []
    async with portal() as sim:
        sim.watch = lambda received: bodies.append((received.target, json.loads(received.body)))
        await call(sim, QUERY, "/dossier")
    (_, login), (_, search) = bodies
    assert login == {"username": "motlan", "password": "s3cret"}
    assert set(search) == {"session", "madonvi", "service", "mahoso"}
    assert Known("s3cret").reveal() not in json.dumps(search)


# -- outcomes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "document", "outcome", "code"),
    [
        ("/dossier", {"dossier_code": "000.00.15.H24-261001-9999"}, Outcome.NOT_FOUND, None),
        ("/dossier", {}, Outcome.REJECTED, None),
        ("/synchronise", synchronisation(dossier(QUERY["dossier_code"])), Outcome.REJECTED, "03"),
        ("/synchronise", synchronisation(update=True), Outcome.REJECTED, "04"),
        ("/synchronise", {"update": False, "dossiers": []}, Outcome.REJECTED, None),
        ("/synchronise", {"update": False, "dossiers": [{**dossier(), "status": "lost"}]}, Outcome.REJECTED, None),
        ("/synchronise", {"update": False, "dossiers": [{**dossier(), "received_at": "nay"}]}, Outcome.REJECTED, None),
        ("/delete", QUERY, Outcome.REJECTED, None),
    ],
)
async def test_outcomes_are_told_apart(path, document, outcome, code):
    async with portal() as sim:
        reply = await call(sim, document, path)
        assert not sim.kept
    assert (reply.outcome, reply.provider_code, reply.body.size) == (outcome, code, 0)


@pytest.mark.parametrize(
    ("error", "outcome"), [("01", Outcome.REJECTED), ("02", Outcome.DENIED), ("77", Outcome.REJECTED)]
)
async def test_errors_of_the_portal(error, outcome):
    async with portal() as sim:
        made = target(NAME, sim.url, sessions=True)
        await made.send(recorded(QUERY, path="/dossier"), lambda _: (), 1e12)
        sim.out_of_order = RefusedError(error, "")
        reply = await made.send(recorded(QUERY, path="/dossier"), lambda _: (), 1e12)
        await made.close()
    assert (reply.outcome, reply.provider_code) == (outcome, error)


async def _with_session(sim, document, path, mode):
    """The login goes well, what follows does not."""
    made = target(NAME, sim.url, sessions=True)
    await made.send(recorded({"code": "1.001193"}, path="/procedure"), lambda _: (), 1e12)
    sim.misbehave(mode)
    sim.requests.clear()
    seconds = 0.1 if mode in {Mode.SLOW, Mode.FREEZE} else 5.0
    return await ask(made, recorded(document, path=path), seconds=seconds)


@pytest.mark.parametrize("mode", TROUBLE)
@pytest.mark.parametrize(("path", "document"), [("/dossier", QUERY), ("/procedure", {"code": "1.001193"})])
async def test_every_way_of_misbehaving_has_its_outcome(path, document, mode):
    async with portal() as sim:
        reply = await _with_session(sim, document, path, mode)
    assert (reply.outcome, reply.body.size) == (TROUBLE[mode], 0)


@pytest.mark.parametrize("mode", set(TROUBLE_OF_A_WRITE) - {Mode.OTHER_PERSON})
async def test_a_write_that_goes_wrong_is_unknown_and_sent_once(mode):
    async with portal() as sim:
        reply = await _with_session(sim, synchronisation(), "/synchronise", mode)
        assert sim.requests.total() == 1
    assert reply.outcome is TROUBLE_OF_A_WRITE[mode]
