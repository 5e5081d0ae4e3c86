"""Whole gateways with witnesses and timestamps, and with keys that are replaced."""

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec import Struct

from adapters.simulators.backend import Backend
from adapters.simulators.misbehave import Mode
from adapters.simulators.pki import GATEWAY, Party
from adapters.simulators.tsa_certificate import tsa_of
from gateway import client as motlan
from gateway.client.call import Call
from gateway.keys.file import load_certificates, load_private_key, load_public_key, write_private_key
from gateway.keys.issue import DevelopmentAuthority, PrivateKey, Profile, new_key
from gateway.keys.onboarding import certificate_pem
from gateway.ledger.checkpoint import open_checkpoint
from gateway.ledger.note import KeyType, VerifierKey, parse_vkey
from gateway.ledger.timestamp import verify_token
from gateway.ledger.verify import verify_log
from gateway.model.envelope import ProofScheme
from gateway.model.errors import ExchangeError
from gateway.model.errors.attesting import TIMESTAMPS_STALE
from gateway.model.ids import SubsystemId, parse_subsystem
from gateway.model.instant import Instant, plus
from gateway.model.usage import Usage
from gateway.trust.document import Signers, thumbprint
from gateway.trust.jws import verify
from gateway.trust.store import TrustStore
from gateway.wiring.witness import new_named_key
from tests.support.attesting import DAY, now, witness
from tests.support.exchanges import STATED, records
from tests.support.gateways import ECHO, PORTAL, Site, make_site, running
from tests.support.served import publish

pytestmark = pytest.mark.asyncio


def add(site: Site, text: str) -> None:
    site.config.write_text(site.config.read_text() + text)


def edit(site: Site, old: str, new: str) -> None:
    text = site.config.read_text()
    assert old in text
    site.config.write_text(text.replace(old, new, 1))


async def call(site: Site, **options: Any) -> Any:
    identity = site.pki.identities[PORTAL]
    usual = {"gateway_certificates": [site.pki.gateway.certificate], "authorities": site.pki.bundle}
    async with motlan.open(
        site.url,
        subsystem=str(PORTAL),
        key=identity.key,
        certificate=identity.certificate,
        **(usual | options),
    ) as client:
        return await client.send(Call(service=ECHO, purpose=STATED, body={"a": 1}))


async def fetch(site: Site, path: str) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as http, http.get(f"{site.url}/log/{path}") as response:
        return response.status, await response.read()


async def until(condition: Callable[[], Any]) -> Any:
    async with asyncio.timeout(10):
        while not (found := await condition()):  # noqa: ASYNC110 - a gateway tells nobody what it did by itself
            await asyncio.sleep(0.02)
        return found


async def whole_log(site: Site, *keys: VerifierKey, older: bytes | None = None) -> int:
    """Verify it over HTTP, as a stranger; its size."""
    loop = asyncio.get_running_loop()

    def read(path: str) -> bytes:
        status, data = asyncio.run_coroutine_threadsafe(fetch(site, path), loop).result(10)
        if status != 200:
            raise LookupError(path)
        return data

    found = await asyncio.to_thread(verify_log, read, keys, older=older)
    return found.checkpoint.checkpoint.size


async def test_two_gateways_worth_of_attestations_end_to_end(tmp_path: Path) -> None:
    async with Backend() as backend:
        site = make_site(tmp_path / "site", backend.url)
        log_key = parse_vkey(site.pki.log_vkey)
        async with witness(tmp_path, "a", {log_key.name: (log_key,)}) as a, tsa_of(site.pki.folder) as tsa:
            (site.folder / "witnesses.policy").write_text(
                f"log {log_key.encode()}\nwitness a {a.key.encode()} {a.url}/\nquorum a\n"
            )
            add(site, '\n[witnesses]\npolicy = "witnesses.policy"\nevery_seconds = 1.0\nalarm_seconds = 5.0\n')
            add(
                site,
                "\n[timestamps]\ninterval_seconds = 1.0\nstale_seconds = 5.0\nrequired = true\n"
                f'[[timestamps.authorities]]\nname = "tsa"\nurl = "{tsa.url}"\nroots = "{site.pki.root}"\n',
            )
            async with running(site) as gateway:
                assert (await call(site)).status == 200
                size = gateway.sequencer.size

                async def cosigned() -> bytes | None:
                    status, note = await fetch(site, "checkpoint.cosigned")
                    if status != 200:
                        return None
                    signed = open_checkpoint(note, log_key, witnesses=(a.key,))
                    return note if signed.checkpoint.size > size and signed.cosignatures else None

                note = await until(cosigned)
                assert await whole_log(site, log_key, older=note) >= size

                async def stamped() -> Any:
                    return [each for each in await gateway.core.store.log.attestations("timestamp") if each.size > size]

                newest = (await until(stamped))[0]
                [kept] = await gateway.core.store.log.attestations("checkpoint", size=newest.size, limit=1)
                roots = [x509.load_pem_x509_certificate(site.pki.root.read_bytes()).public_bytes(Encoding.DER)]
                assert abs(verify_token(newest.content, kept.content, roots) - now()) < 30_000_000


