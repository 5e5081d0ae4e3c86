"""Whom we believe: the signed trust list, its certificates, and what was valid at a given time. Bytes in, facts out."""
