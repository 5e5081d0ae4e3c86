"""docs/samples against a real gateway: a GET and a POST from each runtime that is here get their answer, verified."""

import asyncio
import json
import os
import shutil

import pytest

from adapters.simulators.backend import Backend
from tests.acceptance.test_samples import COMMANDS, FOLDER, PRESENT
from tests.support.gateways import BASIS, ECHO, PORTAL, PURPOSE, STRANGER, make_site, running

pytestmark = pytest.mark.acceptance

POSTED = {"full_name": "Nguyễn Văn Ân"}


async def _run(site, sample: str, *, subsystem=PORTAL, body=None) -> tuple[int, bytes, bytes]:
    identity = site.pki.identities[PORTAL]
    process = await asyncio.create_subprocess_exec(
        shutil.which(COMMANDS[sample][0]), FOLDER / sample, site.url, site.pki.root, str(subsystem), identity.key,
        identity.certificate, site.pki.gateway.certificate, f"/r1/{ECHO}?kind=x&page=1",
        f'"{PURPOSE}";basis="{BASIS}"', *([body] if body else []),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"OFFICER": "officer-17", "CASE": "H24-2026-000123"},
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out, err


@pytest.mark.asyncio
@pytest.mark.parametrize("sample", PRESENT)
async def test_a_get_and_a_post_are_answered_and_verified(sample: str, tmp_path) -> None:
    file = tmp_path / "body.json"
    file.write_text(json.dumps(POSTED, ensure_ascii=False), encoding="utf-8")
    site_folder = tmp_path / "site"
    site_folder.mkdir()
    async with Backend() as backend:
        site = make_site(site_folder, backend.url, tls=True)
        async with running(site):
            for body in (None, file):
                code, out, err = await _run(site, sample, body=body)
                assert code == 0, err
                echoed = json.loads(out)
                assert (echoed["method"], echoed["target"]) == ("POST" if body else "GET", "/echo?kind=x&page=1")
                assert ["x-road-issue", "H24-2026-000123"] in [
                    [name.lower(), value] for name, value in echoed["headers"]
                ]
            code, out, err = await _run(site, sample, subsystem=STRANGER)
            assert (code, json.loads(out)["code"]) == (1, "client.key_of_another_subsystem"), err
            assert sum(backend.requests.values()) == 2
