"""Each stage of a message is made by one module only, so that nothing can be forwarded or released on another way.

The types are checked by mypy (test_wrong_programs); that nobody else builds one is checked here.
"""

import ast
import inspect

import pytest
from msgspec import Struct

from gateway.model import stages
from tests.support.source import Module, calls, dotted, imports, modules

MAKERS = {
    "Received": "gateway.exchange.frame",
    "Claimed": "gateway.exchange.proving",
    "Direct": {"gateway.signing.http_sig", "gateway.signing.message_jws", "gateway.signing.wsse"},
    "Hosted": "gateway.exchange.proving",
    "Delegated": "gateway.exchange.proving",
    "ProvedParts": "gateway.exchange.proving",
    "Verified": "gateway.exchange.proving",
    "Authorized": "gateway.exchange.authorising",
    "Recorded": "gateway.exchange.recording",
    "Replied": "gateway.exchange.judging",
    "Minimised": "gateway.exchange.minimising",
    "Sealed": "gateway.exchange.sealing",
    "AnswerRecorded": "gateway.exchange.recording",
    "Refused": "gateway.exchange.refusing",
}
NOT_STAGES = {"Peer", "Reply", "Answer"}
"""Parts of stages that prove nothing: the edge, the adapters and the codecs make them."""

HOMES = ("gateway.model.stages", "gateway.model.envelope")
SHORT_DOORS = {"structs.force_setattr", "object.__new__", "object.__setattr__"}


@pytest.mark.parametrize(("stage", "maker"), MAKERS.items())
def test_a_stage_has_one_maker(stage: str, maker: str | set[str]) -> None:
    found = {
        module.name
        for module in modules()
        if stage in _stages_known_to(module)
        for name in _called(module)
        if name == stage
    }
    assert found == (maker if isinstance(maker, set) else {maker})


def _stages_known_to(module: Module) -> set[str]:
    """Stages that a module imported; all of them where it has the whole module of stages."""
    names = {found.target for found in imports(module)}
    if any(name in names for name in HOMES):
        return set(MAKERS)
    return {stage for stage in MAKERS for home in HOMES if f"{home}.{stage}" in names}


def _called(module: Module) -> list[str]:
    return [name.rpartition(".")[2] for _, name in calls(module.tree)]


def test_every_stage_is_in_the_table() -> None:
    declared = {
        name
        for name, value in vars(stages).items()
        if inspect.isclass(value) and issubclass(value, Struct) and value.__module__ == stages.__name__
    }
    assert declared - NOT_STAGES == set(MAKERS) - {"ProvedParts"}


def test_no_stage_is_made_by_a_side_door() -> None:
    """Renaming a stage, copying one with changes, decoding into one: each would be a second maker."""
    doors = {"msgspec.structs.force_setattr", "msgspec.convert", "copy.replace", "copy.copy"}
    wrong = []
    for module in modules():
        wrong += [
            f"{module.file}:{node.lineno}: {alias.name} as {alias.asname}"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if alias.name in MAKERS and alias.asname
        ]
        if _stages_known_to(module):
            wrong += [
                f"{module.file}:{found.line}: {found.target}" for found in imports(module) if found.target in doors
            ]
            wrong += [
                f"{module.file}:{line}: {name}" for line, name in calls(module.tree) if name in doors | SHORT_DOORS
            ]
            wrong += [
                f"{module.file}:{line}: replace({copied}, …)" for line, copied in _replaced(module) if copied != "reply"
            ]
    assert not wrong, "\n".join(wrong)


def _replaced(module: Module) -> list[tuple[int, str]]:
    """(line, what is copied with changes); copying a Reply is fine, it proves nothing."""
    return [
        (node.lineno, ast.unparse(node.args[0]))
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] == "replace" and node.args
        if not isinstance(node.args[0], ast.Constant)
    ]
