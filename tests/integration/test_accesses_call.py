"""A citizen's list on the command line of a portal: the token comes in a file or through a pipe, never as an argument."""

import pytest

from tests.support.attacks import world
from tests.support.citizens import make_citizens_office, token
from tests.support.cli import good, run
from tests.support.gateways import BASIS, PORTAL, PURPOSE

NUMBER = "031090001234"


@pytest.fixture(scope="module")
def asking(tmp_path_factory):
    with world(tmp_path_factory.mktemp("accesses-call"), make=make_citizens_office) as place:
        pki = place.site.pki
        identity = pki.identities[PORTAL]
        yield [
            "call", "GET", f"{place.site.url}/v1/accesses", "--as", PORTAL, "--key", identity.key,
            "--cert", identity.certificate, "--gateway-cert", pki.gateway.certificate, "--ca", pki.bundle,
            "--purpose", PURPOSE, "--basis", BASIS, "--json",
        ]  # fmt: skip


def test_a_portal_asks_with_a_citizens_token(asking, tmp_path):
    kept = tmp_path / "token"
    kept.write_text(token(NUMBER) + "\n")
    assert good(*asking, "--citizen-token", kept).values["body"]["accesses"] == []
    assert good(*asking, "--citizen-token", "-", stdin=token(NUMBER)).values["status"] == 200


def test_without_a_token_there_is_no_list(asking):
    ran = run(*asking)
    assert ran.code == 1
    assert ran.values["error"] == "client.citizen_token_needed"
