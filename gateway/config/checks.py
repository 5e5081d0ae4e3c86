"""What can only be seen of several tables or files together. Each check complains at the place to be mended."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from gateway.config.positions import Path as KeyPath
from gateway.config.problems import Document, nearest
from gateway.config.schemas import SchemaFolder
from gateway.config.secrets import resolve
from gateway.config.services import Adapter, Provider, ServiceSettings
from gateway.config.settings import GatewayFile, Secrets, is_loopback
from gateway.config.sources import GrantSource, ProcedureSource, ServiceSource
from gateway.model.decision import EVERYTHING
from gateway.model.errors import ExchangeError
from gateway.model.pointer import parse_pointer
from gateway.validation.openapi import is_openapi


def check_files(document: Document, top: GatewayFile) -> None:
    """Files that gateway.toml names exist."""
    files: list[tuple[KeyPath, Path | None]] = [
        (("keys", "signing_key"), top.keys.signing_key),
        (("keys", "signing_certificate"), top.keys.signing_certificate),
        (("keys", "vault_key"), top.keys.vault_key),
        (("ledger", "log_key"), top.ledger.log_key),
        (("trust", "list"), top.trust.list),
    ]
    files += [(("trust", "signers", index), file) for index, file in enumerate(top.trust.signers)]
    files += [(("trust", "crls", index), file) for index, file in enumerate(top.trust.crls)]
    files += [(("ledger", "readers", index, "key"), reader.key) for index, reader in enumerate(top.ledger.readers)]
    if top.listener.tls is not None:
        files += [(("listener", "tls", "certificate"), top.listener.tls.certificate)]
        files += [(("listener", "tls", "key"), top.listener.tls.key)]
    for index, hosted in enumerate(top.keys.hosted):
        files += [(("keys", "hosted", index, name), getattr(hosted, name)) for name in ("key", "certificate")]
    files += [(("ledger", "former_log_keys", index), file) for index, file in enumerate(top.ledger.former_log_keys)]
    files += _attesting_files(top)
    for path, file in files:
        if file is not None and not file.is_file():
            document.complain(path, f"there is no file {file}")
    if not top.ledger.database.parent.is_dir():
        document.complain(("ledger", "database"), f"there is no folder {top.ledger.database.parent}")
    ids = [reader.id for reader in top.ledger.readers]
    for index, reader_id in enumerate(ids):
        if reader_id in ids[:index]:
            document.complain(("ledger", "readers", index, "id"), f"two readers have the id {reader_id}")


def _attesting_files(top: GatewayFile) -> list[tuple[KeyPath, Path | None]]:
    files: list[tuple[KeyPath, Path | None]] = []
    if top.witnesses is not None:
        files += [(("witnesses", name), getattr(top.witnesses, name)) for name in ("policy", "authorities")]
    for index, authority in enumerate(() if top.timestamps is None else top.timestamps.authorities):
        path = ("timestamps", "authorities", index)
        files += [((*path, name), getattr(authority, name)) for name in ("roots", "certificate", "authorities")]
        files += [((*path, "crls", number), file) for number, file in enumerate(authority.crls)]
    for index, issuer in enumerate(() if top.citizens is None else top.citizens.issuers):
        files.append((("citizens", "issuers", index, "key"), issuer.key))
    return files


def check_providers(sources: list[ServiceSource], secrets: Secrets | None, variables: Mapping[str, str]) -> None:
    """Provider names are unique, plain HTTP stays on this machine, secrets can be read (where it is known how)."""
    seen: dict[str, Path] = {}
    for source in sources:
        provider = source.file.provider if source.file is not None else None
        if provider is None:
            continue
        if provider.name in seen:
            source.document.complain(
                ("provider", "name"), f"{provider.name} is the provider of {seen[provider.name]} too"
            )
        seen.setdefault(provider.name, source.document.file)
        _check_transport(source.document, provider)
        if secrets is not None:
            _check_secrets(source.document, provider, secrets, variables)


def _check_secrets(document: Document, provider: Provider, secrets: Secrets, variables: Mapping[str, str]) -> None:
    for name in provider.auth.refs:
        try:
            resolve(name, secrets, variables)
        except ExchangeError as error:
            document.complain(("provider", "auth"), error.detail)


def _check_transport(document: Document, provider: Provider) -> None:
    parts = urlsplit(provider.base_url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        if provider.insecure:
            document.complain(("provider", "insecure"), "messages to it travel in the clear", warning=True)
        else:
            document.complain(
                ("provider", "base_url"), "plain HTTP beyond this machine: use https, or say insecure = true"
            )
    for name in ("authorities", "client_certificate", "client_key"):
        file = getattr(provider, name)
        if file is not None and not file.is_file():
            document.complain(("provider", name), f"there is no file {file}")


def check_services(sources: list[ServiceSource], schemas: SchemaFolder, *, has_procedures: bool) -> None:
    """Service ids are unique; their schemas exist, and know the pointers."""
    seen: dict[str, Path] = {}
    facades: dict[str, str] = {}
    for source in sources:
        for path, service in source.each():
            name = str(service.id)
            if service.facade is not None:
                _check_facade(source.document, path, service, facades)
            if name in seen:
                source.document.complain((*path, "id"), f"{name} is in {seen[name]} too")
            seen.setdefault(name, source.document.file)
            if service.adapter is Adapter.PREFILL and not has_procedures:
                source.document.complain((*path, "adapter"), "prefill needs folders.procedures, with a procedure in it")
            if service.id.service_code in METADATA_CODES:
                text = f"{service.id.service_code} is X-Road's name for a metadata service, which the gateway answers"
                source.document.complain((*path, "id"), text)
            _check_openapi(source.document, path, service)
            _check_schema(source.document, path, service, schemas, "request")
            _check_schema(source.document, path, service, schemas, "response")


def _check_facade(document: Document, path: KeyPath, service: ServiceSettings, seen: dict[str, str]) -> None:
    address = f"/soap/{service.id.member_code}/{service.id.subsystem_code}/{service.id.service_code}"
    if address in seen:
        document.complain((*path, "facade"), f"{seen[address]} has a facade at {address} already")
    seen.setdefault(address, str(service.id))


METADATA_CODES = frozenset({"listMethods", "allowedMethods", "getOpenAPI", "getWsdl"})
"""Service codes that no provider's service may have."""


