"""The folder of an adapter that is being made: what lies where, and how it goes into a gateway's configuration."""

import shutil
from pathlib import Path

from msgspec import Struct

from gateway.config.load import load
from gateway.model.errors import ExchangeError
from gateway.model.errors.config import CONFIGURATION_INVALID

PARTS = ("services", "policy", "mappings", "schemas")
"""Folders that a gateway's configuration has too."""
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

    Raises FileExistsError for one that is there with other content, unless ``replace``; ExchangeError for settings that
    are wrong, or that name no folder of schemas where the adapter has some.
    """
    settings = load(config)
    folders = {
        "services": settings.folders.services,
        "policy": settings.folders.policy,
        "mappings": settings.folders.services.parent / "mappings",
        "schemas": settings.folders.schemas,
    }
    planned: list[tuple[Path, Path]] = []
    for part in PARTS:
        files = [file for file in sorted((layout.folder / part).rglob("*")) if file.is_file()]
        target = folders[part]
        if files and target is None:
            raise ExchangeError(
                CONFIGURATION_INVALID,
                f'{config}: the adapter brings JSON Schemas, so write  schemas = "schemas"  under [folders]',
            )
        planned += [(file, target / file.relative_to(layout.folder / part)) for file in files if target is not None]
    planned = [each for each in planned if not _same(*each)]
    for _, target in planned:
        if target.exists() and not replace:
            raise FileExistsError(17, "File exists", str(target))
    for file, target in planned:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return [target for _, target in planned]


def _same(file: Path, target: Path) -> bool:
    return target.is_file() and target.read_bytes() == file.read_bytes()
