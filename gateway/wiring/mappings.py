"""Services that follow a mapping file, or a class of somebody else's: their targets out of the settings."""

from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from adapters.mapped import MappedOptions, MappedTarget
from adapters.mapped_answer import PARSERS
from adapters.provider import Provider
from adapters.soap.wsdl import Contract, ContractError
from gateway.config.mappings import MappingFile
from gateway.config.services import ServiceSettings
from gateway.mapping.compile import Mapping
from gateway.mapping.document import Protocol, Sent
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
    said = file.document.contract
    answers = tuple(file.contract_file(name) for name in said.answers)
    try:
        contract = _contract(file.digest, file.contract_file(said.wsdl or ""), file.contract_root, answers)
        check_contract(file, contract)
    except ContractError as error:
        raise ExchangeError(ADAPTER_UNUSABLE, f"{file.file.name}: {error}") from None
    return contract


@cache
def _contract(_digest: str, wsdl: Path, root: Path, answers: tuple[Path, ...]) -> Contract:
    return Contract(wsdl, root=root, answers=answers)


def check_contract(file: MappingFile, contract: Contract) -> None:
    """Every field of every request has its place in the WSDL. Raises ContractError, naming the operation."""
    document = file.document
    for operation in document.operation:
        for call in operation.call:
            fields = [sent for name in call.request for sent in document.request[name].fields]
            for sent in fields:
                _check_alone(contract, call.operation or "", sent)


def _check_alone(contract: Contract, operation: str, sent: Sent) -> None:
    value: Any = "0"
    for name in reversed(sent.to.split("/")):
        value = {name: value}
    try:
        contract.request(operation, value)
    except ContractError as error:
        raise ContractError(f"{operation} has no element {sent.to}: {error}") from None


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
