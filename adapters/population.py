"""The national population database as a target: JSON look-ups become its SOAP operations, answers canonical citizens.

============ =========================== ==================================================================
path         operation                   answer
============ =========================== ==================================================================
(none)       TraCuuThongTinCongDan       the citizen
/verify      XacThucThongTinCongDan      what was asked about, confirmed; NOT_FOUND where it does not agree
/relatives   XacMinhThongTinNhanThan     number, name, date of birth and relatives
============ =========================== ==================================================================

The register's audit triple is filled from what policy decided and who called: MaDVC is the purpose's code, MaDonVi the
client's agency, MaCanBo the officer. Every quirk of the domain notes is handled here or in ``adapters.canonical``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from adapters.canonical.elements import AnswerError
from adapters.population_answer import Asked, EndedError, PopulationReader
from adapters.provider import Failed, Provider, Request, UnsendableRequestError, bare_reply, failure_reply
from adapters.rest.http1 import Response
from adapters.soap.envelope import CONTENT_TYPE
from adapters.soap.wsdl import Contract
from gateway.model.charsets import Charset
from gateway.model.dates import PartialDate, Precision, parse_date
from gateway.model.message import Body, Fields
from gateway.model.outcomes import Outcome
from gateway.model.stages import Recorded, Reply
from gateway.model.text import fold
from gateway.ports import Countersign

LOOK_UP = "TraCuuThongTinCongDan"
VERIFY = "XacThucThongTinCongDan"
RELATIVES = "XacMinhThongTinNhanThan"
_OPERATIONS = {"": LOOK_UP, "/": LOOK_UP, "/verify": VERIFY, "/relatives": RELATIVES}

_LIMITS = (("MaDVC", 20, "purpose"), ("MaDonVi", 35, "agency"), ("MaCanBo", 20, "officer"))
"""Element, its longest value in the register's schema, and what a caller knows it as."""
_DIGITS = {"identity_number": 12, "old_card_number": 9}


class PopulationOptions(Struct, frozen=True, kw_only=True):
    """How the population database is asked.

    integration_codes: operation → MaTichHop; 037 is published for the look-up, others are by arrangement. agencies:
    member code → MaDonVi, for agencies that the register knows by another code. charsets: tried in order where the
    bytes are not UTF-8 (Q17). answer_limit: bytes.
    """

    integration_codes: dict[str, str] = {}
    agencies: dict[str, str] = {}
    charsets: tuple[Charset, ...] = (Charset.WINDOWS_1258, Charset.TCVN3)
    answer_limit: int = 1024 * 1024


class _UnfitError(Exception):
    """The request lacks what the register needs. elements: names as the caller knows them."""

    def __init__(self, *elements: str) -> None:
        super().__init__("the request lacks what the register needs")
        self.elements = elements


class PopulationTarget:
    """The service ``citizen`` of the population database. contract: its WSDL, compiled."""

    def __init__(self, provider: Provider, contract: Contract, options: PopulationOptions) -> None:
        self._provider = provider
        self._contract = contract
        self._options = options
        self._reader = PopulationReader(contract, options.charsets, options.answer_limit)

    async def send(self, request: Recorded, countersign: Countersign, deadline: float) -> Reply:
        """Ask the register. The answer's document is a canonical citizen."""
        operation = _OPERATIONS.get(request.claim.path)
        if operation is None or request.claim.method != "POST":
            return bare_reply(Outcome.REJECTED)
        try:
            asked = _asked(request.authorized.envelope.document)
            envelope = self._contract.request(operation, self._values(operation, request, asked))
        except _UnfitError as error:
            return bare_reply(Outcome.REJECTED, differing=error.elements)
        outbound = Request(method="POST", path="", fields=_FIELDS, body=Body(envelope), repeatable=True)
        try:
            result = await self._provider.call(outbound, countersign, deadline)
        except UnsendableRequestError:
            return bare_reply(Outcome.REJECTED)
        if isinstance(result, Failed):
            return failure_reply(result, may_have_acted=False)
        return self._read(operation, result, asked)

    def _read(self, operation: str, response: Response, asked: Asked) -> Reply:
        try:
            if operation == VERIFY:
                return self._reader.verdict(response, asked)
            return self._reader.citizens(response, asked)
        except EndedError as ended:
            return ended.reply
        except AnswerError:
            return bare_reply(Outcome.INVALID_REPLY)
        finally:
            response.body.close()

    def _values(self, operation: str, request: Recorded, asked: Asked) -> dict[str, str | dict[str, str]]:
        """The request's elements, in the order of the schema (Q01)."""
        authorized, options = request.authorized, self._options
        member = authorized.verified.client.member_code
        values: dict[str, str | dict[str, str]] = {
            "MaYeuCau": request.id,
            "MaDVC": authorized.decision.purpose.code,
            "MaTichHop": options.integration_codes.get(operation, "037"),
            "MaDonVi": options.agencies.get(member, member),
            "MaCanBo": request.claim.officer or "",
        }
        for element, longest, known_as in _LIMITS:
            if not 0 < len(values[element]) <= longest:
                raise _UnfitError(known_as)
        if asked.number:
            values["SoDinhDanh" if asked.identity_number else "SoCMND"] = asked.number
        if operation == VERIFY and (not asked.full_name or not asked.birth_date):
            raise _UnfitError("full_name", "birth_date")
        if not asked.number or operation == VERIFY:
            # beside a number, name and date are compared here: the register would only say "not found"
            if asked.full_name:
                values["HoVaTen"] = fold(asked.full_name)  # Q04
            if asked.birth_date:
                values["NgayThangNamSinh"] = _birth(asked.birth_date)
        return values

    async def close(self) -> None:
        """Let go of the provider's connections."""
        await self._provider.close()


_FIELDS: Fields = (("Content-Type", CONTENT_TYPE), ("SOAPAction", '""'), ("Accept", "text/xml"))


def _asked(document: Any) -> Asked:
    """What the request asks about (``citizen-lookup.request``), however it came here. Raises _UnfitError."""
    if not isinstance(document, Mapping):
        raise _UnfitError("identity_number")
    for element in ("identity_number", "old_card_number", "full_name", "birth_date"):
        value = document.get(element)
        if value is not None and (not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= 100):  # noqa: PLR2004 - the schema's longest name
            raise _UnfitError(element)
    for element, length in _DIGITS.items():
        number = document.get(element)
        if number is not None and not (len(number) == length and number.isascii() and number.isdigit()):
            raise _UnfitError(element)
    number, card = document.get("identity_number"), document.get("old_card_number")
    name, birth = document.get("full_name"), document.get("birth_date")
    try:
        date = None if birth is None else parse_date(birth)
    except ValueError:
        raise _UnfitError("birth_date") from None
    if not (number or card or (name and date)):
        raise _UnfitError("identity_number")
    return Asked(identity_number=number, old_card_number=None if number else card, full_name=name, birth_date=date)


def _birth(date: PartialDate) -> dict[str, str]:
    """The register takes a whole date or a year; a month is compared in its answer."""
    if date.precision is Precision.DAY:
        return {"NgayThangNam": str(date)}
    return {"Nam": f"{date.year:04}"}


def load_contract(schemas: Path) -> Contract:
    """The register's WSDL and XSD out of the directory ``schemas``, compiled. Raises ContractError."""
    xsd = schemas / "xsd"
    return Contract(
        schemas / "wsdl" / "population.wsdl",
        root=schemas,
        answers=(xsd / "population-answer.xsd", xsd / "population-request.xsd"),
    )
