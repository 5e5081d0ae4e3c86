"""``GET /wsdl``: what a service's SOAP interface is, for everybody, with this gateway's address in it.

Asked for as ``?service=instance/class/member/subsystem/service``, or in X-Road's parts: xRoadInstance, memberClass,
memberCode, subsystemCode, serviceCode, and version, which does not matter (of all versions the contract is the same).
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from gateway.model.ids import ServiceId, parse_service
from gateway.ports import Interface

PATH: Final = "/wsdl"

_MOST_FIELDS = 8
_PARTS = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode", "serviceCode")
_VERSION = "version"


class Wsdls:
    """Answers. interfaces: of the configuration in force. address: where SOAP requests are sent."""

    def __init__(self, interfaces: Callable[[ServiceId], Interface | None], address: str) -> None:
        self._interfaces = interfaces
        self._address = address
        self._written: dict[ServiceId, tuple[Interface, bytes]] = {}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """The WSDL of one service; 400 for a query that names none, 404 for a service that has none."""
        try:
            service = asked_for(request.raw_path.partition("?")[2])
        except ValueError as error:
            return web.Response(status=400, text=f"{error}\n")
        interface = self._interfaces(service)
        if interface is None:
            return web.Response(status=404, text="no service of this name is called over SOAP here\n")
        written = self._written.get(service)
        if written is None or written[0] is not interface:
            written = self._written[service] = (interface, interface.wsdl(self._address))
        headers = {"Content-Type": "text/xml; charset=utf-8", "Cache-Control": "no-cache"}
        return web.Response(body=written[1], headers=headers)


def asked_for(query: str) -> ServiceId:
    """The service that a query names. Raises ValueError."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise ValueError("the query cannot be read") from None
    given = dict(pairs)
    if len(given) != len(pairs):
        raise ValueError("a part of the service's name is given twice")
    given.pop(_VERSION, None)
    if given.keys() == {"service"}:
        return parse_service(given["service"])
    if given.keys() == set(_PARTS):
        return ServiceId(*[given[name] for name in _PARTS])
    raise ValueError(f"ask for service=…, or for {', '.join(_PARTS)}")
