"""The record and the log: what is written about an exchange, and how an outsider proves it. Pure: bytes in, bytes out.

Records and their openings: ``record``, ``skeleton``, ``openings``, ``epoch``, ``pseudonym``. The log (C2SP tlog-tiles
over RFC 6962): ``merkle``, ``tiles``, ``tree``, ``proofs``, ``note``, ``checkpoint``, ``receipt``, ``verify``.
"""
