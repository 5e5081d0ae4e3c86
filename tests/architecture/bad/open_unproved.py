"""Parses a body before anything is proved of it: as a whole message, as a claim, as head and body."""

from gateway.model.envelope import Envelope
from gateway.model.message import Body, Head
from gateway.model.stages import Claimed, Received
from gateway.ports import Codec


def too_early(codec: Codec, received: Received) -> Envelope:
    return codec.open(received)  # rejected: arg-type


def as_claimed(codec: Codec, claimed: Claimed) -> Envelope:
    return codec.open(claimed)  # rejected: arg-type


def as_bytes(codec: Codec, head: Head, body: Body) -> Envelope:
    return codec.open(head, body)  # rejected: call-arg, arg-type
