"""TOML files → frozen settings, with file and line in every complaint; the only reader of the environment."""
