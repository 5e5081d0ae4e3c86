"""Witnesses and timestamp authorities out of the settings; and the log's own keys, which all of them are about."""

import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from adapters.attesting.http import LARGEST_REPLY, Poster
from adapters.attesting.timestamper import HttpTimestamper
from adapters.attesting.witness import HttpWitness
from adapters.rest.http1 import Client, ClientOptions
from gateway.config.attesting import TimestampAuthority, Timestamps, Witnesses
from gateway.config.load import Settings
from gateway.exchange.sequencer import LogSigner
from gateway.exchange.timestamping import Authority, Timestamping, TimestampPace
from gateway.exchange.witnessing import Witnessing, WitnessPace, cosigned_checkpoint
from gateway.keys.file import load_certificates, load_private_key
from gateway.keys.tls import client_context
from gateway.ledger.checkpoint import open_checkpoint
from gateway.ledger.cosignature_policy import WitnessPolicy, parse_policy
from gateway.ledger.note import KeyType, VerifierKey
from gateway.ledger.witness import ADD_CHECKPOINT
from gateway.model.errors import ExchangeError
from gateway.model.errors.attesting import WITNESS_POLICY_INVALID
from gateway.model.errors.ledger import LOG_SIGNATURE_INVALID
from gateway.model.errors.trust import KEY_FILE_UNUSABLE
from gateway.ports import LogStore, Observer
from gateway.wiring.core import Core

Keys = tuple[VerifierKey, ...]


def ed25519_key(file: Path, name: str, kind: KeyType = KeyType.ED25519) -> LogSigner:
    """A verifier key with its private half, out of a PEM file. Raises ExchangeError(KEY_FILE_UNUSABLE), ValueError."""
    private = load_private_key(file)
    if not isinstance(private, Ed25519PrivateKey):
        raise ExchangeError(KEY_FILE_UNUSABLE, f"{file}: a log's key is Ed25519, and a witness's too")
    return LogSigner(VerifierKey(name, private.public_key().public_bytes_raw(), kind), private.sign)


def log_signers(settings: Settings) -> tuple[LogSigner, ...]:
    """The log's key, and after it those that it replaces. Raises ExchangeError(KEY_FILE_UNUSABLE)."""
    ledger = settings.ledger
    signers = tuple(ed25519_key(file, ledger.origin) for file in (ledger.log_key, *ledger.former_log_keys))
    if len({signer.key for signer in signers}) < len(signers):
        raise ExchangeError(KEY_FILE_UNUSABLE, "ledger.former_log_keys: a key stands here twice")
    return signers


def log_keys(settings: Settings) -> Keys:
    """The verifier keys of ``log_signers``."""
    return tuple(signer.key for signer in log_signers(settings))


async def check_log_keys(log: LogStore, keys: Keys) -> None:
    """That the newest checkpoint is by one of the log's keys: nobody would believe a log that goes on under another.

    Raises ExchangeError(KEY_FILE_UNUSABLE).
    """
    note = await log.checkpoint()
    try:
        if note is not None:
            open_checkpoint(note, keys)
    except ExchangeError as error:
        if error.kind is not LOG_SIGNATURE_INVALID:
            return  # damage is the sequencer's to find, and to stop at
        text = "ledger.log_key: another key has signed the log so far; name that one in ledger.former_log_keys"
        raise ExchangeError(KEY_FILE_UNUSABLE, text) from None


def witness_policy(settings: Witnesses | None, keys: Keys) -> WitnessPolicy | None:
    """The policy in the settings' file; None without. Raises ExchangeError(WITNESS_POLICY_INVALID)."""
    if settings is None:
        return None
    try:
        policy = parse_policy(settings.policy.read_bytes())
    except OSError as error:
        raise ExchangeError(WITNESS_POLICY_INVALID, f"{settings.policy}: {error.strerror}") from None
    if policy.logs and not set(policy.logs) & set(keys):
        raise ExchangeError(WITNESS_POLICY_INVALID, f"{settings.policy}: it is for other logs")
    reached = [witness.key for witness in policy.witnesses if witness.url is not None]
    if not policy.satisfied(reached):
        text = f"{settings.policy}: the witnesses with a URL are too few for the quorum"
        raise ExchangeError(WITNESS_POLICY_INVALID, text)
    return policy


