"""Secrets come from files that only their owner may read, or from the environment where that is allowed."""

import pytest

from gateway.config.secrets import read_vault_key, resolve
from gateway.config.settings import Secrets
from gateway.model.errors import ExchangeError


@pytest.fixture
def folder(tmp_path):
    file = tmp_path / "population"
    file.write_text("hunter2\n")
    file.chmod(0o600)
    return tmp_path


def test_from_a_file(folder):
    secret = resolve("population", Secrets(directory=folder), {})
    assert secret.reveal() == "hunter2"
    assert "hunter2" not in repr(secret)


def test_from_the_environment_only_where_allowed(folder):
    variables = {"MOTLAN_SECRET_SOCIAL_INSURANCE": "s"}
    allowed = Secrets(directory=folder, environment=True)
    assert resolve("social-insurance", allowed, variables).reveal() == "s"
    with pytest.raises(ExchangeError, match="is not in"):
        resolve("social-insurance", Secrets(directory=folder), variables)


@pytest.mark.parametrize("name", ["", "../population", "a/b", ".x", "a b", "x" * 65])
def test_a_name_is_no_path(folder, name):
    with pytest.raises(ExchangeError) as refused:
        resolve(name, Secrets(directory=folder, environment=True), {})
    assert refused.value.kind.code == "server.clientproxy.secret_unusable"


@pytest.mark.parametrize(
    ("mode", "content"), [(0o644, b"x"), (0o640, b"x"), (0o600, b""), (0o600, b"\n"), (0o600, b"\xff")]
)
def test_unusable_files(folder, mode, content):
    (folder / "bad").write_bytes(content)
    (folder / "bad").chmod(mode)
    with pytest.raises(ExchangeError) as refused:
        resolve("bad", Secrets(directory=folder), {})
    assert refused.value.kind.code == "server.clientproxy.secret_unusable"


def test_nowhere_to_look():
    with pytest.raises(ExchangeError, match="neither a directory nor the environment"):
        resolve("population", Secrets(), {})


@pytest.mark.parametrize(("content", "key"), [(bytes(range(32)), bytes(range(32))), (b"ab" * 32 + b"\n", b"\xab" * 32)])
def test_vault_key(tmp_path, content, key):
    file = tmp_path / "vault.key"
    file.write_bytes(content)
    file.chmod(0o600)
    assert read_vault_key(file) == key


@pytest.mark.parametrize(
    ("content", "mode"), [(b"", 0o600), (b"x" * 31, 0o600), (b"zz" * 32, 0o600), (b"x" * 32, 0o644)]
)
def test_unusable_vault_keys(tmp_path, content, mode):
    file = tmp_path / "vault.key"
    file.write_bytes(content)
    file.chmod(mode)
    with pytest.raises(ExchangeError):
        read_vault_key(file)
    with pytest.raises(ExchangeError):
        read_vault_key(tmp_path / "nothing")
