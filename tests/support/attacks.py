"""A real gateway under attack: messages made by hand, blocking sockets, and what became of them."""

import asyncio
import base64
import itertools
import json
import secrets
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import apsw
import uvloop

from adapters.simulators.backend import Backend
from adapters.simulators.simulator import Simulator
from gateway.keys.file import FileKey, load_certificates, load_signing_key
from gateway.model.ids import ServiceId, SubsystemId, encode
from gateway.model.instant import Instant, plus
from gateway.model.message import Body, Fields, Head
from gateway.signing.algorithms import PublicKey
from gateway.signing.digest import content_digest
from gateway.signing.http_sig_check import AnswerProof, verify_response
from gateway.storage.sqlite.rows import unpack
from gateway.wiring.gateway import Gateway
from tests.support.gateways import BASIS, ECHO, PORTAL, PURPOSE, RECORD, Site, make_site
from tests.support.rawhttp import SECONDS, Message, Response, Wire, send_all

T = TypeVar("T")
Parameters = dict[str, str | None]

STRICT = f"""
[[service]]
id = "{RECORD}"
path = "/record"
request_schema = "citizen-lookup.request.json"
"""
"""A service with a request schema, for ``make_site(services=…)``."""
STRICT_GRANT = f"""
[[grant]]
name = "portal-record"
client = "{PORTAL}"
service = "{RECORD}"
methods = ["POST"]
fields = ["*"]
purpose = [{{ code = "{PURPOSE}", bases = ["{BASIS}"] }}]
"""

_EXCHANGE_KINDS = frozenset({"request", "answer", "refusal"})


