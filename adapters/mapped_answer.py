"""A provider's answer as a mapping reads it: status, document, plain text or fault. Nothing of it is judged here."""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from adapters.canonical.reading import decoders
from adapters.rest.http1 import Response
from adapters.soap.envelope import Fault, Text, open_envelope
from adapters.soap.heard import Heard
from adapters.soap.trees import text_tree, tree
from adapters.soap.wsdl import Contract
from adapters.soap.xml import Decode, Element, UnreadableXmlError, local_name, parse
from gateway.mapping.calls import Call, Parsers
from gateway.mapping.judging import PLAIN_LIMIT, Answer
from gateway.model.charsets import Charset
from gateway.model.errors import ExchangeError
from gateway.model.jsontext import encode
from gateway.validation.strict_json import parse_json

_SERVER_ERROR = 500
"""SOAP 1.1 §6.2: a fault comes with it."""

Opened = Callable[[bytes], bytes]
"""What a provider's signature proves of its answer."""


class JsonAnswers:
    """Answers of a REST provider. charsets: tried where the bytes are not UTF-8. limit: bytes."""

    def __init__(self, charsets: tuple[Charset, ...], limit: int) -> None:
        self._decoders = decoders(charsets)
        self._limit = limit

    def read(self, response: Response, _: Call | None = None) -> Answer:
        """The answer; without document where that is not readable JSON of a permitted size."""
        data = response.body.data
        if data is None or len(data) > self._limit:
            return Answer(status=response.status)
        document = _json(_utf8(data, self._decoders))
        tree_ = document if isinstance(document, dict | list) else None
        return Answer(status=response.status, tree=tree_, text=_plain(data) if tree_ is None else None)


class SoapAnswers:
    """Answers of a SOAP provider. contract: validates them, if it has schemas for them (``validated``). heard: the
    provider, for what libxml2 may remember of it.
    """

    def __init__(
        self, contract: Contract, charsets: tuple[Charset, ...], limit: int, heard: Heard, *, validated: bool
    ) -> None:
        self._contract = contract
        self._decoders = decoders(charsets)
        self._limit = limit
        self._heard = heard
        self._validated = validated

    def read(self, response: Response, call: Call, opened: Opened | None = None) -> Answer:
        """The answer; without document where it is not what the contract says. opened: of signed answers.

        Raises ExchangeError where the signature is not right, or no thread to read it in is to be had.
        """
        status, data = response.status, response.body.data
        if data is None or (status not in call.accept and status != _SERVER_ERROR):
            return Answer(status=status, text=_plain(data))
        return self._heard.reading(data, lambda: self._read(status, data, call, opened))

    def _read(self, status: int, data: bytes, call: Call, opened: Opened | None) -> Answer:
        if opened is not None and status in call.accept:
            data = opened(data)
        try:
            content = open_envelope(parse(data, self._decoders, max_size=self._limit))
        except UnreadableXmlError:
            return Answer(status=status, text=_plain(data))
        if isinstance(content, Fault):
            return Answer(status=status, fault=content.code or "Server")
        return Answer(status=status, tree=self._tree(content, call))

    def _tree(self, content: Element | Text | None, call: Call) -> Any:
        """None for what the contract does not say."""
        if isinstance(content, Text):
            return _json_instead(content.text, call)
        if content is None or local_name(content) != call.answer:
            return None
        if self._validated and not self._contract.validate(content):
            return None
        return tree(content, attributes=call.attributes)


def _json_instead(text: str, call: Call) -> Any:
    """Q13: JSON text where the answer's element belongs, with one member of its name."""
    document = _json(text.encode()) if call.whole_is_json else UNSET
    inner = document.get(call.answer) if isinstance(document, dict) else None
    return inner if isinstance(inner, dict) else None


def _json(data: bytes) -> Any:
    """The value; UNSET for what is no JSON."""
    try:
        return parse_json(data)
    except (ExchangeError, ValueError):
        return UNSET


def _utf8(data: bytes, tried: tuple[Decode, ...]) -> bytes:
    try:
        data.decode()
    except UnicodeDecodeError:
        for decode in tried:
            try:
                return decode(data).encode()
            except ValueError:
                continue
    return data


def _plain(data: bytes | None) -> str | None:
    if data is None or len(data) > PLAIN_LIMIT:
        return None
    return data.strip().strip(b'"').lower().decode("utf-8", "replace")


def _parse_text(text: str) -> Any:
    document = _json(text.encode())
    if document is UNSET:
        raise ValueError("not JSON")
    return document


PARSERS = Parsers(json=_parse_text, xml=text_tree, json_text=lambda value: encode(value).decode())
"""For documents that travel as text."""