async def test_without_witnesses_there_is_no_cosigned_checkpoint(tmp_path: Path) -> None:
    site = make_site(tmp_path, "http://127.0.0.1:9")
    async with running(site):
        assert (await fetch(site, "checkpoint.cosigned"))[0] == 404

        async def published() -> bool:
            return (await fetch(site, "checkpoint"))[0] == 200

        await until(published)


async def test_late_timestamps_refuse_calls_before_anything_is_forwarded_and_records_say_so(tmp_path: Path) -> None:
    async with Backend() as backend:
        site = make_site(tmp_path, backend.url, admin=True)
        async with tsa_of(site.pki.folder) as tsa:
            add(
                site,
                "\n[timestamps]\ninterval_seconds = 1.0\nstale_seconds = 5.0\nrequired = true\n"
                f'[[timestamps.authorities]]\nname = "tsa"\nurl = "{tsa.url}"\nroots = "{site.pki.root}"\n',
            )
            tsa.misbehave(Mode.BAD_GATEWAY)
            async with running(site) as gateway:
                stamping = gateway.attesting.timestamping
                assert stamping is not None
                assert (await call(site)).status == 200
                before = backend.requests.total()
                stamping._age = 6.0  # five seconds later
                stamping._looked_at = gateway.core.clock.monotonic()
                refused = await call(site)
                assert (refused.status, refused.error_code) == (503, TIMESTAMPS_STALE.code)
                assert backend.requests.total() == before
                assert gateway._unready() == TIMESTAMPS_STALE.code
                tsa.behave()
                stamping._ask_at = 0.0

                async def taken() -> bool:
                    return bool((await call(site)).status == 200)

                await until(taken)
                assert gateway._unready() is None
            reasons = [each["decision"]["reasons"] for each in records(site) if each["kind"] == "refusal"]
            assert [TIMESTAMPS_STALE.code] in [reason[:1] for reason in reasons]


async def test_a_log_key_is_replaced_without_a_gap(tmp_path: Path) -> None:
    async with Backend() as backend:
        site = make_site(tmp_path / "site", backend.url)
        keys = site.pki.folder / "gateway"
        old = parse_vkey(site.pki.log_vkey)
        notes: list[bytes] = []

        async def run_once(*known: VerifierKey) -> None:
            async with running(site) as gateway:
                assert (await call(site)).status == 200
                size = gateway.sequencer.size

                async def published() -> bool:
                    return gateway.sequencer.size > size

                await until(published)
                note = (await fetch(site, "checkpoint"))[1]
                for key in known:  # each of them alone is enough, and every checkpoint kept before is extended
                    open_checkpoint(note, key)
                for older in notes:
                    assert await whole_log(site, old, new, older=older)
                notes.append(note)

        new = new_named_key(keys / "log-new.key.pem", old.name, KeyType.ED25519)
        await run_once(old)
        # (1) Everybody learns the new key: the trust list has both.
        publish(
            site,
            serial=2,
            logs=[{"origin": old.name, "vkey": old.encode()}, {"origin": new.name, "vkey": new.encode()}],
        )
        await run_once(old)
        # (2) Both sign.
        edit(
            site,
            f'log_key = "{keys}/log.key.pem"',
            f'log_key = "{keys}/log-new.key.pem"\nformer_log_keys = ["{keys}/log.key.pem"]',
        )
        await run_once(old, new)
        # (3) The old one is put away.
        edit(site, f'former_log_keys = ["{keys}/log.key.pem"]', "")
        (keys / "log.key.pem").rename(tmp_path / "put-away.key.pem")
        await run_once(new)
        with pytest.raises(ExchangeError):
            open_checkpoint(notes[-1], old)
        # What the old key signed then still verifies, and the log under the new key extends it.
        assert [open_checkpoint(note, old).checkpoint.size for note in notes[:3]]


async def test_a_log_key_cannot_be_exchanged_at_once(tmp_path: Path) -> None:
    """Whoever knows the old key only would take what follows for a forgery."""
    site = make_site(tmp_path, "http://127.0.0.1:9")
    async with running(site) as gateway:

        async def published() -> bool:
            return gateway.sequencer.size > 0

        await until(published)
    keys = site.pki.folder / "gateway"
    new_named_key(keys / "log-new.key.pem", parse_vkey(site.pki.log_vkey).name, KeyType.ED25519)
    edit(site, f'log_key = "{keys}/log.key.pem"', f'log_key = "{keys}/log-new.key.pem"')
    with pytest.raises(ExchangeError, match="former_log_keys"):
        async with running(site):
            raise AssertionError


class Certified(Struct, frozen=True):
    """A new key's files, and its entry in the trust list."""

    key: Path
    certificate: Path
    keyid: str
    entry: dict[str, str]


