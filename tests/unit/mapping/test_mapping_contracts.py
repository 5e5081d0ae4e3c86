"""A SOAP mapping against its WSDL: elements that it does not have are named, with their lines, before anything starts."""

import shutil
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from gateway.config.mappings import load_mapping
from gateway.config.product import product_folder
from gateway.config.services import Adapter, ServiceSettings
from gateway.model.errors import ExchangeError
from gateway.model.ids import parse_service
from gateway.wiring import mappings
from gateway.wiring.mappings import contract_problems, entry_point_target, load_contract
from tests.support.mappings import schemas

POPULATION = product_folder("config") / "mappings" / "population.toml"


def population(folder, *changes):
    """The population database's mapping, changed, with a copy of its contract beside it."""
    for kind in ("wsdl", "xsd"):
        shutil.copytree(product_folder("schemas") / kind, folder / kind)
    text = POPULATION.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) >= 1, old
        text = text.replace(old, new)
    file = folder / "population.toml"
    file.write_text(text, encoding="utf-8")
    made, problems = load_mapping(file, schemas())
    assert problems == []
    return made


def line_of(file, text):
    return next(number for number, line in enumerate(file.file.read_text().splitlines(), 1) if text in line)


def test_the_product_fits_its_wsdl(tmp_path):
    made, _ = load_mapping(POPULATION, schemas())
    assert contract_problems(made) == []
    assert load_contract(made).action("TraCuuThongTinCongDan") == ""


def test_what_the_wsdl_does_not_have_is_all_said_with_its_line(tmp_path):
    (tmp_path / "a").mkdir()
    made = population(
        tmp_path / "a",
        ('to = "MaCanBo"', 'to = "MaCanBoo"'),
        ('operation = "XacThucThongTinCongDan"', 'operation = "XacThuc"'),
    )
    said = contract_problems(made)
    assert {each.line for each in said} == {line_of(made, "MaCanBoo"), line_of(made, '"XacThuc"')}
    assert any("has no element MaCanBoo" in each.text for each in said)
    with pytest.raises(ExchangeError, match="MaCanBoo"):
        load_contract(made)


def test_the_digest_of_a_mapping_is_of_its_contract_too(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = population(tmp_path / "a"), population(tmp_path / "b")
    assert one.digest == other.digest
    xsd = tmp_path / "b" / "xsd" / "population-answer.xsd"
    xsd.write_text(xsd.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    again, _ = load_mapping(other.file, schemas())
    assert again.digest != one.digest


def chosen():
    service = parse_service("VN/GOV/G09/vehicles/vehicle")
    return ServiceSettings(id=service, adapter=Adapter.ENTRY_POINT, entry_point="vehicles")


def known(monkeypatch, *points):
    monkeypatch.setattr(mappings, "entry_points", lambda group: EntryPoints(points).select(group=group))


def make(provider, service):
    """What a package registers."""
    return (provider, service.id.service_code)


def fail(provider, service):
    """A class that cannot be built."""
    raise KeyError("secret")


def point(name, value):
    return EntryPoint(name=name, value=f"{__name__}:{value}", group="motlan.adapters")


def test_a_registered_class_makes_the_target(monkeypatch):
    known(monkeypatch, point("vehicles", "make"), point("other", "fail"))
    assert entry_point_target("provider", chosen()) == ("provider", "vehicle")


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ((), "there are: none"),
        ((point("vehicle", "make"),), "there are: vehicle"),
        ((point("vehicles", "make"), point("vehicles", "fail")), "no single entry point"),
        ((point("vehicles", "fail"),), "failed: KeyError"),
        ((point("vehicles", "nothing"),), "failed: AttributeError"),
    ],
)
def test_a_class_that_is_not_there_or_fails_is_named(monkeypatch, points, said):
    known(monkeypatch, *points)
    with pytest.raises(ExchangeError) as caught:
        entry_point_target(None, chosen())
    assert said in caught.value.detail
    assert "secret" not in caught.value.detail
