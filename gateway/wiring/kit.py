"""``motlan adapter new``: a provider's contract in, a folder of mapping, schemas, service, grants and samples out."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from adapters.kit import toml
from adapters.kit.contract import Contract, ContractError
from adapters.kit.draft_samples import answer_sample, request_sample
from adapters.kit.draft_schemas import joined, schemas_of
from adapters.kit.drafting import Drafted, Line, MappingText, draft, lines, persons
from adapters.kit.names import code
from adapters.kit.openapi import read_openapi
from adapters.soap.inferring import read_wsdl
from adapters.soap.inferring_files import Documents
from gateway.model.errors import ExchangeError
from gateway.model.errors.kit import CONTRACT_UNUSABLE
from gateway.model.ids import ServiceId, SubsystemId
from gateway.wiring.kit_layout import Layout

_LARGEST = 4 * 1024 * 1024


class Wanted(Struct, frozen=True, kw_only=True):
    """What is asked for.

    contract: the WSDL or OpenAPI file. root: the directory that a WSDL may refer into; its own, if None. operations:
    only these. client: whose grant the stub is for. base_url: where the provider is, if not where the contract says.
    """

    contract: Path
    openapi: bool
    folder: Path
    service: ServiceId
    root: Path | None = None
    operations: tuple[str, ...] = ()
    client: SubsystemId | None = None
    purpose: str = "1.000000"
    basis: str = "ND-0/0000"
    base_url: str = ""


class Made(Struct, frozen=True, kw_only=True):
    """What was made. lines: every leaf of the contract. files: relative to the folder."""

    layout: Layout
    contract: Contract
    operations: tuple[str, ...]
    lines: tuple[Line, ...]
    files: tuple[str, ...]


def read_contract(file: Path, *, openapi: bool, root: Path | None = None) -> Contract:
    """What a WSDL or an OpenAPI document says. Raises ExchangeError(CONTRACT_UNUSABLE) with what to do."""
    try:
        return read_openapi(_json(file), file.name) if openapi else read_wsdl(file, root)
    except ContractError as error:
        raise ExchangeError(CONTRACT_UNUSABLE, str(error)) from error


def new(wanted: Wanted) -> Made:
    """Write a new adapter. Raises ExchangeError for an unusable contract, FileExistsError rather than replace."""
    contract = read_contract(wanted.contract, openapi=wanted.openapi, root=wanted.root)
    if contract.soap == "1.2":
        raise ExchangeError(
            CONTRACT_UNUSABLE,
            f"{wanted.contract.name} speaks SOAP 1.2 alone, and a mapping SOAP 1.1: ask for a 1.1 port, or pass it "
            'through with  adapter = "soap"  in a service file',
        )
    try:
        drafted = draft(contract, wanted.operations)
    except ValueError as error:
        raise ExchangeError(CONTRACT_UNUSABLE, f"{wanted.contract.name}: {error}") from error
    layout = Layout(folder=wanted.folder, name=wanted.service.service_code)
    if layout.mapping.exists():
        raise FileExistsError(17, "File exists", str(layout.mapping))
    files = dict(_files(wanted, layout, contract, drafted))
    copied = _copy_contract(wanted, layout)
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return Made(
        layout=layout,
        contract=contract,
        operations=tuple(each.operation.name for each in drafted),
        lines=tuple(lines(drafted, contract)),
        files=tuple(str(each.relative_to(wanted.folder)) for each in (*files, *copied)),
    )


def _json(file: Path) -> Any:
    if file.suffix.lower() in {".yaml", ".yml"}:
        raise ContractError(f"{file.name} is YAML: write it as JSON first (any OpenAPI tool does)")
    data = file.read_bytes()
    if len(data) > _LARGEST:
        raise ContractError(f"{file.name} is larger than {_LARGEST // 1024} KiB")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ContractError(f"{file.name} is no JSON: {error}") from None


def _copy_contract(wanted: Wanted, layout: Layout) -> list[Path]:
    """The contract with all that it imports, so that the adapter needs nothing else."""
    if wanted.openapi:
        pairs = [(wanted.contract, layout.contracts / wanted.contract.name)]
    else:
        documents = Documents(wanted.contract, wanted.root)
        pairs = [(file, layout.contracts / file.relative_to(documents.root)) for file in documents.files]
    for file, target in pairs:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return [target for _, target in pairs]


def contract_file(wanted: Wanted, layout: Layout) -> Path:
    """The contract's copy, as it lies in the adapter's folder."""
    root = (wanted.root or wanted.contract.parent).resolve()
    return layout.contracts / wanted.contract.resolve().relative_to(root)


def _files(
    wanted: Wanted, layout: Layout, contract: Contract, drafted: tuple[Drafted, ...]
) -> Iterator[tuple[Path, str]]:
    name = layout.name
    beside = contract_file(wanted, layout).relative_to(layout.mapping.parent).as_posix()
    yield layout.mapping, MappingText(contract, drafted, beside, name).text()
    schemas: dict[str, Any] = {}
    for each in drafted:
        schemas |= schemas_of(each, name)
    schemas |= _joined(drafted, schemas, name, contract.title)
    for file, schema in schemas.items():
        yield layout.schemas / file, json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
    request, response = _whole(drafted, schemas, name)
    yield layout.service, _service_text(wanted, contract, drafted, request, response)
    yield layout.policy, _policy_text(wanted, drafted, _elements(schemas))
    for each in drafted:
        yield from _sample(layout, each, contract)


def _whole(drafted: tuple[Drafted, ...], schemas: dict[str, Any], name: str) -> tuple[str, str]:
    """The schemas of the service as a whole: of its one operation, or of any of them."""
    stem = f"{name}-{drafted[0].code}" if len(drafted) == 1 else name
    response = f"{stem}.response.json"
    return f"{stem}.request.json", response if response in schemas else ""


def _joined(drafted: tuple[Drafted, ...], schemas: dict[str, Any], name: str, title: str) -> dict[str, Any]:
    if len(drafted) == 1:
        return {}
    made = {}
    for side in ("request", "response"):
        names = [file for file in schemas if file.endswith(f".{side}.json")]
        if names:
            made[f"{name}.{side}.json"] = joined(names, f"{name}.{side}.json", title)
    return made


def _service_text(wanted: Wanted, contract: Contract, drafted: tuple[Drafted, ...], request: str, response: str) -> str:
    asked = sorted({one for each in drafted for one in persons(each.request)})
    released = sorted({one for each in drafted for one in persons(each.answer)})
    address = wanted.base_url or contract.address or "https://provider.example"
    text = [
        toml.comment(
            f"{contract.title or wanted.service.service_code}, as motlan adapter new found it in its contract."
        ),
        "",
        "[provider]",
        f"name = {toml.text(wanted.service.service_code)}",
        toml.comment("Plain http beyond this machine also needs  insecure = true."),
        f"base_url = {toml.text(address.rstrip('/'))}",
        "",
        toml.comment("How it authenticates us: none, basic, api-key, bearer, signed-basic, oauth, platform, session."),
        toml.comment('[provider.auth]   scheme = "basic"   user = "…"   secret = "ref:NAME"'),
        "",
        "[[service]]",
        f"id = {toml.text(str(wanted.service))}",
        f"title = {toml.text(contract.title or wanted.service.service_code)}",
        'adapter = "mapping"',
        f"mapping = {toml.text(wanted.service.service_code + '.toml')}",
        f"kind = {toml.text('lookup' if all(each.reads for each in drafted) else 'write')}",
        f"request_schema = {toml.text(request)}",
    ]
    if response:
        text.append(f"response_schema = {toml.text(response)}")
    text.append(toml.comment("Where persons' numbers stand, so that the log finds their records."))
    text.append(f"asked = {toml.value(asked)}")
    text.append(f"released = {toml.value(released)}")
    return "\n".join(text) + "\n"


def _elements(schemas: dict[str, Any]) -> list[str]:
    """Pointers of the top elements of all answers."""
    answers = [each for name, each in schemas.items() if name.endswith(".response.json")]
    return sorted({f"/{name}" for each in answers for name in each.get("properties", ())})


def _policy_text(wanted: Wanted, drafted: tuple[Drafted, ...], elements: list[str]) -> str:
    client = "VN/GOV/H00/portal" if wanted.client is None else str(wanted.client)
    text = [
        toml.comment("Who may ask, and what is released. Take out every element that the procedure does not need."),
        "",
        "[[grant]]",
        f"name = {toml.text(f'{code(client)}-{wanted.service.service_code}')}",
        f"client = {toml.text(client)}",
        f"service = {toml.text(str(wanted.service))}",
        'methods = ["POST"]',
        f"paths = {toml.value([each.path for each in drafted])}",
        "fields = [",
        *(f"  {toml.text(each)}," for each in (elements or ["*"])),
        "]",
        f"purpose = [{{ code = {toml.text(wanted.purpose)}, bases = [{toml.text(wanted.basis)}] }}]",
    ]
    return "\n".join(text) + "\n"


def _sample(layout: Layout, each: Drafted, contract: Contract) -> Iterator[tuple[Path, str]]:
    yield layout.samples / f"{each.code}.request.json", request_sample(each)
    body, extension = answer_sample(each.operation, contract.soap)
    yield layout.samples / f"{each.code}.answer.{extension}", body
    kind = "text/xml; charset=utf-8" if contract.soap else "application/json"
    text = [
        toml.comment("A sample: fill in the request and what the provider answers to it; nobody's real data."),
        f"path = {toml.text(each.path)}",
        f"request = {toml.text(f'{each.code}.request.json')}",
        f"outcome = {toml.text('FOUND' if each.reads else 'DONE')}",
        "",
        toml.comment("One for each call that the operation makes, in order."),
        "[[answer]]",
        "status = 200",
        f"content_type = {toml.text(kind)}",
        f"body = {toml.text(f'{each.code}.answer.{extension}')}",
    ]
    yield layout.samples / f"{each.code}.toml", "\n".join(text) + "\n"
