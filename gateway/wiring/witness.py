"""A witness of ours, composed: its key, its state, its listener."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from gateway.exchange.cosigning import Cosigner
from gateway.keys.file import write_private_key
from gateway.keys.tls import server_context
from gateway.ledger.note import KeyType, VerifierKey, parse_vkey
from gateway.model.errors import ExchangeError
from gateway.model.errors.attesting import WITNESS_STATE_UNUSABLE
from gateway.ports import Clock
from gateway.server.witness import WitnessApp
from gateway.storage.kept_file import AtomicFile
from gateway.wiring.attesting import ed25519_key
from gateway.wiring.core import SystemClock
from gateway.wiring.listeners import Opening, listen

_HEAD_SECONDS = 10.0


class WitnessPlan(Struct, frozen=True, kw_only=True):
    """What a witness is started with. key: PEM; name: of the key. logs: keys by origin. tls: certificate and key, PEM.

    failed: told what its own code raised.
    """

    host: str
    port: int
    key: Path
    name: str
    state: Path
    logs: Mapping[str, tuple[VerifierKey, ...]]
    tls: tuple[Path, Path] | None = None
    failed: Callable[[BaseException], None] = lambda _: None


class RunningWitness(Struct, frozen=True, kw_only=True):
    """A witness that is up. url: its submission prefix, on this machine. key: that it cosigns with."""

    url: str
    key: VerifierKey
    cosigner: Cosigner


@asynccontextmanager
async def running_witness(plan: WitnessPlan, clock: Clock | None = None) -> AsyncIterator[RunningWitness]:
    """Run it. Raises ExchangeError: KEY_FILE_UNUSABLE, PORT_UNAVAILABLE, WITNESS_STATE_UNUSABLE (another witness runs
    on this state, or it is another's).
    """
    signer = ed25519_key(plan.key, plan.name, KeyType.COSIGNATURE)
    try:
        file = AtomicFile(plan.state)
    except BlockingIOError:
        raise ExchangeError(WITNESS_STATE_UNUSABLE, f"{plan.state}: another witness is using it") from None
    except OSError as error:
        raise ExchangeError(WITNESS_STATE_UNUSABLE, f"{plan.state}: {error.strerror}") from None
    try:
        cosigner = Cosigner(plan.logs, file, clock or SystemClock(), key=signer.key, sign=signer.sign)
        about = "".join([f"{signer.key.encode()}\n", *(f"log {origin}\n" for origin in plan.logs)])
        listening = await listen(
            Opening(
                host=plan.host,
                port=plan.port,
                handler=WitnessApp(cosigner.add_checkpoint, about).handle,
                framing_refused=lambda _: None,
                failed=plan.failed,
                head_seconds=_HEAD_SECONDS,
                tls=None if plan.tls is None else server_context(*plan.tls),
            )
        )
        try:
            yield RunningWitness(url=listening.url, key=signer.key, cosigner=cosigner)
        finally:
            await listening.stop(_HEAD_SECONDS)
    finally:
        file.close()


def new_named_key(file: Path, name: str, kind: KeyType) -> VerifierKey:
    """Make an Ed25519 key in a new file (PEM, 0600), its verifier key beside it (``.vkey``).

    Raises FileExistsError, and ValueError for a name with spaces or plus.
    """
    private = Ed25519PrivateKey.generate()
    key = VerifierKey(name, private.public_key().public_bytes_raw(), kind)
    write_private_key(file, private)
    file.with_suffix(".vkey").write_text(f"{key.encode()}\n", encoding="utf-8")
    return key


def named_beside(file: Path) -> str:
    """The name in the ``.vkey`` file beside a key. Raises ExchangeError (LOG_MALFORMED) and OSError."""
    return parse_vkey(file.with_suffix(".vkey").read_text(encoding="utf-8").strip()).name
