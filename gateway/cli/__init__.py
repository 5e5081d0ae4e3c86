"""The ``motlan`` command: one file per noun. Exit status 0 only on success."""
