"""Callers who are proved may use names that nobody knew, and none of them takes that away from the others."""

import secrets
from collections.abc import Iterator

import pytest

from gateway.model.errors.gateway import OVERLOADED
from tests.support.attacks import World
from tests.support.mtls import LEGACY
from tests.support.soap_attacks import accepted, crafted, document, message_id, refused, value_of
from tests.support.soap_office import ARCHIVE, archive, soap_office
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
