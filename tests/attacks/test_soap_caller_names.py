"""Names at a whole gateway: callers who are proved may use new ones, none of them takes that away from the others, and
what providers answer leaves none behind.
"""

import secrets
from collections.abc import Iterator

import pytest

from gateway.model.errors.gateway import OVERLOADED
from tests.support.attacks import World
from tests.support.mtls import LEGACY
from tests.support.soap_attacks import accepted, crafted, document, message_id, refused, resident, send, value_of
from tests.support.soap_office import ARCHIVE, NS, archive, soap_office, told
from tests.support.xroad_soap import envelope, headers


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with soap_office(tmp_path_factory.mktemp("site")) as made:
        yield made


def asked(inner: str = "") -> bytes:
    return envelope(headers(str(LEGACY), str(ARCHIVE), message_id()), archive(inner))


def test_one_caller_uses_up_its_own_share_only(place: World) -> None:
    def flood() -> str:
        return "".join(f"<n{secrets.token_hex(50)}/>" for _ in range(3000))

    accepted(place, asked(flood()), subsystem=LEGACY)
    refused(place, asked(flood()), OVERLOADED.code, recorded=True, subsystem=LEGACY)
    accepted(place, asked("<n1/>" * 3000), subsystem=LEGACY)  # few enough are still taken
    text = crafted(place, document(archive("".join(f"<m{secrets.token_hex(50)}/>" for _ in range(3000)))))
    accepted(place, text, confirms=value_of(text))  # and of another member as many as ever


@pytest.mark.parametrize(
    "hint", ['xsi:type="n:t"', 'xmlns:wsu="urn:x" wsu:x=""'], ids=["prefixes in values", "another wsu"]
)
def test_answers_that_must_be_read_to_be_signed(place: World, hint: str) -> None:
    """An element that cannot be signed as it is: the envelope around it is parsed, with all the provider's names."""
    before, xsi = 0, "http://www.w3.org/2001/XMLSchema-instance"
    for number in range(30):
        inner = "".join(f"<n{secrets.token_hex(60)}/>" for _ in range(4000))
        place.provider.reply = told(
            f'<a:archiveResponse xmlns:a="{NS}" xmlns:n="urn:n" xmlns:xsi="{xsi}"><b {hint}/>{inner}</a:archiveResponse>'
        )
        assert send(place, asked(), subsystem=LEGACY).fault is None
        if number == 4:
            before = resident()
    assert resident() - before < 8 * 1024 * 1024
