"""``motlan check`` with every service file of the product at once."""

import re
import shutil

import pytest

from gateway.config.product import product_folder
from tests.support.agencies import SYSTEMS
from tests.support.cli import good, refused
from tests.support.gateways import make_site

CONFIG = product_folder("config")


@pytest.fixture
def site(tmp_path):
    keep = tmp_path / "secrets"
    keep.mkdir()
    extra = f'procedures = "{CONFIG}/procedures"\n\n[secrets]\ndirectory = "{keep}"\n'
    made = make_site(tmp_path, "http://127.0.0.1:9", extra=extra)
    for file in (CONFIG / "services").glob("*.toml"):
        shutil.copy(file, made.folder / "services" / file.name)
        for reference in re.findall(r'"ref:([\w-]+)"', file.read_text()):
            (keep / reference).write_text("s3cret")
            (keep / reference).chmod(0o600)
    return made


def test_all_services_together_are_a_right_configuration(site):
    found = good("check", "--config", site.config, "--json").values
    ours = [each for each in found["problems"] if any(name in str(each.get("file")) for name in SYSTEMS)]
    assert (found["valid"], ours) == (True, [])


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_mapping_that_is_not_there_is_named_with_the_nearest(site, name):
    file = site.folder / "services" / f"{name}.toml"
    file.write_text(file.read_text().replace(f'mapping = "{name}.toml"', f'mapping = "{name}s.toml"'))
    said = refused("check", "--config", site.config)
    assert f"{name}.toml" in said
    assert f"{name}s.toml" in said


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("civil-status", "birth-registration.request.json", "birth-registation.request.json"),
        ("business-register", "/representatives/*/identity_number", "/representatives/*/identity_numbr"),
        ("public-service-portal", 'secret = "ref:public-service-portal"', 'secret = "ref:nowhere"'),
        ("civil-status", 'path = "/status"', 'path = "/statuses"'),
        ("lgsp", "https://lgsp.example/apiDanCu", "http://lgsp.example/apiDanCu"),
    ],
)
def test_mistakes_are_found_before_anything_starts(site, name, old, new):
    file = site.folder / "services" / f"{name}.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    assert f"{name}.toml" in refused("check", "--config", site.config)
