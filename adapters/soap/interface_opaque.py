"""A SOAP service without a WSDL: its elements pass as they are, and say nothing to us."""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET, UnsetType

from adapters.soap.interface_made import namespace_of
from adapters.soap.translate_names import element_name
from adapters.soap.wsdl_made import made_wsdl
from gateway.model.ids import ServiceId


class OpaqueInterface:
    """``gateway.ports.Interface`` of such a service: whatever begins with its name is an operation (PR-MESS §2.3)."""

    def __init__(self, service: ServiceId) -> None:
        self._namespace = namespace_of(service)
        self._name = element_name(service.service_code)

    def called(self, element: str, payload: Callable[[], bytes]) -> tuple[str, str, str | None] | None:
        """POST without a path, whichever element it is; None for one that does not begin with the service's name."""
        del payload
        return ("POST", "", None) if element.rpartition("}")[2].startswith(self._name) else None

    def document(self, payload: bytes) -> Any | UnsetType:
        """UNSET: nobody said what the elements mean."""
        del payload
        return UNSET

    def payload(self, element: str, document: Any) -> bytes:
        """Raises ValueError: JSON has no element here."""
        del element, document
        raise ValueError("the service has no WSDL by which an element could be made")

    def wsdl(self, address: str) -> bytes:
        """A WSDL without operations: an address is all that is known."""
        return made_wsdl(self._namespace, self._name, (), "", address)
