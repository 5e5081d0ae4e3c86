"""The gateway's settings: the frozen shape of ``gateway.toml``.

A description is what ``docs/configuration.md`` says of a key. Files are given relative to the file that names them.
"""

from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, ClassVar

from msgspec import Meta, Struct, field

from gateway.config.attesting import Timestamps, Witnesses
from gateway.config.citizens import Citizens
from gateway.model.addresses import parse_network
from gateway.model.ids import SubsystemId
from gateway.validation.limits import Limits

Note = Meta
"""A field's description and bounds."""


class Tls(Struct, frozen=True, kw_only=True):
    """A listener's TLS identity."""

    certificate: Annotated[Path, Note(description="PEM, the CAs below the root after it.")]
    key: Annotated[Path, Note(description="PEM private key, mode 0600.")]


class ClientCertificates(StrEnum):
    """Whether callers show a TLS certificate."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


def is_loopback(host: str) -> bool:
    """Whether a host names this machine only."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class Listener(Struct, frozen=True, kw_only=True):
    """Where callers connect."""

    host: Annotated[str, Note(description="Address to listen on. Without TLS only a loopback address is allowed.")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Note(description="TCP port; 0 takes a free one.", ge=0, le=65535)]
    tls: Annotated[Tls | None, Note(description="TLS identity; absent: plain HTTP, on loopback only.")] = None
    client_certificates: Annotated[
        ClientCertificates,
        Note(description="Whether callers are asked for a TLS certificate of one of the trust list's authorities."),
    ] = ClientCertificates.OPTIONAL
    certificate_proxies: Annotated[
        tuple[str, ...],
        Note(
            description="Networks (CIDR) of the TLS terminators whose Client-Cert (RFC 9440) is believed; they must "
            "remove what callers send there. From anywhere else Client-Cert is refused."
        ),
    ] = ()

    def __post_init__(self) -> None:
        if any(parse_network(text).prefixlen == 0 for text in self.certificate_proxies):
            raise ValueError("certificate_proxies names everybody: then anyone could be anyone")
        if self.tls is None and not is_loopback(self.host):
            raise ValueError("plain HTTP is for loopback only: give [listener.tls], or listen on 127.0.0.1")


class Admin(Struct, frozen=True, kw_only=True):
    """Where /healthz, /readyz and /metrics are answered: plain HTTP, for the operator."""

    host: Annotated[str, Note(description="Address of the admin listener.")] = "127.0.0.1"
    port: Annotated[int, Note(description="TCP port; 0 takes a free one.", ge=0, le=65535)]


class Identity(Struct, frozen=True, kw_only=True):
    """Who this gateway is."""

    subsystem: Annotated[SubsystemId, Note(description="The gateway's own subsystem, as the trust list has it.")]
    public_urls: Annotated[
        tuple[str, ...],
        Note(
            description="scheme://host[:port] under which callers reach it; what they sign. Others are answered 421.",
            min_length=1,
        ),
    ]
    language: Annotated[str, Note(description='Language of texts where the caller asks for none: "vi" or "en".')] = "vi"
    legacy_error_codes: Annotated[
        bool, Note(description="Write error codes as X-Road up to 7.7 does (Server.ServerProxy.AccessDenied).")
    ] = False
    workers: Annotated[int, Note(description="Processes that take calls.", ge=1, le=64)] = 1

    def __post_init__(self) -> None:
        for url in self.public_urls:
            scheme, mark, authority = url.partition("://")
            if scheme not in {"http", "https"} or not mark or not authority or set(authority) & set("/?#@ "):
                raise ValueError(f"{url} is not scheme://host[:port]")
        if self.language not in {"vi", "en"}:
            raise ValueError('the language is "vi" or "en"')


class Reader(Struct, frozen=True, kw_only=True):
    """Who may open what the log keeps private."""

    id: Annotated[str, Note(description="Short name; stands in every sealed epoch.")]
    key: Annotated[Path, Note(description="PEM public key: P-256, P-384, P-521 or X25519.")]


class Ledger(Struct, frozen=True, kw_only=True):
    """The log: no exchange without it."""

    database: Annotated[Path, Note(description="The SQLite file; it holds the journal, the vault and the tree.")]
    origin: Annotated[str, Note(description="Name of the log in its checkpoints: a host and path, no scheme.")]
    log_key: Annotated[Path, Note(description="PEM Ed25519 private key that signs checkpoints, mode 0600.")]
    former_log_keys: Annotated[
        tuple[Path, ...],
        Note(description="Keys that log_key replaces: they sign beside it until everybody has learned the new one."),
    ] = ()
    readers: Annotated[
        tuple[Reader, ...],
        Note(description="Auditors and data-protection officer: only they can open what is private.", min_length=1),
    ]
    checkpoint_seconds: Annotated[float, Note(description="Most seconds from a record to its checkpoint.", gt=0)] = 1.0
    verify_per_second: Annotated[
        int,
        Note(
            description="Records that the consistency watch verifies in a second, round after round; 0: it is off.",
            ge=0,
            le=100_000,
        ),
    ] = 1000

    def __post_init__(self) -> None:
        if not self.origin or "://" in self.origin or any(sign in self.origin for sign in "+ \n"):
            raise ValueError("an origin is a host and path, without scheme, + and spaces")


