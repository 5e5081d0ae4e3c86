"""``/listClients``: written once per trust list, well-formed whatever names hold."""

import asyncio
import json
import xml.etree.ElementTree as ET

import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.model.ids import MemberId, SubsystemId
from gateway.server.listing import Client, ClientList

ODD = "A & B <b>\"'\x00\x0b\ufffe\ud7ff\U0001f600 Ủy ban"
XRD = "{http://x-road.eu/xsd/xroad.xsd}"


class Trust:
    """A trust list that can be replaced, and counts how often it is read."""

    def __init__(self):
        self.digest, self.read, self.name = "1", 0, ODD

    def clients(self):
        self.read += 1
        yield Client(id=SubsystemId("VN", "GOV", "G&1", "s<"), name=self.name, subsystem_name=ODD)
        yield Client(id=MemberId("VN", "GOV", "G&1"), name=self.name)
        yield Client(id=MemberId("LA", "GOV", "X"), name="Lào")


def ask(listing, target="/listClients", **headers):
    return asyncio.run(listing.handle(make_mocked_request("GET", target, headers=headers)))


@pytest.fixture
def trust():
    return Trust()


@pytest.fixture
def listing(trust):
    return ClientList("VN", lambda: trust.digest, trust.clients)


def test_names_and_codes_are_text_in_both_forms(listing):
    root = ET.fromstring(ask(listing).body)
    told = [member.findtext(f"{XRD}name") for member in root]
    assert told == ["A & B <b>\"'\ufffd\ufffd\ufffd\ud7ff\U0001f600 Ủy ban"] * 2
    first, second = json.loads(ask(listing, Accept="application/json").body)["member"]
    assert first == {
        "id": {"member_class": "GOV", "member_code": "G&1", "xroad_instance": "VN", "object_type": "MEMBER"},
        "name": ODD,
    }
    assert (second["id"]["subsystem_code"], second["subsystem_name"]) == ("s<", ODD)


def test_each_list_is_read_once_whatever_is_asked(listing, trust):
    for target in (
        "/listClients",
        "/listClients?xRoadInstance=LA",
        *(f"/listClients?xRoadInstance={n}" for n in range(9)),
    ):
        ask(listing, target)
    assert trust.read == 1
    trust.digest, trust.name = "2", "Mới"
    assert "Mới".encode() in ask(listing).body
    assert trust.read == 2


def test_only_the_asked_instance_is_listed(listing):
    assert [
        member.findtext(f"{XRD}name") for member in ET.fromstring(ask(listing, "/listClients?xRoadInstance=LA").body)
    ] == ["Lào"]
    assert list(ET.fromstring(ask(listing, "/listClients?xRoadInstance=").body)) == []


@pytest.mark.parametrize("query", ["xRoadInstance=VN&xRoadInstance=VN", "a&b&c&d&e&f&g&h&i", "xRoadInstance=%ff"])
def test_a_query_that_cannot_be_meant(listing, query):
    assert ask(listing, f"/listClients?{query}").status == 400


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("application/json", "application/json"),
        ("text/html, Application/JSON;q=0.9", "application/json"),
        ("*/*", "text/xml"),
        ("", "text/xml"),
    ],
)
def test_json_is_for_those_who_ask_for_it(listing, accept, media):
    assert ask(listing, Accept=accept).content_type == media