class MovableClock:
    """The machine's clock, and an operator who can set it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> Instant:
        return plus(Instant(time.time_ns() // 1000), self.ahead)

    def monotonic(self) -> float:
        return time.monotonic()


class World:
    """A gateway and the provider behind it, in a thread of their own.

    clock: the gateway's. Build it with ``world``.
    """

    def __init__(self, site: Site, provider: Simulator, loop: asyncio.AbstractEventLoop) -> None:
        self.site = site
        self.provider = provider
        self.clock = MovableClock()
        self.gateway: Gateway
        self._loop = loop
        self._database = apsw.Connection(":memory:")
        known = [PublicKey.from_certificate(load_certificates(site.pki.gateway.certificate)[0])]
        self._keys = {key.keyid: key for key in known}
        self._identities: dict[SubsystemId, FileKey] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something on the gateway's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def start(self) -> None:
        self.gateway = self.run(Gateway.start(self.site.config, clock=self.clock))
        self._database = apsw.Connection(str(self.site.folder / "motlan.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)

    def stop(self) -> None:
        self._database.close()
        self.run(self.gateway.stop())

    def restart(self) -> None:
        """The same database, a new process as far as memory goes."""
        self.stop()
        self.start()

    # -- what is sent ----------------------------------------------------------------------------------------------

    def key(self, subsystem: SubsystemId = PORTAL) -> FileKey:
        if subsystem not in self._identities:
            self._identities[subsystem] = self.site.key(subsystem)
        return self._identities[subsystem]

    def bad_key(self, name: str) -> FileKey:
        """One of the certificates that must be refused."""
        bad = self.site.pki.bad[name]
        return load_signing_key(bad.key, bad.certificate)

    def message(
        self,
        *,
        method: str = "POST",
        service: ServiceId | str = ECHO,
        path: str = "",
        body: bytes | None = b'{"a":1}',
        client: SubsystemId = PORTAL,
        key: FileKey | None = None,
        fields: Parameters | None = None,
        added: Fields = (),
        covered: Iterable[str] | None = None,
        left_out: Iterable[str] = (),
        label: str = "sig1",
        sign: Callable[[bytes], bytes] | None = None,
        **params: str | None,
    ) -> Message:
        """A signed request; right in everything that is not asked to be wrong.

        fields: replaced, added or (None) left out before signing. added: after it. covered: components in place of the
        minimum; left_out: of the minimum. params: of the signature, serialised; None leaves one out.
        """
        key = key or self.key(client)
        body = b"" if body is None or method in {"GET", "HEAD", "OPTIONS", "DELETE"} else body
        target = f"/r1/{encode(service) if isinstance(service, ServiceId) else service}{path}"
        values: Parameters = {
            "Host": f"127.0.0.1:{self.site.port}",
            "X-Road-Client": encode(client),
            "Motlan-Purpose": f'"{PURPOSE}";basis="{BASIS}"',
            "Content-Type": "application/json" if body else None,
            "Content-Digest": content_digest(Body(body)) if body else None,
            **(fields or {}),
        }
        whole = tuple((name, value) for name, value in values.items() if value is not None)
        if covered is None:
            names = [name.lower() for name, _ in whole if name.lower() not in {"host", "accept", "accept-language"}]
            covered = [name for name in ("@method", "@target-uri", *names) if name not in set(left_out)]
        texts = self._params(key, params)
        text = f"({' '.join(_component(name) for name in covered)})" + "".join(
            f";{name}={value}" for name, value in texts.items() if value is not None
        )
        base = _base(Head(method=method, target=target, fields=whole), self.site.url, covered, text)
        value = base64.b64encode((sign or key.sign)(base)).decode()
        signature = (("Signature-Input", f"{label}={text}"), ("Signature", f"{label}=:{value}:"))
        head = Head(method=method, target=target, fields=(*whole, *signature, *added))
        return Message(head=head, body=body, url=self.site.url)

    def _params(self, key: FileKey, changed: Parameters) -> Parameters:
        created = int(changed.get("created") or self.clock.now() // 1_000_000)
        usual: Parameters = {
            "created": str(created),
            "expires": str(created + 60),
            "nonce": f'"{secrets.token_urlsafe(24)}"',
            "keyid": f'"{key.keyid}"',
            "alg": f'"{key.algorithm}"',
            "tag": '"motlan-request"',
        }
        return usual | changed

    def connect(self, seconds: float = SECONDS, source: str = "127.0.0.1") -> Wire:
        return Wire(self.site.port, seconds, source)

    def send(self, message: Message) -> Response:
        """Send a message on a connection of its own."""
        with self.connect() as wire:
            wire.send(message.encode())
            return wire.answer(message.head.method)

    def send_at_once(self, messages: Iterable[Message]) -> list[Response]:
        """Send each on a connection of its own, all before the first answer is read."""
        pairs = [(self.connect(), message) for message in messages]
        for wire, message in pairs:
            wire.send(message.encode())
        try:
            return [wire.answer(message.head.method) for wire, message in pairs]
        finally:
            for wire, _ in pairs:
                wire.__exit__()

    # -- what became of it -----------------------------------------------------------------------------------------

    @property
    def forwarded(self) -> int:
        """How many requests ever reached the provider."""
        return self.provider.requests.total()

    def rows(self) -> int:
        """How many rows the journal has."""
        count = self._database.execute("SELECT count(*) FROM journal").get
        assert isinstance(count, int)
        return count

    def all_records(self, after: int = 0) -> list[dict[str, Any]]:
        """The skeletons of all records behind that many rows."""
        found = self._database.execute("SELECT row FROM journal WHERE seq > ? ORDER BY seq", (after,))
        return [json.loads(unpack(row).skeleton) for (row,) in found]

    def records(self, after: int = 0) -> list[dict[str, Any]]:
        """Those of exchanges."""
        return [each for each in self.all_records(after) if each["kind"] in _EXCHANGE_KINDS]

    def counted(self, code: str) -> int:
        """How many refusals with this code wait to be aggregated."""
        counts = self.gateway.tally._counts
        return sum(entry.count for (reason, _, _), entry in list(counts.items()) if reason == code)

    def until(self, condition: Callable[[], bool], seconds: float = 5.0) -> None:
        """Wait for what the gateway does after the connection is gone."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come to pass"
            self.run(asyncio.sleep(0.001))

    def proof_of(self, response: Response, message: Message) -> AnswerProof:
        """That the gateway's key signed the answer to this request. Raises ExchangeError."""
        body = Body(response.body)
        return verify_response(response.head, body, message.sent, keys=self._keys, now=self.clock.now())

    def refuses(
        self, message: Message, code: str, status: int, *, recorded: bool, signed: bool = True, bound: bool = True
    ) -> Response:
        """Send it and see that it is refused so, that nothing was forwarded, and what is left of it.

        recorded: as the one record of a proved caller; else it is only counted. bound: the answer names the signature.
        """
        forwarded, rows, counted = self.forwarded, self.rows(), self.counted(code)
        response = self.send(message)
        assert (response.code, response.status) == (code, status), response
        problem = response.json()
        assert problem["code"] == code
        assert problem["status"] == status
        if signed:
            assert self.proof_of(response, message).bound == bound
        assert self.forwarded == forwarded
        left = self.records(rows)
        if recorded:
            told = [(each["kind"], each["decision"]["reasons"][0]) for each in left]
            assert told == [("refusal", code)], told
            assert response.head.get("motlan-receipt") == left[0]["id"]
            assert self.counted(code) == counted
        else:
            assert left == []
            assert self.counted(code) == counted + 1
            assert response.head.get("motlan-receipt") is None
        return response

    def turns_away(self, data: bytes, code: str, status: int) -> Response:
        """Send these bytes and see that they never become a message: answered once, unsigned, counted, and closed."""
        forwarded, rows, counted = self.forwarded, self.rows(), self.counted(code)
        with self.connect() as wire:
            send_all(wire, data)
            response = wire.answer()
            assert (response.status, response.code) == (status, code), response
            assert response.head.get("signature") is None
            assert wire.rest() == b""
        assert (self.forwarded, self.rows(), self.counted(code)) == (forwarded, rows, counted + 1)
        return response

    def accepts(self, message: Message) -> Response:
        """Send it and see that it passes: forwarded once, recorded twice, signed."""
        forwarded, rows = self.forwarded, self.rows()
        response = self.send(message)
        assert (response.code, response.status) == (None, 200), response.body
        assert self.proof_of(response, message).bound
        assert self.forwarded == forwarded + 1
        kinds = [each["kind"] for each in self.records(rows)]
        assert kinds == ["request", "answer"], kinds
        return response