_MINIMUM_MONTHS = {3: 3, 4: 6, 5: 12}
"""Level of the information system → months for which its logs must be kept (TCVN 14423:2026)."""


class RetentionSettings(Struct, frozen=True, kw_only=True):
    """How long what the log keeps private is kept. Legal hold > statutory minimum > erasure request > retention due."""

    level: Annotated[
        int,
        Note(
            description="Level of this information system (TCVN 14423:2026): 3, 4 or 5; the law wants its logs kept "
            "for 3, 6 or 12 months.",
            ge=3,
            le=5,
        ),
    ] = 5
    minimum_months: Annotated[
        int | None,
        Note(description="Months before which nothing is erased, whoever asks; absent: the level's.", ge=1, le=1200),
    ] = None
    months: Annotated[
        int, Note(description="Months after which private parts are destroyed unasked.", ge=1, le=1200)
    ] = 12
    backup_days: Annotated[
        int, Note(description="Days after which your backups are gone: for reports of erasure.", ge=0, le=36_500)
    ] = 35
    payload_bytes: Annotated[
        int,
        Note(description='Of services with payload = "sealed": larger bodies are kept as digests only.', ge=1024),
    ] = 256 * 1024

    def __post_init__(self) -> None:
        if self.minimum < _MINIMUM_MONTHS[self.level]:
            raise ValueError(f"level {self.level} keeps its logs for {_MINIMUM_MONTHS[self.level]} months at least")
        if self.months < self.minimum:
            raise ValueError(f"months = {self.months} is below the statutory minimum of {self.minimum} months")

    @property
    def minimum(self) -> int:
        """The statutory minimum in months."""
        return _MINIMUM_MONTHS[self.level] if self.minimum_months is None else self.minimum_months


class HostedKey(Struct, frozen=True, kw_only=True):
    """A key with a certificate of its own (never the member's) that signs on a subsystem's mutual-TLS evidence."""

    subsystem: Annotated[SubsystemId, Note(description="For whom it signs.")]
    key: Annotated[Path, Note(description="PEM private key, mode 0600.")]
    certificate: Annotated[
        Path, Note(description="Its certificate, PEM, as the trust list has it: hosted-sign of the subsystem.")
    ]


class Keys(Struct, frozen=True, kw_only=True):
    """The gateway's own keys."""

    signing_key: Annotated[Path, Note(description="PEM private key for answers and for calls to providers.")]
    signing_certificate: Annotated[Path, Note(description="Its certificate, PEM, as the trust list has it.")]
    vault_key: Annotated[Path, Note(description="32 random bytes (raw, or 64 hexadecimal digits), mode 0600.")]
    hosted: Annotated[
        tuple[HostedKey, ...],
        Note(description="Keys that the gateway signs with for subsystems that prove themselves by mutual TLS alone."),
    ] = ()

    def __post_init__(self) -> None:
        subsystems = [hosted.subsystem for hosted in self.hosted]
        if len(set(subsystems)) < len(subsystems):
            raise ValueError("a subsystem has two hosted keys")


class Trust(Struct, frozen=True, kw_only=True):
    """The trust list and who must have signed it."""

    list: Annotated[Path, Note(description="The signed list (JWS).")]
    signers: Annotated[tuple[Path, ...], Note(description="PEM public keys of its signers.", min_length=1)]
    threshold: Annotated[int, Note(description="How many of the signers must have signed.", ge=1)]
    crls: Annotated[
        tuple[Path, ...], Note(description="Newer revocation lists (DER) than those that the list carries.")
    ] = ()

    def __post_init__(self) -> None:
        if self.threshold > len(self.signers):
            raise ValueError(f"{self.threshold} signers must sign, but only {len(self.signers)} are named")


class Sizes(Struct, frozen=True, kw_only=True):
    """Limits of messages, in bytes or pieces."""

    head: Annotated[int, Note(description="Bytes of a request's head.", ge=1024)] = 32 * 1024
    headers: Annotated[int, Note(description="Header fields of a request.", ge=10)] = 100
    target: Annotated[int, Note(description="Bytes of a request target.", ge=256)] = 8 * 1024
    body: Annotated[int, Note(description="Bytes of a request's body.", ge=1024)] = 256 * 1024 * 1024
    memory: Annotated[
        int, Note(description="Bodies above it go to an encrypted spool; such answers are granted whole only.", ge=1024)
    ] = 1024 * 1024
    answer: Annotated[int, Note(description="Bytes of a provider's answer.", ge=1024)] = 1024 * 1024 * 1024
    nesting: Annotated[int, Note(description="Levels of a JSON document.", ge=4, le=500)] = 64
    number: Annotated[int, Note(description="Characters of one JSON number.", ge=20, le=4000)] = 1000

    @property
    def limits(self) -> Limits:
        """As validation takes them."""
        return Limits(**{name: getattr(self, name) for name in self.__struct_fields__})


