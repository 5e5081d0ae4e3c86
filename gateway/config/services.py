"""Services and their providers: the frozen shape of ``services/*.toml``. One file is one provider."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, field

from gateway.model.charsets import Charset
from gateway.model.envelope import Purpose
from gateway.model.facade import Facade
from gateway.model.ids import ServiceId
from gateway.model.pointer import parse_pointer

Note = Meta


class AuthScheme(StrEnum):
    """How a provider wants to be authenticated to."""

    NONE = "none"
    BASIC = "basic"
    API_KEY = "api-key"
    BEARER = "bearer"
    SIGNED_BASIC = "signed-basic"
    OAUTH = "oauth"
    SESSION = "session"
    PLATFORM = "platform"


class TimestampUnit(StrEnum):
    """What a provider's ``Timestamp`` counts (Q09)."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"


_NEEDS: dict[AuthScheme, tuple[str, ...]] = {
    AuthScheme.NONE: (),
    AuthScheme.BASIC: ("user", "secret"),
    AuthScheme.API_KEY: ("header", "secret"),
    AuthScheme.BEARER: ("secret",),
    AuthScheme.SIGNED_BASIC: ("user", "secret"),
    AuthScheme.SESSION: ("user", "secret"),
    AuthScheme.OAUTH: ("token_url", "user", "secret"),
    AuthScheme.PLATFORM: ("token_url", "user", "secret", "access_key", "platform_secret", "app_name", "partner_code"),
}
_SECRETS = ("secret", "platform_secret")
REF = "ref:"
"""What a secret's value begins with: only its name stands in a file."""


class Auth(Struct, frozen=True, kw_only=True):
    """What a provider is shown."""

    scheme: Annotated[AuthScheme, Note(description="How the provider wants to be authenticated to.")] = AuthScheme.NONE
    user: Annotated[str | None, Note(description="User name; of OAuth, the client id.")] = None
    secret: Annotated[str | None, Note(description='Password, key, token or client secret: "ref:NAME".')] = None
    header: Annotated[str | None, Note(description="Name of the header that an API key goes into.")] = None
    unit: Annotated[TimestampUnit, Note(description="What the Timestamp of signed-basic counts.")] = (
        TimestampUnit.MILLISECONDS
    )
    token_url: Annotated[str | None, Note(description="Where OAuth tokens are fetched.")] = None
    access_key: Annotated[str | None, Note(description="AccessKey of a provincial platform.")] = None
    platform_secret: Annotated[str | None, Note(description='SecretKey of a provincial platform: "ref:NAME".')] = None
    app_name: Annotated[str | None, Note(description="AppName of a provincial platform.")] = None
    partner_code: Annotated[str | None, Note(description="PartnerCode of a provincial platform.")] = None

    def __post_init__(self) -> None:
        missing = [name for name in _NEEDS[self.scheme] if not getattr(self, name)]
        if missing:
            raise ValueError(f"the scheme {self.scheme} needs {', '.join(missing)}")
        for name in _SECRETS:
            value = getattr(self, name)
            if value is not None and (not value.startswith(REF) or len(value) == len(REF)):
                raise ValueError(f'{name} must be "ref:NAME": no password stands in a configuration file')

    @property
    def refs(self) -> tuple[str, ...]:
        """Names of the secrets it refers to."""
        values = (getattr(self, name) for name in _SECRETS)
        return tuple(value[len(REF) :] for value in values if value)


class Connections(Struct, frozen=True, kw_only=True):
    """Connections to a provider."""

    most: Annotated[int, Note(description="Connections at once.", ge=1)] = 64
    queue: Annotated[int, Note(description="Calls that may wait for one.", ge=0)] = 1024
    connect_seconds: Annotated[float, Note(description="For connecting, with TLS.", gt=0)] = 5.0
    idle_seconds: Annotated[
        float, Note(description="How long an unused one is kept; less than the provider keeps it.", gt=0)
    ] = 15.0


class Breaker(Struct, frozen=True, kw_only=True):
    """When calls to a provider stop for a while."""

    failure_rate: Annotated[float, Note(description="Share of failed calls that opens it.", gt=0, le=1)] = 0.5
    minimum_calls: Annotated[int, Note(description="Calls before the share means anything.", ge=1)] = 10
    window_seconds: Annotated[float, Note(description="Over which time.", gt=0)] = 30.0
    open_seconds: Annotated[float, Note(description="How long nothing is sent then.", gt=0)] = 5.0
    longest_open_seconds: Annotated[float, Note(description="To which failed probes double it.", gt=0)] = 120.0


