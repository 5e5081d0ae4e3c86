"""A witness at work: it cosigns what extends the tree that it cosigned last, and remembers before it signs.

What it has promised is in one small file, replaced whole. It is written before the signature is made: a witness that
dies in between has promised too much, never too little.
"""

import asyncio
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.note import Signer, VerifierKey
from gateway.ledger.witness import (
    SIZE_TYPE,
    AddCheckpoint,
    Refusal,
    Seen,
    Status,
    consider,
    cosignature,
    parse_add_checkpoint,
)
from gateway.model import failpoints
from gateway.model.errors import ExchangeError
from gateway.model.errors.attesting import WITNESS_STATE_UNUSABLE
from gateway.model.instant import to_seconds
from gateway.ports import Clock, KeptFile, WitnessReply

_VERSION = 1
_TEXT = "text/plain; charset=utf-8"
_UNAVAILABLE = 503


class Cosigner:
    """logs: the keys of each log by its origin. key, sign: the witness's own. Raises ExchangeError
    (WITNESS_STATE_UNUSABLE) for a file that is not the state of this witness.
    """

    def __init__(
        self, logs: Mapping[str, Sequence[VerifierKey]], file: KeptFile, clock: Clock, *, key: VerifierKey, sign: Signer
    ) -> None:
        self._logs = logs
        self._file = file
        self._clock = clock
        self._key = key
        self._sign = sign
        self._seen = _read(file.read(), key)
        self._turn = asyncio.Lock()

    @property
    def seen(self) -> Mapping[str, Seen]:
        """The largest tree that it has cosigned of each log."""
        return self._seen

    async def add_checkpoint(self, body: bytes) -> WitnessReply:
        """Answer a request (C2SP tlog-witness). One after the other: what is compared is what is then replaced."""
        try:
            request = parse_add_checkpoint(body)
        except ExchangeError as error:
            return _refuse(Refusal(Status.MALFORMED, error.detail))
        # Whoever asked may be gone before the file is written: the turn is not given on before it is.
        return await asyncio.shield(asyncio.ensure_future(self._answer(request)))

    async def _answer(self, request: AddCheckpoint) -> WitnessReply:
        async with self._turn:
            head = consider(request, self._logs, self._seen)
            if isinstance(head, Refusal):
                return _refuse(head)
            try:
                time = await self._remember(head)
            except OSError:
                return WitnessReply(_UNAVAILABLE, _TEXT, b"the state cannot be written\n")
        failpoints.reached("witness.remembered")
        return WitnessReply(Status.COSIGNED, _TEXT, cosignature(request.checkpoint, self._key, self._sign, time))

    async def _remember(self, head: Checkpoint) -> int:
        """Promise it durably; the time of the promise, which never goes back, though the clock may."""
        last = self._seen.get(head.origin, Seen())
        time = max(to_seconds(self._clock.now()), last.time)
        seen = {**self._seen, head.origin: Seen(head.size, head.root, time)}
        await asyncio.to_thread(self._file.write, _written(seen, self._key))
        self._seen = seen
        return time


def _refuse(refusal: Refusal) -> WitnessReply:
    if refusal.status is Status.CONFLICT:
        return WitnessReply(refusal.status, SIZE_TYPE, f"{refusal.size}\n".encode())
    return WitnessReply(refusal.status, _TEXT, f"{refusal.why}\n".encode())


def _written(seen: Mapping[str, Seen], key: VerifierKey) -> bytes:
    logs = {origin: {"size": each.size, "root": each.root.hex(), "time": each.time} for origin, each in seen.items()}
    document = {"version": _VERSION, "witness": key.encode(), "logs": logs}
    return msgspec.json.format(msgspec.json.encode(document)) + b"\n"


def _read(data: bytes | None, key: VerifierKey) -> dict[str, Seen]:
    if data is None:
        return {}
    try:
        document = msgspec.json.decode(data, type=dict[str, Any])
        if (document["version"], document["witness"]) != (_VERSION, key.encode()):
            raise ExchangeError(WITNESS_STATE_UNUSABLE, "it is the state of a witness with another key")
        return {
            origin: Seen(int(each["size"]), binascii.unhexlify(each["root"]), int(each["time"]))
            for origin, each in document["logs"].items()
        }
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError, ValueError):
        raise ExchangeError(WITNESS_STATE_UNUSABLE, "it does not parse") from None
