"""What ``motlan check`` says of readers and roles: who is missing, and who would have to be two people."""

from collections.abc import Iterator
from itertools import combinations

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.config.load import Settings
from gateway.config.positions import Path as KeyPath
from gateway.keys.file import load_private_key, load_public_key
from gateway.ledger.order_jws import holding, same_person
from gateway.model.instant import Instant
from gateway.model.usage import RoleName
from gateway.trust.document import Role, TrustList

_READERS = ("ledger", "readers")
_LIST = ("trust", "list")
_OFFICER = RoleName.DATA_PROTECTION_OFFICER


def role_warnings(settings: Settings, document: TrustList, now: Instant) -> Iterator[tuple[KeyPath, str]]:
    """What is odd, each with the setting that it is about. Files that cannot be read are complained about elsewhere.

    Raises ExchangeError for these.
    """
    roles = holding(document.roles, now)
    yield from _readers(settings, document.roles, roles)
    yield from _too_few(settings, roles)
    yield from _one_for_two(roles)
    yield from _other_uses(settings, document, roles)


def _readers(settings: Settings, listed: tuple[Role, ...], roles: tuple[Role, ...]) -> Iterator[tuple[KeyPath, str]]:
    keys = {reader.id: load_public_key(reader.key) for reader in settings.ledger.readers}
    held = {role.role for role in roles if role.key in keys.values()}
    if _OFFICER not in held:
        yield (
            _READERS,
            "no data-protection officer is among the readers: no order to erase a person can be carried out",
        )
    if RoleName.AUDITOR not in held:
        yield _READERS, "no auditor is among the readers: nobody can look into what is recorded from now on"
    current = {role.key for role in roles}
    for index, (name, key) in enumerate(keys.items()):
        if key not in current and any(role.key == key for role in listed):
            yield (
                (*_READERS, index, "key"),
                f"the role of {name} has ended, and it is still sealed to",
            )


def _too_few(settings: Settings, roles: tuple[Role, ...]) -> Iterator[tuple[KeyPath, str]]:
    officers = [role for role in roles if role.role is _OFFICER]
    others = [role for role in roles if role.role is not _OFFICER]
    if not any(not same_person(officer, other) for officer in officers for other in others):
        yield (
            _LIST,
            "an order to erase needs a data-protection officer and somebody else of another role: the list has no two",
        )
    auditors = [role for role in roles if role.role is RoleName.AUDITOR]
    if not any(one.name != other.name and not same_person(one, other) for one, other in combinations(auditors, 2)):
        persons = settings.audit.second_auditor_persons
        yield _LIST, f"more than {persons} persons in a day are shown to two auditors only, and the list has no two"


def _one_for_two(roles: tuple[Role, ...]) -> Iterator[tuple[KeyPath, str]]:
    for one, other in combinations(roles, 2):
        who = f"{one.role} {one.name} and {other.role} {other.name}"
        if one.key == other.key:
            yield _LIST, f"{who} have the same key: they count as one person"
        elif one.role is not other.role and same_person(one, other):
            yield _LIST, f"{who} are one person: these roles are to be two people's, and count as one"


def _other_uses(settings: Settings, document: TrustList, roles: tuple[Role, ...]) -> Iterator[tuple[KeyPath, str]]:
    key = load_private_key(settings.keys.signing_key)
    own = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for role in roles:
        if role.key in document.signers.keys:
            yield _LIST, f"{role.role} {role.name} has the key of a signer of trust lists: who names roles holds none"
        if role.key == own:
            yield _LIST, f"{role.role} {role.name} has the gateway's own signing key"
