"""The subsystems of the demo: who they are, with which kind of key they sign, what they offer."""

from adapters.simulators.pki import Offer, Party
from gateway.keys.issue import KeyKind
from gateway.model.envelope import ProofScheme
from gateway.model.ids import parse_subsystem
from gateway.model.usage import ServiceType

PORTAL = parse_subsystem("VN/GOV/H24/portal")
"""Hải Phòng's public service portal: the consumer of the story."""
ONE_STOP = parse_subsystem("VN/GOV/H26/one-stop")
"""Hà Nội's one-stop office software; signs with Ed25519."""
CIVIL_STATUS = parse_subsystem("VN/GOV/G15/civil-status")
"""The Ministry of Justice's civil status system; signs with P-384."""
POPULATION = parse_subsystem("VN/GOV/G01/population")
"""The national population database of the Ministry of Public Security; its key is RSA-3072."""
INSURANCE = parse_subsystem("VN/GOV/G12/social-insurance")
"""Vietnam Social Security, under the Ministry of Finance."""
UNGRANTED = parse_subsystem("VN/GOV/H31/portal")
"""Hưng Yên's portal: a right certificate, but no grant."""
LEGACY = parse_subsystem("VN/GOV/H57/one-stop")
"""Huế's one-stop software, which cannot sign: mutual TLS, and a hosted key."""

DEMO = (
    Party(id=PORTAL, organization="Ủy ban nhân dân thành phố Hải Phòng", name="Cổng dịch vụ công Hải Phòng"),
    Party(
        id=ONE_STOP,
        organization="Ủy ban nhân dân thành phố Hà Nội",
        name="Một cửa điện tử Hà Nội",
        kind=KeyKind.ED25519,
    ),
    Party(
        id=CIVIL_STATUS,
        organization="Bộ Tư pháp",
        name="Hệ thống thông tin đăng ký, quản lý hộ tịch",
        kind=KeyKind.P384,
    ),
    Party(
        id=POPULATION,
        organization="Bộ Công an",
        name="Cơ sở dữ liệu quốc gia về dân cư",
        kind=KeyKind.RSA3072,
        services=(Offer("citizen", ServiceType.SOAP, "Tra cứu thông tin công dân"),),
    ),
    Party(
        id=INSURANCE,
        organization="Bộ Tài chính",
        name="Bảo hiểm xã hội Việt Nam",
        services=(Offer("insurance", ServiceType.REST, "Tra cứu bảo hiểm xã hội"),),
    ),
    Party(id=UNGRANTED, organization="Ủy ban nhân dân tỉnh Hưng Yên", name="Cổng dịch vụ công Hưng Yên"),
    Party(
        id=LEGACY,
        organization="Ủy ban nhân dân thành phố Huế",
        name="Một cửa điện tử Huế",
        schemes=frozenset({ProofScheme.MUTUAL_TLS}),
        hosted=True,
    ),
)
