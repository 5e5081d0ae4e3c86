"""What this program calls itself in records."""

from importlib.metadata import version
from typing import Final

BUILD: Final = f"motlan {version('motlan')}"
"""Name and version."""
