"""Refusals before proof, counted in bounded memory: a flood of junk costs nothing durable but one record a minute."""

from ipaddress import ip_address, ip_network

from msgspec import Struct

from gateway.exchange.events import Event
from gateway.ledger.record import Facts, InForce, RecordKind, Ruling
from gateway.model.ids import RecordId
from gateway.model.instant import MICROSECONDS, Instant, rfc3339

_MINUTE = 60 * MICROSECONDS
_MOST = 500
_OTHER = ("other", "", "")


class _Count(Struct):
    first: Instant
    count: int = 0


class Tally:
    """Counts by reason, claimed client and network prefix, for the current minute.

    Past ``_MOST`` different combinations the rest is counted together: an attacker who varies the claimed client
    cannot make it grow.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], _Count] = {}
        self._taken: dict[tuple[str, str, str], _Count] = {}
        self.total = 0

    def count(self, code: str, client: str, address: str, at: Instant) -> None:
        """Count one refusal. client: as claimed, untrusted. address: the peer's."""
        self.total += 1
        self._add((code, client[:160], network_of(address)), at, 1)

    def _add(self, key: tuple[str, str, str], first: Instant, count: int) -> None:
        if key not in self._counts and len(self._counts) >= _MOST:
            key = _OTHER
        entry = self._counts.get(key)
        if entry is None:
            entry = self._counts[key] = _Count(first=first)
        entry.first = min(entry.first, first)
        entry.count += count

    def take(self, record_id: RecordId, now: Instant, in_force: InForce) -> Event | None:
        """The record of what was counted, and start over; None if nothing was."""
        if not self._counts:
            return None
        counts, self._counts = self._counts, {}
        self._taken = counts
        rows = [
            {"code": code, "client": client, "network": network, "count": entry.count, "first": rfc3339(entry.first)}
            for (code, client, network), entry in sorted(counts.items())
        ]
        facts = Facts(
            id=record_id,
            at=now,
            kind=RecordKind.REFUSALS,
            in_force=in_force,
            ruling=Ruling.DENIED,
            reasons=tuple(sorted({row["code"] for row in rows if isinstance(row["code"], str)})),
            private=(("refusals", rows),),
        )
        return Event(facts=facts)

    def give_back(self) -> None:
        """What was taken last could not be recorded: count it with what comes next."""
        taken, self._taken = self._taken, {}
        for key, entry in taken.items():
            self._add(key, entry.first, entry.count)


def network_of(address: str) -> str:
    """The peer's network: /24 for IPv4, /48 for IPv6; empty for what is not an address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False))  # noqa: PLR2004 - IP versions
