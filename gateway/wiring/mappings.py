"""Services that follow a mapping file, or a class of somebody else's: their targets out of the settings."""

from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from adapters.mapped import MappedOptions, MappedTarget
from adapters.mapped_answer import PARSERS
from adapters.provider import Provider
from adapters.soap.wsdl import Contract, ContractError
from gateway.config.mappings import MappingFile
from gateway.config.positions import Path as KeyPath
from gateway.config.problems import Document, Problem
from gateway.config.services import ServiceSettings
from gateway.mapping.compile import Mapping
from gateway.mapping.document import Call, Place, Protocol, Sent
from gateway.model.errors import ExchangeError
from gateway.model.errors.mapping import ADAPTER_UNUSABLE
from gateway.ports import Clock, Target

GROUP = "motlan.adapters"
"""Entry points of classes that speak to a system when a mapping cannot say it."""


def mapped_target(provider: Provider, file: MappingFile, chosen: ServiceSettings, clock: Clock) -> Target:
    """The target of a service that follows a mapping. Raises ExchangeError where its contract cannot be used."""
    options = MappedOptions(
        path=chosen.path,
        charsets=chosen.charsets,
        integration_codes=chosen.integration_codes,
        agencies=chosen.agencies,
        settings=chosen.settings,
    )
    contract = load_contract(file) if file.document.contract.protocol is Protocol.SOAP else None
    mapping = compiled(file)
    return MappedTarget(provider, mapping, contract=contract, options=options, now=clock.now)


def compiled(file: MappingFile) -> Mapping:
    """A mapping that was checked when it was read."""
    return Mapping(file.document, PARSERS)


def load_contract(file: MappingFile) -> Contract:
    """The WSDL of a mapping, compiled; once per state of its files. Raises ExchangeError(ADAPTER_UNUSABLE)."""
    try:
        contract = _contract_of(file)
    except ContractError as error:
        raise ExchangeError(ADAPTER_UNUSABLE, f"{file.file.name}: {error}") from None
    misfits = list(_misfits(file, contract))
    if misfits:
        raise ExchangeError(ADAPTER_UNUSABLE, "; ".join(f"{file.file.name}: {text}" for _, text in misfits))
    return contract


def contract_problems(file: MappingFile) -> list[Problem]:
    """What of a mapping its WSDL has no place for, each with its line; nothing for REST."""
    problems: list[Problem] = []
    if file.document.contract.protocol is not Protocol.SOAP:
        return problems
    document = Document.read(file.file, problems)
    try:
        found = list(_misfits(file, _contract_of(file)))
    except ContractError as error:
        found = [(("contract", "wsdl"), str(error))]
    for path, text in found:
        document.complain(path, text)
    return problems


def _contract_of(file: MappingFile) -> Contract:
    said = file.document.contract
    answers = tuple(file.contract_file(name) for name in said.answers)
    return _contract(file.digest, file.contract_file(said.wsdl or ""), file.contract_root, answers)


@cache
def _contract(_digest: str, wsdl: Path, root: Path, answers: tuple[Path, ...]) -> Contract:
    return Contract(wsdl, root=root, answers=answers)


def _misfits(file: MappingFile, contract: Contract) -> Iterator[tuple[KeyPath, str]]:
    """Operations that the WSDL does not have, and fields that their requests have no place for."""
    for number, operation in enumerate(file.document.operation):
        for index, call in enumerate(operation.call):
            name = call.operation or ""
            try:
                contract.action(name)
            except ContractError as error:
                yield ("operation", number, "call", index, "operation"), str(error)
                continue
            for path, sent in _sent(file, call):
                text = _misfit(contract, name, _written_at(sent, call))
                if text is not None:
                    yield path, text


def _sent(file: MappingFile, call: Call) -> Iterator[tuple[KeyPath, Sent]]:
    for name in call.request:
        for index, sent in enumerate(file.document.request[name].fields):
            if sent.place is Place.BODY and sent.group is None:
                yield ("request", name, "fields", index, "to"), sent


def _written_at(sent: Sent, call: Call) -> str:
    """Where in the envelope a field ends up: what travels as text inside an element is not the envelope's."""
    return next((wrap.at for wrap in call.wrap if f"{sent.to}/".startswith(f"{wrap.at}/")), sent.to)


def _misfit(contract: Contract, operation: str, path: str) -> str | None:
    value: Any = "0"
    for name in reversed(path.split("/")):
        value = {name: value}
    try:
        contract.request(operation, value)
    except ContractError as error:
        return f"{operation} has no element {path}: {error}"
    return None


def entry_point_target(provider: Provider | None, chosen: ServiceSettings) -> Target:
    """The target that a registered class makes. Raises ExchangeError(ADAPTER_UNUSABLE)."""
    found = [each for each in entry_points(group=GROUP) if each.name == chosen.entry_point]
    if len(found) != 1:
        known = ", ".join(sorted({each.name for each in entry_points(group=GROUP)})) or "none"
        text = f"{chosen.id}: no single entry point {chosen.entry_point} in {GROUP}; there are: {known}"
        raise ExchangeError(ADAPTER_UNUSABLE, text)
    try:
        made: Target = found[0].load()(provider, chosen)
    except Exception as error:
        text = f"{chosen.id}: the entry point {chosen.entry_point} failed: {type(error).__name__}"
        raise ExchangeError(ADAPTER_UNUSABLE, text) from error
    return made
