"""A real gateway with the product's five agency services, each with its simulator behind it."""

import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adapters.simulators.access import ApiKey, LgspToken
from adapters.simulators.backend import Backend
from adapters.simulators.business_register import BusinessRegisterSimulator
from adapters.simulators.civil_status import CivilStatusSimulator
from adapters.simulators.json_system import JsonSystem
from adapters.simulators.judicial_record import JudicialRecordSimulator
from adapters.simulators.lgsp import LgspSimulator
from adapters.simulators.public_service_portal import PublicServicePortalSimulator
from gateway.config.product import product_folder
from tests.support.agencies import SYSTEMS, USERS
from tests.support.attacks import World, world
from tests.support.gateways import BASIS, PORTAL, PURPOSE, Site, make_site
from tests.support.simulators import people

SECRET = "s3cret"
WITHHELD = {"/status_text", "/charter_capital"}
"""Elements that the portal is not granted."""


class Agencies(Backend):
    """A plain provider, and beside it the five systems, each with its own way of letting callers in."""

    def __init__(self) -> None:
        super().__init__()
        bearer = ApiKey(key=f"Bearer {SECRET}", header="Authorization")
        platform = LgspToken(
            access_key="motlan", secret_key=SECRET, app_name="motlan", partner_code="000.00.00.H24", tokens={}
        )
        self.systems: dict[str, JsonSystem] = {
            "civil-status": CivilStatusSimulator(people(), access=bearer),
            "business-register": BusinessRegisterSimulator(people(), access=bearer),
            "judicial-record": JudicialRecordSimulator(people(), access=bearer),
            "lgsp": LgspSimulator(people(), access=platform),
            "public-service-portal": PublicServicePortalSimulator(people(), users=USERS),
        }

    async def start(self, **options: Any) -> None:
        await super().start(**options)
        for system in self.systems.values():
            await system.start()

    async def stop(self) -> None:
        for system in self.systems.values():
            await system.stop()
        await super().stop()


class AgencyWorld:
    """What a test sees of it."""

    def __init__(self, made: World, agencies: Agencies) -> None:
        self.world = made
        self.systems = agencies.systems


@contextmanager
def agency_world(folder: Path) -> Iterator[AgencyWorld]:
    """The gateway, running on the product's own service files with the simulators' addresses in them."""
    agencies = Agencies()

    def make(folder: Path, backend: str, **site: Any) -> Site:
        keep = folder / "secrets"
        keep.mkdir()
        site["extra"] = f'[secrets]\ndirectory = "{keep}"\n' + site.get("extra", "")
        texts = {name: _service_file(name, agencies.systems[name]) for name in SYSTEMS}
        site["grants"] = site.get("grants", "") + "".join(_grants(text) for text in texts.values())
        made = make_site(folder, backend, **site)
        for name, text in texts.items():
            (made.folder / "services" / f"{name}.toml").write_text(text)
            for reference in re.findall(r'"ref:([\w-]+)"', text):
                (keep / reference).write_text(SECRET)
                (keep / reference).chmod(0o600)
        return made

    with world(folder, provider=agencies, make=make) as made:
        yield AgencyWorld(made, agencies)


def _service_file(name: str, system: JsonSystem) -> str:
    """The product's service file, with the simulator in place of the agency and no long waits."""
    text = (product_folder("config") / "services" / f"{name}.toml").read_text()
    text = re.sub(r'(?m)^base_url = ".*"$', f'base_url = "{system.url}"', text)
    text = re.sub(r'(?m)^token_url = ".*"$', f'token_url = "{system.root}/token"', text)
    text = re.sub(r"(?m)^timeout_seconds = .*$", "timeout_seconds = 0.5", text)
    return text.replace("\n[provider.auth]", "\n[provider.breaker]\nminimum_calls = 1000\n\n[provider.auth]", 1)


def _grants(text: str) -> str:
    return "".join(_grant(service) for service in tomllib.loads(text)["service"])


def _grant(service: dict[str, Any]) -> str:
    return f"""
[[grant]]
name = "portal-{service["id"].rpartition("/")[2]}-{service["id"].split("/")[3]}"
client = "{PORTAL}"
service = "{service["id"]}"
methods = ["POST"]
fields = {_fields(service["response_schema"])}
purpose = [{{ code = "{PURPOSE}", bases = ["{BASIS}"] }}]
"""


def _fields(schema: str) -> str:
    """Every top-level element of a schema, but those that are withheld."""
    document = json.loads((product_folder("schemas") / "json" / schema).read_text())
    while "$ref" in document:
        document = json.loads((product_folder("schemas") / "json" / document["$ref"]).read_text())
    return json.dumps(sorted({f"/{name}" for name in document["properties"]} - WITHHELD))
