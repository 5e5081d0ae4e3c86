"""Once only: what a form needs, where it can be had, and what must still be asked of the citizen. Pure."""