class Provider(Struct, frozen=True, kw_only=True):
    """An agency system that is called."""

    name: Annotated[str, Note(description="Short name, for metrics and the breaker.")]
    base_url: Annotated[str, Note(description="http(s)://host[:port][/path]; http on loopback only, unless insecure.")]
    auth: Annotated[Auth, Note(description="What the provider is shown.")] = field(default_factory=Auth)
    authorities: Annotated[
        Path | None, Note(description="PEM CAs that its TLS certificate must lead to; absent: the system's.")
    ] = None
    client_certificate: Annotated[Path | None, Note(description="PEM, shown to a provider that asks for one.")] = None
    client_key: Annotated[Path | None, Note(description="Its private key, PEM, mode 0600.")] = None
    insecure: Annotated[bool, Note(description="Allow plain HTTP beyond this machine. motlan check lists it.")] = False
    timeout_seconds: Annotated[float, Note(description="For one attempt.", gt=0)] = 10.0
    attempts: Annotated[int, Note(description="Most attempts, of calls that may be repeated.", ge=1, le=10)] = 3
    backoff_seconds: Annotated[float, Note(description="Before the second attempt; then doubled.", gt=0)] = 0.1
    longest_backoff_seconds: Annotated[float, Note(description="Up to this.", gt=0)] = 2.0
    connections: Annotated[Connections, Note(description="Connections to it.")] = field(default_factory=Connections)
    breaker: Annotated[Breaker, Note(description="The circuit breaker.")] = field(default_factory=Breaker)

    def __post_init__(self) -> None:
        scheme, mark, rest = self.base_url.partition("://")
        if scheme not in {"http", "https"} or not mark or not rest or "?" in rest or "#" in rest or "@" in rest:
            raise ValueError("base_url is http(s)://host[:port][/path]")
        if (self.client_certificate is None) != (self.client_key is None):
            raise ValueError("client_certificate and client_key go together")


class Adapter(StrEnum):
    """What speaks to a service."""

    REST = "rest"
    MAPPING = "mapping"
    POPULATION = "population"
    INSURANCE = "insurance"
    ENTRY_POINT = "entry-point"
    PREFILL = "prefill"
    SOAP = "soap"


class Wss(StrEnum):
    """What is signed by WS-Security between the gateway and a SOAP provider."""

    NONE = "none"
    SIGN = "sign"
    BOTH = "both"


_PRODUCT_MAPPINGS = {Adapter.POPULATION: "population.toml", Adapter.INSURANCE: "social-insurance.toml"}
"""Adapters that are the product's own mapping files under a name of their own."""


class Kind(StrEnum):
    """What calling a service does."""

    LOOKUP = "lookup"
    WRITE = "write"


class Payload(StrEnum):
    """What is kept of a service's messages beside their digests."""

    DIGEST = "digest"
    SEALED = "sealed"