def _check_openapi(document: Document, path: KeyPath, service: ServiceSettings) -> None:
    if service.openapi is None:
        return
    try:
        described = json.loads(service.openapi.read_bytes())
    except (OSError, ValueError, RecursionError):
        described = None
    if not is_openapi(described):
        document.complain((*path, "openapi"), f"{service.openapi} is no OpenAPI 3 description in JSON")


def _check_schema(
    document: Document, path: KeyPath, service: ServiceSettings, schemas: SchemaFolder, which: str
) -> None:
    key = f"{which}_schema"
    name: str | None = getattr(service, key)
    if name is None:
        return
    schema_id = schemas.find(name)
    if schema_id is None:
        document.complain((*path, key), f"there is no schema {name}{nearest(name, schemas.ids)}")
        return
    try:
        schemas.compile().compile(schema_id)
    except ValueError as error:
        document.complain((*path, key), str(error))
        return
    places = ("asked", service.asked) if which == "request" else ("released", service.released)
    for index, pointer in enumerate(places[1]):
        _check_element(document, (*path, places[0], index), schemas, schema_id, pointer)


def _check_element(document: Document, path: KeyPath, schemas: SchemaFolder, schema_id: str, pointer: str) -> None:
    if not schemas.describes(schema_id, parse_pointer(pointer)):
        hint = nearest(pointer, schemas.elements(schema_id))
        document.complain(path, f"{pointer} is no element of {schema_id.rpartition('/')[2]}{hint}")


