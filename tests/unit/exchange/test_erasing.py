"""Orders to erase: who may give one, what they reach, what goes before them, and that proofs outlive them."""

import base64
import json
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.exchange.erasing import KIND, ORDER_JWE, Place
from gateway.exchange.holding import Held, holds_in_force
from gateway.exchange.payloads import blob_id
from gateway.ledger.order import ORDER_TYP, parse_order
from gateway.ledger.order_hold import HOLD_TYP
from gateway.ledger.order_jws import payload_of, sign
from gateway.ledger.record import RecordKind
from gateway.ledger.sealed import open_with
from gateway.model import failpoints
from gateway.model.errors import ExchangeError
from gateway.model.errors.audit import ROLE_DENIED, ROLE_UNKNOWN
from gateway.model.errors.erasure import HOLD_LOST, HOLD_UNKNOWN, ORDER_ELSEWHERE, ORDER_MALFORMED, ORDER_SIGNATURES
from gateway.model.storage import Redaction
from gateway.model.usage import RoleName
from tests.support.erasing import (
    AUDITOR,
    DAY,
    DPO,
    HOA,
    LAN,
    MINH,
    OPERATOR,
    ROLES,
    SECOND_DPO,
    STRANGER,
    YEAR,
    office,
    order_of,
    role,
)
from tests.support.storage import blob

pytestmark = pytest.mark.asyncio


def reshaped(data: bytes, **parts: object) -> bytes:
    return json.dumps({**json.loads(data), **parts}).encode()


def swapped(data: bytes, other: bytes) -> bytes:
    """One order's signatures under another's payload and persons."""
    return reshaped(other, signatures=json.loads(data)["signatures"])


def headed(data: bytes, **header: object) -> bytes:
    """The same with another protected header, still signed as before."""
    whole = json.loads(data)
    text = whole["signatures"][0]["protected"]
    said = {**json.loads(base64.urlsafe_b64decode(text + "==")), **header}
    whole["signatures"][0]["protected"] = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    return json.dumps(whole).encode()


IDS = ("01932d3e-8f1c-7abc-8def-000000000001", "01932d3e-8f1c-7abc-8def-000000000002")


def bad_orders():
    """What is presented as an order, and why it is none."""
    good, other = order_of(records=IDS[:1]), order_of(records=IDS[1:])
    lan = order_of(persons=(LAN,))
    unknown = order_of(DPO, STRANGER, records=IDS[:1])
    return [
        ("one signature", order_of(DPO, records=IDS[:1]), ORDER_SIGNATURES),
        ("the auditor alone", order_of(AUDITOR, records=IDS[:1]), ORDER_SIGNATURES),
        ("no signature", reshaped(good, signatures=[]), ORDER_SIGNATURES),
        (
            "the same signature twice",
            reshaped(good, signatures=[json.loads(good)["signatures"][0]] * 2),
            ORDER_SIGNATURES,
        ),
        ("no data-protection officer", order_of(AUDITOR, OPERATOR, records=IDS[:1]), ORDER_SIGNATURES),
        ("two data-protection officers", order_of(DPO, SECOND_DPO, records=IDS[:1]), ORDER_SIGNATURES),
        ("a stranger's second signature", unknown, ORDER_SIGNATURES),
        ("signatures of another order", swapped(good, other), ORDER_SIGNATURES),
        ("another record's id", reshaped(good, payload=json.loads(other)["payload"]), ORDER_SIGNATURES),
        ("another algorithm", headed(good, alg="none"), ORDER_SIGNATURES),
        ("another typ in the header", headed(good, typ=HOLD_TYP), ORDER_MALFORMED),
        ("more in the header", headed(good, crit=["x"]), ORDER_MALFORMED),
        ("signed as a hold", sign(HOLD_TYP, payload_of(good), DPO), ORDER_MALFORMED),
        ("no order", sign(ORDER_TYP, b"{}", DPO), ORDER_SIGNATURES),
        (
            "another person beside",
            reshaped(lan, beside=json.loads(order_of(persons=(MINH,)))["beside"]),
            ORDER_MALFORMED,
        ),
        ("nobody beside", reshaped(lan, beside=[]), ORDER_MALFORMED),
        ("somebody more beside", reshaped(lan, beside=json.loads(lan)["beside"] * 2), ORDER_MALFORMED),
        ("nonsense beside", reshaped(lan, beside=[7]), ORDER_MALFORMED),
        ("another log", order_of(log="other.example/log", records=IDS[:1]), ORDER_ELSEWHERE),
        ("no JSON", b"order", ORDER_MALFORMED),
        ("too large", b" " * (5 << 20), ORDER_MALFORMED),
    ]


