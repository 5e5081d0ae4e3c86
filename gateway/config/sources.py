"""What was read of the configuration, each with the place it came from, so that later checks can point there."""

from msgspec import Struct

from gateway.config.policy_files import GrantTable
from gateway.config.positions import Path as KeyPath
from gateway.config.problems import Document
from gateway.config.services import ServiceFile, ServiceSettings
from gateway.onceonly.procedure import Procedure


class ServiceSource(Struct, frozen=True):
    """A file of services/. file: None where it is wrong; known: ids that it names nevertheless, as written."""

    document: Document
    file: ServiceFile | None
    known: tuple[str, ...] = ()

    def each(self) -> tuple[tuple[KeyPath, ServiceSettings], ...]:
        """Its services with their places."""
        services = self.file.service if self.file is not None else ()
        return tuple((("service", index), service) for index, service in enumerate(services))

    @property
    def ids(self) -> tuple[str, ...]:
        """Every service id in it, right or wrong."""
        return self.known or tuple(str(service.id) for _, service in self.each())


class GrantSource(Struct, frozen=True):
    """A grant and its place."""

    document: Document
    path: KeyPath
    grant: GrantTable


class ProcedureSource(Struct, frozen=True):
    """A procedure and its file."""

    document: Document
    procedure: Procedure