def check_grants(
    grants: list[GrantSource], sources: list[ServiceSource], schemas: SchemaFolder, own: Iterable[str] = ()
) -> None:
    """Grants have names of their own, are for services that exist, and for elements that those have. own: the gateway's
    services that can be granted.
    """
    services = _services(sources)
    known = {name for source in sources for name in source.ids} | set(own)
    seen: dict[str, Path] = {}
    for source in grants:
        grant, document = source.grant, source.document
        if grant.name in seen:
            document.complain((*source.path, "name"), f"another grant is named {grant.name}, in {seen[grant.name]}")
        seen.setdefault(grant.name, document.file)
        if str(grant.service) not in known:
            hint = nearest(str(grant.service), known)
            document.complain((*source.path, "service"), f"there is no service {grant.service}{hint}")
        elif str(grant.service) in services:
            _check_fields(source, services[str(grant.service)], schemas)
    _check_overlaps(grants)


def _check_fields(source: GrantSource, service: ServiceSettings, schemas: SchemaFolder) -> None:
    grant, path = source.grant, (*source.path, "fields")
    schema_id = schemas.find(service.response_schema) if service.response_schema else None
    if grant.fields == EVERYTHING:
        text = "the whole answer is granted" + ("" if service.response_schema else "; the service has no schema")
        source.document.complain(path, text, warning=True)
    elif service.response_schema is None:
        source.document.complain(path, f'{grant.service} has no response_schema, so only "*" can be granted')
    elif schema_id is not None:
        for index, pointer in enumerate(grant.fields):
            _check_element(source.document, (*path, index), schemas, schema_id, pointer)


def _check_overlaps(grants: list[GrantSource]) -> None:
    """Two grants that could both decide one call: the first does, which may not be what was meant."""
    for later, other in enumerate(grants):
        for earlier in grants[:later]:
            if _overlap(earlier, other):
                text = f"calls that {earlier.grant.name} grants too are decided by that one, which comes first"
                other.document.complain((*other.path, "name"), text, warning=True)


def _overlap(one: GrantSource, other: GrantSource) -> bool:
    first, second = one.grant, other.grant
    if (first.client, first.service) != (second.client, second.service) or not (first.enabled and second.enabled):
        return False
    if not (set(first.methods) & set(second.methods) and set(first.paths) & set(second.paths)):
        return False
    if not {purpose.code for purpose in first.purpose} & {purpose.code for purpose in second.purpose}:
        return False
    ends_before = first.valid_until and second.valid_from and first.valid_until < second.valid_from
    begins_after = second.valid_until and first.valid_from and second.valid_until < first.valid_from
    return not (ends_before or begins_after)


def check_procedures(procedures: list[ProcedureSource], sources: list[ServiceSource], schemas: SchemaFolder) -> None:
    """Procedures have codes of their own and look up elements of services that exist."""
    services = _services(sources)
    known = {name for source in sources for name in source.ids}
    seen: dict[str, Path] = {}
    for source in procedures:
        code, document = source.procedure.code, source.document
        if code in seen:
            document.complain(("code",), f"{code} is in {seen[code]} too")
        seen.setdefault(code, document.file)
        for name, lookup in source.procedure.lookup.items():
            if str(lookup.service) not in known:
                hint = nearest(str(lookup.service), known)
                document.complain(("lookup", name, "service"), f"there is no service {lookup.service}{hint}")
        for path, lookup_name, pointer in _pointers(source):
            service = services.get(str(source.procedure.lookup[lookup_name].service))
            schema_id = schemas.find(service.response_schema) if service and service.response_schema else None
            if schema_id is not None:
                _check_element(document, path, schemas, schema_id, pointer)


def _pointers(source: ProcedureSource) -> Iterator[tuple[KeyPath, str, str]]:
    for index, element in enumerate(source.procedure.element):
        for place, one in enumerate(element.sources):
            yield ("element", index, "sources", place, "pointer"), one.lookup, one.pointer


def _services(sources: Iterable[ServiceSource]) -> dict[str, ServiceSettings]:
    return {str(service.id): service for source in sources for _, service in source.each()}
