"""Social insurance as a target: look-ups as ``insurance-lookup.request``, answers as canonical insurance cards.

================ ====================================== ==================================================
asked by         operation                              answer
================ ====================================== ==================================================
personal number  getTheBhytBySoDinhDanh                 the card
insurance number getTraCuuTtHgdByMaSoBhxh               the household's member with that number
criteria         getMaSoBhxhTheoTieuChi, then as above  the household's member with the number found
================ ====================================== ==================================================

With the path ``/household`` the answer is the whole household: ``{"household_code", "members": [card, …]}``.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from adapters.canonical import codes
from adapters.canonical.comparing import same_name
from adapters.canonical.elements import AnswerError, Document
from adapters.canonical.elements import text as text_of
from adapters.canonical.insured import card, criteria
from adapters.canonical.reading import decoders
from adapters.provider import Failed, Provider, Request, UnsendableRequestError, bare_reply, failure_reply
from adapters.rest.http1 import Response
from gateway.model.charsets import Charset
from gateway.model.dates import DateMatch, parse_date
from gateway.model.errors import ExchangeError
from gateway.model.jsontext import encode
from gateway.model.message import Body, Fields
from gateway.model.outcomes import Outcome
from gateway.model.stages import Recorded, Reply
from gateway.model.text import fold
from gateway.ports import Countersign
from gateway.validation.strict_json import parse_json

BY_NUMBER = "/getTheBhytBySoDinhDanh"
BY_CRITERIA = "/getMaSoBhxhTheoTieuChi"
HOUSEHOLD = "/getTraCuuTtHgdByMaSoBhxh"

_FIELDS: Fields = (("Content-Type", "application/json"), ("Accept", "application/json"))
_OK, _SERVER_ERROR = 200, 500
_DENIED = frozenset({401, 403})
_UNAVAILABLE = frozenset({408, 425, 429})
_ERRORS = codes.table("insurance.error")
_CRITERIA_ERRORS = codes.table("insurance.criteria_error")
_NO_ERROR = frozenset({None, "0", "00", "000"})
_PLAIN_LIMIT = 256
"""Bytes: a plain-text refusal is short (Q11)."""
_DIGITS = {"identity_number": 12, "insurance_number": 10}
_TEXTS = ("identity_number", "insurance_number", "full_name", "birth_date", "sex", "province")
_HOUSEHOLD_PATH = "/household"


class InsuranceOptions(Struct, frozen=True, kw_only=True):
    """How social insurance is asked. charsets: tried in order where the bytes are not UTF-8. answer_limit: bytes."""

    charsets: tuple[Charset, ...] = ()
    answer_limit: int = 1024 * 1024


class _EndedError(Exception):
    """The look-up is over without a document. reply: as what."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.outcome.value)
        self.reply = reply


class InsuranceTarget:
    """The service ``insurance``. The provider's base URL ends with the platform's path, such as ``/apiBHXH``."""

    def __init__(self, provider: Provider, options: InsuranceOptions | None = None) -> None:
        self._provider = provider
        self._options = options or InsuranceOptions()
        self._decoders = decoders(self._options.charsets)

    async def send(self, request: Recorded, countersign: Countersign, deadline: float) -> Reply:
        """Ask the register. The answer's document is a canonical insurance card, or a household of them."""
        household = request.claim.path == _HOUSEHOLD_PATH
        if request.claim.method != "POST" or (request.claim.path not in {"", "/"} and not household):
            return bare_reply(Outcome.REJECTED)
        call = _Call(self, countersign, deadline)
        try:
            asked = _asked(request.authorized.envelope.document)
            return _found(await (call.household(asked) if household else call.person(asked)))
        except _EndedError as ended:
            return ended.reply
        except AnswerError:
            return bare_reply(Outcome.INVALID_REPLY)
        except UnsendableRequestError:
            return bare_reply(Outcome.REJECTED)

    async def post(
        self, operation: str, content: dict[str, str], countersign: Countersign, deadline: float
    ) -> dict[str, Any]:
        """One call of the platform; its answer without error. Raises _EndedError, AnswerError."""
        outbound = Request(method="POST", path=operation, fields=_FIELDS, body=Body(encode(content)), repeatable=True)
        result = await self._provider.call(outbound, countersign, deadline)
        if isinstance(result, Failed):
            raise _EndedError(failure_reply(result, may_have_acted=False))
        try:
            return self._read(operation, result)
        finally:
            result.body.close()

    def _read(self, operation: str, response: Response) -> dict[str, Any]:
        status, data = response.status, response.body.data
        document = None if data is None or len(data) > self._options.answer_limit else self._object(data)
        code = text_of(document.get("errorCode")) if document is not None else None
        if document is not None and code not in _NO_ERROR:
            named = _CRITERIA_ERRORS.get(code or "") if operation == BY_CRITERIA else None
            outcome = Outcome(named or _ERRORS.get(code or "", Outcome.REJECTED))
            raise _EndedError(bare_reply(outcome, provider_code=(code or "")[:20]))
        if status in _DENIED or (data is not None and _says_unauthorized(data)):
            raise _EndedError(bare_reply(Outcome.DENIED))
        if status >= _SERVER_ERROR or status in _UNAVAILABLE:
            raise _EndedError(bare_reply(Outcome.UNAVAILABLE))
        if document is None or status != _OK:
            raise AnswerError("the answer is not what the contract says")
        return document

    def _object(self, data: bytes) -> dict[str, Any] | None:
        """The answer's JSON object; None where it is none."""
        try:
            document = parse_json(self._utf8(data))
        except (ExchangeError, ValueError):
            return None
        return document if isinstance(document, dict) else None

    def _utf8(self, data: bytes) -> bytes:
        try:
            data.decode()
        except UnicodeDecodeError:
            for decode in self._decoders:
                try:
                    return decode(data).encode()
                except ValueError:
                    continue
        return data

    async def close(self) -> None:
        """Let go of the provider's connections."""
        await self._provider.close()


