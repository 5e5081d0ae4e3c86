"""Four scenes of exchange: a birth, what is refused, a curious officer, a register that freezes."""

import asyncio
import time
from typing import Any

import click

from gateway.cli.prefill import prove_bundle
from gateway.cli.story import Teller, seconds
from gateway.cli.story_attacks import Wire
from gateway.cli.story_commands import keep
from gateway.client import Answer, Call, CallFailedError
from gateway.model.errors import ExchangeError, policy, provider, request, signature
from gateway.model.errors.base import Text
from gateway.model.ids import parse_service
from gateway.wiring.demo import BIRTH, CITIZEN, Client, Person, Portal

HAI_PHONG = Text("Hải Phòng's portal", "Cổng dịch vụ công Hải Phòng")
HUNG_YEN = Text("Hưng Yên's portal", "Cổng dịch vụ công Hưng Yên")
WIRETAP = Text("Somebody on the line", "Kẻ nghe trộm trên đường truyền")

QUOTA = 20
"""Look-ups that the demo's policy gives an officer a day."""

RECEIPTS = ("form.tlog-proof", "form.request.tlog-proof")
"""Receipts of the first form, in the demo's folder: of the answer, of the request."""

_OK = 200


async def birth(teller: Teller, client: Client) -> Portal:
    """The form fills itself; what is elsewhere, different or missing is said."""
    teller.scene("A birth is registered in Hải Phòng", "Đăng ký khai sinh tại Hải Phòng")
    world, told, people = teller.world, teller.told, teller.world.people.story
    portal = world.portal(client, officer="ht.lan")
    answer, told.form, took = await _fill(teller, portal, people.mother, people.father)
    form = told.form
    saved = form["not_typed"]
    teller.step(
        form.get("complete") is True and saved > 0 and _proved(teller, form),
        f"The officer types 2 numbers; {saved} fields come from 2 agencies in {took}, signed",
        f"Cán bộ nhập 2 số định danh; {saved} trường được điền sẵn từ 2 cơ quan sau {took}, có chữ ký số",
    )
    residence = _value(form, "mother.residence")
    teller.step(
        residence.get("province", {}).get("code_list") == "2004-07-08",
        "The mother's register is still in Nghệ An, under codes from before the merger: found all the same",
        "Hồ sơ của mẹ vẫn ở Nghệ An, theo mã địa bàn trước sáp nhập: vẫn tìm thấy",
    )
    insured = people.mother.insurance
    teller.step(
        insured is not None and insured.full_name != people.mother.name.full and not form["discrepancies"],
        "Her name is written Thuỳ by one agency and Thùy by the other: taken for one name",
        "Tên mẹ nơi ghi Thuỳ, nơi ghi Thùy: được hiểu là một",
        aside=True,
    )
    asked = form["ask_citizen"]
    teller.step(
        bool(asked) and all(name.startswith("child.") for name in asked),
        f"The parents are asked {len(asked)} things that only they know, all about the child",
        f"Chỉ hỏi cha mẹ {len(asked)} điều mà chỉ họ biết, đều về đứa trẻ",
        aside=True,
    )
    await _other_families(teller, portal)
    await _receipt(teller, client, answer)
    return portal


async def _other_families(teller: Teller, portal: Portal) -> None:
    told, people = teller.told, teller.world.people.story
    _, told.differing, _ = await _fill(teller, portal, people.uninsured, people.contradicted)
    differing = [one["element"] for one in told.differing["discrepancies"]]
    teller.step(
        differing == ["father.birth_date"],
        "Second family: the agencies differ on the father's date of birth; the officer is told which field",
        "Gia đình thứ hai: hai cơ quan ghi khác nhau ngày sinh của cha; cán bộ được báo đúng trường đó",
        aside=True,
    )
    _, told.elsewhere, _ = await _fill(teller, portal, people.mother, people.absent)
    elements = told.elsewhere["elements"]
    found = [name for name, one in elements.items() if name.startswith("father.") and one["outcome"] == "FOUND"]
    teller.step(
        elements["father.residence"]["outcome"] == "NOT_FOUND" and len(found) > 0,
        f"Third family: the father is not in the population database: said so; insurance still fills {len(found)}",
        f"Gia đình thứ ba: cha chưa có trong dữ liệu dân cư, cổng nói rõ; bảo hiểm vẫn điền được {len(found)} trường",
    )


