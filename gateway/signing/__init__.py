"""Signatures on HTTP messages: bytes in, what was proved out. No clock, no randomness, no files, no async."""
