"""Readers and roles: what ``motlan check`` warns of, and whom nothing is ever sealed to."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from gateway.model.errors import ExchangeError
from gateway.model.errors.audit import READER_NOT_LISTED
from gateway.wiring.gateway import Gateway
from tests.support.audit import list_roles, new_reader_key, reader, settle
from tests.support.cli import refused, run
from tests.support.gateways import Site, make_site, running

READERS, LIST = "ledger.readers", "trust.list"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path, "http://127.0.0.1:9")


def add_reader(site: Site, name: str, file: Path) -> None:
    text = site.config.read_text()
    site.config.write_text(text.replace('pub.pem" }]', f'pub.pem" }}, {{ id = "{name}", key = "{file}" }}]', 1))


def role(site: Site, name: str) -> Path:
    return site.folder / f"pki/roles/{name}.key.pem"


def warnings(site: Site) -> list[tuple[str, str]]:
    """Those about readers and roles."""
    ran = run("check", "--config", site.config, "--json")
    assert ran.code == 0, ran.said
    found = ran.values["problems"]
    return [(each["key"], each["text"]) for each in found if each["key"].startswith((READERS, LIST))]


def another(site: Site, **said: str) -> dict[str, str]:
    """A second auditor, with changes."""
    key = said.pop("key", None) or str(new_reader_key(site.folder / f"{said.get('name', 'another')}.pem"))
    return {"role": "auditor", "name": "Hai", "key": key, **said}


def test_nothing_is_odd_where_everybody_is_there(site: Site) -> None:
    add_reader(site, "dpo", site.folder / "pki/roles/data-protection-officer.pub.pem")
    list_roles(site, another(site))
    assert warnings(site) == []


def test_who_is_missing_is_named(site: Site) -> None:
    first, second = warnings(site)
    assert (first[0], second[0]) == (READERS, LIST)
    assert "no data-protection officer is among the readers" in first[1]
    assert "two auditors only, and the list has no two" in second[1]


def test_no_auditor_among_the_readers(site: Site) -> None:
    text = site.config.read_text().replace("roles/auditor.pub.pem", "roles/data-protection-officer.pub.pem")
    site.config.write_text(text)
    assert any("no auditor is among the readers" in text for _, text in warnings(site))


def test_one_person_who_should_be_two(site: Site) -> None:
    add_reader(site, "dpo", site.folder / "pki/roles/data-protection-officer.pub.pem")
    list_roles(
        site,
        another(site, name="Lê Thị Kiểm"),
        another(site, role="data-protection-officer", name="LÊ THỊ  KIỂM"),
        another(site, role="auditor", name="Van Hanh", key=str(role(site, "operator"))),
    )
    said = [text for key, text in warnings(site) if key == LIST]
    assert len(said) == 2
    assert any("auditor Lê Thị Kiểm and data-protection-officer LÊ THỊ  KIỂM are one person" in each for each in said)
    assert any("operator operator and auditor Van Hanh have the same key" in each for each in said)


def test_only_one_person_could_sign_an_order(site: Site) -> None:
    list_roles(site, another(site))
    text = (site.folder / "pki/trust/draft.json").read_text()
    assert '"operator"' in text
    both = str(role(site, "data-protection-officer"))
    replace_roles(site, another(site, key=both), another(site, role="data-protection-officer", key=both))
    found = [text for _, text in warnings(site)]
    assert any("somebody else of another role: the list has no two" in each for each in found)


def replace_roles(site: Site, *roles: dict[str, str]) -> None:
    """The next list has these roles only, and the readers are the officer's key."""
    import json  # noqa: PLC0415 - here only

    file = site.folder / "pki/trust/draft.json"
    draft = json.loads(file.read_bytes())
    file.write_text(json.dumps({**draft, "roles": []}))
    list_roles(site, *roles)
    text = site.config.read_text().replace("roles/auditor.pub.pem", "roles/data-protection-officer.pub.pem")
    site.config.write_text(text)


def test_keys_that_have_another_use(site: Site) -> None:
    list_roles(
        site,
        another(site, name="Ky", key=str(site.pki.signers[0])),
        another(site, name="Cong", key=str(site.folder / "pki/gateway/sign.key.pem")),
    )
    said = [text for key, text in warnings(site) if key == LIST]
    assert any("auditor Ky has the key of a signer" in each for each in said)
    assert any("auditor Cong has the gateway's own signing key" in each for each in said)


def test_a_reader_whose_role_has_ended(site: Site) -> None:
    list_roles(site, another(site, name="Cu", until="2026-01-01T00:00:00Z"))
    public = public_of(site.folder / "Cu.pem")
    add_reader(site, "cu", public)
    assert any("the role of cu has ended" in text for _, text in warnings(site))


def public_of(file: Path) -> Path:
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - here only
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )

    key = load_pem_private_key(file.read_bytes(), None).public_key()
    public = file.with_suffix(".pub.pem")
    public.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return public


# -- nothing is sealed to who may not read -----------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["operator", "stranger"])
def test_a_gateway_does_not_start_that_would_seal_to_its_operator(site: Site, whose: str) -> None:
    """The operator writes the configuration; the trust list, which several sign, says who may read."""
    file = role(site, "operator") if whose == "operator" else new_reader_key(site.folder / "own.pem")
    add_reader(site, "mine", public_of(file))
    with pytest.raises(ExchangeError) as caught:
        asyncio.run(_started(site))
    assert caught.value.kind is READER_NOT_LISTED
    assert "mine" in caught.value.detail
    assert epochs(site) == 0
    ran = run("check", "--config", site.config, "--json")
    assert ran.code == 1
    [problem] = [each for each in ran.values["problems"] if not each["warning"]]
    assert problem["key"] == "ledger.readers[2].key"


async def _started(site: Site) -> None:
    gateway = await Gateway.start(site.config)
    await gateway.stop()


@pytest.mark.parametrize("whose", ["operator", "stranger"])
def test_nor_does_a_readers_command_begin_a_period_for_them(site: Site, whose: str) -> None:
    settle(site)
    file = role(site, "operator") if whose == "operator" else new_reader_key(site.folder / "own.pem")
    add_reader(site, "mine", public_of(file))
    assert "reader_not_listed" in refused("log", "search", *reader(site))
    assert epochs(site) == 1


@pytest.mark.asyncio
async def test_a_reader_who_leaves_the_list_is_an_alarm(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is taken up all the same: it may be the one that revokes a stolen key."""
    async with running(site) as gateway:
        said: list[tuple[str, str]] = []
        monkeypatch.setattr(gateway.observer, "alarm", lambda code, detail: said.append((code, detail)))
        await gateway.reload()
        assert said == []
        replace_roles(site, another(site))
        await gateway.reload()
        assert [role.name for role in gateway.pipeline.rules.trust.document.roles] == ["Hai"]
    [(code, detail)] = said
    assert code == "reader_not_listed"
    assert "reader auditor" in detail


def epochs(site: Site) -> int:
    with contextlib.closing(sqlite3.connect(site.folder / "motlan.sqlite")) as connection:
        [[count]] = connection.execute("SELECT count(*) FROM epoch").fetchall()
        return int(count)
