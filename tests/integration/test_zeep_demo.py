"""An ordinary zeep client with the plugin, given nothing but served WSDLs, asks the demo's two registers."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import zeep
from zeep.transports import Transport

from gateway.client.zeep_wsse import MotlanWsse, xroad_headers
from tests.support.source import ROOT
from tests.support.world import RunningWorld

PURPOSE, BASIS = "1.001193", "ND-63/2024"
PORTAL = "VN/GOV/H24/portal"


def client_of(demo: RunningWorld, service: str) -> zeep.Client:
    contract = demo.contract
    identity = contract["subsystems"][PORTAL]
    wsse = MotlanWsse.open(
        key=identity["key"],
        certificate=identity["certificate"],
        gateway_certificates=[contract["gateway_certificate"]],
    )
    transport = Transport()
    transport.session.trust_env = False
    transport.session.verify = contract["ca"]
    return zeep.Client(f"{contract['gateway']}/wsdl?service={service}", wsse=wsse, plugins=[wsse], transport=transport)


def headers(demo: RunningWorld, service: str) -> list[object]:
    desk = demo.world.desk
    return xroad_headers(
        client=PORTAL,
        service=service,
        purpose=PURPOSE,
        basis=BASIS,
        user_id=desk.officer("ht.zeep"),
        issue=desk.case("00.H24"),
    )


@pytest.mark.parametrize("who", ["plain", "mother"])
def test_the_population_database_answers_with_types(demo: RunningWorld, who: str) -> None:
    person = getattr(demo.world.people.story, who)
    service = "VN/GOV/G01/population/citizen"
    answer = client_of(demo, service).service.citizen(
        identity_number=person.identity_number, _soapheaders=headers(demo, service)
    )
    citizen = answer.body
    assert citizen.identity_number == person.identity_number
    assert citizen.name.full == person.name.full
    assert citizen.birth_date.date == person.birth.date
    assert citizen.father is None, "not granted"


def test_a_service_that_is_rest_only_answers_with_types(demo: RunningWorld) -> None:
    person = demo.world.people.story.mother
    service = "VN/GOV/G12/social-insurance/insurance"
    answer = client_of(demo, service).service.insurance(
        identity_number=person.identity_number, _soapheaders=headers(demo, service)
    )
    card = answer.body
    assert card.identity_number == person.identity_number
    assert card.insurance_number == person.insurance.number
    assert card.name.full == person.insurance.full_name


def test_the_pages_program_works_as_it_is_printed(demo: RunningWorld, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "soap.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "asks.py").write_text(code, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-X", "utf8", tmp_path / "asks.py", demo.world.files.contract],
        cwd=tmp_path, env={}, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(demo.contract["people"][0])
