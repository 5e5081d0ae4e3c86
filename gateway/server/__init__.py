"""The HTTP server: one edge for every protocol, the gateway's own API, the public log, health and metrics."""
