"""Five WSDLs of strangers, each from its file to a 200 through a real gateway, by the commands of docs/adapters.md.

The provider answers by zeep's reading of the WSDL, which shares nothing with the kit's own; what leaves a WSDL has is
counted by zeep too. Origins: tests/acceptance/wsdl/ORIGIN.toml.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zeep
from zeep.xsd import ComplexType, Element
from zeep.xsd.elements import Any as AnyElement

from tests.support.attacks import World, world
from tests.support.cli import Ran, run
from tests.support.gateways import BASIS, PORTAL, PURPOSE
from tests.support.soap_responder import WsdlSimulator

HERE = Path(__file__).parent / "wsdl"
ORIGINS = tomllib.loads((HERE / "ORIGIN.toml").read_text(encoding="utf-8"))["file"]
WSDLS = [each["path"] for each in ORIGINS if each["path"].endswith(".wsdl")]
MOST_COMMANDS = 12
LEAST_MAPPED = 0.6


class Desk:
    """An integrator at the command line, whose commands are counted."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    def __call__(self, *arguments: object) -> Ran:
        self.commands.append(" ".join(map(str, arguments)))
        ran = run(*arguments)
        assert ran.code == 0, f"{self.commands[-1]}\n{ran.said}"
        return ran


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("stranger")
    (folder / "schemas").mkdir()
    with world(folder, extra=f'schemas = "{folder}/schemas"\n') as made:
        yield made


def test_the_origin_of_every_file_is_stated() -> None:
    there = {str(file.relative_to(HERE)) for file in HERE.glob("*/*")}
    assert there == {each["path"] for each in ORIGINS}
    for each in ORIGINS:
        assert hashlib.sha256((HERE / each["path"]).read_bytes()).hexdigest() == each["sha256"], each["path"]
        assert each["licence"]
        assert each["package"]
        assert each["version"]
    assert len(WSDLS) == 5
    assert sum(file.stat().st_size for file in HERE.glob("*/*")) < 300_000


@pytest.mark.parametrize("path", WSDLS)
def test_from_a_wsdl_to_a_200(path: str, place: World, tmp_path: Path) -> None:
    wsdl, name = HERE / path, path.partition("/")[0]
    provider = WsdlSimulator(wsdl)
    place.run(provider.start())
    service = f"VN/GOV/G15/registry/{name}"
    desk = Desk()
    try:
        made = desk(
            *("adapter", "new", "--wsdl", wsdl, "--service", service, "--out", tmp_path / name, "--json"),
            *("--base-url", provider.url, "--client", PORTAL, "--purpose", PURPOSE, "--basis", BASIS),
        ).values
        desk("adapter", "test", tmp_path / name)
        desk("adapter", "install", tmp_path / name, "--config", place.site.config)
        desk("check", "--config", place.site.config)
        place.run(place.gateway.reload())
        desk.commands.append("kill -HUP")
        told = [_call(desk, place, service, sample) for sample in _samples(tmp_path / name)[:4]]
    finally:
        place.run(provider.stop())
    assert len(desk.commands) <= MOST_COMMANDS, desk.commands
    assert len(provider.bodies) >= len(told)
    assert all(answer["status"] == 200 and answer["verified"] for answer in told)
    assert any(_leaves_of(answer["body"]) for answer in told)
    _every_leaf(made, wsdl)


def _samples(folder: Path) -> list[dict[str, Any]]:
    """Requests as the kit wrote them: nothing of them was edited."""
    return [
        {**tomllib.loads(file.read_text(encoding="utf-8")), "folder": file.parent}
        for file in sorted((folder / "samples").glob("*.toml"))
    ]


def _call(desk: Desk, place: World, service: str, sample: dict[str, Any]) -> Any:
    identity = place.site.pki.identities[PORTAL]
    return desk(
        *("call", "POST", f"{place.site.url}/r1/{service}{sample['path']}", "--json"),
        *("-d", f"@{sample['folder'] / sample['request']}", "--as", PORTAL),
        *("--key", identity.key, "--cert", identity.certificate),
        *("--gateway-cert", place.site.pki.gateway.certificate, "--purpose", PURPOSE, "--basis", BASIS),
    ).values


def _leaves_of(document: Any) -> int:
    if isinstance(document, dict | list):
        return sum(_leaves_of(each) for each in (document.values() if isinstance(document, dict) else document))
    return 1


# -- what zeep sees in the WSDL ----------------------------------------------------------------------------------------


def _every_leaf(made: Any, wsdl: Path) -> None:
    """Every leaf that zeep finds is mapped or said to be lost, and most are mapped."""
    mapped = {(each["operation"], each["side"], each["path"].replace("[]", "")) for each in made["mapped"]}
    lost = {(each["operation"], each["side"], each["path"].replace("[]", "")) for each in made["lost"]}
    assert all(each["reason"] for each in made["lost"])
    assert all(each["element"] for each in made["mapped"])
    leaves = set(_zeep_leaves(wsdl))
    assert leaves
    missing = {leaf for leaf in leaves - mapped if not any(_below(leaf, each) for each in lost)}
    assert not missing, sorted(missing)[:5]
    assert len(leaves & mapped) / len(leaves) >= LEAST_MAPPED
    assert made["leaves"] == len(made["mapped"]) + len(made["lost"])


def _below(leaf: tuple[str, str, str], lost: tuple[str, str, str]) -> bool:
    return leaf[:2] == lost[:2] and (leaf[2] + "/").startswith(lost[2] + "/")


def _zeep_leaves(wsdl: Path) -> Iterator[tuple[str, str, str]]:
    client = zeep.Client(str(wsdl))
    ports = [port for service in client.wsdl.services.values() for port in service.ports.values()]
    port = next(each for each in ports if type(each.binding).__name__ == "Soap11Binding")
    for operation in port.binding._operations.values():
        for side, message in (("request", operation.input), ("answer", operation.output)):
            for path in _paths(message.body.type, "", ()):
                yield operation.name, side, path


def _paths(kind: Any, path: str, above: tuple[Any, ...]) -> Iterator[str]:
    if kind in above or not isinstance(kind, ComplexType):
        yield path
        return
    for name, element in kind.elements:
        step = "*" if isinstance(element, AnyElement) else element.name if isinstance(element, Element) else name
        below = f"{path}/{step}".lstrip("/")
        if isinstance(element, Element):
            yield from _paths(element.type, below, (*above, kind))
        else:
            yield below
    for _, attribute in kind.attributes:
        if getattr(attribute, "name", None):
            yield f"{path}/@{attribute.name}".lstrip("/")


def test_a_wsdl_says_what_is_lost(tmp_path: Path) -> None:
    wsdl = HERE / "post-office/AtendeCliente.wsdl"
    made = run("adapter", "new", "--wsdl", wsdl, "--service", "VN/GOV/G15/registry/post", "--out", tmp_path / "post")
    assert made.code == 0
    assert "lost: 37 fields: recursive: the type contains itself" in made.out
    mapping = (tmp_path / "post/mappings/post.toml").read_text(encoding="utf-8")
    noted = [line for line in mapping.splitlines() if line.startswith("#") and "recursive" in line]
    assert len(noted) == 37
    assert json.loads((tmp_path / "post/schemas/post.response.json").read_text(encoding="utf-8"))["anyOf"]
