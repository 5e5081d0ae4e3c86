"""``motlan adapter record``: samples out of a live provider, without anybody's data.

What is asked of a register is an exchange like any other: it is in the gateway's log, under the gateway's own name,
with officer, case and persons, before the request goes out. The answers stay in memory; what is written is invented.
"""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any

from msgspec import Struct

from adapters.kit import toml
from adapters.kit.anonymous import Anonymiser
from adapters.rest.http1 import Response
from gateway.config.environment import environment
from gateway.config.load import Settings, load
from gateway.config.secrets import resolve
from gateway.config.services import ServiceSettings
from gateway.exchange.events import Event, persons_at
from gateway.exchange.ids import new_record_id
from gateway.ledger.record import Facts, InForce, RecordKind, Ruling, SignedBy
from gateway.model.errors import ExchangeError
from gateway.model.errors.config import CONFIGURATION_INVALID
from gateway.model.errors.kit import RECORDING_UNSAFE, SAMPLE_UNUSABLE
from gateway.model.ids import RecordId, ServiceId
from gateway.model.jsontext import encode
from gateway.model.pointer import parse_pointer
from gateway.model.storage import JournalUnavailableError
from gateway.storage.spool import SpoolWriter
from gateway.validation.strict_json import parse_json
from gateway.wiring.build import BUILD
from gateway.wiring.core import Core, build_core
from gateway.wiring.kit_layout import Layout
from gateway.wiring.kit_run import Adapter, Question, Ran, Runner
from gateway.wiring.kit_samples import Body
from gateway.wiring.kit_texts import Texts, meant
from gateway.wiring.mappings import compiled
from gateway.wiring.providers import build_provider


class Asked(Struct, frozen=True, kw_only=True):
    """What is recorded. document: a canonical request. name: of the sample."""

    name: str
    document: Any
    path: str = ""
    method: str = "POST"


class Why(Struct, frozen=True, kw_only=True):
    """For the log: who records, in which case, for which purpose."""

    officer: str
    case: str
    purpose: str


class Recording(Struct, frozen=True, kw_only=True):
    """What was written. outcome: of the call. replaced, kept: field names → how many values."""

    outcome: str
    files: tuple[Path, ...]
    replaced: dict[str, int]
    kept: dict[str, int]


def record(
    layout: Layout,
    config: Path,
    service: ServiceId,
    asked: Asked,
    why: Why,
    *,
    personal: tuple[str, ...] = (),
    not_personal: tuple[str, ...] = (),
    replace: bool = False,
) -> Recording:
    """Ask the live provider once, and write the sample. personal, not_personal: names of fields.

    Raises ExchangeError (nothing was written), JournalUnavailableError, FileExistsError.
    """
    settings = load(config)
    mapping = settings.mappings.get(service)
    if mapping is None:
        raise ExchangeError(CONFIGURATION_INVALID, f"{service} is no service here that follows a mapping")
    adapter = Adapter(
        layout=layout,
        mapping=mapping,
        compiled=compiled(mapping),
        schemas=settings.schemas,
        service=settings.services[service],
    )
    if not replace and (layout.samples / f"{asked.name}.toml").exists():
        raise FileExistsError(17, "File exists", str(layout.samples / f"{asked.name}.toml"))
    ran, bodies = asyncio.run(_ask(settings, adapter, asked, why))
    if not bodies:
        raise ExchangeError(SAMPLE_UNUSABLE, f"the provider gave no answer: {ran.outcome}")
    cleaner = Anonymiser(os.urandom(32), also=meant(mapping.document, personal), never=not_personal)
    return _write(layout, asked, ran, Texts(cleaner), bodies)


def read_request(file: Path) -> Any:
    """A canonical request. Raises ExchangeError."""
    try:
        return parse_json(file.read_bytes())
    except (ExchangeError, ValueError) as error:
        raise ExchangeError(SAMPLE_UNUSABLE, f"{file} is no JSON") from error


# -- the call, in the log ----------------------------------------------------------------------------------------------


async def _ask(settings: Settings, adapter: Adapter, asked: Asked, why: Why) -> tuple[Ran, list[Body]]:
    if not settings.ledger.database.exists():
        raise JournalUnavailableError(f"there is no database {settings.ledger.database}: start the gateway once")
    bodies: list[Body] = []
    core = await build_core(settings)
    try:
        provider = build_provider(
            settings.providers[settings.provider_of[_service(adapter).id]],
            settings.limits,
            core.clock,
            lambda name: resolve(name, settings.secrets, environment()),
            lambda: SpoolWriter(Path(tempfile.gettempdir()), core.entropy, limit=settings.limits.answer),
        )
        runner = Runner(adapter, provider, heard=lambda response: bodies.append(_body(response)))
        log = _Log(core, settings, adapter, why)
        parent = await log.request(asked)
        ran = await runner.ask(_question(settings, asked, why, parent))
        await log.answer(asked, ran, parent)
        await runner.close()
    finally:
        await core.store.close()
    return ran, bodies


