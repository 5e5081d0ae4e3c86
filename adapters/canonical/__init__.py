"""Reading what agency systems send: the old charsets that travel under a UTF-8 header."""
