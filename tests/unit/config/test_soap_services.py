"""Settings of SOAP services: what ``motlan check`` says of a WSDL that cannot be used, and of keys in the wrong place."""

from pathlib import Path

import pytest

from adapters.simulators.land_register import WSDL
from gateway.config.services import ServiceSettings, Wss
from gateway.model.ids import parse_service
from gateway.wiring.readiness import problems_of
from tests.support.exchanges import make_office
from tests.support.pki import NOW

LAND = "VN/GOV/G15/registry/land"


def problems(folder: Path, wsdl: Path, more: str = "") -> list[str]:
    services = f'\n[[service]]\nid = "{LAND}"\nadapter = "soap"\nwsdl = "{wsdl}"\n{more}\n'
    made = make_office(folder, "http://127.0.0.1:9", services=services)
    return [each.text for each in problems_of(made.config, NOW) if "SOAP" in each.text or "WSDL" in each.text]


def test_a_usable_wsdl_is_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, WSDL, 'operations = { findParcel = "/parcels" }') == []


@pytest.mark.parametrize(
    ("content", "more", "said"),
    [
        ("<a/>", "", "no port speaks SOAP"),
        ("<a>", "", "not well-formed"),
        (None, "", "cannot be read"),
        (WSDL.read_text(), 'operations = { find = "" }', "find: there is no such one"),
        (WSDL.read_text().replace('ref="tns:x"', "").replace('type="tns:Area"', 'type="tns:Gone"'), "", "Gone"),
    ],
)
def test_a_wsdl_that_cannot_be_used_is_said_where_the_service_stands(
    tmp_path: Path, content: str | None, more: str, said: str
) -> None:
    file = tmp_path / "their.wsdl"
    if content is not None:
        file.write_text(content)
    found = problems(tmp_path, file, more)
    assert found
    assert said in found[0]


@pytest.mark.parametrize("more", [{"wsdl": WSDL}, {"wss": Wss.SIGN}, {"not_found_faults": ("a",)}])
def test_what_is_of_soap_providers_is_not_of_others(more: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="adapter = soap"):
        ServiceSettings(id=parse_service(LAND), **more)
