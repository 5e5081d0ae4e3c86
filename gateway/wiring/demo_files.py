"""What the demo keeps in its folder: keys, secrets, configuration, database, and the truth about its people.

::

    DIR/  lock  demo.json  story.html  truth.jsonl (0600; nothing that the gateway reads names it)
          pki/       keys, certificates, trust list: made once
          config/    gateway.toml and what belongs to it: written at each start, since ports change
          state/     motlan.sqlite, vault.key, secrets/, witness/: what a second start finds again
"""

import fcntl
import json
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from adapters.simulators import pki
from adapters.simulators.parties import DEMO
from adapters.simulators.people import People
from adapters.simulators.tsa_certificate import make_tsa
from gateway.model.errors.base import Text
from gateway.model.ids import SubsystemId
from gateway.model.instant import Instant
from gateway.wiring.demo_citizens import make_issuer

ORIGIN: Final = "motlan.example/demo"
"""The demo log's origin."""

_DAYS: Final = 365
_SECRETS: Final = ("population", "social-insurance")


class DemoError(Exception):
    """The demo cannot run here. text: one line for people: what is wrong, and what to do."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


class Identity(Struct, frozen=True):
    """A subsystem's files, all PEM."""

    key: Path
    certificate: Path
    tls_key: Path
    tls_certificate: Path


class DemoFiles(Struct, frozen=True):
    """The demo's folder, absolute."""

    folder: Path

    @property
    def pki(self) -> Path:
        """Keys and certificates, as ``adapters.simulators.pki`` lays them out."""
        return self.folder / "pki"

    @property
    def state(self) -> Path:
        """The database, the vault's key, the secrets."""
        return self.folder / "state"

    @property
    def config(self) -> Path:
        """The gateway's configuration file."""
        return self.folder / "config" / "gateway.toml"

    @property
    def contract(self) -> Path:
        """demo.json."""
        return self.folder / "demo.json"

    @property
    def truth(self) -> Path:
        """What is true about everybody, JSON Lines."""
        return self.folder / "truth.jsonl"

    @property
    def authorities(self) -> Path:
        """CA certificates for TLS."""
        return self.pki / "ca" / "bundle.pem"

    @property
    def root(self) -> Path:
        """The root of the development PKI: what timestamps lead to."""
        return self.pki / "ca" / "root.pem"

    @property
    def log_key(self) -> Path:
        """The log's private key: the demo plays an operator who forges, too."""
        return self.pki / "gateway" / "log.key.pem"

    @property
    def citizens_key(self) -> Path:
        """The private key of who says who a citizen is."""
        return self.pki / "citizens" / "issuer.key.pem"

    @property
    def signers(self) -> tuple[Path, ...]:
        """Public keys of those who sign the trust list; two are needed."""
        return tuple(self.pki / "signers" / f"{number}.pub.pem" for number in (1, 2, 3))

    @property
    def gateway_certificate(self) -> Path:
        """What the gateway signs with."""
        return self.pki / "gateway" / "sign.pem"

    @property
    def trust_list(self) -> Path:
        """The signed trust list."""
        return self.pki / "trust" / "list.jws"

    @property
    def auditor_key(self) -> Path:
        """The auditor's private key: the demo plays the auditor too."""
        return self.pki / "roles" / "auditor.key.pem"

    def identity(self, subsystem: SubsystemId) -> Identity:
        """A subsystem's keys."""
        member = self.pki / "members" / str(subsystem).replace("/", "_")
        return Identity(member / "sign.key.pem", member / "sign.pem", member / "tls.key.pem", member / "tls.pem")

    def secret(self, name: str) -> str:
        """What a provider and the gateway share."""
        return (self.state / "secrets" / name).read_text(encoding="utf-8").strip()


@contextmanager
def prepared(folder: Path, people: People) -> Iterator[DemoFiles]:
    """Make or find the folder's contents, and hold the folder for this process alone.

    Raises DemoError: another demo runs there, its certificates have ended, it cannot be written.
    """
    files = DemoFiles(folder.absolute())
    with _held(files.folder):
        _make_keys(files)
        _make_secrets(files)
        if not files.truth.exists():
            people.write_truth(files.truth)
        yield files


