"""What the population database answered: found, not found, several, somebody else, refused, or not as promised.

Raises AnswerError for whatever contradicts the contract; the target makes INVALID_REPLY of it.
"""

import re
from datetime import datetime
from typing import Any

from msgspec import Struct

from adapters.canonical import codes
from adapters.canonical.citizen import citizen
from adapters.canonical.comparing import same_name
from adapters.canonical.elements import AnswerError, Document
from adapters.canonical.reading import decoders
from adapters.provider import bare_reply
from adapters.rest.http1 import Response
from adapters.soap.envelope import Fault, Text, open_envelope
from adapters.soap.wsdl import Contract
from adapters.soap.xml import Element, UnreadableXmlError, local_name, parse, tree_of
from gateway.model.charsets import Charset
from gateway.model.dates import DateMatch, PartialDate, Precision, parse_date
from gateway.model.errors import ExchangeError
from gateway.model.instant import Instant, from_datetime
from gateway.model.jsontext import encode
from gateway.model.message import Body
from gateway.model.outcomes import Outcome
from gateway.model.stages import Reply
from gateway.model.text import fold, nfc
from gateway.validation.strict_json import parse_json

_OK, _SERVER_ERROR = 200, 500
_DENIED = frozenset({401, 403})
_UNAVAILABLE = frozenset({408, 425, 429})
_PLAIN_LIMIT = 256
"""Bytes: a plain-text refusal is short (Q11)."""
_ERRORS = codes.table("population.error")
_NO_ERROR = frozenset({"", "0", "00", "000"})
_MOMENT = re.compile(r"\d{14}", re.ASCII)
_JSON = (("Content-Type", "application/json"),)


class Asked(Struct, frozen=True, kw_only=True):
    """What a look-up asks about. At most one number."""

    identity_number: str | None
    old_card_number: str | None
    full_name: str | None
    birth_date: PartialDate | None

    @property
    def number(self) -> str | None:
        """The number, if it asks by one."""
        return self.identity_number or self.old_card_number


class EndedError(Exception):
    """The answer ends the look-up without a document. reply: as what."""

    def __init__(self, outcome: Outcome, *, code: str | None = None) -> None:
        super().__init__(outcome.value)
        self.reply = bare_reply(outcome, provider_code=code)


class PopulationReader:
    """Reads answers of the register by its contract. charsets: tried where the bytes are not UTF-8."""

    def __init__(self, contract: Contract, charsets: tuple[Charset, ...], limit: int) -> None:
        self._contract = contract
        self._decoders = decoders(charsets)
        self._limit = limit

    def citizens(self, response: Response, asked: Asked) -> Reply:
        """The reply to a look-up. Raises AnswerError, EndedError."""
        trees, moment = self._collection(response)
        found = [citizen(tree) for tree in trees]
        if not asked.number and asked.birth_date and asked.birth_date.precision is Precision.MONTH:
            found = _of_the_month(found, asked)
        if not found:
            return bare_reply(Outcome.NOT_FOUND)
        if len(found) > 1:
            return bare_reply(Outcome.AMBIGUOUS)  # Q15
        _insist_on_who(found[0], asked)
        differing = _differing(found[0], asked)
        if differing:
            return bare_reply(Outcome.MISMATCH, differing=differing)
        return _found(found[0], moment)

    def verdict(self, response: Response, asked: Asked) -> Reply:
        """The reply to a verification: what was asked, if the register confirms it. Raises AnswerError, EndedError."""
        root = self._payload(response, "KetQuaXacThuc")
        tree = root if isinstance(root, dict) else tree_of(root)
        self._refusal(tree)
        exists = tree.get("TonTai")
        if exists in {"true", "1", True}:
            return _found(_confirmed(asked), None)
        if exists in {"false", "0", False}:
            return bare_reply(Outcome.NOT_FOUND)
        raise AnswerError("KetQuaXacThuc without TonTai")

    def _collection(self, response: Response) -> tuple[list[Any], Instant | None]:
        """Each CongDan as a tree, and when the register says the data is of. Raises AnswerError, EndedError."""
        root = self._payload(response, "CongdanCollection")
        if isinstance(root, dict):
            self._refusal(root)
            given = root.get("CongDan") or []
            people = given if isinstance(given, list) else [given]
            if not all(isinstance(each, dict) for each in people):
                raise AnswerError("text stands where CongDan belongs")
            return people, _moment(root.get("ThoiDiemDuLieu"))
        people = []
        for child in root:
            if local_name(child) == "CongDan":
                people.append(tree_of(child))
            else:
                self._refusal({local_name(child): child.text})
        return people, _moment(root.get("ThoiDiemDuLieu"))

    def _payload(self, response: Response, name: str) -> Element | dict[str, Any]:
        """What stands in Body: a valid element, or the JSON object that came in its place (Q13)."""
        content = self._open(response)
        if isinstance(content, Fault):
            ours = content.is_ours
            raise EndedError(Outcome.REJECTED if ours else Outcome.UNAVAILABLE, code=content.code or None)
        if response.status != _OK:
            raise AnswerError("neither 200 nor a fault")
        if isinstance(content, Text):
            return _json_object(content.text, name)
        if content is None or local_name(content) != name or not self._contract.validate(content):
            raise AnswerError("the answer is not what the contract says")
        return content

    def _open(self, response: Response) -> Element | Fault | Text | None:
        status, data = response.status, response.body.data
        if status in _DENIED or (data is not None and _says_unauthorized(data)):
            raise EndedError(Outcome.DENIED)
        if status > _SERVER_ERROR or status in _UNAVAILABLE:
            raise EndedError(Outcome.UNAVAILABLE)
        if data is None:
            raise AnswerError("the answer is larger than allowed")
        try:
            return open_envelope(parse(data, self._decoders, max_size=self._limit))
        except UnreadableXmlError as error:
            if status == _SERVER_ERROR:
                raise EndedError(Outcome.UNAVAILABLE) from None
            raise AnswerError(str(error)) from None

    @staticmethod
    def _refusal(tree: Any) -> None:
        """Q08: an error code inside a 200 answer."""
        code = tree.get("MaLoi")
        code = code.strip() if isinstance(code, str) else ""
        if code not in _NO_ERROR:
            raise EndedError(Outcome(_ERRORS.get(code, Outcome.REJECTED)), code=code[:20])