@pytest.mark.parametrize(("data", "kind"), [pytest.param(*each[1:], id=each[0]) for each in bad_orders()])
async def test_what_is_no_order_changes_nothing(tmp_path: Path, data, kind) -> None:
    async with office(tmp_path, "memory") as log:
        await log.exchange((LAN,))
        log.clock.pass_(YEAR)
        with pytest.raises(ExchangeError) as refused:
            await log.erase(data)
        assert refused.value.kind is kind
        assert LAN not in str(refused.value)
        assert await log.store.log.documents(KIND) == []
        assert await log.kinds(RecordKind.ERASURE) == []


@pytest.mark.parametrize(
    ("why", "roles"),
    [
        ("one key under two roles", (role(RoleName.AUDITOR, "Khác", DPO), ROLES[0])),
        ("one name, two keys", (ROLES[0], role(RoleName.AUDITOR, " trần  BẢO vệ ", AUDITOR))),
        ("a role that has ended", (ROLES[0], role(RoleName.AUDITOR, "Lê Thị Kiểm", AUDITOR, until=0))),
        ("listed no more", ROLES[:2]),
    ],
)
async def test_two_signatures_are_two_persons_in_force(tmp_path: Path, why, roles) -> None:
    async with office(tmp_path, "memory") as log:
        await log.exchange((LAN,))
        log.clock.pass_(YEAR)
        log.roles = roles
        with pytest.raises(ExchangeError) as refused:
            await log.erase(order_of(persons=(LAN,), clock=log.clock))
        assert refused.value.kind is ORDER_SIGNATURES, why


async def test_an_order_of_the_future_is_refused(tmp_path: Path) -> None:
    async with office(tmp_path, "memory") as log:
        data = order_of(records=IDS[:1], clock=log.clock)
        log.clock.pass_(-3600)
        with pytest.raises(ExchangeError) as refused:
            await log.erase(data)
        assert refused.value.kind is ORDER_ELSEWHERE


@pytest.mark.parametrize(("key", "kind"), [(AUDITOR, ROLE_DENIED), (STRANGER, ROLE_UNKNOWN)])
async def test_only_the_officer_carries_it_out(tmp_path: Path, key, kind) -> None:
    async with office(tmp_path, "memory") as log:
        with pytest.raises(ExchangeError) as refused:
            await log.erase(order_of(records=IDS[:1], clock=log.clock), key)
        assert refused.value.kind is kind


@pytest.mark.parametrize("engine", ["sqlite", "memory"])
async def test_a_person_is_erased_from_what_was_recorded_before_the_order(tmp_path: Path, engine) -> None:
    async with office(tmp_path, engine) as log:
        mine = await log.exchange((LAN,), (LAN,))
        unanswered, nothing = await log.exchange((LAN,))
        ours = await log.exchange((LAN, MINH), (LAN, MINH))
        theirs = await log.exchange((MINH,), (MINH,))
        relative = await log.exchange((HOA,), (HOA, LAN))
        before = await log.store.log.checkpoint()
        log.clock.pass_(4 * 31 * DAY)
        data = order_of(persons=(LAN,), clock=log.clock)
        log.clock.pass_(DAY)
        later = await log.exchange((LAN,), (LAN,))
        report = await log.erase(data)
        assert report.complete
        assert sorted(report.erased) == sorted((*mine, unanswered, nothing, *ours, *relative))
        for each in (*mine, unanswered, nothing):
            assert await log.left(each) == {}
            assert await log.marks(each) == []
        assert await log.left(ours[0]) == {"person": [MINH], "officer": ["nv.an"], "case": ["H31-1"]}
        assert await log.marks(ours[0]) == ["person", "officer", "case"]
        assert await log.left(ours[1]) == {"person": [MINH]}
        assert await log.left(relative[1]) == {"person": [HOA]}
        assert (await log.left(relative[0]))["person"] == [HOA]
        assert (await log.left(theirs[0]))["target"] == ["/r1/…"]
        assert (await log.left(later[0]))["person"] == [LAN]
        assert await log.verify(before) > 10