async def refusals(teller: Teller, stranger: Client, wire: Wire) -> None:
    """No grant, a replay, a body that was changed."""
    teller.scene("What is refused, and never reaches an agency", "Những gì bị từ chối và không đến được cơ quan nào")
    world, people = teller.world, teller.world.people.story
    before = world.population.requests.total()
    portal = world.portal(stranger, officer="cb.la", agency="00.H31")
    what = Text("An agency without a grant asks", "Cơ quan không được cấp quyền tra cứu")
    answer = await teller.call(HUNG_YEN, what, portal.citizen(people.father.identity_number))
    _refused(teller, what, answer, policy.ACCESS_DENIED.code)
    call = Call(
        service=parse_service(CITIZEN),
        body={"identity_number": people.plain.identity_number},
        purpose=BIRTH,
        officer=world.desk.officer("ht.mai"),
        case=world.desk.case("00.H24"),
    )
    caught = wire.sign(call)
    first = await teller.call(HAI_PHONG, Text("asks about a citizen", "tra cứu một công dân"), wire.send(caught))
    what = Text("The same message is sent again", "Thông điệp cũ được gửi lại")
    answer = await teller.call(WIRETAP, what, wire.send(caught))
    _refused(teller, what, answer, request.REPLAYED_NONCE.code)
    what = Text("The number in the body is changed on the way", "Số định danh trong nội dung bị sửa trên đường")
    number = people.neighbours[0].identity_number.encode()
    changed = (caught[0].body.data or b"").replace(people.plain.identity_number.encode(), number)
    answer = await teller.call(WIRETAP, what, wire.send(wire.sign(call), body=changed))
    _refused(teller, what, answer, signature.DIGEST_MISMATCH.code)
    teller.step(
        first.status == _OK and world.population.requests.total() == before + 1,
        "Of these four messages, the agency has seen one: the honest one",
        "Trong bốn thông điệp này, cơ quan nguồn chỉ nhận được một: thông điệp hợp lệ",
    )


async def browsing(teller: Teller, client: Client) -> Portal:
    """An officer looks at one neighbour after another until the quota ends it."""
    teller.scene("An officer is curious about the neighbours", "Một cán bộ tò mò về hàng xóm")
    world = teller.world
    portal = world.portal(client, officer="ht.to-mo")
    start, shown = time.perf_counter(), 0
    answer: Answer | None = None
    for neighbour in world.people.story.neighbours:
        answer = await portal.citizen(neighbour.identity_number)
        if answer.error_code is not None:
            break
        shown += 1
    assert answer is not None
    what = Text(f"{shown} neighbours, and one more", f"{shown} người hàng xóm, rồi thêm một người")
    teller.note(HAI_PHONG, what, answer, start=start)
    teller.refused(Text(f"Neighbour number {shown + 1}", f"Người hàng xóm thứ {shown + 1}"), answer)
    teller.step(
        shown == QUOTA and answer.error_code == policy.QUOTA_SPENT.code,
        f"Wants to see 30, sees {shown}; then {answer.status} {answer.error_code}",
        f"Muốn xem 30 người, xem được {shown}; sau đó {answer.status} {answer.error_code}",
    )
    return portal