def issuing_of(site: Site) -> DevelopmentAuthority:
    ca = site.pki.folder / "ca"
    certificate = x509.load_pem_x509_certificate((ca / "issuing.pem").read_bytes())
    return DevelopmentAuthority(certificate, cast("PrivateKey", load_private_key(ca / "issuing.key.pem")))


def certified(site: Site, name: str, usage: Usage, owner: SubsystemId) -> Certified:
    """Make a key that the gateway shall hold, and certify it as the development authority does."""
    folder = site.pki.folder / "gateway"
    key = new_key()
    profile = Profile(
        usage=usage,
        common_name=str(owner),
        organization="Test",
        not_before=plus(now(), -60),
        not_after=plus(now(), 120 * DAY),
    )
    der = issuing_of(site).issue(key.public_key(), profile)
    write_private_key(folder / f"{name}.key.pem", key)
    (folder / f"{name}.pem").write_bytes(certificate_pem(der))
    keyid = thumbprint(der)
    entry = {"owner": str(owner), "usage": usage.value, "x5t#S256": keyid, "der": base64.b64encode(der).decode()}
    return Certified(folder / f"{name}.key.pem", folder / f"{name}.pem", keyid, entry)


def listed_since(site: Site, new: Certified, *, revoked: Path, since: Instant) -> TrustStore:
    """Publish a list with a new certificate, and with an old one revoked since; as others then read it."""
    draft = json.loads((site.pki.folder / "trust/draft.json").read_bytes())
    serial = x509.load_pem_x509_certificate(revoked.read_bytes()).serial_number
    crl = issuing_of(site).crl({serial: since}, this_update=plus(now(), -60), next_update=plus(now(), DAY), number=2)
    crls = [draft["crls"][0], base64.b64encode(crl).decode()]
    publish(site, serial=2, certificates=[*draft["certificates"], new.entry], crls=crls)
    signers = Signers(required=2, keys=tuple(load_public_key(file) for file in site.pki.signer_keys))
    return TrustStore.load(verify(site.pki.trust_list.read_bytes(), pinned=signers, last_seen=None, now=now()))


async def test_the_gateways_signing_key_is_replaced_without_a_gap(tmp_path: Path) -> None:
    async with Backend() as backend:
        site = make_site(tmp_path, backend.url)
        folder = site.pki.folder / "gateway"
        async with running(site):
            assert (await call(site)).status == 200
        at = now()
        new = certified(site, "sign-new", Usage.GATEWAY_SIGN, GATEWAY)
        store = listed_since(site, new, revoked=site.pki.gateway.certificate, since=plus(at, 3600))
        edit(site, f'signing_key = "{folder}/sign.key.pem"', f'signing_key = "{new.key}"')
        edit(site, f'signing_certificate = "{folder}/sign.pem"', f'signing_certificate = "{new.certificate}"')
        async with running(site):
            with pytest.raises(ExchangeError):  # who has not learned the new key believes nothing that it signed
                await call(site)
            answer = await call(site, gateway_certificates=[site.pki.gateway.certificate, new.certificate])
            assert answer.status == 200
    old = thumbprint(load_certificates(site.pki.gateway.certificate)[0])
    # The list that has both: each key is judged at the time of what it signed, also after it was revoked.
    assert store.gateway_key(old, at).keyid == old
    assert store.gateway_key(new.keyid, now()).keyid == new.keyid
    with pytest.raises(ExchangeError):
        store.gateway_key(old, plus(at, 7200))  # it signs nothing new
    assert store.gateway_key(new.keyid, plus(at, 7200)).keyid == new.keyid


async def test_a_hosted_key_is_replaced_without_a_gap(tmp_path: Path) -> None:
    office = parse_subsystem("VN/GOV/H57/one-stop")
    mtls = frozenset({ProofScheme.MUTUAL_TLS})
    party = Party(id=office, organization="Huế", schemes=mtls, hosted=True)
    site = make_site(tmp_path, "http://127.0.0.1:9", more_parties=(party,))
    at = now()
    new = certified(site, "hosted-new", Usage.HOSTED_SIGN, office)
    key, certificate = site.pki.hosted[office]
    store = listed_since(site, new, revoked=certificate, since=plus(at, 3600))
    old = thumbprint(load_certificates(certificate)[0])
    edit(site, f'key = "{key}"', f'key = "{new.key}"')
    edit(site, f'certificate = "{certificate}"', f'certificate = "{new.certificate}"')
    async with running(site) as gateway:
        held = gateway.hosted[office]
        assert held.keyid == new.keyid
        assert gateway.pipeline.rules.trust.hosted_key(held.keyid, office, now())
    assert store.hosted_key(old, office, at).keyid == old
    with pytest.raises(ExchangeError):
        store.hosted_key(old, office, plus(at, 7200))
    assert store.hosted_key(new.keyid, office, plus(at, 7200)).keyid == new.keyid