async def test_named_fields_of_a_record(tmp_path: Path) -> None:
    async with office(tmp_path) as log:
        request, _ = await log.exchange((LAN, MINH))
        log.clock.pass_(4 * 31 * DAY)
        assert (await log.erase(order_of(records=(request,), fields=("officer",), clock=log.clock))).complete
        left = await log.left(request)
        assert left == {"person": [LAN, MINH], "case": ["H31-1"], "target": ["/r1/…"], "body_sha256": ["aa"]}
        assert await log.marks(request) == ["person", "person", "case"]
        await log.erase(
            order_of(records=(request,), fields=("person", "case", "target", "body_sha256"), clock=log.clock)
        )
        assert await log.left(request) == {}
        assert await log.marks(request) == []
        await log.verify()


async def test_the_order_is_recorded_first_and_kept_sealed(tmp_path: Path) -> None:
    async with office(tmp_path, "memory") as log:
        request, answer = await log.exchange((LAN,), (LAN,))
        log.clock.pass_(4 * 31 * DAY)
        data = order_of(persons=(LAN,), clock=log.clock)
        report = await log.erase(data)
        (kept,) = await log.store.log.documents(KIND)
        assert kept.digest == report.digest
        assert b"forgotten" not in kept.content
        clear = open_with(ORDER_JWE, kept.content, AUDITOR)
        assert LAN.encode() not in clear
        assert parse_order(payload_of(clear)) == parse_order(payload_of(data))
        begun, ended = await log.kinds(RecordKind.ERASURE)
        assert begun == (KIND, report.digest, "begun")
        assert ended == (KIND, report.digest, "ended", "erased 2", "kept 0")
        size, _ = await log.store.log.state()
        last = (await log.store.log.by_index(size - 1, 1))[0]
        assert (await log.left(last.row.id))["records"] == [list(report.erased)]
        assert sorted(report.erased) == sorted((request, answer))


@pytest.mark.parametrize("place", ["erasure.recorded", "erasure.redacted", "erasure.destroyed"])
async def test_a_crash_is_made_good_by_giving_it_again(tmp_path: Path, place) -> None:
    class PowerCut(BaseException):
        pass

    def fail(reached: str) -> None:
        if reached == place:
            raise PowerCut

    async with office(tmp_path) as log:
        request, _ = await log.exchange((LAN,), (LAN,))
        await log.record(RecordKind.INBOX, blobs=(blob(blob_id(request), seconds=YEAR),))
        log.clock.pass_(4 * 31 * DAY)
        data = order_of(persons=(LAN,), clock=log.clock)
        failpoints.set_hook(fail)
        try:
            with pytest.raises(PowerCut):
                await log.erase(data)
        finally:
            failpoints.set_hook(None)
        await log.sequence()
        assert await log.kinds(RecordKind.ERASURE) == [(KIND, json_digest(data), "begun")]
        report = await log.erase(data)
        assert report.again
        assert report.complete
        assert await log.left(request) == {}
        assert await log.store.vault.get(blob_id(request), log.clock.now()) is None
        assert len(await log.store.log.documents(KIND)) == 1
        await log.verify()


def json_digest(data: bytes) -> str:
    import hashlib  # noqa: PLC0415 - here only

    return hashlib.sha256(payload_of(data)).hexdigest()


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_the_ciphertext_and_its_wrapped_key_are_in_no_file(tmp_path: Path) -> None:
    async with office(tmp_path) as log:
        request, answer = await log.exchange((LAN, MINH), (LAN,))
        old = [(await log.store.log.record(each)).row for each in (request, answer)]
        await log.store.log.redact(())
        log.clock.pass_(4 * 31 * DAY)
        await log.erase(order_of(persons=(LAN,), clock=log.clock))
        files = everything_in(tmp_path)
        for row in old:
            header = 2 + row.openings[1]
            wrapped, ciphertext = row.openings[header : header + 60], row.openings[header + 60 :]
            assert all(wrapped[start : start + 12] not in files for start in range(0, 48, 12))
            assert all(ciphertext[start : start + 12] not in files for start in range(0, len(ciphertext) - 12, 12))
            assert row.entry in files
        lan = dict(old[1].pseudonyms)["person"]
        assert lan not in files
        # What is left of it is sealed under another key of its own.
        assert await log.left(request) == {"person": [MINH], "officer": ["nv.an"], "case": ["H31-1"]}


