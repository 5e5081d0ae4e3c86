"""The use cases: what happens to a message, in order. ``pipeline`` is the product in one page."""
