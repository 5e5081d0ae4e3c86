"""Two services cannot have one façade address; a façade's paths are names."""

from pathlib import Path

import pytest

from gateway.config.load import check
from gateway.model.facade import Facade
from tests.support.config import write_configuration

SERVICE = """
[[service]]
id = "{}/GOV/G01/population/native"
adapter = "soap"
path = "/native"
facade = {{ purpose = "MaDVC" }}
"""


def test_one_address_is_one_service(tmp_path: Path) -> None:
    file = write_configuration(tmp_path)
    services = file.parent / "services/population.toml"
    services.write_text(services.read_text() + SERVICE.format("VN"))
    assert not [problem for problem in check(file, {}) if not problem.warning]
    services.write_text(services.read_text() + SERVICE.format("VN-test"))
    (problem,) = [problem for problem in check(file, {}) if not problem.warning]
    assert problem.text == "VN/GOV/G01/population/native has a facade at /soap/G01/population/native already"


@pytest.mark.parametrize("path", ["", "/MaDVC", "a//b", "a/"])
def test_a_path_is_names(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        Facade(purpose=path)
