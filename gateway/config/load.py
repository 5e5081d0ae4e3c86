"""A configuration directory → ``Settings``; or everything that is wrong with it, at once."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from gateway.config.attesting import Timestamps, Witnesses
from gateway.config.checks import check_files, check_grants, check_procedures, check_providers, check_services
from gateway.config.citizens import ACCESSES_CODE, Citizens
from gateway.config.environment import environment, override
from gateway.config.mappings import MappingFile, check_mappings, mapping_of
from gateway.config.policy_files import GrantTable, PolicyFile
from gateway.config.problems import ConfigurationError, Document, Problem
from gateway.config.product import product_schemas
from gateway.config.reader import read
from gateway.config.schemas import SchemaFolder
from gateway.config.services import Provider, ServiceFile, ServiceSettings
from gateway.config.settings import (
    Admin,
    AuditSettings,
    Capacity,
    Folders,
    GatewayFile,
    Identity,
    Keys,
    Ledger,
    Listener,
    Logging,
    RetentionSettings,
    Secrets,
    Timeouts,
    Trust,
)
from gateway.config.sources import GrantSource, ProcedureSource, ServiceSource
from gateway.model.ids import ServiceId
from gateway.onceonly.procedure import Procedure
from gateway.policy.grants import Grant
from gateway.validation.limits import Limits


class Settings(Struct, frozen=True, kw_only=True):
    """All of a configuration, read and checked. Paths are absolute.

    providers: by name. services: by id; ``provider_of`` names each one's provider (none for the gateway's own).
    procedures: by code. schemas: of the services. policy_files, services_files: the files as they were, to be kept;
    mapping files are among those of the services. mappings: of the services that follow one.
    """

    file: Path
    gateway: Identity
    listener: Listener
    admin: Admin | None
    ledger: Ledger
    keys: Keys
    trust: Trust
    folders: Folders
    limits: Limits
    timeouts: Timeouts
    capacity: Capacity
    secrets: Secrets
    audit: AuditSettings
    retention: RetentionSettings
    logging: Logging
    providers: Mapping[str, Provider]
    services: Mapping[ServiceId, ServiceSettings]
    provider_of: Mapping[ServiceId, str]
    grants: tuple[Grant, ...]
    procedures: Mapping[str, Procedure]
    schemas: SchemaFolder
    policy_files: bytes
    services_files: bytes
    mappings: Mapping[ServiceId, MappingFile] = {}
    witnesses: Witnesses | None = None
    timestamps: Timestamps | None = None
    citizens: Citizens | None = None

    @property
    def policy_digest(self) -> str:
        """SHA-256 (hex) of the policy's files, as records name what was in force."""
        return hashlib.sha256(self.policy_files).hexdigest()

    @property
    def services_digest(self) -> str:
        """SHA-256 (hex) of the services' files."""
        return hashlib.sha256(self.services_files).hexdigest()


def load(path: Path, variables: Mapping[str, str] | None = None) -> Settings:
    """Read and check everything. variables: the environment, unless given. Raises ConfigurationError."""
    loading = _Loading(path.resolve(), environment() if variables is None else variables)
    settings = loading.run()
    wrong = [problem for problem in loading.sorted() if not problem.warning]
    if wrong or settings is None:
        raise ConfigurationError(wrong)
    return settings


def check(path: Path, variables: Mapping[str, str] | None = None) -> list[Problem]:
    """Everything that is wrong, and everything worth reading (``warning``), by file and line."""
    loading = _Loading(path.resolve(), environment() if variables is None else variables)
    loading.run()
    return loading.sorted()


