"""``motlan cert``: keys, certificate requests and certificates."""

from pathlib import Path
from typing import Any

import click
from cryptography import x509
from cryptography.x509.oid import NameOID

from gateway.cli.drafts import validity
from gateway.cli.output import console, example, json_option, note, print_json, say, table, verb, warn
from gateway.cli.values import DAY, SUBSYSTEM, File, NewFile, new_passphrase, now, passphrase_of
from gateway.keys.file import load_certificates
from gateway.keys.issue import KeyKind
from gateway.keys.onboarding import certificate_pem, issue, load_authority, read_draft, request_certificate
from gateway.model.ids import SubsystemId
from gateway.model.instant import MICROSECONDS, plus, rfc3339
from gateway.model.usage import Usage
from gateway.signing.algorithms import PublicKey
from gateway.trust.document import TrustList, thumbprint

_USAGES = [usage.value for usage in Usage]
_BACKDATED = -60
"""Seconds: so that a certificate is valid at once also where another clock is a little behind."""


@click.group(epilog=example("motlan cert show keys/sign.pem"))
def cert() -> None:
    """Keys, certificate requests and certificates."""


@cert.command(
    "request",
    epilog=example("motlan cert request VN/GOV/H41/portal --organization 'Ủy ban nhân dân tỉnh Nghệ An' --out keys"),
)
@click.argument("subsystem", type=SUBSYSTEM)
@click.option("--organization", required=True, help="The member's name, for the certificate.")
@click.option(
    "--usage", type=click.Choice(_USAGES), default=Usage.SIGN.value, show_default=True, help="What it is for."
)
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in KeyKind]),
    default=KeyKind.P256.value,
    show_default=True,
    help="Of key.",
)
@click.option("--host", "hosts", multiple=True, help="DNS name or address, for a TLS certificate; repeat for several.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=".", help="Folder to write to.")
@click.option("--passphrase", "encrypt", is_flag=True, help="Ask for a passphrase and encrypt the key with it.")
@verb
def request_(subsystem: SubsystemId, **options: Any) -> None:
    """Make a key and a request (PKCS #10) for its certificate. The key never leaves the folder; its mode is 0600."""
    key, asked = request_certificate(
        options["out"],
        subsystem,
        organization=options["organization"],
        usage=Usage(options["usage"]),
        kind=KeyKind(options["kind"]),
        hosts=options["hosts"],
        passphrase=new_passphrase() if options["encrypt"] else None,
    )
    note(f"✓ private key {key}: keep it here, give it to nobody", f"✓ khóa riêng {key}: giữ tại đây, không đưa cho ai")
    note(
        f"✓ request {asked}\n  → send it to your certificate authority (in development: motlan cert issue {asked} …)",
        f"✓ yêu cầu {asked}\n  → gửi tới tổ chức chứng thực (môi trường phát triển: motlan cert issue {asked} …)",
    )


@cert.command(
    "issue",
    epilog=example("motlan cert issue keys/sign.csr.pem --ca ca/issuing.pem --ca-key ca/issuing.key.pem"),
)
@click.argument("request", type=File)
@click.option("--ca", required=True, type=File, help="The development authority's certificate, PEM.")
@click.option("--ca-key", required=True, type=File, help="Its private key, PEM.")
@click.option(
    "--usage", type=click.Choice(_USAGES), default=Usage.SIGN.value, show_default=True, help="What it is for."
)
@click.option("--days", default=90, show_default=True, help="How long it is valid.")
@click.option("--out", type=NewFile, help="Where to write it; beside the request if not given.")
@verb
def issue_(request: Path, **options: Any) -> None:
    """Issue a certificate with a DEVELOPMENT authority. In production a licensed authority does this, not Motlan."""
    warn(
        "DEVELOPMENT ONLY: this authority keeps no register and identifies nobody. "
        "In production, send the request to a licensed certificate authority.",
        "CHỈ DÙNG ĐỂ PHÁT TRIỂN: nơi cấp này không lưu sổ và không xác minh ai. "
        "Khi vận hành thật, hãy gửi yêu cầu tới tổ chức chứng thực chữ ký số được cấp phép.",
    )
    authority = load_authority(options["ca"], options["ca_key"], passphrase=passphrase_of(options["ca_key"]))
    usage, moment = Usage(options["usage"]), now()
    made = issue(
        authority,
        request.read_bytes(),
        usage=usage,
        not_before=plus(moment, _BACKDATED),
        not_after=plus(moment, options["days"] * DAY),
    )
    chain = load_certificates(options["ca"])[:1] if usage in {Usage.TLS, Usage.GATEWAY_TLS} else ()
    target: Path = options["out"] or request.with_name(request.name.replace(".csr", ""))
    if target == request or target.exists():
        raise FileExistsError(17, "", str(target))
    target.write_bytes(certificate_pem(made, *chain))
    note(f"✓ {target}  keyid {thumbprint(made)}", f"✓ {target}  keyid {thumbprint(made)}")


@cert.command("show", epilog=example("motlan cert show keys/sign.pem --list trust/list.jws"))
@click.argument("file", type=File)
@click.option("--list", "listed", type=File, help="Say how this trust list (or draft) lists it.")
@json_option
@verb
def show(file: Path, *, listed: Path | None, as_json: bool) -> None:
    """Show certificates: whose they are, from whom, until when, and the keyid that signatures name them by."""
    document = None if listed is None else read_draft(listed)
    found = [_described(der, document) for der in load_certificates(file)]
    if as_json:
        print_json(found)
        return
    for each in found:
        rows = [(_label(name), _readable(value)) for name, value in each.items() if value is not None]
        console().print(table(str(each["subject"]), (say("what", "mục"), say("value", "giá trị")), rows))


_LABELS = {
    "subject": "chủ thể",
    "issuer": "nơi cấp",
    "serial_number": "số sê-ri",
    "valid_from": "hiệu lực từ",
    "valid_until": "hiệu lực đến",
    "state": "tình trạng",
    "days_left": "số ngày còn lại",
    "algorithm": "thuật toán",
    "keyid": "keyid",
    "hosts": "tên máy chủ",
    "listed": "trong danh sách",
}


def _label(name: str) -> str:
    return say(name.replace("_", " "), _LABELS[name])


def _readable(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _described(der: bytes, document: TrustList | None) -> dict[str, Any]:
    certificate = x509.load_der_x509_certificate(der)
    begins, ends = validity(der)
    moment = now()
    listed = None
    if document is not None:
        entry = next((each for each in document.certificates if each.der == der), None)
        listed = f"{entry.usage}, {entry.owner}" if entry else "no"
    return {
        "subject": _named(certificate.subject),
        "issuer": _named(certificate.issuer),
        "serial_number": f"{certificate.serial_number:x}",
        "valid_from": rfc3339(begins),
        "valid_until": rfc3339(ends),
        "state": "not yet valid" if moment < begins else "expired" if moment > ends else "valid",
        "days_left": max(0, (ends - moment) // (DAY * MICROSECONDS)),
        "algorithm": _algorithm(der),
        "keyid": thumbprint(der),
        "hosts": _hosts(certificate),
        "listed": listed,
    }


def _named(name: x509.Name) -> str:
    """The common name and the organisation."""
    found = [name.get_attributes_for_oid(oid) for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)]
    return ", ".join(str(attribute[0].value) for attribute in found if attribute) or name.rfc4514_string()


def _algorithm(der: bytes) -> str | None:
    """With which its key signs; None for a kind of key that is not used here."""
    try:
        return PublicKey.from_certificate(der).algorithm
    except ValueError:
        return None


def _hosts(certificate: x509.Certificate) -> list[str] | None:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    addresses = (str(address) for address in names.get_values_for_type(x509.IPAddress))
    return [*names.get_values_for_type(x509.DNSName), *addresses]
