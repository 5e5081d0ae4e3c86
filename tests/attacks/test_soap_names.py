"""libxml2 remembers every name that it ever saw: strangers make it remember little, and take no service away by that."""

from pathlib import Path

from tests.support.exchanges import json_answer
from tests.support.mtls import LEGACY, PERMIT, mtls_office
from tests.support.xroad_rest import tls_context
from tests.support.xroad_soap import SoapConsumer, envelope, headers

NS = f"urn:motlan:service:{PERMIT}"


def memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def flood(number: int) -> bytes:
    """Four thousand names that nobody used before, from nobody."""
    names = "".join(f"<a{number}x{each}{'n' * 60}/>" for each in range(4000))
    return envelope(headers(str(LEGACY), str(PERMIT), "m-1"), f'<p:permit xmlns:p="{NS}">{names}</p:permit>')


def test_a_flood_of_new_names(tmp_path: Path) -> None:
    with mtls_office(tmp_path) as place:
        place.provider.reply = json_answer({"owner": {"full_name": "A"}})
        stranger = SoapConsumer(place.site.url, str(LEGACY), tls_context(str(place.site.pki.bundle), None, None))
        codes, resident = [], memory()
        for number in range(40):
            answer = stranger.post(flood(number))
            assert answer.fault is not None
            codes.append(answer.fault[0])
        assert set(codes) == {"client.signature_missing"}  # what is new is read apart, and forgotten
        assert memory() - resident < 64 * 1024 * 1024
        identity = place.site.pki.identities[LEGACY]
        tls = tls_context(str(place.site.pki.bundle), str(identity.tls_certificate), str(identity.tls_key))
        caller = SoapConsumer(place.site.url, str(LEGACY), tls)
        assert caller.call(str(PERMIT), f'<ns7:permit xmlns:ns7="{NS}">{{}}</ns7:permit>').fault is None
