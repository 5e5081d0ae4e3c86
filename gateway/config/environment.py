"""The few settings that the environment may override: where things are, never what is allowed."""

import os
from collections.abc import Mapping
from typing import Any

OVERRIDES: dict[str, tuple[str, str]] = {
    "MOTLAN_LISTENER_HOST": ("listener", "host"),
    "MOTLAN_LISTENER_PORT": ("listener", "port"),
    "MOTLAN_ADMIN_HOST": ("admin", "host"),
    "MOTLAN_ADMIN_PORT": ("admin", "port"),
    "MOTLAN_LEDGER_DATABASE": ("ledger", "database"),
    "MOTLAN_WORKERS": ("gateway", "workers"),
    "MOTLAN_LOG_LEVEL": ("logging", "level"),
    "MOTLAN_SECRETS_DIRECTORY": ("secrets", "directory"),
}
"""Variable → table and key."""


def environment() -> Mapping[str, str]:
    """The process's environment: the only place that reads it."""
    return os.environ


def override(table: dict[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
    """``table`` with the overrides that are set; digits become a number. An absent [ledger] stays absent."""
    changed = dict(table)
    for variable, (section, key) in OVERRIDES.items():
        text = variables.get(variable)
        given = changed.get(section, None if section == "ledger" else {})
        if text and isinstance(given, dict):
            changed[section] = {**given, key: int(text) if text.isascii() and text.isdigit() else text}
    return changed
