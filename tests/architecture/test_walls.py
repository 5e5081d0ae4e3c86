"""Who may import what, one room at a time, and what the inner layers may not do.

The import-linter contracts of pyproject.toml say what is forbidden; the table here says what is allowed, so that a new
import into an inner layer is always a decision. Walls are numbered as in the design.
"""

import ast
import sys

import pytest

from tests.support.source import Module, calls, dotted, functions, imports, modules

MODEL = ("gateway.model",)
L1 = (*MODEL, "gateway.ports")
SIMULATED = ("gateway.client", "gateway.signing", *MODEL, "msgspec", "aiohttp")
DESK = (*SIMULATED, "adapters.simulators", "gateway.trust", "gateway.keys", "cryptography", "jwt")
"""The agencies' own desks: they make keys and certificates as a real agency does, with the product's own tools."""

ALLOWED: dict[str, tuple[str, ...]] = {
    # Package → what it may import beside the standard library and itself. The longest name that fits a module counts.
    "gateway": (),
    "gateway.model": ("msgspec",),
    "gateway.ports": (*MODEL, "msgspec"),
    "gateway.trust": (*L1, "msgspec", "cryptography", "jwt"),
    "gateway.signing": (*L1, "gateway.trust", "msgspec", "cryptography", "http_sf", "jwt", "lxml"),
    "gateway.ledger": (
        *L1,
        "gateway.trust",
        "gateway.signing",
        "msgspec",
        "cryptography",
        "joserfc",
        "rfc8785",
        "rfc3161_client",
    ),
    "gateway.validation": (*L1, "msgspec", "jsonschema_rs", "lxml"),
    "gateway.policy": (*L1, "msgspec"),
    "gateway.onceonly": (*L1, "msgspec"),
    "gateway.mapping": (*L1, "msgspec"),
    "gateway.exchange": (
        *L1,
        "gateway.trust",
        "gateway.signing",
        "gateway.ledger",
        "gateway.validation",
        "gateway.policy",
        "gateway.onceonly",
        "msgspec",
        "cryptography",  # seals stored answers before the vault sees them
    ),
    "gateway.storage": (*L1, "msgspec"),
    "gateway.storage.sqlite": (*L1, "msgspec", "apsw"),
    "gateway.storage.spool": (*L1, "cryptography"),
    "gateway.keys": (*L1, "gateway.trust", "gateway.signing", "msgspec", "cryptography"),
    "gateway.server": (
        *L1,
        "gateway.exchange",
        "gateway.ledger.tiles",
        "gateway.validation",
        "msgspec",
        "aiohttp",
        "multidict",
        "prometheus_client",
    ),
    "gateway.client": (
        *L1,
        "gateway.signing",
        "gateway.trust",
        "gateway.ledger",
        "gateway.keys.file",
        "msgspec",
        "cryptography",
        "aiohttp",
        "yarl",
    ),
    # Wall 9: what watches the exchange is never given anything that could hold a person's data.
    "gateway.obs": ("gateway.ports", "msgspec", "structlog", "prometheus_client"),
    "gateway.config": (
        *L1,
        "gateway.policy",
        "gateway.validation",
        "gateway.trust",
        "gateway.onceonly",
        "gateway.mapping",
        "msgspec",
    ),
    # What the agencies' systems share: transport, breaker, credentials, reading. It knows no protocol's codec.
    "adapters": (*L1, "adapters", "gateway.mapping", "gateway.validation", "msgspec"),
    "adapters.canonical": MODEL,
    "adapters.kit": (*L1, "gateway.mapping", "msgspec"),
    "adapters.rest": (*L1, "adapters.provider", "adapters.statuses", "msgspec", "httptools"),
    "adapters.soap": (
        *L1,
        "adapters.provider",
        "adapters.canonical",
        "adapters.kit",
        "adapters.statuses",
        "gateway.validation",
        "msgspec",
        "zeep",
        "lxml",
    ),
    "adapters.simulators": (*SIMULATED, "lxml", "httptools", "uvloop"),
    "adapters.simulators.pki": DESK,
    "adapters.simulators.parties": DESK,
    "adapters.simulators.weak_certificate": DESK,
    "adapters.simulators.tsa": DESK,
    "adapters.simulators.tsa_certificate": DESK,
    "adapters.simulators.tsa_token": DESK,
    "adapters.attesting": (*L1, "adapters.rest.http1", "adapters.rest.failures", "msgspec"),
}
FREE = ("gateway.wiring", "gateway.cli")
"""L5 may import anything: that is what it is for."""

