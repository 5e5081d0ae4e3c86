"""What tests of whole exchanges share: a provider that does as told, and what the log says once it is opened."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import requests

from adapters.simulators.misbehave import Misbehaviour
from adapters.simulators.simulator import Simulator
from adapters.simulators.wire import Answer, Received
from gateway.client.call import Call
from gateway.client.session import Answer as ClientAnswer
from gateway.client.session import open as open_client
from gateway.config.product import product_schemas
from gateway.keys.file import load_private_key
from gateway.ledger.epoch import open_epoch
from gateway.ledger.note import parse_vkey
from gateway.ledger.openings import check_openings, epoch_of, open_sealed
from gateway.ledger.skeleton import entry_of, read_skeleton
from gateway.ledger.verify import VerifiedLog, verify_log
from gateway.model.envelope import Purpose
from gateway.model.ids import SubsystemId, parse_service
from gateway.model.message import Head
from gateway.storage.sqlite.rows import unpack
from tests.support.attacks import Response, World, world
from tests.support.gateways import BASIS, ECHO, OTHER, PORTAL, PURPOSE, STRANGER, Site, make_site

STATED = Purpose(PURPOSE, BASIS)
HOLDING = parse_service("VN/GOV/G15/registry/holding")
"""A look-up with a schema: the portal is granted four elements of its answer. 404 means: no such record."""
USUAL = parse_service("VN/GOV/G15/registry/usual")
"""Has a default purpose, and lets persons' numbers stand in its URL."""
SAFE_WRITE = parse_service("VN/GOV/G15/registry/safe-write")
"""A write that may be repeated."""

_SERVICES = f"""
[[service]]
id = "{HOLDING}"
path = "/holding"
response_schema = "holding.json"
not_found = [404]
asked = ["/identity_number"]
released = ["/owner/identity_number"]

[[service]]
id = "{USUAL}"
path = "/usual"
default_purpose = "{PURPOSE};{BASIS}"
person_in_url = true

[[service]]
id = "{SAFE_WRITE}"
path = "/safe-write"
kind = "write"
idempotent = true
"""

_HOLDING = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://motlan.example/test/holding.json",
    "type": "object",
    "required": ["owner"],
    "properties": {
        "owner": {
            "type": "object",
            "properties": {"identity_number": {"type": "string"}, "full_name": {"type": "string"}},
        },
        "area": {"type": "number"},
        "price": {"type": "number"},
        "serial": {"type": "integer"},
        "debts": {"type": "array", "items": {"type": "object", "properties": {"bank": {}, "sum": {"type": "number"}}}},
        "note": {"type": "string"},
    },
}


def grant(name: str, client: SubsystemId, service: Any, fields: str = '["*"]', more: str = "") -> str:
    """A grant's TOML."""
    return f"""
[[grant]]
name = "{name}"
client = "{client}"
service = "{service}"
methods = ["GET", "HEAD", "POST", "PUT", "DELETE"]
paths = ["", "/**"]
fields = {fields}
purpose = [{{ code = "{PURPOSE}", bases = ["{BASIS}"] }}]
{more}
"""


_GRANTS = "".join(
    [
        grant("portal-holding", PORTAL, HOLDING, '["/owner/full_name", "/area", "/serial", "/debts/*/sum"]'),
        grant("other-holding", OTHER, HOLDING),
        grant("portal-usual", PORTAL, USUAL),
        grant("portal-safe-write", PORTAL, SAFE_WRITE),
        grant("stranger-echo", STRANGER, ECHO),
    ]
)


def make_office(folder: Path, backend: str, **site: Any) -> Site:
    """``make_site`` with the services above and their schema. identity: more TOML for [gateway]."""
    shutil.copytree(product_schemas(), folder / "schemas")
    (folder / "schemas/holding.json").write_text(json.dumps(_HOLDING))
    site["services"] = site.get("services", "") + _SERVICES
    site["grants"] = site.get("grants", "") + _GRANTS
    site["extra"] = f'schemas = "{folder}/schemas"\n' + site.get("extra", "")
    identity = site.pop("identity", "")
    made = make_site(folder, backend, **site)
    made.config.write_text(made.config.read_text().replace("\n[listener]", f"{identity}\n[listener]", 1))
    return made


@contextmanager
def office(folder: Path, **site: Any) -> Iterator[World]:
    """A gateway with these services and a told provider (``world.provider``), in a thread of their own."""
    with world(folder, provider=Provider(), make=make_office, **site) as made:
        yield made


Reply = Answer | Callable[[Received], Any]


def json_answer(document: Any, **more: Any) -> Answer:
    """A provider's JSON, from a value or as text that must stay as it is."""
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    return Answer(body=text.encode(), **more)


class Provider(Simulator):
    """Answers what ``reply`` says, and keeps what it received."""

    PATH = ""

    def __init__(self) -> None:
        super().__init__()
        self.reply: Reply = json_answer({"ok": True})
        self.seen: list[Received] = []

    def operation(self, received: Received) -> str:
        return received.path

    def answer(self, received: Received) -> Answer:
        self.seen.append(received)
        return self.reply(received) if callable(self.reply) else self.reply

    def twist(self, received: Received, right: Answer, how: Misbehaviour) -> Answer:
        raise AssertionError("a told provider is told everything")

    @property
    def last(self) -> Received:
        return self.seen[-1]