class Timeouts(Struct, frozen=True, kw_only=True):
    """Durations in seconds."""

    head: Annotated[float, Note(description="For a request's head, and for an idle connection.", gt=0)] = 15.0
    body: Annotated[float, Note(description="For a request's whole body.", gt=0)] = 60.0
    drain: Annotated[float, Note(description="For exchanges under way when the gateway stops.", gt=0)] = 20.0
    idempotency: Annotated[int, Note(description="How long an answer is kept for retries.", ge=1, le=86400)] = 3600


class Capacity(Struct, frozen=True, kw_only=True):
    """How much is taken on at once."""

    in_flight: Annotated[int, Note(description="Exchanges at once, per process.", ge=1)] = 2048
    refusals_per_minute: Annotated[
        int,
        Note(
            description="Refusals of a client that are recorded one by one in a minute; beyond it only counted.",
            ge=1,
        ),
    ] = 600


class Secrets(Struct, frozen=True, kw_only=True):
    """Where ``ref:NAME`` is looked up."""

    directory: Annotated[Path | None, Note(description="Folder of files named NAME, each of mode 0600.")] = None
    environment: Annotated[
        bool, Note(description="Look in the environment too, for MOTLAN_SECRET_NAME (upper case, - and . as _).")
    ] = False


class Folders(Struct, frozen=True, kw_only=True):
    """Where the rest of the configuration is."""

    services: Annotated[Path, Note(description="Folder of service files.")]
    policy: Annotated[Path, Note(description="Folder of grant files.")]
    procedures: Annotated[Path | None, Note(description="Folder of procedure files; absent: no prefill.")] = None
    schemas: Annotated[Path | None, Note(description="Folder of JSON Schemas beside those of the product.")] = None
    spool: Annotated[Path | None, Note(description="Folder for spooled bodies; absent: the system's.")] = None


class AuditSettings(Struct, frozen=True, kw_only=True):
    """How much those who read the log may read. Days are Vietnamese."""

    reads_per_day: Annotated[
        int, Note(description="Searches, readings and exports of one reader in a day.", ge=1, le=1_000_000)
    ] = 500
    persons_per_day: Annotated[
        int, Note(description="Persons that one reader is shown in a day, counted in each answer.", ge=1, le=10_000_000)
    ] = 20_000
    second_auditor_persons: Annotated[
        int,
        Note(
            description="Persons that one reader alone is shown in a day, counted in each answer; for more, and for a "
            "larger export, a second auditor adds a key.",
            ge=1,
            le=1000,
        ),
    ] = 1000


class Logging(Struct, frozen=True, kw_only=True):
    """What the operator reads."""

    level: Annotated[str, Note(description='"debug", "info", "warning" or "error".')] = "info"

    def __post_init__(self) -> None:
        if self.level not in {"debug", "info", "warning", "error"}:
            raise ValueError('a level is "debug", "info", "warning" or "error"')


class GatewayFile(Struct, frozen=True, kw_only=True):
    """All of gateway.toml."""

    gateway: Annotated[Identity, Note(description="Who this gateway is.")]
    listener: Annotated[Listener, Note(description="Where callers connect.")]
    admin: Annotated[Admin | None, Note(description="Health and metrics; absent: not offered.")] = None
    ledger: Annotated[Ledger, Note(description="The log. No default.")]
    keys: Annotated[Keys, Note(description="The gateway's own keys. No default.")]
    trust: Annotated[Trust, Note(description="The trust list. No default.")]
    folders: Annotated[Folders, Note(description="Where services, grants and procedures are.")]
    limits: Annotated[Sizes, Note(description="Sizes of messages.")] = field(default_factory=Sizes)
    timeouts: Annotated[Timeouts, Note(description="Durations, in seconds.")] = field(default_factory=Timeouts)
    capacity: Annotated[Capacity, Note(description="How much at once.")] = field(default_factory=Capacity)
    secrets: Annotated[Secrets, Note(description="Providers' passwords and keys.")] = field(default_factory=Secrets)
    audit: Annotated[AuditSettings, Note(description="Quotas of auditors.")] = field(default_factory=AuditSettings)
    retention: Annotated[RetentionSettings, Note(description="How long private parts are kept.")] = field(
        default_factory=RetentionSettings
    )
    logging: Annotated[Logging, Note(description="The operator's log.")] = field(default_factory=Logging)
    witnesses: Annotated[
        Witnesses | None, Note(description="Who cosigns checkpoints; absent: nobody. A change needs a restart.")
    ] = None
    timestamps: Annotated[
        Timestamps | None, Note(description="Who timestamps them; absent: nobody. A change needs a restart.")
    ] = None
    citizens: Annotated[
        Citizens | None, Note(description="Citizens' own lists of accesses; absent: not offered, and not kept.")
    ] = None

    __required_clauses__: ClassVar[dict[str, str]] = {
        "ledger": "the clause [ledger] is absent: there is no exchange without a log, and it has no default",
        "keys": "the clause [keys] is absent: the gateway signs what it sends, and its keys have no default",
        "trust": "the clause [trust] is absent: nobody can be known without a trust list, and it has no default",
    }
