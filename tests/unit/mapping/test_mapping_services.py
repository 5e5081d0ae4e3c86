"""Services that follow mapping files: which file is meant, what is wrong is said, and the record's digest covers it."""

import shutil

import pytest

from gateway.config.load import check, load
from gateway.config.product import product_folder
from gateway.model.ids import parse_service
from tests.support.config import write_configuration

CITIZEN = parse_service("VN/GOV/G01/population/citizen")
PRODUCT = product_folder("config") / "mappings"


@pytest.fixture
def file(tmp_path):
    return write_configuration(tmp_path)


def follow(file, name):
    """Let the population database's service follow a mapping by name."""
    services = file.parent / "services" / "population.toml"
    text = services.read_text(encoding="utf-8")
    services.write_text(text.replace('adapter = "population"', f'adapter = "mapping"\nmapping = "{name}"'))


def own(file, folder):
    """A copy of the product's mapping, in a folder of the configuration."""
    place = file.parent / folder
    place.mkdir(exist_ok=True)
    return shutil.copy(PRODUCT / "population.toml", place / "mine.toml")


def said(file):
    return [f"{each.file.name}:{each.line} {each.key}: {each.text}" for each in check(file, {}) if not each.warning]


def test_population_is_the_products_mapping_under_a_name_of_its_own(file):
    assert load(file, {}).mappings[CITIZEN].file == PRODUCT / "population.toml"
    follow(file, "population.toml")
    assert load(file, {}).mappings[CITIZEN].file == PRODUCT / "population.toml"


@pytest.mark.parametrize("folder", ["services/mappings", "mappings"])
def test_a_mapping_is_beside_the_service_or_in_mappings(file, folder):
    if folder == "services/mappings":
        follow(file, "mappings/mine.toml")
    else:
        follow(file, "mine.toml")
    place = own(file, folder)
    assert load(file, {}).mappings[CITIZEN].file == place.resolve()


def test_one_that_is_not_there_is_named_with_the_nearest(file):
    follow(file, "populaton.toml")
    (line,) = said(file)
    assert line.endswith("service[1].mapping: there is no mapping populaton.toml; did you mean population.toml?")


def test_its_mistakes_are_the_configurations(file):
    follow(file, "mine.toml")
    place = own(file, "mappings")
    place.write_text(place.read_text().replace('to = "/religion"', 'to = "/religionn"'))
    (line,) = said(file)
    assert line.startswith("mine.toml:")
    assert line.endswith("did you mean /religion?")


def test_the_digest_in_the_record_changes_with_the_mapping(file):
    follow(file, "mine.toml")
    place = own(file, "mappings")
    before = load(file, {})
    assert place.read_bytes() in before.services_files
    place.write_text(place.read_text() + "\n# a remark\n")
    assert load(file, {}).services_digest != before.services_digest


@pytest.mark.parametrize(
    ("setting", "wrong"),
    [
        ('adapter = "mapping"', "adapter = mapping and mapping go together"),
        ('adapter = "rest"\nmapping = "population.toml"', "adapter = mapping and mapping go together"),
        ('adapter = "entry-point"', "adapter = entry-point and entry_point go together"),
    ],
)
def test_adapter_and_mapping_go_together(file, setting, wrong):
    services = file.parent / "services" / "population.toml"
    text = services.read_text(encoding="utf-8")
    services.write_text(text.replace('adapter = "population"', setting))
    assert any(line.endswith(wrong) for line in said(file))
