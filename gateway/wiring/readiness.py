"""Whether a gateway could start with a configuration: its files are loaded and looked at, and nothing is started."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gateway.config.load import Settings, check, load
from gateway.config.positions import Path as KeyPath
from gateway.config.problems import Document, Problem
from gateway.config.secrets import read_vault_key
from gateway.config.settings import ClientCertificates
from gateway.keys.file import FileKey, load_certificates, load_signing_key
from gateway.keys.tls import client_context, server_context
from gateway.model.envelope import ProofScheme
from gateway.model.errors import ExchangeError
from gateway.model.errors.config import SECRET_UNUSABLE
from gateway.model.errors.trust import KEY_FILE_UNUSABLE
from gateway.model.ids import SubsystemId, parse_subsystem
from gateway.model.instant import MICROSECONDS, Instant, from_datetime
from gateway.model.log import Document as StoredDocument
from gateway.model.usage import Usage
from gateway.storage.sqlite.database import APPLICATION_ID, Database
from gateway.storage.sqlite.statements import SQL
from gateway.trust.certificates import load_certificate
from gateway.trust.store import TrustStore
from gateway.wiring.attesting import log_keys, witness_policy
from gateway.wiring.core import recipient_of
from gateway.wiring.interfaces import interface_problems
from gateway.wiring.mappings import contract_problems
from gateway.wiring.readers import check_reader
from gateway.wiring.readiness_roles import role_warnings
from gateway.wiring.trust import KIND, load_trust

WARN_DAYS = 30
"""A certificate that ends within so many days is worth a warning."""

CRL_WARN_DAYS = 2
"""Authorities issue revocation lists daily or weekly, so warn later of these."""

_DAY = 86_400 * MICROSECONDS


def problems_of(config: Path, now: Instant) -> list[Problem]:
    """Everything that is wrong or worth reading: in the files, and then, if these are right, in what they point to."""
    found = check(config)
    if any(not problem.warning for problem in found):
        return found
    return sorted([*found, *_Inspection(load(config), now).run()], key=lambda each: (str(each.file), each.line))


class _Inspection:
    """One look at everything. Complains at the key of gateway.toml that names what is wrong."""

    def __init__(self, settings: Settings, now: Instant) -> None:
        self.settings = settings
        self.now = now
        self.problems: list[Problem] = []
        self.last_seen: StoredDocument | None = None
        self.document = Document.read(settings.file, self.problems)

    def run(self) -> list[Problem]:
        self.database()
        trust = self.trust()
        self.keys(trust)
        self.ledger(trust)
        self.listener()
        self.providers()
        self.mappings()
        self.interfaces()
        if trust is not None:
            self.parties(trust)
        return self.problems

    @contextmanager
    def at(self, *path: str | int, document: Document | None = None) -> Iterator[None]:
        """What goes wrong in here is a problem of this key."""
        where = document or self.document
        try:
            yield
        except ExchangeError as error:
            where.complain(path, _said(error))
        except (ValueError, OSError) as error:
            where.complain(path, str(error))

    def mappings(self) -> None:
        for file in dict.fromkeys(file.file for file in self.settings.mappings.values()):
            mapping = next(each for each in self.settings.mappings.values() if each.file == file)
            self.problems += contract_problems(mapping)

    def interfaces(self) -> None:
        """Services that cannot be spoken over SOAP, each complained about where it stands; what its WSDL leaves out."""
        wrong = interface_problems(self.settings)
        for document, _ in self.files(self.settings.folders.services, "service"):
            for index, service in enumerate(document.table.get("service", ())):
                for text, warning in wrong.get(str(service.get("id")), ()):
                    document.complain(("service", index, "id"), text, warning=warning)

    def warn(self, path: KeyPath, text: str) -> None:
        self.document.complain(path, text, warning=True)

    def trust(self) -> TrustStore | None:
        try:
            trust, _ = load_trust(self.settings.trust, self.last_seen, self.now)
        except ExchangeError as error:
            self.document.complain(("trust", "list"), _said(error))
            return None
        days = trust.days_left_alarm(self.now)
        if days is not None:
            self.warn(("trust", "list"), f"the list ends within {days} days: publish the next one")
        for problem in trust.problems(self.now):
            text = f"{problem.usage} certificate of {problem.owner} cannot be used: {problem.kind.title.en.lower()}"
            self.warn(("trust", "list"), f"{text} ({problem.detail})")
        for key in trust.listed():
            self.ends(("trust", "list"), f"{key.usage} certificate of {key.owner}", key.facts.not_after)
        known = min((key.facts.revocation_known_until for key in trust.listed()), default=self.now)
        if 0 <= known - self.now < CRL_WARN_DAYS * _DAY:
            left = (known - self.now) // _DAY
            self.warn(
                ("trust", "list"), f"a revocation list ends within {left + 1} days: fetch the authority's next one"
            )
        return trust

    def ends(self, path: KeyPath, what: str, not_after: Instant, document: Document | None = None) -> None:
        """Warn of what is still good, but not for long."""
        left = (not_after - self.now) // _DAY
        if 0 <= left < WARN_DAYS:
            (document or self.document).complain(path, f"{what} ends in {left} days", warning=True)

    def keys(self, trust: TrustStore | None) -> None:
        keys, own = self.settings.keys, self.settings.gateway.subsystem
        with self.at("keys", "signing_key"):
            key = load_signing_key(keys.signing_key, keys.signing_certificate)
            self.listed(("keys", "signing_certificate"), key, trust, own, Usage.GATEWAY_SIGN)
        with self.at("keys", "vault_key"):
            read_vault_key(keys.vault_key)
        for index, hosted in enumerate(keys.hosted):
            with self.at("keys", "hosted", index, "key"):
                key = load_signing_key(hosted.key, hosted.certificate)
                path = ("keys", "hosted", index, "certificate")
                self.listed(path, key, trust, hosted.subsystem, Usage.HOSTED_SIGN)
        if trust is not None:
            self.hosted(trust)

    def hosted(self, trust: TrustStore) -> None:
        """Subsystems that prove themselves by mutual TLS need a key here, and a way to show their certificate."""
        listener, held = self.settings.listener, {each.subsystem for each in self.settings.keys.hosted}
        callers = [each.id for each in trust.document.subsystems if ProofScheme.MUTUAL_TLS in each.schemes]
        for subsystem in callers:
            if subsystem not in held:
                text = f"no hosted key for {subsystem}, which may prove itself by mtls: its calls are refused"
                self.warn(("keys",), text)
        asked = listener.tls is not None and listener.client_certificates is not ClientCertificates.NONE
        if callers and not asked and not listener.certificate_proxies:
            text = "no TLS client certificate can reach it, but subsystems may prove themselves by mtls"
            self.warn(("listener",), text)

    def listed(self, path: KeyPath, key: FileKey, trust: TrustStore | None, owner: SubsystemId, usage: Usage) -> None:
        """The trust list knows the gateway's key, as what it is."""
        if trust is None:
            return
        found = trust.key(key.keyid)
        if found is None or (found.owner, found.usage) != (owner, usage):
            self.document.complain(path, f"the trust list does not list it as {usage} of {owner}")
            return
        with self.at(*path):
            found.check(self.now)

    def ledger(self, trust: TrustStore | None) -> None:
        ledger = self.settings.ledger
        with self.at("ledger", "log_key"):
            keys = log_keys(self.settings)
            listed = {log.vkey for log in trust.document.logs if log.origin == ledger.origin} if trust else set()
            if listed and keys[0].encode() not in listed:
                raise ValueError(f"the trust list names another key for the log {ledger.origin}")
        if self.settings.witnesses is not None:
            with self.at("witnesses", "policy"):
                witness_policy(self.settings.witnesses, log_keys(self.settings))
        for index, authority in enumerate(self.settings.timestamps.authorities if self.settings.timestamps else ()):
            with self.at("timestamps", "authorities", index, "roots"):
                load_certificates(authority.roots)
        for index, reader in enumerate(ledger.readers):
            with self.at("ledger", "readers", index, "key"):
                recipient_of(reader)
                if trust is not None:
                    check_reader(reader, trust.document)
        if trust is not None:
            with suppress(ExchangeError):  # of a file that cannot be read: that is complained about above
                for path, text in role_warnings(self.settings, trust.document, self.now):
                    self.warn(path, text)

    def database(self) -> None:
        """It can be written; and, where it is there, which list was seen last. It is neither made nor changed."""
        file, path = self.settings.ledger.database, ("ledger", "database")
        if not os.access(file.parent, os.W_OK | os.X_OK):
            self.document.complain(path, f"the folder {file.parent} cannot be written: the database needs it")
        if not file.exists():
            return
        if not os.access(file, os.R_OK | os.W_OK):
            self.document.complain(path, f"{file} cannot be read and written by this account")
            return
        with self.at(*path), file.open("rb") as opened:
            head = opened.read(100)  # SQLite file format §1.3: magic at 0, application id at 68
            known = head[:16] == b"SQLite format 3\x00" and head[68:72] == APPLICATION_ID.to_bytes(4, "big")
            if head and not known:
                raise ValueError(f"{file} is no database of this gateway")
            if head:
                self.last_seen = _newest_list(file)

    def listener(self) -> None:
        tls = self.settings.listener.tls
        if tls is None:
            self.warn(("listener",), "plain HTTP on loopback: only for development, or behind a TLS terminator")
            return
        with self.at("listener", "tls"):
            server_context(tls.certificate, tls.key)
            self.certificate_ends(("listener", "tls", "certificate"), tls.certificate, self.document)

    def providers(self) -> None:
        """TLS of each provider, complained about in the file that describes it."""
        for document, table in self.files(self.settings.folders.services, "provider"):
            provider = self.settings.providers.get(str(table.get("name")))
            if provider is None or not provider.base_url.startswith("https://"):
                continue
            with self.at("provider", document=document):
                authorities = None if provider.authorities is None else load_certificates(provider.authorities)
                client_context(authorities, provider.client_certificate, provider.client_key)
                if provider.client_certificate is not None:
                    path = ("provider", "client_certificate")
                    self.certificate_ends(path, provider.client_certificate, document)

    def parties(self, trust: TrustStore) -> None:
        """Grants of clients for whom nobody vouches: they can never call."""
        for document, grant, path in self.grants():
            client = str(grant.get("client"))
            listed = trust.subsystem(parse_subsystem(client))
            if listed is None:
                document.complain((*path, "client"), f"{client} is not in the trust list: it cannot call", warning=True)
            elif not listed.schemes:
                text = f"the trust list lets {client} prove itself by nothing: it cannot call"
                document.complain((*path, "client"), text, warning=True)

    def grants(self) -> Iterator[tuple[Document, dict[str, Any], KeyPath]]:
        for document, _ in self.files(self.settings.folders.policy, None):
            for index, grant in enumerate(document.table.get("grant", ())):
                yield document, grant, ("grant", index)

    def files(self, folder: Path, name: str | None) -> Iterator[tuple[Document, dict[str, Any]]]:
        """The files of a folder, each with its table of this name, where it has one; all of them for None."""
        for file in sorted(folder.glob("*.toml")):
            document = Document.read(file, self.problems)
            table = document.table if name is None else document.table.get(name)
            if table is not None:
                yield document, table

    def certificate_ends(self, path: KeyPath, file: Path, document: Document) -> None:
        certificate = load_certificate(load_certificates(file)[0])
        ends = from_datetime(certificate.not_valid_after_utc)
        if ends < self.now:
            document.complain(path, f"{file} has expired")
        self.ends(path, str(file), ends, document)


def _newest_list(file: Path) -> StoredDocument | None:
    """The trust list that this gateway saw last, read beside it. Raises ValueError."""
    try:
        connection = Database(file).reader()
        try:
            row = connection.execute(SQL["document_newest"], (KIND,)).fetchone()
        finally:
            connection.close()
    except Exception as error:  # noqa: BLE001 - whatever the engine says, the file is of no use
        raise ValueError(f"{file} cannot be read: {error}") from None
    return None if row is None else StoredDocument(**dict(zip(StoredDocument.__struct_fields__, row, strict=True)))


def _said(error: ExchangeError) -> str:
    """What an error says; of one that names a file, its detail says it all."""
    whole = error.kind in {KEY_FILE_UNUSABLE, SECRET_UNUSABLE}
    return error.detail if whole else f"{error.kind.title.en}: {error.detail}".removesuffix(": ")