async def test_it_reaches_payloads_and_says_where_else_copies_are(tmp_path: Path) -> None:
    async with office(tmp_path) as log:
        request, _ = await log.exchange((LAN,), (LAN,))
        await log.record(RecordKind.AUDIT, (), ("auditor", "Kiem"))
        kept = [blob(blob_id(request), seconds=YEAR, subjects=()), blob("other", seconds=YEAR, subjects=(b"x" * 16,))]
        stored = await log.store.log.record(request)
        mark = dict(stored.row.pseudonyms)["person"]
        kept.append(blob("later", seconds=YEAR, subjects=(mark,)))
        await log.record(RecordKind.INBOX, blobs=tuple(kept))
        log.clock.pass_(4 * 31 * DAY)
        report = await log.erase(order_of(persons=(LAN,), clock=log.clock))
        now = log.clock.now()
        assert await log.store.vault.get(blob_id(request), now) is None
        assert await log.store.vault.get("later", now) is not None  # of a record that the order does not reach
        assert await log.store.vault.get("other", now) is not None
        places = {each.place: each for each in report.places}
        assert set(places) == set(Place)
        assert (places[Place.RECORDS].count, places[Place.VAULT].count) == (2, 1)
        assert places[Place.RECORDS].gone == now
        assert places[Place.BACKUPS].gone == now + 35 * 86_400_000_000
        assert places[Place.EPOCH_KEYS].gone > places[Place.BACKUPS].gone
        assert places[Place.HANDED_OUT].gone is None


async def test_a_hold_goes_before_an_order(tmp_path: Path) -> None:
    async with office(tmp_path) as log:
        request, answer = await log.exchange((LAN, MINH), (LAN,))
        other = await log.exchange((LAN,), (LAN,))
        log.clock.pass_(10 * DAY)
        hold = await log.hold(Held(persons=(MINH,)))
        log.clock.pass_(4 * 31 * DAY)
        report = await log.erase(order_of(persons=(LAN,), clock=log.clock))
        assert {(each.id, each.why) for each in report.kept} == {(request, "held"), (answer, "held")}
        assert sorted(report.erased) == sorted(other)
        assert (await log.left(answer))["person"] == [LAN]
        await log.lift(hold)
        assert (await log.erase(order_of(persons=(LAN,), clock=log.clock))).complete
        assert await log.left(answer) == {}


async def test_a_hold_on_an_answer_holds_its_request_and_what_it_cannot_know(tmp_path: Path) -> None:
    async with office(tmp_path) as log:
        held = await log.exchange((LAN,), (HOA,))
        log.clock.pass_(10 * DAY)
        await log.hold(Held(persons=(HOA,)))
        await log.epochs.renew()
        unknown = await log.exchange((LAN,))
        log.clock.pass_(4 * 31 * DAY)
        report = await log.erase(order_of(persons=(LAN,), clock=log.clock))
        assert {each.id for each in report.kept} == {*held, *unknown}
        assert {each.why for each in report.kept} == {"held"}


@pytest.mark.parametrize(
    ("key", "named", "kind"),
    [
        (DPO, RoleName.AUDITOR, ORDER_SIGNATURES),
        (DPO, RoleName.DATA_PROTECTION_OFFICER, ORDER_SIGNATURES),
        (OPERATOR, RoleName.OPERATOR, ORDER_SIGNATURES),
        (STRANGER, RoleName.AUDITOR, ORDER_SIGNATURES),
    ],
)
async def test_a_hold_is_lifted_by_its_own_role_only(tmp_path: Path, key, named, kind) -> None:
    async with office(tmp_path, "memory") as log:
        request, _ = await log.exchange((LAN,))
        hold = await log.hold(Held(records=(request,)))
        with pytest.raises(ExchangeError) as refused:
            await log.lift(hold, key, named)
        assert refused.value.kind is kind
        log.clock.pass_(YEAR)
        assert not (await log.erase(order_of(records=(request,), clock=log.clock))).complete


async def test_a_lifting_that_was_written_into_the_database_does_not_count(tmp_path: Path) -> None:
    async with office(tmp_path, "memory") as log:
        request, _ = await log.exchange((LAN,))
        hold = await log.hold(Held(records=(request,)))
        forged = replace(
            log.store.log._documents[-1],
            content=log.holding.draft_lifting(hold, _why(), role=ROLES[2], key=STRANGER),
        )
        forged = replace(forged, digest=json_digest(forged.content))
        await log.store.log.keep_document(forged)
        log.clock.pass_(YEAR)
        report = await log.erase(order_of(records=(request,), clock=log.clock))
        assert [each.why for each in report.kept] == ["held"]


def _why():
    from tests.support.erasing import WHY  # noqa: PLC0415 - here only

    return WHY


