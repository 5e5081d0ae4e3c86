"""``motlan adapter test``: what it plays at an adapter, what it finds, and when it says that all is well."""

import json
import shutil
from pathlib import Path

import pytest

from tests.support.cli import refused, run
from tests.support.kit import change, new_adapter, try_out
from tests.support.source import ROOT

SAMPLE = "tra-cuu-phuong-tien"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_adapter(tmp_path_factory.mktemp("drafted"))


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "vehicle"))


def test_a_draft_is_well_as_it_is(place: Path) -> None:
    ran, values = try_out(place)
    assert ran.code == 0
    assert values["well"] is True
    assert [(each["wanted"], each["got"]) for each in values["samples"]] == [("FOUND", "FOUND")]
    got = {each["mode"]: each["got"] for each in values["misbehaviour"]}
    assert {got[mode] for mode in ("slow", "freeze", "502", "drop")} == {"UNAVAILABLE"}
    assert got["unauthorized-text"] == "DENIED"
    assert got["other-person"] == "INVALID_REPLY"
    assert {
        got[mode] for mode in ("lie", "deep", "huge", "nan", "huge-number", "lone-surrogate", "duplicate-keys")
    } == {"INVALID_REPLY"}
    lost = {each["path"]: each["reason"] for each in values["leaves"] if each["state"] == "lost"}
    assert lost == {"khac": "the schema does not say what stands here"}


def test_every_leaf_is_mapped_missing_or_lost(place: Path) -> None:
    change(place / "mappings/vehicle.toml", '  { to = "/bien_so", from = "bienSo" },\n', "")
    change(place / f"samples/{SAMPLE}.answer.json", '"ghiChu": "text",\n', "")
    _, values = try_out(place, "--no-misbehave")
    states = {(each["side"], each["path"]): (each["state"], each["reason"]) for each in values["leaves"]}
    assert states["answer", "bienSo"] == ("lost", "not in the mapping")
    assert states["answer", "ghiChu"] == ("missing", None)
    assert states["answer", "lichSu/nguoiBan"] == ("mapped", None)
    assert states["request", "soDinhDanh"] == ("mapped", None)
    assert values["misbehaviour"] == []


def test_another_persons_answer_must_not_be_taken(place: Path) -> None:
    change(
        place / "mappings/vehicle.toml",
        'compare = [{ asked = "/identity_number"',
        '#compare = [{ asked = "/identity_number"',
    )
    ran, values = try_out(place)
    assert ran.code == 1
    wrong = {each["mode"]: each["problem"] for each in values["misbehaviour"] if each["problem"]}
    assert wrong == {"other-person": "another person's answer is taken: add compare to the call"}
    assert "add compare to the call" in run("adapter", "test", place).out


def test_a_sample_that_comes_to_something_else_is_named(place: Path) -> None:
    change(place / f"samples/{SAMPLE}.toml", 'outcome = "FOUND"', 'outcome = "NOT_FOUND"')
    ran, values = try_out(place)
    assert ran.code == 1
    assert values["samples"][0]["problems"] == ["came to FOUND, not NOT_FOUND"]


def test_a_refusal_of_the_provider_is_a_sample_too(place: Path) -> None:
    change(place / f"samples/{SAMPLE}.toml", 'outcome = "FOUND"', 'outcome = "NOT_FOUND"')
    change(place / f"samples/{SAMPLE}.toml", "status = 200", "status = 404")
    ran, values = try_out(place)
    assert ran.code == 0, values
    assert values["samples"][0]["got"] == "NOT_FOUND"


def test_an_element_that_does_not_fit_its_schema_is_named_without_its_value(place: Path) -> None:
    change(place / "mappings/vehicle.toml", 'from = "hoVaTen", as = "whole_name"', 'from = "hoVaTen"')
    ran, values = try_out(place, "--no-misbehave")
    assert ran.code == 1
    assert values["samples"][0]["problems"] == [f"vehicle-{SAMPLE}.response.json: /name type"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('as = "whole_name"', 'as = "whole_nam"', "did you mean whole_name?"),
        ('to = "/birth_date"', 'to = "/birth_dat"', "did you mean /birth_date?"),
        ('shape = "tra-cuu-phuong-tien"', 'shape = "tra-cuu-phuong-tin"', "did you mean tra-cuu-phuong-tien?"),
        ("[[operation.call]]", "[[operation.cal]]", "did you mean call?"),
        ("[contract]", "[contract", "not TOML"),
    ],
)
def test_mistakes_in_a_mapping_name_file_line_and_the_nearest_name(
    before: str, after: str, said: str, place: Path
) -> None:
    mapping = place / "mappings/vehicle.toml"
    change(mapping, before, after)
    line = mapping.read_text(encoding="utf-8").partition(after)[0].count("\n") + 1
    text = refused("adapter", "test", place)
    assert f"{mapping}:{line}:" in text, text
    assert said in text


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('outcome = "FOUND"', 'outcome = "FUOND"', "did you mean FOUND?"),
        ("[[answer]]", "[[anwser]]", "did you mean answer?"),
        (f'body = "{SAMPLE}.answer.json"', 'body = "gone.json"', "gone.json cannot be read"),
    ],
)
def test_mistakes_in_a_sample_name_file_and_line(before: str, after: str, said: str, place: Path) -> None:
    change(place / f"samples/{SAMPLE}.toml", before, after)
    text = refused("adapter", "test", place)
    assert f"samples/{SAMPLE}.toml:" in text
    assert said in text


def test_a_folder_without_a_mapping_says_so(tmp_path: Path) -> None:
    assert "holds no mapping" in refused("adapter", "test", tmp_path)


def test_a_repeated_structure_may_be_empty_absent_or_alone(place: Path) -> None:
    file = place / f"samples/{SAMPLE}.answer.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    for history in ([], None, [{"nguoiBan": "a", "lan": 1}, {"nguoiBan": "b", "lan": 2}]):
        document["lichSu"] = history
        file.write_text(json.dumps(document), encoding="utf-8")
        assert try_out(place, "--no-misbehave")[0].code == 0


def test_an_expected_document_is_compared_by_place(place: Path) -> None:
    ran, values = try_out(place, "--no-misbehave")
    answer = {"identity_number": "001090000001", "name": {"full": "Nguyễn Văn Khác"}}
    (place / f"samples/{SAMPLE}.expected.json").write_text(json.dumps(answer), encoding="utf-8")
    ran, values = try_out(place, "--no-misbehave")
    assert ran.code == 1
    problems = values["samples"][0]["problems"]
    assert "/name/full is not as expected" in problems
    assert "/identity_number is not as expected" not in problems
    assert "Khác" not in ran.out


@pytest.mark.parametrize(
    "name", ["business-register", "civil-status", "judicial-record", "lgsp", "public-service-portal"]
)
def test_the_products_own_mappings_are_well(name: str) -> None:
    ran = run("adapter", "test", ROOT / f"config/mappings/{name}.toml")
    assert ran.code == 0, ran.out
