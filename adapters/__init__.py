"""Adapters: how the gateway speaks with the systems of agencies. They decide nothing and hold no signing keys."""