class _Call:
    """One look-up, which may take two calls of the platform."""

    def __init__(self, target: InsuranceTarget, countersign: Countersign, deadline: float) -> None:
        self._target, self._countersign, self._deadline = target, countersign, deadline

    async def person(self, asked: Mapping[str, str]) -> Document:
        """The card of the one who was asked about."""
        if "identity_number" in asked:
            found = card(await self._post(BY_NUMBER, {"soDinhDanh": asked["identity_number"]}))
            _insist(found, identity_number=asked["identity_number"])
        else:
            number = asked.get("insurance_number") or await self._number(asked)
            found = _member(await self._members(number), number)
        return _agreeing(found, asked)

    async def household(self, asked: Mapping[str, str]) -> Document:
        """The household of the one who was asked about."""
        number = asked.get("insurance_number")
        if number is None and "identity_number" in asked:
            number = str((await self.person({"identity_number": asked["identity_number"]})).get("insurance_number"))
        answer = await self._post(HOUSEHOLD, {"maSoBhxh": number or await self._number(asked)})
        members = _cards(answer)
        if number is not None:
            _agreeing(_member(members, number), asked)
        return {"household_code": text_of(answer.get("maHo")), "members": members}

    async def _members(self, number: str) -> list[Document]:
        answer = await self._post(HOUSEHOLD, {"maSoBhxh": number})
        code = text_of(answer.get("maHo"))
        return [{**member, "household_code": code} if code else member for member in _cards(answer)]

    async def _number(self, asked: Mapping[str, str]) -> str:
        """The insurance number that name, date of birth and sex lead to."""
        try:
            wanted = criteria(asked)
        except KeyError:
            raise _EndedError(bare_reply(Outcome.REJECTED, differing=("full_name", "birth_date", "sex"))) from None
        number = text_of((await self._post(BY_CRITERIA, wanted)).get("maSoBhxh"))
        if number is None:
            raise _EndedError(bare_reply(Outcome.NOT_FOUND))
        return number

    async def _post(self, operation: str, content: dict[str, str]) -> dict[str, Any]:
        return await self._target.post(operation, content, self._countersign, self._deadline)


def _says_unauthorized(data: bytes) -> bool:
    return len(data) <= _PLAIN_LIMIT and data.strip().strip(b'"').lower().startswith(b"unauthorized")


def _asked(document: Any) -> dict[str, str]:
    """The request's elements. Raises _EndedError where one is not as ``insurance-lookup.request`` says."""
    given = {key: value for key, value in document.items() if key in _TEXTS} if isinstance(document, dict) else {}
    for element, value in given.items():
        if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= 100:  # noqa: PLR2004 - the schema's longest name
            raise _EndedError(bare_reply(Outcome.REJECTED, differing=(element,)))
        digits = _DIGITS.get(element)
        if digits and not (len(value) == digits and value.isascii() and value.isdigit()):
            raise _EndedError(bare_reply(Outcome.REJECTED, differing=(element,)))
    try:
        if "birth_date" in given:
            given["birth_date"] = str(parse_date(given["birth_date"]))
    except ValueError:
        raise _EndedError(bare_reply(Outcome.REJECTED, differing=("birth_date",))) from None
    return given


def _cards(answer: Mapping[str, Any]) -> list[Document]:
    members = answer.get("thanhVien")
    if not isinstance(members, list) or not all(isinstance(each, dict) for each in members):
        raise AnswerError("thanhVien is not a list of persons")
    return [card(each) for each in members]


def _member(members: list[Document], number: str) -> Document:
    found = [each for each in members if each.get("insurance_number") == number]
    if len(found) != 1:
        raise AnswerError("the household is not that of the one who was asked about")
    return found[0]


def _insist(found: Document, *, identity_number: str) -> None:
    if found.get("identity_number") != identity_number:
        raise AnswerError("the answer is about another person")


def _agreeing(found: Document, asked: Mapping[str, str]) -> Document:
    """The card, if the register holds what was asked about. Raises _EndedError (MISMATCH), AnswerError."""
    name, birth = found.get("name"), found.get("birth_date")
    if not isinstance(name, dict) or "insurance_number" not in found:
        raise AnswerError("a card without number or name")
    by_criteria = "identity_number" not in asked and "insurance_number" not in asked
    differing = []
    if "full_name" in asked and not same_name(asked["full_name"], str(name["full"])):
        if by_criteria and fold(asked["full_name"]) != fold(str(name["full"])):
            raise AnswerError("the answer is about another person")
        differing.append("full_name")
    if asked.get("insurance_number", found["insurance_number"]) != found["insurance_number"]:
        differing.append("insurance_number")
    if "birth_date" in asked and isinstance(birth, dict):
        held = parse_date(str(birth["date"]))
        if held.compare(parse_date(asked["birth_date"])) is DateMatch.DIFFERENT:
            differing.append("birth_date")
    if "sex" in asked and found.get("sex", asked["sex"]) != asked["sex"]:
        differing.append("sex")
    if differing:
        raise _EndedError(bare_reply(Outcome.MISMATCH, differing=tuple(differing)))
    return found


def _found(document: Document) -> Reply:
    return Reply(
        outcome=Outcome.FOUND,
        status=_OK,
        fields=(("Content-Type", "application/json"),),
        body=Body(encode(document)),
        document=document,
    )