class Record:
    """A record as an auditor sees it: its skeleton, and the openings that are proved to be its own."""

    def __init__(self, skeleton: dict[str, Any], private: list[tuple[str, Any]]) -> None:
        self.skeleton = skeleton
        self.private = private

    def __getitem__(self, name: str) -> Any:
        return self.skeleton[name]

    def shown(self, name: str) -> Any:
        """The private field of that name; None where there is none."""
        found = self.all(name)
        assert len(found) <= 1
        return found[0] if found else None

    def all(self, name: str) -> list[Any]:
        return [value for each, value in self.private if each == name]


def records(site: Site, after: int = 0) -> list[Record]:
    """Every record of a site behind that many rows."""
    return read_records(site.folder / "motlan.sqlite", site.folder / "pki", after)


def read_records(path: Path, pki: Path, after: int = 0) -> list[Record]:
    """Every record behind that many rows, opened with the auditor's key, each checked against its entry."""
    database = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        key = load_private_key(pki / "roles/auditor.key.pem")
        sealed_epochs = [sealed for (sealed,) in database.execute("SELECT sealed FROM epoch")]
        opened = [open_epoch(sealed, key) for sealed in sealed_epochs]
        epochs = {epoch.id: epoch for epoch in opened}
        found = []
        for (packed,) in database.execute("SELECT row FROM journal WHERE seq > ? ORDER BY seq", (after,)):
            row = unpack(packed)
            assert entry_of(row.skeleton) == row.entry
            openings = open_sealed(row.openings, epochs[epoch_of(row.openings)], row.id, row.entry)
            check_openings(read_skeleton(row.skeleton), openings)
            found.append(Record(json.loads(row.skeleton), [(each.name, each.value) for each in openings.shown]))
        return found
    finally:
        database.close()


def exchange_of(site: Site, answer_id: str | None) -> tuple[Record, Record]:
    """The request and the answer of the exchange whose answer's record this is; there is exactly one of each."""
    all_of_them = {each["id"]: each for each in records(site)}
    assert answer_id is not None
    answer = all_of_them[answer_id]
    assert [each["id"] for each in all_of_them.values() if each["parent"] == answer["parent"]] == [answer_id]
    return all_of_them[answer["parent"]], answer


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Caller:
    """The Python client of one subsystem, called from a test's own thread."""

    def __init__(self, world: World, subsystem: SubsystemId = PORTAL, **options: Any) -> None:
        self._world = world
        self._subsystem = subsystem
        self._options = options

    async def _send(self, call: Call) -> ClientAnswer:
        async with connect(self._world.site, self._subsystem, **self._options) as client:
            return await client.send(call)

    def send(self, call: Call) -> ClientAnswer:
        return self._world.run(self._send(call))

    def post(self, body: Any = None, **more: Any) -> ClientAnswer:
        """POST to ECHO, or to what ``service`` names, for the usual purpose."""
        stated = {"service": ECHO, "purpose": STATED, "body": {"a": 1} if body is None else body, **more}
        return self.send(Call(**stated))

    def get(self, path: str = "", query: str | None = None, **more: Any) -> ClientAnswer:
        return self.send(
            Call(**{"service": ECHO, "purpose": STATED, "method": "GET", "path": path, "query": query, **more})
        )


def connect(site: Site, subsystem: SubsystemId = PORTAL, **options: Any) -> Any:
    """``gateway.client`` for one of the site's subsystems."""
    identity = site.pki.identities[subsystem]
    return open_client(
        site.url,
        subsystem=str(subsystem),
        key=identity.key,
        certificate=identity.certificate,
        gateway_certificates=[site.pki.gateway.certificate],
        authorities=site.pki.bundle,
        **options,
    )


def fetch_log(site: Site) -> Callable[[str], bytes]:
    """The public log over HTTP, as ``verify_log`` asks for it."""

    def fetch(path: str) -> bytes:
        got = requests.get(f"{site.url}/log/{path}", timeout=10, verify=str(site.pki.bundle))
        if got.status_code == 404:
            raise LookupError(path)
        assert got.status_code == 200
        return got.content

    return fetch


def check_log(site: Site, older: bytes | None = None) -> VerifiedLog:
    """Verify the whole log over HTTP with the key that the trust list's publisher knows."""
    return verify_log(fetch_log(site), parse_vkey(site.pki.log_vkey), older=older)


def head_of(received: Received) -> Head:
    """What a provider received, in the model's form."""
    return Head(method=received.method, target=received.target, fields=received.headers)


def fields_of(response: Response | ClientAnswer) -> Mapping[str, str]:
    """Lower-case names → values; a name that occurs twice fails."""
    names = [name.lower() for name, _ in response.head.fields]
    assert len(names) == len(set(names)), names
    return {name.lower(): value for name, value in response.head.fields}
