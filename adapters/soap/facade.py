"""The façade: callers that send neither X-Road headers nor WS-Security, known by their TLS certificate.

``POST /soap/{member}/{subsystem}/{service}``; purpose, officer and agency are read from the request's own elements.
"""

from collections.abc import Callable
from urllib.parse import unquote

from msgspec import Struct

from adapters.soap.headers import IDENTIFIERS, MOTLAN, REPRESENTATION, SECURITY, XROAD, check_understood, plain
from adapters.soap.reading import Message
from adapters.soap.xml import Element, local_name
from gateway.model.envelope import Purpose
from gateway.model.errors import ExchangeError
from gateway.model.errors.request import DUPLICATE_HEADER, INCONSISTENT_HEADERS, TARGET_REFUSED, UNKNOWN_SERVICE
from gateway.model.errors.soap import BAD_FIELD
from gateway.model.facade import Facade
from gateway.model.ids import ServiceId, SubsystemId

PREFIX = "/soap/"
_PARTS = 3
_OURS = (XROAD, IDENTIFIERS, REPRESENTATION, MOTLAN)


class Offered(Struct, frozen=True):
    """A service that has a façade."""

    service: ServiceId
    facade: Facade


Facades = Callable[[str, str, str], Offered | None]
"""Member, subsystem and service code → the service, where it has a façade."""


class Said(Struct, frozen=True, kw_only=True):
    """What a request's own elements say."""

    purpose: Purpose | None
    officer: str | None
    case: str | None
    message_id: str | None


def offered(path: str, facades: Facades) -> Offered:
    """The service that a path names. Raises ExchangeError."""
    try:
        parts = [unquote(part, errors="strict") for part in path[len(PREFIX) :].split("/")]
    except UnicodeDecodeError:
        parts = []
    if len(parts) != _PARTS or not all(parts):
        raise ExchangeError(TARGET_REFUSED, "the path is /soap, or /soap/member/subsystem/service")
    found = facades(*parts)
    if found is None:
        raise ExchangeError(UNKNOWN_SERVICE, "no service is called in this way at this address")
    return found


def read_said(message: Message, facade: Facade) -> Said:
    """What the request's elements say. Raises ExchangeError."""
    for block in message.blocks:
        if block.tag == SECURITY or block.tag.startswith(tuple(f"{{{each}}}" for each in _OURS)):
            raise ExchangeError(
                INCONSISTENT_HEADERS, "signed messages and X-Road headers are for /soap", parts=("Header",)
            )
    check_understood(message)
    return Said(
        purpose=_purpose(_value(message.payload, facade.purpose), facade),
        officer=_value(message.payload, facade.officer),
        case=_value(message.payload, facade.case),
        message_id=_value(message.payload, facade.message_id),
    )


def check_agency(payload: Element, facade: Facade, client: SubsystemId) -> None:
    """The agency that a request names is the one that the certificate proved. Raises ExchangeError."""
    if facade.agency is None:
        return
    given = _value(payload, facade.agency)
    if given != facade.agencies.get(client.member_code, client.member_code):
        detail = f"{facade.agency} is not the agency of the TLS certificate"
        raise ExchangeError(INCONSISTENT_HEADERS, detail, parts=(facade.agency,))


def _purpose(code: str | None, facade: Facade) -> Purpose | None:
    if code is None:
        return None
    try:
        return Purpose(code, facade.basis)
    except ValueError as error:
        raise ExchangeError(BAD_FIELD, str(error), parts=(facade.purpose,)) from None


def _value(payload: Element, path: str | None) -> str | None:
    """The text of the one element at a path; None where it is absent or empty. Raises ExchangeError."""
    if path is None:
        return None
    places = [payload]
    for name in path.split("/"):
        places = [child for place in places for child in place if local_name(child) == name]
    if len(places) > 1:
        raise ExchangeError(DUPLICATE_HEADER, f"{path} is given twice", parts=(path,))
    if not places:
        return None
    if len(places[0]):
        raise ExchangeError(BAD_FIELD, f"{path} holds text only", parts=(path,))
    return plain(places[0].text or "", path)