async def freezing(teller: Teller, client: Client) -> None:
    """A register that does not answer is not a register that holds nothing."""
    teller.scene("The population database freezes", "Cơ sở dữ liệu dân cư bị treo")
    world, people = teller.world, teller.world.people.story
    portal = world.portal(client, officer="ht.lan")
    asks = Text("asks while the register is frozen", "tra cứu khi hệ thống nguồn bị treo")
    world.population.misbehave("freeze")
    start = time.perf_counter()
    try:
        frozen, (_, told_form, _) = await asyncio.gather(
            teller.call(HAI_PHONG, asks, portal.citizen(people.plain.identity_number)),
            _fill(teller, portal, people.mother, people.father),
        )
    finally:
        world.population.behave()
    took = seconds(time.perf_counter() - start, teller.language)
    teller.refused(Text("The register does not answer", "Hệ thống nguồn không trả lời"), frozen)
    teller.step(
        frozen.outcome == "UNAVAILABLE" and frozen.error_code == provider.TIMED_OUT.code,
        f"After {took} the answer is {frozen.status} UNAVAILABLE: try again. Never “not found”",
        f"Sau {took}, trả lời là {frozen.status} UNAVAILABLE: hãy thử lại. Không bao giờ nói “không tìm thấy”",
    )
    teller.told.frozen = told_form
    elements = told_form["elements"]
    missing = [name for name, one in elements.items() if one["outcome"] == "UNAVAILABLE"]
    teller.step(
        len(missing) > 0 and elements["mother.full_name"]["outcome"] == "FOUND",
        f"The form keeps what insurance knows; {len(missing)} fields are marked UNAVAILABLE",
        f"Biểu mẫu vẫn giữ phần bảo hiểm cung cấp; {len(missing)} trường ghi rõ UNAVAILABLE",
        aside=True,
    )
    asks = Text("asks for somebody who is in no register", "tra cứu người không có trong dữ liệu")
    absent = await teller.call(HAI_PHONG, asks, portal.citizen(people.absent.identity_number))
    asks = Text("asks again", "tra cứu lại")
    again = await teller.call(HAI_PHONG, asks, portal.citizen(people.plain.identity_number))
    teller.step(
        absent.outcome == "NOT_FOUND" and again.outcome == "FOUND",
        f"Well again: the same question is answered; somebody unknown is {absent.status} NOT_FOUND, another code",
        f"Khi nguồn hoạt động lại: có ngay kết quả; còn người không có dữ liệu là {absent.status} NOT_FOUND, mã khác",
    )


async def _fill(teller: Teller, portal: Portal, mother: Person, father: Person) -> tuple[Answer, dict[str, Any], str]:
    people = {
        "mother": {"identity_number": mother.identity_number},
        "father": {"identity_number": father.identity_number},
    }
    what = Text("fills in a birth form", "điền sẵn tờ khai khai sinh")
    start = time.perf_counter()
    answer = await teller.call(HAI_PHONG, what, portal.prefill(BIRTH.code, people))
    took = seconds(time.perf_counter() - start, teller.language)
    if answer.status != _OK:
        raise click.ClickException(f"prefill: {answer.status} {answer.error_code}")
    form = answer.json()
    assert isinstance(form, dict)
    return answer, form, took


async def _receipt(teller: Teller, client: Client, answer: Answer) -> None:
    """The log has this very exchange: held against what was sent and what came, by the log's key alone."""
    try:
        proved = await client.receipt(answer)
    except (ExchangeError, CallFailedError):
        proved = None
    index, compared = (proved.answer.index, len(proved.compared)) if proved else (0, 0)
    if proved is not None:
        for name, data in zip(RECEIPTS, proved.files, strict=True):
            keep(teller.world.files.folder / name, data)
    teller.step(
        proved is not None and not proved.unopened,
        f"The form's receipt: entry {index} of the public log, the same in {compared} points as what was sent and came",
        f"Biên nhận của tờ khai: mục {index} của nhật ký công khai, khớp {compared} điểm với thông điệp gửi và nhận",
    )


def _proved(teller: Teller, form: dict[str, Any]) -> bool:
    try:
        prove_bundle(form, (teller.world.files.gateway_certificate,))
    except click.ClickException:
        return False
    return True


def _refused(teller: Teller, what: Text, answer: Answer, code: str) -> None:
    teller.refused(what, answer)
    said = f"→ {answer.status} {answer.error_code}"
    teller.step(answer.error_code == code, f"{what.en} {said}", f"{what.vi} {said}")


def _value(form: dict[str, Any], name: str) -> dict[str, Any]:
    value = form["elements"][name].get("value")
    return value if isinstance(value, dict) else {}
