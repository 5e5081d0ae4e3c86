"""Words of the trust list that more than the trust list uses: certificate usages, service types, roles."""

from enum import StrEnum

HOSTED_KEY_POLICY = "2.25.229733457213064298716459171936478217349"
"""Certificate policy OID (ITU-T X.667 arc) of hosted keys: "the gateway signs, on the subsystem's mTLS evidence"."""


class Usage(StrEnum):
    """What a listed certificate may be used for."""

    SIGN = "sign"
    """A subsystem signs its requests (and a provider its answers)."""
    TLS = "tls"
    """A subsystem identifies itself in a TLS handshake."""
    GATEWAY_SIGN = "gateway-sign"
    """A gateway signs answers, and requests to providers."""
    GATEWAY_TLS = "gateway-tls"
    """A gateway's TLS server certificate."""
    HOSTED_SIGN = "hosted-sign"
    """A gateway signs on a subsystem's mTLS evidence: the gateway's key, never the member's own."""


class ServiceType(StrEnum):
    """How a service speaks, as X-Road names it."""

    REST = "REST"
    OPENAPI3 = "OPENAPI3"
    SOAP = "SOAP"


class RoleName(StrEnum):
    """What a person or office may do beside the exchange."""

    AUDITOR = "auditor"
    """Reads what the log keeps private, each time with a case and a reason; changes nothing."""
    DATA_PROTECTION_OFFICER = "data-protection-officer"
    """Reads like an auditor; what concerns the persons themselves is sealed to them alone."""
    OPERATOR = "operator"
    """Keeps the gateway running. Opens nothing."""