def _component(name: str) -> str:
    """``name`` or ``name;param`` as a component identifier."""
    plain, mark, rest = name.partition(";")
    return f'"{plain}"{mark}{rest}'


def _base(head: Head, origin: str, covered: Iterable[str], text: str) -> bytes:
    path, mark, query = head.target.partition("?")
    derived = {
        "@method": head.method,
        "@target-uri": origin + head.target,
        "@authority": origin.partition("://")[2],
        "@path": path,
        "@query": mark + query or "?",
    }
    lines = [f"{_component(name)}: {derived.get(name) or (head.get(name) or '').strip()}" for name in covered]
    return "\n".join([*lines, f'"@signature-params": {text}']).encode("latin-1")


_numbers = itertools.count()


@contextmanager
def world(
    folder: Path, *, provider: Simulator | None = None, make: Callable[..., Site] = make_site, **site: Any
) -> Iterator[World]:
    """A running gateway. site: as ``make_site`` takes it; the service RECORD with a schema is always there."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name=f"world-{next(_numbers)}")
    thread.start()
    behind = provider or Backend()

    def run(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    try:
        run(behind.start())
        site["services"] = STRICT + site.get("services", "")
        site["grants"] = STRICT_GRANT + site.get("grants", "")
        made = World(make(folder, behind.url, **site), behind, loop)
        made.start()
        try:
            yield made
        finally:
            made.stop()
            run(behind.stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