class Attesting(Struct, frozen=True, kw_only=True):
    """What a process does about witnesses and timestamps. None: there are none, or another process asks them.

    cosigned: gives the newest checkpoint that enough witnesses have cosigned.
    """

    witnessing: Witnessing | None = None
    timestamping: Timestamping | None = None
    cosigned: Callable[[], Awaitable[bytes | None]] | None = None

    @property
    def steps(self) -> list[Callable[[], Awaitable[None]]]:
        """To be called once a second each."""
        return [each.step for each in (self.witnessing, self.timestamping) if each is not None]

    @property
    def closed(self) -> Callable[[], None] | None:
        """Raises ExchangeError while there is to be no exchange."""
        return None if self.timestamping is None else self.timestamping.check

    async def close(self) -> None:
        """Let go of connections."""
        for each in (self.witnessing, self.timestamping):
            if each is not None:
                await each.close()


def build_attesting(settings: Settings, core: Core, observer: Observer, *, asks: bool) -> Attesting:
    """Out of the settings. asks: whether this process asks; one of several does. Raises ExchangeError."""
    keys = log_keys(settings)
    policy = witness_policy(settings.witnesses, keys)
    return Attesting(
        witnessing=_witnessing(settings.witnesses, policy, core, observer, keys) if asks else None,
        timestamping=_timestamping(settings.timestamps, core, observer, keys, asks=asks),
        cosigned=None if policy is None else cosigned_checkpoint(core.store.log, keys, policy),
    )


def _witnessing(
    chosen: Witnesses | None, policy: WitnessPolicy | None, core: Core, observer: Observer, keys: Keys
) -> Witnessing | None:
    if chosen is None or policy is None:
        return None
    clients = {
        witness.name: HttpWitness(_poster(_call_of(witness.url), chosen.authorities, chosen.call_seconds, core))
        for witness in policy.witnesses
        if witness.url is not None
    }
    pace = WitnessPace(every=chosen.every_seconds, alarm=chosen.alarm_seconds)
    return Witnessing(core.store.log, core.clock, observer, keys=keys, policy=policy, clients=clients, pace=pace)


def _timestamping(
    chosen: Timestamps | None, core: Core, observer: Observer, keys: Keys, *, asks: bool
) -> Timestamping | None:
    if chosen is None:
        return None
    pace = TimestampPace(
        every=chosen.interval_seconds,
        retry=min(TimestampPace().retry, chosen.interval_seconds),
        stale=chosen.stale_seconds,
        skew=chosen.skew_seconds,
    )
    return Timestamping(
        core.store.log,
        core.clock,
        core.entropy,
        observer,
        keys=keys,
        authorities=[_authority(each, chosen, core) for each in chosen.authorities],
        pace=pace,
        required=chosen.required,
        asks=asks,
    )


def _authority(chosen: TimestampAuthority, all_: Timestamps, core: Core) -> Authority:
    return Authority(
        name=chosen.name,
        client=HttpTimestamper(_poster(chosen.url, chosen.authorities, all_.call_seconds, core)),
        roots=load_certificates(chosen.roots),
        certificate=None if chosen.certificate is None else load_certificates(chosen.certificate)[0],
        policy=chosen.policy,
    )


def _call_of(prefix: str) -> str:
    return f"{prefix.rstrip('/')}/{ADD_CHECKPOINT}"


def _poster(url: str, authorities: Path | None, seconds: float, core: Core) -> Poster:
    tls: ssl.SSLContext | None = None
    if url.startswith("https://"):
        tls = client_context(None if authorities is None else load_certificates(authorities))
    options = ClientOptions(connections=2, queue=2, body_limit=LARGEST_REPLY, spool_over=LARGEST_REPLY)
    try:
        client = Client(options, tls=tls, monotonic=core.clock.monotonic)
        return Poster(url, client, seconds=seconds, monotonic=core.clock.monotonic)
    except ValueError as error:
        raise ExchangeError(WITNESS_POLICY_INVALID, f"{url}: {error}") from None
