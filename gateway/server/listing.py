"""``GET /listClients``: the members and subsystems of the trust list in force, for everybody (X-Road PR-META §2).

XML unless ``Accept`` names ``application/json``; of the gateway's own instance unless ``xRoadInstance`` names another.
An instance of which nobody is listed has no clients. Each form is written once per trust list.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from aiohttp import web
from msgspec import Struct

from gateway.model.ids import MemberId, SubsystemId

PATH: Final = "/listClients"

_MOST_FIELDS = 8
_NOT_XML: Final = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""What XML 1.0 §2.2 has no place for."""
_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<xrd:clientList xmlns:xrd="http://x-road.eu/xsd/xroad.xsd" xmlns:id="http://x-road.eu/xsd/identifiers">'
)


class Client(Struct, frozen=True, kw_only=True):
    """A member or one of its subsystems. name: the member's. subsystem_name: of a subsystem, its own."""

    id: MemberId | SubsystemId
    name: str
    subsystem_name: str = ""


class _Written(Struct, frozen=True):
    """One list in both forms."""

    xml: bytes
    json: bytes


class ClientList:
    """Answers. instance: the gateway's own. digest: of the trust list in force. clients: whom that list names."""

    def __init__(self, instance: str, digest: Callable[[], str], clients: Callable[[], Iterable[Client]]) -> None:
        self._instance = instance
        self._current = digest
        self._clients = clients
        self._digest = ""
        self._written: dict[str, _Written] = {}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """The list of one instance. A query that names no instance, or two, is answered 400."""
        digest = self._current()
        if digest != self._digest:
            self._digest, self._written = digest, _write_all(self._clients())
        try:
            query = request.raw_path.partition("?")[2]
            pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
        except ValueError:
            return web.Response(status=400)
        asked = [value for name, value in pairs if name == "xRoadInstance"]
        if len(asked) > 1:
            return web.Response(status=400)
        written = self._written.get(asked[0] if asked else self._instance, _NOBODY)
        if "application/json" in ",".join(request.headers.getall("Accept", ())).lower():
            return _answer(written.json, "application/json; charset=utf-8")
        return _answer(written.xml, "text/xml; charset=utf-8")


def _answer(body: bytes, media: str) -> web.Response:
    return web.Response(body=body, headers={"Content-Type": media, "Cache-Control": "no-cache", "Vary": "Accept"})


def _write_all(clients: Iterable[Client]) -> dict[str, _Written]:
    instances: dict[str, list[Client]] = {}
    for client in clients:
        instances.setdefault(client.id.instance, []).append(client)
    return {instance: _write(of_it) for instance, of_it in instances.items()}


def _write(clients: Iterable[Client]) -> _Written:
    ordered = sorted(clients, key=lambda client: str(client.id))
    xml = _HEAD + "".join(_xml(client) for client in ordered) + "</xrd:clientList>\n"
    document = {"member": [_json(client) for client in ordered]}
    return _Written(xml.encode(), json.dumps(document, ensure_ascii=False).encode())


def _parts(identifier: MemberId | SubsystemId) -> tuple[str, dict[str, str]]:
    """The object's type, and its identifier's parts as JSON names them."""
    parts = {
        "member_class": identifier.member_class,
        "member_code": identifier.member_code,
        "xroad_instance": identifier.instance,
    }
    if isinstance(identifier, SubsystemId) and identifier.subsystem_code is not None:
        return "SUBSYSTEM", parts | {"subsystem_code": identifier.subsystem_code}
    return "MEMBER", parts


def _json(client: Client) -> dict[str, Any]:
    kind, parts = _parts(client.id)
    written: dict[str, Any] = {"id": parts | {"object_type": kind}, "name": client.name}
    return written | ({"subsystem_name": client.subsystem_name} if client.subsystem_name else {})


_ELEMENTS: Final = (
    ("xroad_instance", "xRoadInstance"),
    ("member_class", "memberClass"),
    ("member_code", "memberCode"),
    ("subsystem_code", "subsystemCode"),
)
"""In the schema's order (identifiers.xsd)."""


def _xml(client: Client) -> str:
    kind, parts = _parts(client.id)
    inner = "".join(_element(f"id:{element}", parts[name]) for name, element in _ELEMENTS if name in parts)
    names = _element("xrd:name", client.name)
    if client.subsystem_name:
        names += _element("xrd:subsystemName", client.subsystem_name)
    return f'<xrd:member><xrd:id id:objectType="{kind}">{inner}</xrd:id>{names}</xrd:member>'


def _element(name: str, value: str) -> str:
    text = escape(_NOT_XML.sub("\ufffd", value))
    return f"<{name}>{text}</{name}>"


_NOBODY: Final = _write(())
