"""REST: the codec of the X-Road message protocol for REST (r1), and REST providers as targets."""
