"""The folder of an adapter that is being made: what lies where, and how it goes into a gateway's configuration."""

import re
import shutil
from pathlib import Path

from msgspec import Struct

from gateway.config.load import load
from gateway.model.errors import ExchangeError
from gateway.model.errors.config import CONFIGURATION_INVALID

_FOLDERS = re.compile(r"^\[folders\][ \t]*(?:#.*)?$", re.MULTILINE)
SAMPLES = "samples"


class Layout(Struct, frozen=True, kw_only=True):
    """Where the files of an adapter are. name: its short name, of which its files are named."""

    folder: Path
    name: str

    @property
    def mapping(self) -> Path:
        """The mapping file."""
        return self.folder / "mappings" / f"{self.name}.toml"

    @property
    def contracts(self) -> Path:
        """The folder of the WSDL or OpenAPI document."""
        return self.folder / "mappings" / self.name

    @property
    def service(self) -> Path:
        """The service file."""
        return self.folder / "services" / f"{self.name}.toml"

    @property
    def policy(self) -> Path:
        """The grant file."""
        return self.folder / "policy" / f"{self.name}.toml"

    @property
    def schemas(self) -> Path:
        """The folder of its JSON Schemas."""
        return self.folder / "schemas"

    @property
    def samples(self) -> Path:
        """The folder of samples."""
        return self.folder / SAMPLES


def find_layout(given: Path) -> Layout:
    """The layout of a folder, or of a mapping file in one. Raises ExchangeError where there is none."""
    if given.is_file():
        return Layout(folder=given.resolve().parent.parent, name=given.stem)
    found = sorted((given / "mappings").glob("*.toml"))
    if len(found) != 1:
        what = "no mapping" if not found else f"{len(found)} mappings: name one of them"
        raise ExchangeError(CONFIGURATION_INVALID, f"{given}/mappings holds {what}")
    return Layout(folder=given.resolve(), name=found[0].stem)


def install(layout: Layout, config: Path, *, replace: bool) -> list[Path]:
    """Copy an adapter's files to where a gateway's settings look for them. The files written.

    Settings without a folder of schemas get one: ``schemas`` beside them. Raises FileExistsError for a file that is
    there with other content, unless ``replace``; ExchangeError for settings that are wrong.
    """
    settings = load(config)
    beside = settings.file.parent / "schemas"
    folders = {
        "services": settings.folders.services,
        "policy": settings.folders.policy,
        "mappings": settings.folders.services.parent / "mappings",
        "schemas": settings.folders.schemas or beside,
    }
    files = [
        (file, target / file.relative_to(layout.folder / part))
        for part, target in folders.items()
        for file in sorted((layout.folder / part).rglob("*"))
        if file.is_file()
    ]
    planned = [each for each in files if not _same(*each)]
    for _, target in planned:
        if target.exists() and not replace:
            raise FileExistsError(17, "File exists", str(target))
    for file, target in planned:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    written = [target for _, target in planned]
    if settings.folders.schemas is None and any(target.is_relative_to(beside) for _, target in files):
        _name_schemas(settings.file)
        written.append(settings.file)
    return written


def _name_schemas(config: Path) -> None:
    """Write ``schemas = "schemas"`` under [folders]. Raises ExchangeError where that is not one plain line."""
    text = config.read_text(encoding="utf-8")
    changed, count = _FOLDERS.subn('\\g<0>\nschemas = "schemas"', text)
    if count != 1:
        raise ExchangeError(CONFIGURATION_INVALID, f'{config}: write  schemas = "schemas"  under [folders]')
    config.write_text(changed, encoding="utf-8")


def _same(file: Path, target: Path) -> bool:
    return target.is_file() and target.read_bytes() == file.read_bytes()
