"""By whose key a log is believed: verifier keys given by hand, or those of a trust list; and witnesses."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from gateway.cli.output import warn
from gateway.cli.values import File, day, now
from gateway.keys.file import load_public_key
from gateway.ledger.cosignature_policy import Demand, parse_policy
from gateway.ledger.note import VerifierKey, parse_vkey
from gateway.model.errors import ExchangeError
from gateway.model.errors.trust import TRUST_LIST_EXPIRED
from gateway.model.instant import Instant
from gateway.trust.document import Signers, TrustList
from gateway.trust.jws import payload_of, verify
from gateway.trust.wire import decode

F = TypeVar("F", bound=Callable[..., Any])


def log_key_options(function: F) -> F:
    """``--vkey``, or ``--trust`` with its signers; ``--witness`` and ``--quorum``, ``--witness-policy``."""
    for option in reversed(
        (
            click.option(
                "--vkey",
                "vkeys",
                multiple=True,
                help="The log's verifier key (C2SP), from a source you trust. Several, if it changed.",
            ),
            click.option("--trust", type=File, help="Or: a trust list, for the logs it names. Needs --signer."),
            click.option("--signer", "signers", multiple=True, type=File, help="Public key of a signer of it, PEM."),
            click.option(
                "--required",
                type=click.IntRange(min=1),
                default=1,
                show_default=True,
                help="How many must have signed.",
            ),
            click.option("--witness", "witnesses", multiple=True, metavar="VKEY", help="Verifier key of a witness."),
            click.option(
                "--quorum",
                type=click.IntRange(min=0),
                default=0,
                show_default=True,
                help="How many must have cosigned.",
            ),
            click.option(
                "--witness-policy", type=File, help="Which witnesses must have cosigned: a C2SP tlog-policy file."
            ),
        )
    ):
        function = option(function)
    return function


def has_log_key(options: dict[str, Any]) -> bool:
    """Whether the options name any."""
    return bool(options["vkeys"]) or options["trust"] is not None


def log_keys(options: dict[str, Any]) -> tuple[VerifierKey, ...]:
    """The keys that the options name. Raises click.UsageError, ExchangeError."""
    keys = tuple(parse_vkey(vkey) for vkey in options["vkeys"])
    if options["trust"] is not None:
        keys += tuple(parse_vkey(log.vkey) for log in _trust_list(options).logs)
    if not keys:
        raise click.UsageError("name the log's key: --vkey, or --trust with --signer")
    return keys


def demand_of(options: dict[str, Any]) -> Demand:
    """Whose cosignatures the options demand. Raises click.UsageError for a quorum that they cannot make, ExchangeError,
    OSError.
    """
    found = tuple(parse_vkey(vkey) for vkey in options["witnesses"])
    if options["quorum"] > len({key.public for key in found}):
        raise click.UsageError("--quorum asks for more cosignatures than there are --witness keys")
    file = options["witness_policy"]
    policy = None if file is None else parse_policy(file.read_bytes())
    return Demand(witnesses=found, quorum=options["quorum"], policy=policy)


def _trust_list(options: dict[str, Any]) -> TrustList:
    """The list, its signatures checked. One that has ended still says whose log it was: receipts are older than it."""
    if not options["signers"]:
        raise click.UsageError("--trust needs --signer: whose signatures the list must have")
    signers = Signers(required=options["required"], keys=tuple(load_public_key(file) for file in options["signers"]))
    data = options["trust"].read_bytes()
    try:
        return verify(data, pinned=signers, last_seen=None, now=now()).document
    except ExchangeError as error:
        if error.kind is not TRUST_LIST_EXPIRED:
            raise
    ended = decode(payload_of(data)).valid_until
    warn(
        f"this trust list ended on {day(ended)}; the log keys it names are used all the same",
        f"danh sách tin cậy này đã hết hạn ngày {day(ended)}; các khóa nhật ký trong đó vẫn được dùng",
    )
    return verify(data, pinned=signers, last_seen=None, now=Instant(ended - 1)).document
