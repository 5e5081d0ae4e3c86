"""Where the schemas are: beside the packages in a checkout, inside ``gateway`` in an installed wheel."""

from functools import cache
from importlib.resources import files
from pathlib import Path


@cache
def schemas() -> Path:
    """The folder that holds ``wsdl/`` and ``xsd/``. Raises FileNotFoundError when neither place has it."""
    package = Path(str(files("gateway")))
    for folder in (package / "_data" / "schemas", package.parent / "schemas"):
        if (folder / "CATALOG.toml").is_file():
            return folder
    raise FileNotFoundError("no schemas beside the package or in it")