def _body(response: Response) -> Body:
    data = response.body.data
    if data is None:
        raise ExchangeError(SAMPLE_UNUSABLE, "the answer is too large for a sample")
    kind = next((value for name, value in response.fields if name.lower() == "content-type"), "")
    return Body(status=response.status, content_type=kind, data=data)


def _question(settings: Settings, asked: Asked, why: Why, parent: RecordId) -> Question:
    client = settings.gateway.subsystem
    facts: dict[str, str | None] = {
        "purpose": why.purpose,
        "basis": None,
        "client": str(client),
        "agency": client.member_code,
        "subsystem": client.subsystem_code,
        "officer": why.officer,
        "case": why.case,
        "represented": None,
        "record": parent,
        "message_id": parent,
    }
    return Question(method=asked.method, path=asked.path, document=asked.document, facts=facts)


def _service(adapter: Adapter) -> ServiceSettings:
    assert adapter.service is not None
    return adapter.service


class _Log:
    """The records of one recording: a request and its answer, by the gateway itself."""

    def __init__(self, core: Core, settings: Settings, adapter: Adapter, why: Why) -> None:
        self._core, self._settings, self._why = core, settings, why
        self._service = _service(adapter)
        self._in_force = InForce(
            policy=bytes.fromhex(settings.policy_digest),
            trust=None,
            mapping=bytes.fromhex(settings.services_digest),
            build=BUILD,
        )

    async def request(self, asked: Asked) -> RecordId:
        """Before anything goes out."""
        persons = persons_at(asked.document, tuple(parse_pointer(each) for each in self._service.asked))
        said = (("officer", self._why.officer), ("case", self._why.case))
        facts = self._facts(RecordKind.REQUEST, asked, persons, said, None, "")
        await self._core.recorder.commit(self._event(facts, persons, opens=True))
        return facts.id

    async def answer(self, asked: Asked, ran: Ran, parent: RecordId) -> None:
        """What came of it."""
        persons = persons_at(ran.document, tuple(parse_pointer(each) for each in self._service.released))
        facts = self._facts(RecordKind.ANSWER, asked, persons, (), parent, ran.outcome)
        await self._core.recorder.commit(self._event(facts, persons, ends=parent))

    def _facts(  # noqa: PLR0917 - all of a record
        self,
        kind: RecordKind,
        asked: Asked,
        persons: tuple[str, ...],
        said: tuple[tuple[str, str], ...],
        parent: RecordId | None,
        outcome: str,
    ) -> Facts:
        now = self._core.clock.now()
        return Facts(
            id=new_record_id(now, self._core.entropy),
            at=now,
            kind=kind,
            in_force=self._in_force,
            parent=parent,
            client=self._settings.gateway.subsystem,
            service=self._service.id,
            method=asked.method,
            purpose=self._why.purpose,
            ruling=Ruling.ALLOWED if kind is RecordKind.REQUEST else None,
            reasons=("a sample is recorded",) if kind is RecordKind.REQUEST else (),
            outcome=outcome or None,
            signed_by=SignedBy.GATEWAY,
            private=(*(("person", each) for each in persons), *said),
        )

    def _event(self, facts: Facts, persons: tuple[str, ...], **more: Any) -> Event:
        officer = (str(self._settings.gateway.subsystem), self._why.officer)
        return Event(facts=facts, persons=persons, officer=officer, case=self._why.case, **more)


def _write(layout: Layout, asked: Asked, ran: Ran, texts: Texts, bodies: list[Body]) -> Recording:
    request = encode(asked.document)
    for data in (request, *(each.data for each in bodies)):
        texts.note(data)
    cleaned = [texts.clean(data) for data in (request, *(each.data for each in bodies))]
    left = sorted({name for data in cleaned for name in texts.remaining(data)})
    if left:
        raise ExchangeError(RECORDING_UNSAFE, f"values of {', '.join(left)} would stand in it")
    files = {layout.samples / f"{asked.name}.request.json": cleaned[0] + b"\n"}
    said = [f"path = {toml.text(asked.path)}"]
    said += [f"method = {toml.text(asked.method)}"] if asked.method != "POST" else []
    said += [f"request = {toml.text(f'{asked.name}.request.json')}", f"outcome = {toml.text(ran.outcome)}"]
    for number, (body, data) in enumerate(zip(bodies, cleaned[1:], strict=True), 1):
        extension = "xml" if body.is_xml else "json"
        name = f"{asked.name}.answer{number if len(bodies) > 1 else ''}.{extension}"
        files[layout.samples / name] = data
        said += ["", "[[answer]]", f"status = {body.status}"]
        said += [f"content_type = {toml.text(body.content_type)}", f"body = {toml.text(name)}"]
    files[layout.samples / f"{asked.name}.toml"] = ("\n".join(said) + "\n").encode()
    layout.samples.mkdir(parents=True, exist_ok=True)
    for file, data in files.items():
        file.write_bytes(data)
    counted = texts.cleaner
    return Recording(outcome=ran.outcome, files=tuple(files), replaced=counted.replaced, kept=counted.kept)
