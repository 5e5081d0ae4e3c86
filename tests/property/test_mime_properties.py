"""However a multipart message is cut, it has the same parts: those that Python's mail parser finds in it too."""

from email import message_from_bytes, policy
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.errors import ExchangeError
from gateway.model.message import Part
from gateway.validation.mime import Splitter

BOUNDARY = b"=_b'()+,-./:? x"
TYPE = f'multipart/related; boundary="{BOUNDARY.decode()}"'
NASTY = st.lists(
    st.sampled_from([b"\r\n", b"\r", b"\n", b"-", b"--", BOUNDARY, BOUNDARY[:5], b"--" + BOUNDARY, b"\x00\xff", b"a"]),
    max_size=12,
).map(b"".join)
"""Content made of what boundaries are made of."""


def _safe(content: bytes) -> bool:
    return b"\n--" + BOUNDARY not in b"\n" + content and b"\r--" + BOUNDARY not in content


CONTENT = st.one_of(st.binary(max_size=60), NASTY).filter(_safe)


def _message(contents: list[bytes]) -> bytes:
    parts = [
        b"--%b\r\nContent-Type: text/xml\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <%d>\r\n\r\n%b\r\n"
        % (BOUNDARY, number, content)
        for number, content in enumerate(contents)
    ]
    return b"".join(parts) + b"--" + BOUNDARY + b"--\r\n"


def _fed(body: bytes, cuts: list[int]) -> tuple[Part, ...] | str:
    splitter = Splitter(TYPE, root_limit=1000, keep=100)
    places = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    try:
        for start, end in pairwise(places):
            splitter.feed(body[start:end])
        return splitter.finish()
    except ExchangeError as error:
        return error.kind.code


@settings(max_examples=60)
@given(st.lists(CONTENT, min_size=1, max_size=5), st.lists(st.integers(0, 10_000), max_size=12))
def test_cuts_do_not_matter_and_their_parser_agrees(contents: list[bytes], cuts: list[int]) -> None:
    body = _message(contents)
    parts = _fed(body, [])
    assert parts == _fed(body, cuts) == _fed(body, list(range(len(body))))
    assert not isinstance(parts, str)
    assert [body[part.offset : part.offset + part.size] for part in parts] == contents
    theirs: Any = message_from_bytes(f"Content-Type: {TYPE}\r\n\r\n".encode() + body, policy=policy.HTTP).get_payload()
    assert [part["Content-ID"] for part in theirs] == [f"<{number}>" for number in range(len(contents))]
    plain = [content for content in contents if content.isascii() and b"\r" not in content and b"\n" not in content]
    read = [part.get_payload(decode=True) for part in theirs]
    assert [content for content in read if content in plain] == [content for content in contents if content in plain]


@settings(max_examples=60)
@given(NASTY, st.lists(st.integers(0, 10_000), max_size=8))
def test_cuts_do_not_matter_of_broken_messages(content: bytes, cuts: list[int]) -> None:
    body = _message([b"x"])[:-4] + content
    assert _fed(body, []) == _fed(body, cuts) == _fed(body, list(range(len(body))))
