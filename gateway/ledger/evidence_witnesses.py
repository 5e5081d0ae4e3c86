"""Witnesses' cosignatures on the checkpoints that a container's records hang from.

The log's own signature says that it committed itself; only cosignatures of witnesses say that it showed everybody the
same. Which witnesses count is the verifier's to say, or that of a trust list which it believes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from gateway.ledger.base64text import from_base64
from gateway.ledger.evidence_findings import Findings
from gateway.ledger.note import Signature, VerifierKey, open_note
from gateway.model.errors import ExchangeError
from gateway.model.errors.base import Text
from gateway.model.instant import Instant, from_seconds, plus, rfc3339

LOG: Final = "log"

COSIGNED: Final = Text(
    "independent witnesses have cosigned the log as it is shown here",
    "các nhân chứng độc lập đã đồng ký nhật ký như thể hiện ở đây",
)
_ID: Final = 4
_DASH: Final = "— "
_LATEST: Final = 253_402_300_799  # 9999-12-31, in seconds


class Cosigned(Struct, frozen=True, kw_only=True):
    """Cosignatures on one checkpoint. proved: by known witnesses, each key once. wrong: names of known witnesses in
    whose name there is one that does not verify. others: signature lines by keys that are not known.
    """

    proved: tuple[Signature, ...]
    wrong: tuple[str, ...]
    others: int

    @property
    def times(self) -> tuple[Instant, ...]:
        """When the witnesses say they saw it."""
        return tuple(from_seconds(min(each.time or 0, _LATEST)) for each in self.proved)


def cosignatures_on(note: bytes, witnesses: Sequence[VerifierKey], log: VerifierKey) -> Cosigned:
    """Judge the lines of a checkpoint that the log was proved to have signed. The log's own key makes no witness, and
    one key under two names makes one.
    """
    lines = list(_lines(note))
    known = [key for key in dict.fromkeys(witnesses) if key.public != log.public]
    proved: dict[bytes, Signature] = {}
    wrong = []
    for key in known:
        if (key.name, key.id) in lines:
            try:
                (signature,) = open_note(note, (key,)).signatures
            except ExchangeError:
                wrong.append(key.name)
            else:
                proved.setdefault(key.public, signature)
    mine = {(key.name, key.id) for key in (*known, log)}
    others = sum(line not in mine for line in lines)
    return Cosigned(proved=tuple(proved.values()), wrong=tuple(wrong), others=others)


def check_witnesses(
    findings: Findings, found: Mapping[bytes, Cosigned], made: Instant, *, quorum: int, skew: float
) -> None:
    """Say how many and which known witnesses cosigned each checkpoint. found: by checkpoint. made: the newest record's
    own time. quorum: how many must have. skew: seconds by which clocks may differ.
    """
    for cosigned in found.values():
        count = len(cosigned.proved)
        wrong = [f"the cosignature in the name of {name} is not its own" for name in cosigned.wrong]
        if count < quorum:
            wrong.append(f"{count} of the {quorum} demanded{_others(cosigned)}")
        if any(at < plus(made, -skew) for at in cosigned.times):
            wrong.append("a witness saw it before the time at which a record says it was made")
        if wrong:
            findings.failed(LOG, COSIGNED, "; ".join([*wrong, *_named(cosigned)]))
        elif count:
            demanded = f"; {quorum} demanded" if quorum else ""
            findings.proved(LOG, COSIGNED, f"{count}: {', '.join(_named(cosigned))}{demanded}")
        else:
            findings.absent(LOG, COSIGNED, f"0{_others(cosigned)}: whether the log shows all the same is not proved")


def _named(cosigned: Cosigned) -> list[str]:
    return [f"{each.key.name} at {rfc3339(at)}" for each, at in zip(cosigned.proved, cosigned.times, strict=True)]


def _others(cosigned: Cosigned) -> str:
    return f", {cosigned.others} by witnesses that you have not named (--witness)" if cosigned.others else ""


def _lines(note: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and key id of each signature line."""
    for line in note.decode().rpartition("\n\n")[2].rstrip("\n").split("\n"):
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        yield name, from_base64(encoded)[:_ID]
