"""Motlan: the once-only exchange gateway."""
