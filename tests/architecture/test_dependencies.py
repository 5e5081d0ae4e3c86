"""What pyproject.toml asks for is what the code imports, no more and no less, and the lock file holds all of it."""

import re
import sys
import tomllib

from tests.support.source import ROOT, imports, modules

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
IMPORT_NAMES = {
    "pyjwt": "jwt",
    "jsonschema-rs": "jsonschema_rs",
    "http-sf": "http_sf",
    "prometheus-client": "prometheus_client",
    "rfc3161-client": "rfc3161_client",
}
PARTS_OF_ANOTHER = {"multidict", "yarl"}
"""They come with aiohttp, whose interface is made of them."""
CLIENT = (
    "gateway.model",
    "gateway.ports",
    "gateway.trust",
    "gateway.signing",
    "gateway.ledger",
    "gateway.keys",
    "gateway.client",
)
"""What an agency or an auditor installs: it must do without the extra ``gateway``."""


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=;\[ ]", requirement)[0].lower() for requirement in requirements}


def _imported(names: set[str]) -> set[str]:
    return {IMPORT_NAMES.get(name, name) for name in names}


CLIENT_NEEDS = _imported(_names(PROJECT["dependencies"]))
GATEWAY_NEEDS = _imported(_names(PROJECT["optional-dependencies"]["gateway"]))


def test_every_requirement_is_imported() -> None:
    used = {found.target.partition(".")[0] for module in modules() for found in imports(module)}
    assert not (CLIENT_NEEDS | GATEWAY_NEEDS) - used


def test_every_import_is_a_requirement() -> None:
    known = CLIENT_NEEDS | GATEWAY_NEEDS | PARTS_OF_ANOTHER | set(sys.stdlib_module_names) | {"gateway", "adapters"}
    unknown = {
        f"{module.file}:{found.line}: {found.target}"
        for module in modules()
        for found in imports(module)
        if found.target.partition(".")[0] not in known
    }
    assert not unknown


def test_the_client_needs_nothing_of_the_gateway() -> None:
    wrong = {
        f"{module.file}:{found.line}: {found.target}"
        for module in modules()
        if module.within(*CLIENT)
        for found in imports(module)
        if found.target.partition(".")[0] in GATEWAY_NEEDS
    }
    assert not wrong


def test_the_lock_holds_every_requirement_with_hashes_and_no_address() -> None:
    wanted = _names(PROJECT["dependencies"])
    for extra in PROJECT["optional-dependencies"].values():
        wanted |= _names(extra)
    locked = set(re.findall(r"(?m)^([a-z0-9][a-z0-9._-]*)==", LOCK))
    assert not wanted - locked
    assert "://" not in LOCK
    assert not re.search(r"(?m)^\s*-", LOCK.replace("    --hash=sha256:", "")), "an option in the lock file"
    unhashed = [line for line in LOCK.splitlines() if "==" in line and not line.endswith("\\")]
    assert not unhashed
