"""A client that demands particular witnesses has their cosignatures, or no receipt."""

import time
from pathlib import Path
from typing import Any

import pytest

from adapters.simulators.backend import Backend
from gateway import client as motlan
from gateway.ledger.note import KeyType, parse_vkey
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_SIGNATURE_INVALID
from tests.support.attesting import witness
from tests.support.exchanges import STATED
from tests.support.gateways import ECHO, PORTAL, Site, make_site, running
from tests.support.ledger import signing_key

pytestmark = pytest.mark.asyncio

ABSENT, _ = signing_key("absent", "witness.example/absent", KeyType.COSIGNATURE)


def client(site: Site, policy: motlan.WitnessPolicy | None = None) -> Any:
    identity = site.pki.identities[PORTAL]
    return motlan.open(
        site.url,
        subsystem=str(PORTAL),
        key=identity.key,
        certificate=identity.certificate,
        gateway_certificates=[site.pki.gateway.certificate],
        authorities=site.pki.bundle,
        logs=[site.pki.log_vkey],
        policy=policy,
    )


async def test_the_witnesses_that_a_client_demands_and_no_others(tmp_path: Path) -> None:
    async with Backend() as backend:
        site = make_site(tmp_path / "site", backend.url)
        log_key = parse_vkey(site.pki.log_vkey)
        async with witness(tmp_path, "a", {log_key.name: (log_key,)}) as a:
            (site.folder / "witnesses.policy").write_text(f"witness a {a.key.encode()} {a.url}/\nquorum a\n")
            extra = '\n[witnesses]\npolicy = "witnesses.policy"\nevery_seconds = 1.0\nalarm_seconds = 5.0\n'
            site.config.write_text(site.config.read_text() + extra)
            here = motlan.parse_policy(f"witness a {a.key.encode()}\nquorum a\n".encode())
            absent = motlan.parse_policy(f"witness x {ABSENT.encode()}\nquorum x\n".encode())
            call = motlan.Call(service=ECHO, purpose=STATED, body={"a": 1})
            async with running(site), client(site, here) as careful, client(site, absent) as stricter:
                answer = await careful.send(call)
                proved = await careful.receipt(answer)
                seen = {each.key for each in proved.answer.checkpoint.cosignatures}
                assert seen == {a.key}
                # What is demanded of one receipt comes on top of what the client was opened with.
                for asking, more in ((careful, {"policy": absent}), (stricter, {}), (stricter, {"policy": here})):
                    answer = await asking.send(call)
                    began = time.monotonic()
                    with pytest.raises(ExchangeError) as caught:
                        await asking.receipt(answer, seconds=0.0, **more)
                    assert caught.value.kind is LOG_SIGNATURE_INVALID
                    assert time.monotonic() - began < 10