def _says_unauthorized(data: bytes) -> bool:
    """Q11: the plain text where a document is promised."""
    return len(data) <= _PLAIN_LIMIT and data.strip().strip(b'"').lower().startswith(b"unauthorized")


def _json_object(text: str, name: str) -> dict[str, Any]:
    try:
        document = parse_json(text.encode())
    except ExchangeError:
        raise AnswerError("text stands where the answer belongs") from None
    inner = document.get(name) if isinstance(document, dict) else None
    if not isinstance(inner, dict):
        raise AnswerError("the answer's JSON is not what the contract says")
    return inner


def _moment(value: object) -> Instant | None:
    """YyyyMMddHHmmss in Vietnamese time."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return None
    try:
        return from_datetime(datetime.fromisoformat(f"{value[:8]}T{value[8:]}+07:00"))
    except ValueError:
        return None


def _full(person: Document) -> str:
    made = person.get("name")
    return str(made["full"]) if isinstance(made, dict) else ""


def _date_of(person: Document) -> PartialDate | None:
    made = person.get("birth_date")
    return parse_date(str(made["date"])) if isinstance(made, dict) else None


def _dated_as(person: Document, asked: PartialDate | None) -> bool:
    held = _date_of(person)
    return asked is None or held is None or held.compare(asked) is not DateMatch.DIFFERENT


def _of_the_month(found: list[Document], asked: Asked) -> list[Document]:
    """The register was asked by the year, since it takes no months: those of the month. Raises AnswerError."""
    if any(fold(_full(each)) != fold(asked.full_name or "") for each in found):
        raise AnswerError("the answer is about another person")
    return [each for each in found if _dated_as(each, asked.birth_date)]


def _insist_on_who(person: Document, asked: Asked) -> None:
    """Raise AnswerError where the answer is about somebody else than the one who was asked about."""
    if asked.identity_number:
        same = person.get("identity_number") == asked.identity_number
    elif asked.old_card_number:
        same = person.get("old_card_number") == asked.old_card_number
    else:
        same = fold(_full(person)) == fold(asked.full_name or "") and _dated_as(person, asked.birth_date)
    if not same:
        raise AnswerError("the answer is about another person")


def _differing(person: Document, asked: Asked) -> tuple[str, ...]:
    """Names of the elements that the register holds otherwise than asked."""
    differing = []
    if asked.full_name and not same_name(asked.full_name, _full(person)):
        differing.append("full_name")
    if not _dated_as(person, asked.birth_date):
        differing.append("birth_date")
    return tuple(differing)


def _confirmed(asked: Asked) -> Document:
    made: Document = {}
    if asked.identity_number:
        made["identity_number"] = asked.identity_number
    if asked.old_card_number:
        made["old_card_number"] = asked.old_card_number
    if asked.full_name:
        made["name"] = {"full": nfc(asked.full_name)}
    if asked.birth_date:
        made["birth_date"] = {"date": str(asked.birth_date), "precision": asked.birth_date.precision.value}
    return made


def _found(document: Document, moment: Instant | None) -> Reply:
    return Reply(
        outcome=Outcome.FOUND,
        status=_OK,
        fields=_JSON,
        body=Body(encode(document)),
        document=document,
        source_updated_at=moment,
    )