class ServiceSettings(Struct, frozen=True, kw_only=True):
    """A service that can be called here."""

    id: Annotated[ServiceId, Note(description="instance/class/member/subsystem/service.")]
    adapter: Annotated[
        Adapter,
        Note(
            description="What speaks to it: rest and soap pass through; population and insurance speak the agencies' "
            "own languages; prefill is the gateway's own."
        ),
    ] = Adapter.REST
    mapping: Annotated[
        str | None,
        Note(description="Mapping file: beside this one, in mappings/ beside its folder, or of the product."),
    ] = None
    entry_point: Annotated[str | None, Note(description="Name in the entry-point group motlan.adapters.")] = None
    settings: Annotated[dict[str, str], Note(description="What a mapping may take as setting.NAME.")] = field(
        default_factory=dict
    )
    title: Annotated[str, Note(description="For people.")] = ""
    enabled: Annotated[bool, Note(description="Whether it can be called now.")] = True
    path: Annotated[
        str,
        Note(
            description="Below the provider's base_url, with a slash first and none at the end; of a mapping: the "
            "operation that the service is."
        ),
    ] = ""
    kind: Annotated[Kind, Note(description="What a POST does: look something up, or change it.")] = Kind.LOOKUP
    idempotent: Annotated[bool, Note(description="Repeating a write does no harm.")] = False
    not_found: Annotated[
        tuple[int, ...], Note(description="Statuses of a REST provider that mean: no such record.")
    ] = ()
    request_schema: Annotated[str | None, Note(description="JSON Schema of the request: file name or $id.")] = None
    response_schema: Annotated[
        str | None, Note(description='JSON Schema of the answer; without one a grant can only be for "*".')
    ] = None
    asked: Annotated[
        tuple[str, ...], Note(description="JSON Pointers to persons' numbers in the request, for the record.")
    ] = ()
    released: Annotated[
        tuple[str, ...], Note(description="JSON Pointers to persons' numbers in the answer, for the record.")
    ] = ()
    payload: Annotated[
        Payload,
        Note(
            description="What is kept of requests and answers: digest, nothing but their digests; sealed, the bodies "
            "too, as JWE to the readers, for as long as retention says."
        ),
    ] = Payload.DIGEST
    person_in_url: Annotated[
        bool, Note(description="Let 9- and 12-digit runs stand in path and query, for X-Road consumers that do it.")
    ] = False
    openapi: Annotated[
        Path | None,
        Note(
            description="OpenAPI 3 description (JSON) of a service that passes through, for getOpenAPI; services with "
            "JSON Schemas are described by those."
        ),
    ] = None
    operations: Annotated[
        dict[str, str],
        Note(
            description="For SOAP consumers of a JSON service: operation -> path, or METHOD path; an operation is what "
            'follows the service code in the name of the element, "" for none. Of a SOAP service: operation of its '
            "WSDL -> path that REST consumers call; absent: every one, under its own name."
        ),
    ] = field(default_factory=dict)
    wsdl: Annotated[
        Path | None, Note(description="WSDL 1.1 of a SOAP service; without one its elements pass untranslated.")
    ] = None
    wss: Annotated[
        Wss,
        Note(
            description="WS-Security with a SOAP provider: none; sign requests; both, then its answers must be signed."
        ),
    ] = Wss.NONE
    xroad_headers: Annotated[
        bool,
        Note(description="Whether a SOAP provider is sent the X-Road header blocks: who calls what, and for whom."),
    ] = True
    not_found_faults: Annotated[
        tuple[str, ...], Note(description="Fault codes of a SOAP provider that mean: no such record.")
    ] = ()
    facade: Annotated[
        Facade | None,
        Note(description="For SOAP callers without headers of ours, at /soap/member/subsystem/service, by mTLS."),
    ] = None
    default_purpose: Annotated[
        Purpose | None, Note(description='"code;basis", assumed for consumers that cannot send a purpose.')
    ] = None
    timeout_seconds: Annotated[float, Note(description="For the whole call, with its attempts.", gt=0)] = 30.0
    charsets: Annotated[
        tuple[Charset, ...],
        Note(
            description="Encodings to try, in order, where an agency's bytes are not the UTF-8 they claim to be (Q17)."
        ),
    ] = ()
    integration_codes: Annotated[dict[str, str], Note(description="Population database: operation -> MaTichHop.")] = (
        field(default_factory=dict)
    )
    agencies: Annotated[
        dict[str, str], Note(description="Population database: member code -> MaDonVi, where they differ.")
    ] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.path and (not self.path.startswith("/") or self.path.endswith("/")):
            raise ValueError("a path starts with a slash and does not end with one")
        if (self.mapping is None) != (self.adapter is not Adapter.MAPPING):
            raise ValueError("adapter = mapping and mapping go together")
        if (self.entry_point is None) != (self.adapter is not Adapter.ENTRY_POINT):
            raise ValueError("adapter = entry-point and entry_point go together")
        if self.adapter is not Adapter.SOAP and (self.wsdl or self.wss is not Wss.NONE or self.not_found_faults):
            raise ValueError("wsdl, wss and not_found_faults are of services with adapter = soap")
        for pointer in (*self.asked, *self.released):
            parse_pointer(pointer)

    @property
    def mapping_file(self) -> str | None:
        """Name of the mapping file that it follows, if it follows one."""
        return self.mapping or _PRODUCT_MAPPINGS.get(self.adapter)


class ServiceFile(Struct, frozen=True, kw_only=True):
    """A file of services/: one provider and what it offers."""

    provider: Annotated[Provider | None, Note(description="Who answers; absent for the gateway's own services.")] = None
    service: Annotated[tuple[ServiceSettings, ...], Note(description="What is offered.", min_length=1)]

    def __post_init__(self) -> None:
        for service in self.service:
            if self.provider is None and service.adapter is not Adapter.PREFILL:
                raise ValueError(f"{service.id} needs a [provider]")
