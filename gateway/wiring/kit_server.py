"""A provider that plays samples back, rightly and in every way in which a provider goes wrong."""

import json
import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from adapters.simulators import charsets
from adapters.simulators.misbehave import LEVELS, Misbehaviour, Mode
from adapters.simulators.simulator import Simulator
from adapters.simulators.wire import Answer, Received
from gateway.model.jsontext import encode
from gateway.wiring.kit_samples import Body, Sample

_PIECE = 64 * 1024
_XML_ONLY = frozenset({Mode.DOCTYPE, Mode.JSON_BODY})
_JSON_ONLY = frozenset({Mode.DUPLICATE_KEYS, Mode.NAN, Mode.HUGE_NUMBER, Mode.LONE_SURROGATE})
_IDENTITY = re.compile(rb"(?<!\d)(\d{12})(?!\d)")
_OTHER = b"001090999999"


class Replay(Simulator):
    """Answers the calls of one sample in order; those behind the last get the last."""

    PATH = ""

    def __init__(self) -> None:
        super().__init__()
        self.sample: Sample | None = None
        self.calls = 0

    def play(self, sample: Sample) -> None:
        """Answer for this sample from now on."""
        self.sample, self.calls = sample, 0

    def operation(self, received: Received) -> str:
        """The target's path."""
        return received.path

    def answer(self, received: Received) -> Answer:
        """The sample's next answer."""
        del received
        body = self._next()
        return Answer(status=body.status, content_type=body.content_type, body=body.data)

    def twist(self, received: Received, right: Answer, how: Misbehaviour) -> Answer:
        """The same, wrong."""
        del received
        return twisted(right, how)

    def _next(self) -> Body:
        assert self.sample is not None
        found = self.sample.answers[min(self.calls, len(self.sample.answers) - 1)]
        self.calls += 1
        return found


def modes_for(sample: Sample) -> tuple[Mode, ...]:
    """The ways to go wrong that mean something for a sample."""
    first = sample.answers[0]
    none = _JSON_ONLY if first.is_xml else _XML_ONLY
    made = [mode for mode in Mode if mode not in none]
    if not _others(sample):
        made.remove(Mode.OTHER_PERSON)
    if first.data.isascii():
        made = [mode for mode in made if mode not in {Mode.WINDOWS_1258, Mode.TCVN3}]
    return tuple(made)


def _others(sample: Sample) -> bool:
    """Whether the person asked about stands in the answer, so that another could."""
    asked = set(_IDENTITY.findall(encode(sample.request)))
    return any(asked & set(_IDENTITY.findall(each.data)) for each in sample.answers)


def twisted(right: Answer, how: Misbehaviour) -> Answer:
    """An answer that misbehaves inside the document."""
    xml = "xml" in (right.content_type or "").lower()
    match how.mode:
        case Mode.WINDOWS_1258:
            return _with(right, _reencoded(right.body, charsets.windows_1258))
        case Mode.TCVN3:
            return _with(right, _reencoded(right.body, charsets.tcvn3))
        case Mode.OTHER_PERSON:
            return _with(right, _IDENTITY.sub(_OTHER, right.body))
        case Mode.HUGE:
            return Answer(content_type=right.content_type, pieces=_huge(how.megabytes * 2**20, xml=xml))
        case mode:
            return _with(right, _xml(mode, right.body) if xml else _json(mode, right.body))


def _with(right: Answer, body: bytes) -> Answer:
    return Answer(status=right.status, content_type=right.content_type, body=body)


def _reencoded(data: bytes, encode: Any) -> bytes:
    try:
        made: bytes = encode(data.decode())
    except (UnicodeError, ValueError, KeyError):
        return data
    return made


# -- XML ---------------------------------------------------------------------------------------------------------------


def _xml(mode: Mode, data: bytes) -> bytes:
    root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))
    payload = _payload(root)
    match mode:
        case Mode.LIE:
            for each in list(payload.iter()):
                if len(each) == 0:
                    etree.SubElement(each, "lie").text = "hôm qua"
                elif each is not payload:
                    for child in list(each):
                        each.remove(child)
                    each.text = "hôm qua"
        case Mode.DEEP:
            text = etree.tostring(root).decode()
            return text.replace("</", "<a>" * LEVELS + "</a>" * LEVELS + "</", 1).encode()
        case Mode.JSON_BODY:
            for child in list(payload):
                payload.remove(child)
            payload.attrib.clear()
            payload.text = '{"a": 1}'
        case Mode.DOCTYPE:
            bomb = "".join(f'<!ENTITY e{n} "{"&e" + str(n - 1) + ";" if n else "a"}">' for n in range(10))
            return f"<!DOCTYPE bomb [{bomb}]>".encode() + etree.tostring(root)
        case _:
            raise ValueError(f"{mode} means nothing for XML")
    return etree.tostring(root, encoding="utf-8")


def _payload(root: Any) -> Any:
    for body in root:
        if etree.QName(body).localname == "Body" and len(body):
            return body[0]
    return root


# -- JSON --------------------------------------------------------------------------------------------------------------


def _json(mode: Mode, data: bytes) -> bytes:
    match mode:
        case Mode.LIE:
            return json.dumps(_lie(json.loads(data))).encode()
        case Mode.DEEP:
            return b'{"a":' * LEVELS + b"1" + b"}" * LEVELS
        case Mode.DUPLICATE_KEYS:
            return b'{"a": 1, "a": 2}'
        case Mode.NAN:
            return b'{"a": NaN}'
        case Mode.HUGE_NUMBER:
            return b'{"a": 1e400}'
        case Mode.LONE_SURROGATE:
            return b'{"a": "\\ud800"}'
        case _:
            raise ValueError(f"{mode} means nothing for JSON")


def _lie(value: Any, *, top: bool = True) -> Any:
    """Structures where text belongs, text where structures belong."""
    if isinstance(value, dict):
        return {name: _lie(each, top=False) for name, each in value.items()} if top else "hôm qua"
    if isinstance(value, list):
        return [_lie(each, top=top) for each in value] if top else "hôm qua"
    return {"lie": True}


def _huge(size: int, *, xml: bool) -> Iterator[bytes]:
    start, end = (b"<a>", b"</a>") if xml else (b'{"a":"', b'"}')
    yield start
    for _ in range(size // _PIECE):
        yield b"A" * _PIECE
    yield end