def variables_of(
    files: DemoFiles, *, ports: tuple[int, int], population: str, insurance: str, tsa: str
) -> dict[str, str | int | Path]:
    """What fills in the configuration's templates. ports: the gateway's, the operator's. The others are URLs."""
    return {
        "gateway_port": ports[0],
        "admin_port": ports[1],
        "pki": files.pki,
        "state": files.state,
        "log_origin": ORIGIN,
        "population_url": population,
        "insurance_url": insurance,
        "tsa_url": tsa,
    }


def choose_ports(files: DemoFiles, port: int | None) -> tuple[int, int]:
    """The gateway's port and the operator's. None: the one used here last, if it is free, or any.

    Raises DemoError if ``port`` is in use or not ours to use.
    """
    if port is None:
        last = _last_port(files)
        chosen = last if last and _is_free(last) else _free_port()
    else:
        if not _is_free(port):
            raise DemoError(
                Text(
                    f"Port {port} cannot be used: stop what listens there, or choose another one with --port N.",
                    f"Không dùng được cổng mạng {port}: hãy dừng chương trình đang dùng cổng đó,"
                    " hoặc chọn cổng khác bằng --port N.",
                )
            )
        chosen = port
    return chosen, _another(chosen)


def free_ports() -> tuple[int, int]:
    """Two that nobody uses."""
    port = _free_port()
    return port, _another(port)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    if not (folder / "lock").exists() and any((folder / name).exists() for name in ("config", "pki", "state")):
        raise DemoError(
            Text(
                f"{folder} holds something else than a demo: choose another folder with --dir DIR.",
                f"{folder} đang chứa dữ liệu khác: hãy chọn thư mục khác bằng --dir DIR.",
            )
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "state" / "secrets").mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise DemoError(
            Text(
                f"{folder} cannot be written ({error.strerror}): choose another folder with --dir DIR.",
                f"Không ghi được vào {folder} ({error.strerror}): hãy chọn thư mục khác bằng --dir DIR.",
            )
        ) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DemoError(
                Text(
                    f"Another demo runs in {folder}: stop it, or choose another folder with --dir DIR.",
                    f"Đang có một bản chạy thử khác trong {folder}: hãy dừng bản đó, hoặc chọn thư mục khác bằng"
                    " --dir DIR.",
                )
            ) from None
        yield
    finally:
        os.close(descriptor)


def _make_keys(files: DemoFiles) -> None:
    """Once. They are made beside their place and then moved: half a PKI is never found."""
    now = Instant(time.time_ns() // 1000)
    if files.pki.exists():
        _check_validity(files)
        make_tsa(files.pki, now=now, days=_DAYS)  # folders of earlier releases have none
        make_issuer(files.pki)  # nor this
        return
    new = files.folder / "pki.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    pki.make(new, DEMO, now=now, days=_DAYS, crl_days=_DAYS, log_origin=ORIGIN)
    make_issuer(new)
    new.rename(files.pki)


def _check_validity(files: DemoFiles) -> None:
    draft = json.loads((files.pki / "trust" / "draft.json").read_bytes())
    if datetime.fromisoformat(draft["valid_until"]) < datetime.now(UTC) + timedelta(days=1):
        raise DemoError(
            Text(
                f"The demo's certificates in {files.folder} have ended: delete that folder and run the demo again.",
                f"Chứng thư thử nghiệm trong {files.folder} đã hết hạn: hãy xóa thư mục đó rồi chạy lại.",
            )
        )


def _make_secrets(files: DemoFiles) -> None:
    for file in (*(files.state / "secrets" / name for name in _SECRETS), files.state / "vault.key"):
        with suppress(FileExistsError):
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as written:
                written.write(secrets.token_hex(32))


def _last_port(files: DemoFiles) -> int | None:
    try:
        return urlsplit(str(json.loads(files.contract.read_bytes())["gateway"])).port
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True


def _another(port: int) -> int:
    found = _free_port()
    while found == port:
        found = _free_port()
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        assert isinstance(port, int)
        return port
