"""Social insurance on its socket, against its published interface."""

import json

import jsonschema_rs
import pytest

from adapters.simulators.access import ApiKey
from adapters.simulators.assets import schemas
from adapters.simulators.insurance import BY_CRITERIA, BY_NUMBER, HOUSEHOLD, InsuranceSimulator
from tests.support.simulators import people, post

STORY = people().story
OPENAPI = json.loads((schemas() / "openapi" / "insurance.json").read_text("utf-8"))
pytestmark = pytest.mark.asyncio


def _conforms(component: str, content: object) -> None:
    """Against the component's schema, with nothing that the schema does not name."""
    document = {"$ref": f"#/components/schemas/{component}", "components": OPENAPI["components"]}
    jsonschema_rs.validate(document, content)
    assert set(content) <= set(OPENAPI["components"]["schemas"][component]["properties"])


async def _ask(operation: str, content: object, **headers: str) -> tuple[int, dict]:
    async with InsuranceSimulator(people(), access=ApiKey(key="k")) as sim:
        status, _, body = await post(
            f"{sim.url}/{operation}", json.dumps(content).encode(), **{"ApiKey": "k", **headers}
        )
    return status, json.loads(body)


async def test_a_card_by_personal_number():
    person = STORY.father
    status, found = await _ask(BY_NUMBER, {"soDinhDanh": person.identity_number})
    assert status == 200
    assert found["maSoBhxh"] == person.insurance.number
    assert found["hoTen"] == "Phạm Đình Trung"
    assert (found["ngaySinh"], found["loaiNgaySinh"], found["gioiTinh"]) == ("19930814", "0", "1")
    _conforms("The", found)


async def test_it_answers_with_its_own_values():
    _, found = await _ask(BY_NUMBER, {"soDinhDanh": STORY.mother.identity_number})
    assert found["hoTen"] == "Hoàng Thị Thùy Linh" != STORY.mother.name.full
    _, found = await _ask(BY_NUMBER, {"soDinhDanh": STORY.contradicted.identity_number})
    assert found["ngaySinh"] == "19880703"


async def test_whoever_is_elsewhere_in_the_population_register_is_insured_here():
    _, found = await _ask(BY_NUMBER, {"soDinhDanh": STORY.absent.identity_number})
    assert found["errorCode"] == ""


@pytest.mark.parametrize("number", [STORY.uninsured.identity_number, "031099999999", STORY.plain.insurance.number])
async def test_not_found_is_a_code_in_a_200(number):
    assert await _ask(BY_NUMBER, {"soDinhDanh": number}) == (200, {"errorCode": "201"})


@pytest.mark.parametrize(
    ("person", "date", "kind"),
    [
        (STORY.plain, "19880818", "0"),
        (STORY.quirky["Q06"], "19440101", "1"),
        (STORY.others["year and month"], "19580401", "2"),
    ],
)
async def test_the_number_by_criteria(person, date, kind):
    criteria = {
        "hoTen": person.name.full,
        "ngaySinh": date,
        "loaiNgaySinh": kind,
        "gioiTinh": "1" if person.sex == "male" else "2",
        "maTinhKs": person.insurance.address.province,
        "isKs": "0",
    }
    _, found = await _ask(BY_CRITERIA, criteria)
    assert found == {"maSoBhxh": person.insurance.number, "trangThai": "1", "errorCode": ""}
    _conforms("MaSo", found)
    _, nobody = await _ask(BY_CRITERIA, {**criteria, "gioiTinh": "3"})
    assert nobody["errorCode"] == "201"


async def test_criteria_that_fit_several_give_no_number():
    criteria = {"hoTen": "Nguyễn Văn Nam", "ngaySinh": "19850505", "loaiNgaySinh": "0", "gioiTinh": "1"}
    _, found = await _ask(BY_CRITERIA, criteria)
    assert (found["maSoBhxh"], found["errorCode"]) == ("", "200")


async def test_a_household_by_insurance_number():
    child = next(one for one in people() if one.index > 51 and one.insurance and one.household_relation == "CH03")
    _, found = await _ask(HOUSEHOLD, {"maSoBhxh": child.insurance.number})
    members = {member["maSoBhxh"] for member in found["thanhVien"]}
    assert child.insurance.number in members
    assert members == {one.insurance.number for one in people().household(child)}
    assert found["maHo"] == child.insurance.household_code
    _conforms("Ho", found)


@pytest.mark.parametrize(
    ("operation", "body", "status", "code"),
    [
        (BY_NUMBER, b"{", 400, "302"),
        (BY_NUMBER, b"[]", 400, "302"),
        (BY_NUMBER, b'{"soDinhDanh":31099999999}', 400, "302"),
        (BY_NUMBER, b"{}", 400, "302"),
        (BY_CRITERIA, b'{"hoTen":"A","ngaySinh":"1990","loaiNgaySinh":"0","gioiTinh":"1"}', 400, "302"),
        (BY_CRITERIA, b'{"hoTen":"A","ngaySinh":"19900101","loaiNgaySinh":"7","gioiTinh":"1"}', 400, "302"),
        ("somethingElse", b"{}", 404, "302"),
    ],
)
async def test_bad_requests(operation, body, status, code):
    async with InsuranceSimulator(people()) as sim:
        got, _, answer = await post(f"{sim.url}/{operation}", body)
    assert (got, json.loads(answer)["errorCode"]) == (status, code)


async def test_without_the_key_nobody_is_answered():
    status, content = await _ask(BY_NUMBER, {"soDinhDanh": STORY.plain.identity_number}, ApiKey="other")
    assert (status, content["errorCode"]) == (401, "100")


async def test_every_card_follows_the_published_interface():
    sim = InsuranceSimulator(people())
    for person in people():
        if person.index % 9 == 0 and person.insurance:
            _conforms("The", sim._by_number({"soDinhDanh": person.identity_number}))
