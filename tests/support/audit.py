"""A gateway's log to audit: people, officers and dossiers, in records as an exchange makes them; and its readers."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from msgspec import Struct, field

from gateway.exchange.events import Event
from gateway.exchange.ids import new_record_id
from gateway.keys.file import write_private_key
from gateway.ledger.record import Facts, RecordKind, Ruling, SignedBy
from gateway.model.ids import RecordId
from gateway.trust.jws import sign
from gateway.wiring.gateway import Gateway
from tests.support.gateways import ECHO, PORTAL, PURPOSE, RECORD, Site, running

FATHER, MOTHER, CHILD = "031093271828", "040195889861", "031224000123"
AN, BINH = "nv.an", "nv.binh"
CASE = "000.00.01.H24-261122-0007"


class Entry(Struct, kw_only=True):
    """One exchange to record. asked, released: persons. elements: that left. outcome None: it never ended."""

    name: str
    asked: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    officer: str = AN
    case: str | None = CASE
    message: str | None = None
    elements: tuple[str, ...] = ("citizen.full_name",)
    outcome: str | None = "FOUND"
    service: Any = ECHO
    client: Any = PORTAL


STORY = (
    Entry(name="father", asked=(FATHER,), released=(FATHER,), message="H24-1"),
    Entry(name="family", asked=(MOTHER,), released=(MOTHER, FATHER, CHILD), officer=BINH, message="H24-2"),
    Entry(name="curious", asked=(FATHER,), released=(FATHER,), case=None, message="=cmd|calc", service=RECORD),
    Entry(name="nobody", asked=(CHILD,), outcome="NOT_FOUND", elements=()),
    Entry(name="unended", asked=(FATHER,), outcome=None),
)


class Told(Struct):
    """What was recorded: ids of requests and answers by the entry's name."""

    requests: dict[str, RecordId] = field(default_factory=dict)
    answers: dict[str, RecordId] = field(default_factory=dict)


async def tell(gateway: Gateway, entries: tuple[Entry, ...] = STORY) -> Told:
    """Record these exchanges."""
    core, in_force, told = gateway.core, gateway.pipeline.rules.in_force, Told()
    for entry in entries:
        said = {"client": entry.client, "service": entry.service, "method": "POST", "purpose": PURPOSE}
        private: list[tuple[str, Any]] = [("person", each) for each in entry.asked]
        private += [("officer", entry.officer)]
        private += [(name, value) for name, value in (("case", entry.case), ("message_id", entry.message)) if value]
        now = core.clock.now()
        asked = Facts(
            id=new_record_id(now, core.entropy),
            at=now,
            kind=RecordKind.REQUEST,
            in_force=in_force,
            ruling=Ruling.ALLOWED,
            reasons=("grant portal-echo",),
            grant="portal-echo",
            signed_by=SignedBy.CALLER,
            private=tuple(private),
            **said,
        )
        officer = (str(entry.client), entry.officer)
        await core.recorder.commit(
            Event(
                facts=asked,
                persons=entry.asked,
                officer=officer,
                case=entry.case,
                message=entry.message,
                opens=entry.outcome is not None,
            )
        )
        told.requests[entry.name] = asked.id
        if entry.outcome is not None:
            now = core.clock.now()
            answered = Facts(
                id=new_record_id(now, core.entropy),
                at=now,
                kind=RecordKind.ANSWER,
                in_force=in_force,
                parent=asked.id,
                outcome=entry.outcome,
                released=entry.elements,
                signed_by=SignedBy.GATEWAY,
                private=tuple(("person", each) for each in entry.released),
                **said,
            )
            await core.recorder.commit(Event(facts=answered, persons=entry.released, ends=asked.id))
            told.answers[entry.name] = answered.id
    return told


def tell_story(site: Site, entries: tuple[Entry, ...] = STORY) -> Told:
    """Let the site's gateway run for a moment and record these exchanges."""

    async def work() -> Told:
        async with running(site) as gateway:
            return await tell(gateway, entries)

    return asyncio.run(work())


def settle(site: Site) -> None:
    """Let the site's gateway run for a moment: what readers did since gets into the log."""

    async def work() -> None:
        async with running(site):
            pass

    asyncio.run(work())


def list_roles(site: Site, *roles: dict[str, str]) -> None:
    """Publish the next trust list with more roles: ``role``, ``name``, ``key`` (a PEM file of a private key), ``until``.

    The gateway takes it up when it starts next.
    """
    file = site.folder / "pki/trust/draft.json"
    draft = json.loads(file.read_bytes())
    draft["serial"] += 1
    for role in roles:
        key = load_pem_private_key(Path(role["key"]).read_bytes(), None)
        der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

        draft["roles"].append({**role, "key": base64.b64encode(der).decode()})
    payload = json.dumps(draft, ensure_ascii=False).encode()
    file.write_bytes(payload)
    signers: list[Any] = [load_pem_private_key(path.read_bytes(), None) for path in site.pki.signers[:2]]
    (site.folder / "pki/trust/list.jws").write_bytes(sign(payload, signers))


def new_reader_key(file: Path) -> Path:
    """A new P-256 key in a file."""
    write_private_key(file, ec.generate_private_key(ec.SECP256R1()))
    return file


def reader(site: Site, role: str = "auditor", *, key: Path | None = None, **said: str) -> list[object]:
    """The options of somebody who reads the site's log."""
    file = key or next(path for name, path in site.pki.role_keys.items() if name == role)
    who = {"auditor": "Kiem", "case": "TT-1", "reason": "complaint"} | said
    return [
        "--config",
        site.config,
        "--auditor-key",
        file,
        *(each for name, value in who.items() for each in (f"--{name}", value)),
    ]
