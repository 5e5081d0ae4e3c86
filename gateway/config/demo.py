"""The demo's configuration: templates of ``config/demo``, filled in and written where a gateway can load them."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from string import Template

from gateway.config.product import product_folder

VARIABLES = frozenset(
    {"gateway_port", "admin_port", "pki", "state", "log_origin", "population_url", "insurance_url", "tsa_url"}
)
"""What the templates leave open. pki: the folder of a development PKI. state: where database, vault key and secrets
are kept. The URLs are the simulators', with the insurance platform's path and the timestamp authority's.
"""


def write_demo(folder: Path, variables: Mapping[str, str | int | Path]) -> Path:
    """Write a configuration into ``folder`` (made if need be) and return its gateway.toml.

    Raises KeyError for a variable that is missing or unknown.
    """
    unknown = variables.keys() ^ VARIABLES
    if unknown:
        raise KeyError(min(unknown))
    filled = {name: _toml(value) for name, value in variables.items()}
    templates = product_folder("config") / "demo"
    for template in sorted(templates.rglob("*.toml")):
        target = folder / template.relative_to(templates)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(template.read_text(encoding="utf-8")).substitute(filled), encoding="utf-8")
    shutil.copytree(product_folder("config") / "procedures", folder / "procedures", dirs_exist_ok=True)
    _copy_contract(folder / "contract")
    return folder / "gateway.toml"


def _copy_contract(folder: Path) -> None:
    """WSDLs, and the schemas that they use beside them: a contract uses only files of its own folder."""
    shutil.copytree(product_folder("config") / "demo" / "contract", folder, dirs_exist_ok=True)
    shutil.copy(product_folder("schemas") / "xsd" / "population-request.xsd", folder)


def _toml(value: str | int | Path) -> str:
    """As it may stand inside a TOML string; backslashes of Windows become slashes."""
    text = value.as_posix() if isinstance(value, Path) else str(value)
    return text.replace("\\", "/").replace('"', '\\"')
