"""The mapping language: how an agency's system is asked and what its answers mean, compiled from a file. Pure.

``document`` is what a file says; ``compile`` makes a ``Mapping`` of it;
``docs/mapping.md`` is the language's reference.
"""
