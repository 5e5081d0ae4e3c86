"""Mapping files: where they are, and what is wrong with them, by file, line and the nearest valid name."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct

from gateway.config.positions import Path as KeyPath
from gateway.config.problems import Document, Problem, nearest
from gateway.config.product import product_folder
from gateway.config.reader import read
from gateway.config.schemas import SchemaFolder
from gateway.config.services import ServiceSettings
from gateway.config.sources import ServiceSource
from gateway.mapping.checking import check
from gateway.mapping.document import Contract, MappingDocument

MAPPINGS = "mappings"
"""Folder of mapping files, beside services/ and in the product's config/."""


class MappingFile(Struct, frozen=True, kw_only=True):
    """A mapping file as it was read. content: its bytes and those of the contract's files, for the record."""

    file: Path
    document: MappingDocument
    content: bytes

    def contract_file(self, name: str) -> Path:
        """A file that the contract names: beside the mapping, or below the product's schemas."""
        return _beside(self.file, name, product_folder("schemas"))

    @property
    def contract_root(self) -> Path:
        """The folder that the WSDL may refer into."""
        wsdl = self.contract_file(self.document.contract.wsdl or "")
        schemas = product_folder("schemas")
        if wsdl.is_relative_to(schemas):
            return schemas
        return self.file.parent if wsdl.is_relative_to(self.file.parent) else wsdl.parent

    @property
    def digest(self) -> str:
        """SHA-256 (hex)."""
        return hashlib.sha256(self.content).hexdigest()


def find_mapping(services_file: Path, name: str) -> Path:
    """The file that a service means: beside its own, in mappings/ beside services/, or the product's."""
    for folder in (services_file.parent.parent / MAPPINGS, services_file.parent):
        file = (folder / name).resolve()
        if file.is_file() and file != services_file.resolve():  # a provider's own file is often named as its mapping
            return file
    return product_folder("config") / MAPPINGS / name


def _beside(file: Path, name: str, otherwise: Path) -> Path:
    near = file.parent / name
    return near.resolve() if near.is_file() else otherwise / name


def read_mapping(file: Path, schemas: SchemaFolder, problems: list[Problem]) -> MappingFile | None:
    """Read and check one; what is wrong with it is added to ``problems``."""
    document = Document.read(file, problems)
    before = len(problems)
    found = read(document, MappingDocument, document.table)
    if found is None:
        return None
    for complaint in check(found, schemas):
        document.complain(complaint.path, complaint.text)
    made = MappingFile(file=file, document=found, content=b"")
    names = _contract_files(found.contract)
    for key, name in names:
        if not made.contract_file(name).is_file():
            document.complain(("contract", *key), f"there is no file {name} beside this one, nor below the schemas")
    if len(problems) > before:
        return None
    content = _content([file, *(made.contract_file(name) for _, name in names)])
    return MappingFile(file=file, document=found, content=content)


def load_mapping(file: Path, schemas: SchemaFolder) -> tuple[MappingFile | None, list[Problem]]:
    """One file alone, and what is wrong with it; for tools."""
    problems: list[Problem] = []
    return read_mapping(file, schemas, problems), problems


def check_mappings(
    sources: Iterable[ServiceSource], schemas: SchemaFolder, problems: list[Problem]
) -> dict[Path, MappingFile]:
    """The mapping files of all services, each read once; a service's own mapping fits its schemas."""
    made: dict[Path, MappingFile | None] = {}
    for source in sources:
        for path, service in source.each():
            name = service.mapping_file
            if name is None:
                continue
            file = find_mapping(source.document.file, name)
            if not file.is_file():
                known = _product_mappings() | {each.name for each in file.parent.glob("*.toml")}
                source.document.complain((*path, "mapping"), f"there is no mapping {name}{nearest(name, known)}")
                continue
            if file not in made:
                made[file] = read_mapping(file, schemas, problems)
            if (found := made[file]) is not None:
                _check_path(source, path, service, found)
    return {file: found for file, found in made.items() if found is not None}


def _check_path(source: ServiceSource, path: KeyPath, service: ServiceSettings, found: MappingFile) -> None:
    """A service's path is that of one of its mapping's operations, or what several begin with."""
    known = {each.path for each in found.document.operation}
    if not any(f"{each}/".startswith(f"{service.path}/") for each in known):
        text = f"{found.file.name} has no operation {service.path}{nearest(service.path, known)}"
        source.document.complain((*path, "path"), text)


def mapping_of(
    mappings: dict[Path, MappingFile] | Any, services_file: Path, service: ServiceSettings
) -> MappingFile | None:
    """The mapping that a service of a file uses."""
    name = service.mapping_file
    return None if name is None else mappings.get(find_mapping(services_file, name))


def _product_mappings() -> set[str]:
    return {each.name for each in (product_folder("config") / MAPPINGS).glob("*.toml")}


def _contract_files(contract: Contract) -> list[tuple[tuple[str | int, ...], str]]:
    files: list[tuple[tuple[str | int, ...], str]] = [(("wsdl",), contract.wsdl)] if contract.wsdl is not None else []
    return files + [(("answers", index), name) for index, name in enumerate(contract.answers)]


def _content(files: Iterable[Path]) -> bytes:
    return b"".join(
        b"%s\n%d\n" % (file.name.encode(), len(content)) + content for file in files for content in (file.read_bytes(),)
    )
