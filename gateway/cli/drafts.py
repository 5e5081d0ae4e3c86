"""Drafts of the next trust list, and what a list says, for people and programs."""

import contextlib
import json
from pathlib import Path
from typing import Any

from gateway.cli.output import say, stop
from gateway.cli.values import DAY, local, now
from gateway.keys.onboarding import read_draft
from gateway.model.errors import ExchangeError
from gateway.model.instant import Instant, from_datetime, plus, rfc3339, to_datetime
from gateway.trust.certificates import load_certificate
from gateway.trust.document import ListedCertificate, TrustList
from gateway.trust.edit import renewed
from gateway.trust.jws import verify


def open_draft(draft: Path, in_force: Path | None, days: int) -> TrustList:
    """The draft; begun from the list in force, under the next serial, if it is not there yet."""
    if draft.exists():
        return draft_at(draft)
    if in_force is None:
        raise stop(
            f"there is no draft {draft}; name the list in force with --list to begin one, or make the first list "
            "with 'motlan trust draft'",
            f"chưa có bản dự thảo {draft}; hãy chỉ ra danh sách đang hiệu lực bằng --list để bắt đầu, "
            "hoặc lập danh sách đầu tiên bằng 'motlan trust draft'",
        )
    return next_list(read_draft(in_force), days)


def draft_at(draft: Path) -> TrustList:
    """The draft of a file. A signed list is refused: changing it would take its signatures away."""
    if is_signed(draft.read_bytes()):
        raise stop(
            f"{draft} is a signed list, not a draft; name another file for the draft, and this one with --list",
            f"{draft} là danh sách đã ký, không phải bản dự thảo; "
            "hãy chọn tệp khác làm dự thảo và chỉ tệp này bằng --list",
        )
    return read_draft(draft)


def is_signed(data: bytes) -> bool:
    """Whether this is a signed list (a JWS) rather than a draft."""
    try:
        return "payload" in json.loads(data)
    except ValueError:
        return False  # whoever reads it says what is wrong with it


def next_list(this: TrustList, days: int) -> TrustList:
    """The list under its next serial, valid from now for so many days."""
    moment = now()
    return renewed(this, issued=moment, valid_until=plus(moment, days * DAY))


def validity(der: bytes) -> tuple[Instant, Instant]:
    """From when until when a certificate (DER) is valid."""
    certificate = load_certificate(der)
    return from_datetime(certificate.not_valid_before_utc), from_datetime(certificate.not_valid_after_utc)


def as_values(this: TrustList) -> dict[str, Any]:
    """A list as plain values, for JSON."""
    return {
        "serial": this.serial,
        "issued": rfc3339(this.issued),
        "valid_until": rfc3339(this.valid_until),
        "signers": {"required": this.signers.required, "ids": list(this.signers.by_id)},
        "members": [{"id": str(each.id), "name": each.name} for each in this.members],
        "subsystems": [
            {
                "id": str(each.id),
                "name": each.name,
                "schemes": sorted(each.schemes),
                "networks": list(each.networks),
            }
            for each in this.subsystems
        ],
        "services": [{"id": str(each.id), "type": each.type.value, "title": each.title} for each in this.services],
        "certificates": [_certificate(each) for each in this.certificates],
        "logs": [{"origin": each.origin, "vkey": each.vkey} for each in this.logs],
    }


def _certificate(listed: ListedCertificate) -> dict[str, Any]:
    found = {"keyid": listed.keyid, "usage": listed.usage.value, "owner": str(listed.owner)}
    with contextlib.suppress(ValueError):
        found["valid_until"] = rfc3339(validity(listed.der)[1])
    return found


def facts(this: TrustList) -> list[tuple[str, str]]:
    """What a signer wants to know of a list at a glance."""
    left = (to_datetime(this.valid_until) - to_datetime(now())).days
    return [
        (say("serial", "số thứ tự"), str(this.serial)),
        (say("issued", "ban hành"), local(this.issued)),
        (say("valid until", "hiệu lực đến"), local(this.valid_until) + say(f" ({left} days)", f" ({left} ngày)")),
        (
            say("signers", "người ký"),
            say(
                f"{this.signers.required} of {len(this.signers.keys)}",
                f"{this.signers.required} trên {len(this.signers.keys)}",
            ),
        ),
        (say("members", "thành viên"), str(len(this.members))),
        (say("subsystems", "hệ thống"), str(len(this.subsystems))),
        (say("services", "dịch vụ"), str(len(this.services))),
        (say("certificates", "chứng thư"), str(len(this.certificates))),
    ]


def signatures(data: bytes, this: TrustList) -> tuple[tuple[str, ...], str]:
    """Which of the signers that a list itself states have signed it; and, if they are too few, what is wrong."""
    try:
        return verify(data, pinned=this.signers, last_seen=None, now=this.issued).signed_by, ""
    except ExchangeError as error:
        return (), error.detail
