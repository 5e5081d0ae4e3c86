"""The samples of the product's mappings, replayed: what is in config/mappings/samples is what comes out."""

import json
import tomllib

import pytest

from adapters.simulators.wire import Answer
from gateway.config.product import product_folder
from tests.support.adapters import ask, canonical, recorded
from tests.support.agencies import SYSTEMS, mapping, target
from tests.support.cli import good
from tests.support.exchanges import Provider, json_answer

SAMPLES = product_folder("config") / "mappings" / "samples"
FILES = [file for name in SYSTEMS for file in sorted((SAMPLES / name).glob("*.toml"))]


def _json(file):
    return json.loads(file.read_text("utf-8"))


def _told(file, sample):
    """What the provider answers: the login's session, then the sample's answers in their order."""
    answers = [
        Answer(status=each["status"], content_type=each["content_type"], body=(file.parent / each["body"]).read_bytes())
        for each in sample.get("answer", [])
    ]

    def reply(received):
        return json_answer({"session": "s", "error_code": 0}) if received.path == "/login" else answers.pop(0)

    return reply


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
@pytest.mark.asyncio
async def test_a_sample_comes_out_as_expected(file):
    sample = tomllib.loads(file.read_text("utf-8"))
    name, request = file.parent.name, _json(file.parent / sample["request"])
    expected = file.with_suffix(".expected.json")
    async with Provider() as told:
        told.reply = _told(file, sample)
        sessions = mapping(name).login is not None
        reply = await ask(target(name, told.url, sessions=sessions), recorded(request, path=sample["path"]))
    assert reply.outcome == sample["outcome"]
    assert expected.exists() == bool(reply.body.size)
    if expected.exists():
        assert reply.document == _json(expected)


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_operation_has_samples_of_its_schemas(name):
    sampled = {}
    for file in SAMPLES.joinpath(name).glob("*.toml"):
        sample = tomllib.loads(file.read_text("utf-8"))
        sampled.setdefault(sample["path"], []).append(file)
    operations = {each.path: each for each in mapping(name).document.operation}
    assert set(sampled) == set(operations)
    for path, files in sampled.items():
        for file in files:
            canonical(operations[path].request_schema.removesuffix(".json")).check(
                _json(file.with_suffix(".request.json"))
            )
            if (expected := file.with_suffix(".expected.json")).exists():
                canonical(operations[path].response_schema.removesuffix(".json")).check(_json(expected))


def test_every_file_belongs_to_a_sample():
    known = set()
    for file in FILES:
        sample = tomllib.loads(file.read_text("utf-8"))
        known |= {file, file.parent / sample["request"], file.with_suffix(".expected.json")}
        known |= {file.parent / each["body"] for each in sample.get("answer", [])}
    there = {file for name in SYSTEMS for file in (SAMPLES / name).iterdir()}
    assert there <= known


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_kit_finds_nothing_wrong_with_it(name):
    file = product_folder("config") / "mappings" / f"{name}.toml"
    report = good("adapter", "test", file, "--samples", SAMPLES / name, "--json").values
    assert len(report["samples"]) == len([each for each in FILES if each.parent.name == name])
    assert report["well"] is True
