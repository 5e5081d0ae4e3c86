"""``motlan adapter record``: a live provider's answer becomes a sample in which nobody is left."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.kit.anonymous import Anonymiser, walk_json
from adapters.kit.invented import Inventor
from adapters.kit.names import Meaning
from gateway.model.text import fold
from tests.support.attacks import World, world
from tests.support.cli import good, refused
from tests.support.exchanges import Provider, json_answer, read_records
from tests.support.kit import SERVICE, new_adapter, try_out

REAL = {
    "soDinhDanh": "031093271828",
    "hoVaTen": "Đặng Thị Hồng Nhung",
    "ngaySinh": "1993-11-27",
    "diaChi": "12 ngõ 3 phố Hàng Bún",
    "soDienThoai": "0912345678",
}
ANSWER: dict[str, Any] = {
    **REAL,
    "bienSo": "15A-123.45",
    "taiTrong": 1.25,
    "ghiChu": "Chủ xe DANG THI HONG NHUNG (031093271828), sinh 1993-11-27, máy 0912345678",
    "lichSu": [{"nguoiBan": "Vũ Quốc Toàn", "lan": 1}],
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Path, Provider]]:
    folder = tmp_path_factory.mktemp("live")
    (folder / "schemas").mkdir()
    provider = Provider()
    with world(folder, provider=provider, extra=f'schemas = "{folder}/schemas"\n') as made:
        adapter = new_adapter(folder, "--base-url", provider.url)
        good("adapter", "install", adapter, "--config", made.site.config)
        yield made, adapter, provider


def _record(place: tuple[World, Path, Provider], *more: object, name: str = "real") -> list[object]:
    made, adapter, _ = place
    ask = made.site.folder / "ask.json"
    ask.write_text(json.dumps({"identity_number": REAL["soDinhDanh"]}), encoding="utf-8")
    return [
        *("adapter", "record", adapter, "--config", made.site.config, "--service", SERVICE, "--request", ask),
        *("--name", name, "--officer", "kt.lan", "--case", "000.00.01.G15-260131-0007", *more),
    ]


def _written(files: list[str]) -> str:
    return "\n".join(Path(file).read_text(encoding="utf-8") for file in files)


def test_no_value_of_a_person_is_left(place: tuple[World, Path, Provider]) -> None:
    made, adapter, provider = place
    provider.reply = json_answer(ANSWER)
    ran = good(*_record(place, "--personal", "nguoiBan", "--json"))
    files = ran.values["files"]
    text = _written(files)
    for value in (*REAL.values(), "Vũ Quốc Toàn"):
        assert value not in text
        assert fold(value) not in fold(text)
    for word in ("Nhung", "Hồng", "Hàng Bún", "Toàn"):
        assert word not in text
    assert REAL["soDinhDanh"] not in text + ran.out + ran.err
    sample = json.loads(Path(files[1]).read_text(encoding="utf-8"))
    request = json.loads(Path(files[0]).read_text(encoding="utf-8"))
    assert (sample["bienSo"], sample["taiTrong"]) == (ANSWER["bienSo"], ANSWER["taiTrong"])
    assert request["identity_number"] == sample["soDinhDanh"] != REAL["soDinhDanh"]
    assert sample["soDinhDanh"] in sample["ghiChu"]
    assert fold(sample["hoVaTen"]) in sample["ghiChu"]
    assert sample["ngaySinh"] in sample["ghiChu"]
    assert len(sample["hoVaTen"].split()) == 4
    assert ran.values["outcome"] == "FOUND"
    assert try_out(adapter, "--no-misbehave")[0].code == 0
    assert made.site.config.exists()


def test_the_call_is_in_the_log_before_it_is_made(place: tuple[World, Path, Provider]) -> None:
    made, _, provider = place
    database = made.site.folder / "motlan.sqlite"
    before = len(read_records(database, made.site.folder / "pki"))
    seen: list[str] = []

    def reply(_: Any) -> Any:
        seen.extend(each["kind"] for each in read_records(database, made.site.folder / "pki", before))
        return json_answer(ANSWER)

    provider.reply = reply
    good(*_record(place, name="logged"))
    assert [kind for kind in seen if kind != "epoch"] == ["request"]
    request, answer = [
        each for each in read_records(database, made.site.folder / "pki", before) if each["kind"] != "epoch"
    ]
    assert (request["kind"], request["client"], request["service"]) == ("request", "VN/GOV/G22/motlan", SERVICE)
    assert (request.shown("person"), request.shown("officer")) == (REAL["soDinhDanh"], "kt.lan")
    assert (answer["kind"], answer["outcome"], answer["parent"]) == ("answer", "FOUND", request["id"])


def test_a_sample_is_not_replaced_unasked(place: tuple[World, Path, Provider]) -> None:
    _, _, provider = place
    provider.reply = json_answer(ANSWER)
    good(*_record(place, name="twice"))
    seen = len(provider.seen)
    assert "is there already" in refused(*_record(place, name="twice"))
    assert len(provider.seen) == seen
    good(*_record(place, "--replace", name="twice"))


def test_what_cannot_be_cleaned_is_not_written(place: tuple[World, Path, Provider]) -> None:
    _, adapter, provider = place
    provider.reply = json_answer({**ANSWER, f"so_{REAL['soDinhDanh']}": True})
    said = refused(*_record(place, name="unsafe"))
    assert "recording_unsafe" in said
    assert REAL["soDinhDanh"] not in said
    assert not list((adapter / "samples").glob("unsafe*"))


# -- invented values ---------------------------------------------------------------------------------------------------

SECRET = b"sixteen bytes, or more"


def _clean(document: Any, **options: Any) -> Any:
    made = Anonymiser(SECRET, **options)
    walk_json(document, made.note)
    return walk_json(document, made.text)


def test_a_value_is_replaced_by_the_same_wherever_it_stands() -> None:
    cleaned = _clean(
        [{"cccd": "001199000001", "hoTen": "Lê An"}, {"identity": "001199000001", "x": "Lê An, 001199000001"}]
    )
    assert cleaned[0]["cccd"] == cleaned[1]["identity"]
    assert cleaned[1]["x"] == f"{cleaned[0]['hoTen']}, {cleaned[0]['cccd']}"
    assert "001199000001" not in str(cleaned)


def test_two_people_stay_two() -> None:
    people = [{"cccd": f"0011990{n:05d}"} for n in range(300)]
    assert len({each["cccd"] for each in _clean(people)}) == 300


@pytest.mark.parametrize("real", ["1993-11-27", "19931127", "27/11/1993", "1993", "1993-11", "1993-11-27T08:30:00"])
def test_dates_keep_their_notation_and_move_together(real: str) -> None:
    invent = Inventor(SECRET)
    made = invent.date(real)
    assert made != real
    assert [each.isdigit() for each in made] == [each.isdigit() for each in real]
    assert str(int(invent.date("1993"))) in made


@pytest.mark.parametrize(
    ("meant", "real"),
    [
        (Meaning.NAME, "Nguyễn Thị Minh Khai"),
        (Meaning.NAME, "NGUYEN THI MINH KHAI"),
        (Meaning.NAME, "H'Hen Niê"),
        (Meaning.PHONE, "0912 345 678"),
        (Meaning.CARD_NUMBER, "GD4012345678901"),
        (Meaning.EMAIL, "lan@example.org"),
    ],
)
def test_invented_values_have_the_shape_of_the_real_ones(meant: Meaning, real: str) -> None:
    made = Inventor(SECRET)(meant, real)
    assert made != real
    assert len(made.split()) == len(real.split())
    assert made.isupper() == real.isupper()
    assert made.isascii() or not real.isascii()


def test_a_tax_code_stays_a_right_one() -> None:
    from gateway.model.numbers import TaxCode  # noqa: PLC0415 - only here

    assert TaxCode(Inventor(SECRET)(Meaning.TAX_CODE, "0100109106")).code != "0100109106"


def test_a_persons_number_is_replaced_in_any_field() -> None:
    cleaned = _clean({"ghiChu": "hồ sơ của 031093271828", "ma": 31093271828})
    assert "031093271828" not in cleaned["ghiChu"]


def test_a_field_that_is_no_persons_after_all_is_kept() -> None:
    assert _clean({"address": "http://x"}, never=["address"]) == {"address": "http://x"}


def test_what_is_left_is_seen() -> None:
    made = Anonymiser(SECRET)
    made.note(("hoTen",), "Đặng Thị Hồng Nhung")
    assert made.remaining("của bà DANG THI HONG NHUNG") == ("hoTen",)
    assert made.remaining("của bà Trần Thị Lan") == ()
