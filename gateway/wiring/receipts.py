"""The gateway's own receipt service: its name, its place, and what decides about it."""

from gateway.config.load import Settings
from gateway.config.services import Adapter
from gateway.exchange.epochs import Epochs
from gateway.exchange.receipt_service import ReceiptTarget
from gateway.exchange.rules import Route
from gateway.ledger.record import InForce
from gateway.model.ids import ServiceId
from gateway.policy.grants import ServiceTerms
from gateway.ports import LogStore

_CODE = "receipts"
_SECONDS = 10.0


def receipt_service(settings: Settings) -> ServiceId:
    """Its id: a service of the gateway's own subsystem, as a JWS names it. Raises ValueError if that is a member."""
    own = settings.gateway.subsystem
    if own.subsystem_code is None:
        raise ValueError(f"gateway.subsystem: {own} is a member, not a subsystem")
    return ServiceId(own.instance, own.member_class, own.member_code, own.subsystem_code, _CODE)


def receipt_terms(settings: Settings) -> ServiceTerms:
    """What policy must know of it: it is open, since it tells each party only of its own exchanges."""
    return ServiceTerms(service=receipt_service(settings), open=True)


def receipt_route(settings: Settings, in_force: InForce, log: LogStore, epochs: Epochs) -> Route:
    """How it is answered. Nothing is kept for retries, since it holds personal data and is quickly made again."""
    passing = [each.id for each in settings.services.values() if each.adapter is Adapter.REST]
    return Route(
        service=receipt_service(settings),
        target=ReceiptTarget(log, epochs, passing),
        in_force=in_force,
        timeout=_SECONDS,
        composed=True,
    )
