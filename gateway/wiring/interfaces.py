"""How each service is spoken over SOAP: interfaces out of the services' settings and schemas."""

from collections.abc import Mapping

from adapters.soap.interface import ONLY, JsonInterface, JsonService
from gateway.config.load import Settings
from gateway.config.services import Adapter, ServiceSettings
from gateway.model.ids import ServiceId
from gateway.ports import Interface
from gateway.validation.schema import SchemaSet

_USUAL: dict[Adapter, dict[str, str]] = {
    Adapter.POPULATION: {"": "", "verify": "/verify", "relatives": "/relatives"},
}
"""Operations of services whose adapter knows more than one path."""


def build_interfaces(settings: Settings, schemas: SchemaSet) -> Mapping[ServiceId, Interface]:
    """An interface for every service. Raises ValueError, naming the service, for schemas that cannot be spoken so."""
    documents = {schema_id: schemas.document(schema_id) for schema_id in schemas}
    made: dict[ServiceId, Interface] = {}
    for chosen in settings.services.values():
        try:
            made[chosen.id] = _interface(chosen, settings, documents)
        except ValueError as error:
            raise ValueError(f"{chosen.id} cannot be spoken over SOAP: {error}") from error
    return made


def _interface(chosen: ServiceSettings, settings: Settings, documents: Mapping[str, object]) -> Interface:
    def known(name: str | None) -> str | None:
        return None if name is None else settings.schemas.find(name)

    return JsonInterface(
        JsonService(
            service=chosen.id,
            documents=documents,
            request=known(chosen.request_schema),
            answer=known(chosen.response_schema),
            operations=chosen.operations or _USUAL.get(chosen.adapter, ONLY),
        )
    )