async def test_nothing_is_erased_while_a_hold_is_missing(tmp_path: Path) -> None:
    async with office(tmp_path, "memory") as log:
        request, _ = await log.exchange((LAN,))
        await log.hold(Held(records=(request,)))
        taken = log.store.log._documents.pop()
        assert log.store.log._documents.pop().content == taken.content  # what was kept before the record was made
        log.clock.pass_(YEAR)
        for erasing in (log.erase(order_of(records=(request,), clock=log.clock)), log.retain()):
            with pytest.raises(ExchangeError) as refused:
                await erasing
            assert refused.value.kind is HOLD_LOST
        await log.holding.place(taken.content, log.roles)
        assert [each.why for each in (await log.erase(order_of(records=(request,), clock=log.clock))).kept] == ["held"]


async def test_a_crash_right_after_the_record_loses_no_hold_and_no_lifting(tmp_path: Path) -> None:
    def fail(name: str) -> None:
        if name == "hold.recorded":
            raise KeyboardInterrupt(name)

    async with office(tmp_path) as log:
        request, _ = await log.exchange((LAN,))
        failpoints.set_hook(fail)
        try:
            with pytest.raises(KeyboardInterrupt):
                await log.hold(Held(records=(request,)))
        finally:
            failpoints.set_hook(None)
        await log.sequence()
        log.clock.pass_(YEAR)
        order = order_of(records=(request,), clock=log.clock)
        assert [each.why for each in (await log.erase(order)).kept] == ["held"]
        (hold,) = await holds_in_force(log.store.log, log.roles, log.clock.now())
        failpoints.set_hook(fail)
        try:
            with pytest.raises(KeyboardInterrupt):
                await log.lift(hold.id)
        finally:
            failpoints.set_hook(None)
        await log.sequence()
        assert await holds_in_force(log.store.log, log.roles, log.clock.now()) == ()
        assert (await log.erase(order)).complete


async def test_lifting_what_is_not_there(tmp_path: Path) -> None:
    async with office(tmp_path, "memory") as log:
        with pytest.raises(ExchangeError) as refused:
            await log.lift(os.urandom(16).hex())
        assert refused.value.kind is HOLD_UNKNOWN


async def test_the_statutory_minimum_goes_before_an_order(tmp_path: Path) -> None:
    async with office(tmp_path, "memory") as log:
        request, _ = await log.exchange((LAN,))
        log.clock.pass_(80 * DAY)
        report = await log.erase(order_of(records=(request,), clock=log.clock))
        (kept,) = report.kept
        assert (kept.why, report.complete) == ("minimum", False)
        assert kept.until > log.clock.now()
        assert (await log.left(request))["person"] == [LAN]
        log.clock.pass_(13 * DAY)
        assert (await log.erase(order_of(records=(request,), clock=log.clock))).complete


async def test_altered_openings_are_named_and_left(tmp_path: Path) -> None:
    async with office(tmp_path, "memory") as log:
        request, answer = await log.exchange((LAN, MINH), (LAN,))
        stored = await log.store.log.record(request)
        altered = stored.row.openings[:-1] + bytes([stored.row.openings[-1] ^ 1])
        await log.store.log.redact([Redaction(id=request, openings=altered, pseudonyms=stored.row.pseudonyms)])
        log.clock.pass_(4 * 31 * DAY)
        report = await log.erase(order_of(persons=(LAN,), clock=log.clock))
        assert [(each.id, each.why) for each in report.kept] == [(request, "altered")]
        assert report.erased == (answer,)
        assert (await log.store.log.record(request)).row.openings == altered


async def test_a_record_that_is_not_there(tmp_path: Path) -> None:
    async with office(tmp_path, "memory") as log:
        report = await log.erase(order_of(records=IDS, clock=log.clock))
        assert (report.complete, report.missing) == (False, IDS)


async def test_periods_that_the_officer_cannot_open_are_said(tmp_path: Path) -> None:
    async with office(tmp_path, "memory") as log:
        request, _ = await log.exchange((LAN,))
        log.clock.pass_(4 * 31 * DAY)
        # The second officer came later: no epoch is sealed to them yet.
        report = await log.erase(order_of(SECOND_DPO, AUDITOR, persons=(LAN,), clock=log.clock), SECOND_DPO)
        assert (report.complete, report.unopened, report.erased) == (False, 1, ())
        assert (await log.left(request))["person"] == [LAN]
        assert (await log.erase(order_of(persons=(LAN,), clock=log.clock))).unopened == 0
