"""Agency systems on loopback sockets, with their quirks: for tests, benchmarks and the demo, never for production."""