class _Loading:
    def __init__(self, file: Path, variables: Mapping[str, str]) -> None:
        self.file = file
        self.variables = variables
        self.problems: list[Problem] = []
        self.services: list[ServiceSource] = []
        self.grants: list[GrantSource] = []
        self.procedures: list[ProcedureSource] = []
        self.bundles: dict[str, bytes] = {}
        self.mappings: dict[Path, MappingFile] = {}

    def sorted(self) -> list[Problem]:
        unique = dict.fromkeys(self.problems)
        return sorted(unique, key=lambda problem: (str(problem.file), problem.line, problem.column))

    def run(self) -> Settings | None:
        document = Document.read(self.file, self.problems)
        top = read(document, GatewayFile, override(document.table, self.variables))
        folders = top.folders if top is not None else self._folders(document)
        if folders is None:
            return None
        schemas = SchemaFolder.read(product_schemas(), self.problems, folders.schemas)
        self._read_services(folders.services)
        self._read_policy(folders.policy)
        self._read_procedures(folders.procedures)
        secrets = top.secrets if top is not None else Secrets()
        check_providers(self.services, secrets if top is not None else None, self.variables)
        check_services(self.services, schemas, has_procedures="procedures" in self.bundles)
        self.mappings = check_mappings(self.services, schemas, self.problems)
        if self.services:  # else every grant would be called wrong for want of its service
            check_grants(self.grants, self.services, schemas, own=_own(top, self.grants))
            check_procedures(self.procedures, self.services, schemas)
        if top is None:
            return None
        check_files(document, top)
        return self._settings(top, schemas)

    def _folders(self, document: Document) -> Folders | None:
        """The folders alone, so that the other files are read though gateway.toml is wrong elsewhere."""
        table = document.table.get("folders")
        if not isinstance(table, dict):
            return None
        return read(Document(self.file, "", []), Folders, table)

    def _files(self, folder: Path, what: str) -> list[Path]:
        if not folder.is_dir():
            self.problems.append(Problem(file=self.file, key=f"folders.{what}", text=f"{folder} is no folder"))
            return []
        files = sorted(folder.glob("*.toml"))
        self.bundles[what] = _bundle(files)
        if not files:
            self.problems.append(Problem(file=folder, text=f"no *.toml file in the folder of {what}"))
        return files

    def _read_services(self, folder: Path) -> None:
        for file in self._files(folder, "services"):
            document = Document.read(file, self.problems)
            found = read(document, ServiceFile, document.table)
            if found is not None:
                self.services.append(ServiceSource(document, found))
            else:
                self.services.append(ServiceSource(document, None, _ids(document.table.get("service"))))

    def _read_policy(self, folder: Path) -> None:
        for file in self._files(folder, "policy"):
            document = Document.read(file, self.problems)
            tables = document.table.get("grant", [])
            if not isinstance(tables, list) or document.table.keys() != {"grant"}:
                read(document, PolicyFile, document.table)  # says what is wrong with the file as a whole
                continue
            for index, table in enumerate(tables):
                grant = read(document, GrantTable, table, ("grant", index))
                if grant is not None:
                    self.grants.append(GrantSource(document, ("grant", index), grant))

    def _read_procedures(self, folder: Path | None) -> None:
        for file in self._files(folder, "procedures") if folder is not None else ():
            document = Document.read(file, self.problems)
            procedure = read(document, Procedure, document.table)
            if procedure is not None:
                self.procedures.append(ProcedureSource(document, procedure))

    def _settings(self, top: GatewayFile, schemas: SchemaFolder) -> Settings:
        files = [source.file for source in self.services if source.file is not None]
        return Settings(
            file=self.file,
            gateway=top.gateway,
            listener=top.listener,
            admin=top.admin,
            ledger=top.ledger,
            keys=top.keys,
            trust=top.trust,
            folders=top.folders,
            limits=top.limits.limits,
            timeouts=top.timeouts,
            capacity=top.capacity,
            secrets=top.secrets,
            audit=top.audit,
            retention=top.retention,
            logging=top.logging,
            witnesses=top.witnesses,
            timestamps=top.timestamps,
            citizens=top.citizens,
            providers={file.provider.name: file.provider for file in files if file.provider},
            services={service.id: service for file in files for service in file.service},
            provider_of={service.id: file.provider.name for file in files if file.provider for service in file.service},
            grants=tuple(source.grant.build() for source in self.grants),
            procedures={source.procedure.code: source.procedure for source in self.procedures},
            schemas=schemas,
            policy_files=self.bundles.get("policy", b""),
            services_files=self._services_files(),
            mappings={
                service.id: found
                for source in self.services
                for _, service in source.each()
                if (found := mapping_of(self.mappings, source.document.file, service)) is not None
            },
        )

    def _services_files(self) -> bytes:
        """The services' files, and every mapping file with its contract."""
        mappings = [self.mappings[file].content for file in sorted(self.mappings)]
        return b"".join([self.bundles.get("services", b""), *mappings])


def _ids(tables: Any) -> tuple[str, ...]:
    """The ids of services in a file that is wrong elsewhere, so that grants for them are not called wrong too."""
    listed = tables if isinstance(tables, list) else []
    return tuple(str(table.get("id")) for table in listed if isinstance(table, dict))


def _bundle(files: Iterable[Path]) -> bytes:
    """The files one after the other, each as name, length and bytes: what is kept, and what the digest is of."""
    parts = []
    for file in files:
        try:
            content = file.read_bytes()
        except OSError:
            content = b""
        parts.append(b"%s\n%d\n" % (file.name.encode(), len(content)) + content)
    return b"".join(parts)


def _own(top: GatewayFile | None, grants: Iterable[GrantSource]) -> tuple[str, ...]:
    """The gateway's own services that are granted like any other. top: None where it is wrong; then whatever could be
    one, so that grants for it are not called wrong too.
    """
    if top is None:
        return tuple(str(each.grant.service) for each in grants if each.grant.service.service_code == ACCESSES_CODE)
    return () if top.citizens is None else (f"{top.gateway.subsystem}/{ACCESSES_CODE}",)