INNER = ("gateway.model", "gateway.ports", "gateway.trust", "gateway.signing", "gateway.ledger")
ISLANDS = ("gateway.validation", "gateway.policy", "gateway.onceonly", "gateway.mapping")
PURE = (*INNER, *ISLANDS, "adapters.rest.codec", "adapters.soap.codec")
"""Walls 1 and 3: no await, no clock, no randomness, no file. The codecs of the adapters are held to it too."""

IMPURE_IMPORTS = frozenset(
    [
        "asyncio",
        "concurrent",
        "glob",
        "http",
        "importlib",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "random",
        "secrets",
        "select",
        "selectors",
        "shutil",
        "signal",
        "socket",
        "socketserver",
        "sqlite3",
        "ssl",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "urllib.request",
        "uuid",
    ]
)
ARGUED = {
    # Gathers the modules of its own package, so that no error kind can be left out of the catalogue.
    ("gateway.model.errors.catalogue", "importlib.import_module"),
}
IMPURE_CALLS = frozenset({"open", "input", "print", "__import__", "eval", "exec"})
IMPURE_METHODS = frozenset(
    [
        "now",
        "utcnow",
        "today",
        "fromtimestamp",
        "generate",
        "generate_key",
        "generate_private_key",
        "random_serial_number",
        "urandom",
        "read_text",
        "read_bytes",
        "write_text",
        "write_bytes",
    ]
)
PRIVATE_KEY_LOADERS = frozenset(
    [
        "load_pem_private_key",
        "load_der_private_key",
        "load_ssh_private_key",
        "load_pkcs12",
        "load_key_and_certificates",
        "from_private_bytes",
        "derive_private_key",
        "load_cert_chain",
    ]
)


def _room(module: Module) -> str | None:
    fitting = [package for package in ALLOWED if module.within(package)]
    return max(fitting, key=len) if fitting and not module.within(*FREE) else None


def _may(target: str, allowed: tuple[str, ...]) -> bool:
    return any(target == name or target.startswith(f"{name}.") for name in allowed)


def _of(*packages: str) -> list[Module]:
    return [module for module in modules() if module.within(*packages)]


def test_every_import_is_in_the_table() -> None:
    wrong = []
    for module in modules():
        room = _room(module)
        if room is None:
            continue
        for found in imports(module):
            first = found.target.partition(".")[0]
            if first in sys.stdlib_module_names or (
                room not in {"gateway", "adapters"} and _may(found.target, (room,))
            ):
                continue
            if not _may(found.target, ALLOWED[room]):
                wrong.append(f"{module.file}:{found.line}: {room} may not import {found.target}")
    assert not wrong, "\n".join(wrong)


def test_the_table_names_only_rooms_that_exist() -> None:
    names = {module.name for module in modules()}
    assert not [room for room in ALLOWED if room not in names]


