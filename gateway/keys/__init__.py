"""Private keys: the only code that makes, reads and writes them."""