@pytest.mark.parametrize("package", PURE)
def test_inner_layers_import_nothing_that_acts(package: str) -> None:
    wrong = [
        f"{module.file}:{found.line}: {found.target}"
        for module in _of(package)
        for found in imports(module)
        if _may(found.target, tuple(IMPURE_IMPORTS)) and (module.name, found.target) not in ARGUED
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", PURE)
def test_inner_layers_call_nothing_that_acts(package: str) -> None:
    wrong = [
        f"{module.file}:{line}: {name}"
        for module in _of(package)
        for line, name in calls(module.tree)
        if name in IMPURE_CALLS or ("." in name and name.rpartition(".")[2] in IMPURE_METHODS)
    ]
    assert not wrong, "\n".join(wrong)


def _contract_methods(tree: ast.Module) -> set[ast.AST]:
    """Functions in Protocol classes: they promise, they do not run."""
    return {
        function
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(dotted(base) == "Protocol" for base in node.bases)
        for function in functions(node)
    }


@pytest.mark.parametrize("package", PURE)
def test_inner_layers_never_wait(package: str) -> None:
    waiting = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    wrong = []
    for module in _of(package):
        promised = _contract_methods(module.tree)
        wrong += [
            f"{module.file}:{node.lineno}"
            for node in ast.walk(module.tree)
            if isinstance(node, waiting) and node not in promised
        ]
    assert not wrong, "\n".join(wrong)


def test_only_config_reads_the_environment() -> None:
    names = {"os.environ", "os.environb", "os.getenv", "os.getenvb"}
    wrong = []
    for module in modules():
        if module.within("gateway.config"):
            continue
        wrong += [f"{module.file}:{found.line}: {found.target}" for found in imports(module) if found.target in names]
        wrong += [
            f"{module.file}:{node.lineno}: {dotted(node)}"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Attribute) and dotted(node) in names
        ]
        wrong += [
            f"{module.file}:{node.value.lineno}: envvar="
            for node in ast.walk(module.tree)
            if isinstance(node, ast.keyword) and node.arg in {"envvar", "auto_envvar_prefix"}
        ]
    assert not wrong, "\n".join(wrong)


def test_only_keys_and_client_load_private_keys() -> None:
    wrong = [
        f"{module.file}:{found.line}: {found.target}"
        for module in modules()
        if not module.within("gateway.keys", "gateway.client")
        for found in imports(module)
        if found.target.rpartition(".")[2] in PRIVATE_KEY_LOADERS
    ]
    wrong += [
        f"{module.file}:{line}: {name}"
        for module in modules()
        if not module.within("gateway.keys", "gateway.client")
        for line, name in calls(module.tree)
        if name.rpartition(".")[2] in PRIVATE_KEY_LOADERS
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("library", "owner"),
    [
        ("signxml", "gateway.signing"),
        ("zeep", "adapters.soap"),
        ("apsw", "gateway.storage.sqlite"),
        ("asyncpg", "gateway.storage.postgres"),
    ],
)
def test_a_library_has_one_owner(library: str, owner: str) -> None:
    """Walls 4 and 6, for L5 too, which the table leaves free."""
    wrong = [
        f"{module.file}:{found.line}"
        for module in modules()
        if not module.within(owner)
        for found in imports(module)
        if _may(found.target, (library,))
    ]
    assert not wrong, "\n".join(wrong)


def test_concretes_are_built_by_wiring_alone() -> None:
    """Wall 6: no command and no server reaches for a database or an adapter by itself."""
    concretes = ("gateway.storage", "adapters")
    wrong = [
        f"{module.file}:{found.line}: {found.target}"
        for module in modules()
        if module.within("gateway") and not module.within("gateway.wiring", "gateway.storage")
        for found in imports(module)
        if _may(found.target, concretes)
    ]
    assert not wrong, "\n".join(wrong)


def test_rest_and_soap_are_strangers() -> None:
    """Wall 4. What both need stands beside them, in neither."""
    wrong = [
        f"{module.file}:{found.line}: {found.target}"
        for one, other in (("adapters.rest", "adapters.soap"), ("adapters.soap", "adapters.rest"))
        for module in _of(one)
        for found in imports(module)
        if _may(found.target, (other,))
    ]
    assert not wrong, "\n".join(wrong)


def test_only_the_demo_knows_the_simulators() -> None:
    wrong = [
        f"{module.file}:{found.line}: {found.target}"
        for module in modules()
        if not module.within("adapters.simulators", "gateway.wiring")
        for found in imports(module)
        if _may(found.target, ("adapters.simulators",))
    ]
    assert not wrong, "\n".join(wrong)
