"""``motlan signature debug``: which step refuses a captured request, and why."""

from pathlib import Path
from typing import Any

import click
from rich.text import Text as Line

from gateway.cli.output import (
    console,
    example,
    json_option,
    language,
    needs_gateway,
    print_json,
    say,
    stop,
    verb,
    visible,
)
from gateway.cli.signature_base import Difference
from gateway.cli.signature_capture import Captured, read_capture
from gateway.cli.signature_rest import http_signature, message_jws
from gateway.cli.signature_steps import Asked, Diagnosis, claim, frame, load_known
from gateway.cli.values import SERVICE, File, Moment, now
from gateway.client.sidecar import is_soap
from gateway.model.envelope import ProofScheme
from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import SIGNATURE_MISSING
from gateway.signing.target import PublicUrl, public_url

_MAX_FILE = 64 * 1024 * 1024


@click.group(epilog=example("motlan signature debug request.txt --cert sign.pem --url https://gateway.example"))
def signature() -> None:
    """Find out why a signature is refused."""


@signature.command(
    epilog=example(
        "motlan signature debug request.txt --cert sign.pem --url https://gateway.example --base mine.txt",
    )
)
@click.argument("file", type=File)
@click.option("--url", help="The gateway's public URL, as its operator states it.  [default: https://HOST]")
@click.option("--cert", "certificates", multiple=True, type=File, help="The caller's signing certificate, PEM.")
@click.option(
    "--trust", type=File, help="The trust list: says whose each key is. Its own signatures are not checked here."
)
@click.option("--base", type=File, help="The signature base (JWS: signing input) as the caller computed it.")
@click.option("--body", type=File, help="The body, where the capture does not hold it (curl -v does not).")
@click.option("--at", type=Moment(), help="When it was sent.  [default: now]")
@click.option("--entry", type=click.IntRange(min=1), help="Which request of the capture.  [default: the last]")
@click.option("--service", type=SERVICE, help="The service behind one of the gateway's own paths.")
@json_option
@verb
@click.pass_context
def debug(ctx: click.Context, /, **options: Any) -> None:
    """Say which step refuses the request in FILE, and why. FILE: curl -v … 2> FILE, HAR, or raw HTTP.

    Exit code 0: no step refuses it. Whether its nonce was used before, and what policy says, only the gateway knows.
    """
    if not options["certificates"] and options["trust"] is None:
        raise click.UsageError(say("give --cert or --trust", "cần --cert hoặc --trust"))
    asked = _asked(options)
    found = diagnose(asked)
    if options["as_json"]:
        print_json(_document(asked, found))
    else:
        _print(asked, found)
    if found.refused is not None:
        ctx.exit(1)


def _asked(options: dict[str, Any]) -> Asked:
    captured = read_capture(_read(options["file"]), options["entry"])
    if options["body"] is not None:
        captured = Captured(
            form=captured.form,
            head=captured.head,
            body=_read(options["body"]),
            url=captured.url,
            notes=captured.notes,
        )
    return Asked(
        captured=captured,
        url=_url(captured, options["url"]),
        at=options["at"] if options["at"] is not None else now(),
        known=load_known(options["certificates"], options["trust"]),
        base=None if options["base"] is None else _read(options["base"]),
        service=options["service"],
    )


def _read(file: Path) -> bytes:
    if file.stat().st_size > _MAX_FILE:
        raise stop(f"{file} is larger than 64 MiB", f"{file} lớn hơn 64 MiB")
    return file.read_bytes()


def _url(captured: Captured, given: str | None) -> PublicUrl:
    try:
        if given is not None or captured.url is not None:
            return public_url(given or captured.url or "")
        return PublicUrl.of("https", captured.head.get("host") or "")
    except ValueError as error:
        raise stop(f"--url: {error}", f"--url: {error}") from error


def diagnose(asked: Asked) -> Diagnosis:
    """Take every step that can be taken."""
    found = Diagnosis(scheme=ProofScheme.NONE.value)
    frame(asked, found)
    if is_soap(asked.head):
        needs_gateway("gateway.cli.signature_wsse").envelope(asked, found)
        return found
    said = claim(asked, found)
    if said is None:
        return found
    found.scheme = said.scheme.value
    match said.scheme:
        case ProofScheme.HTTP_SIGNATURE:
            http_signature(asked, said, found)
        case ProofScheme.JWS:
            message_jws(asked, said, found)
        case _:
            found.take("proof", ExchangeError(SIGNATURE_MISSING, "no Signature-Input, and no Motlan-JWS"))
    return found


# -- what is printed ------------------------------------------------------------------------------------------------


def _document(asked: Asked, found: Diagnosis) -> dict[str, Any]:
    wanted, refused = language(), found.refused
    return {
        "scheme": found.scheme,
        "form": asked.captured.form,
        "accepted": refused is None,
        "step": None if refused is None else refused.name,
        "code": None if refused is None or refused.error is None else refused.error.kind.code,
        "steps": [
            {
                "name": step.name,
                "ok": None if step.skipped is not None else step.error is None,
                "code": None if step.error is None else step.error.kind.code,
                "detail": step.error.detail if step.error is not None else _text(step.skipped),
            }
            for step in found.steps
        ],
        "hints": [text.in_language(wanted) for text in found.hints],
        "base": None if found.base is None else found.base.decode("latin-1"),
        "difference": _difference(found.difference),
        "signed_own_base": found.same_key,
        "values": dict(found.extra),
        "notes": [text.in_language(wanted) for text in asked.captured.notes],
    }


def _text(text: Any) -> str:
    return "" if text is None else text.in_language(language())


def _difference(found: Difference | None) -> dict[str, Any] | None:
    if found is None:
        return None
    where = {"offset": found.offset, "line": found.line, "column": found.column}
    return {**where, "ours": found.ours.hex(" "), "theirs": found.theirs.hex(" ")}


def _print(asked: Asked, found: Diagnosis) -> None:
    out = console()
    out.print(Line(f"{asked.head.method} {visible(asked.head.target)}  ({found.scheme}, {asked.captured.form})"))
    for note in asked.captured.notes:
        out.print(Line(f"  {note.in_language(language())}", style="dim"))
    for step in found.steps:
        if step.error is not None:
            kind = step.error.kind
            title = kind.title.in_language(language())
            out.print(Line(f"✗ {step.name:<8}{kind.code}: {title}", style="red"))
            if step.error.detail:
                out.print(Line(f"          {visible(step.error.detail)}"))
            out.print(Line(f"          → {kind.next.in_language(language())}"))
        elif step.skipped is not None:
            out.print(Line(f"? {step.name:<8}{_text(step.skipped)}", style="yellow"))
        else:
            out.print(Line(f"✓ {step.name}", style="green"))
    for hint in found.hints:
        out.print(Line(f"  ! {visible(_text(hint))}", style="bold"))
    for name, value in found.extra:
        out.print(Line(f"    {name}: {visible(value)}", style="dim"))
    if found.refused is not None and found.base is not None:
        _print_base(found, out.print)


def _print_base(found: Diagnosis, write: Any) -> None:
    assert found.base is not None
    size = len(found.base)
    write(Line(say(f"The base, {size} bytes, as the gateway computes it:", f"Chuỗi ký {size} byte theo cổng:")))
    for line in found.base.decode("latin-1").split("\n"):
        write(Line(f"  {visible(line)}"))
    difference = found.difference
    if difference is not None:
        at = f"byte {difference.offset}, line {difference.line}, column {difference.column}"
        vi = f"byte {difference.offset}, dòng {difference.line}, cột {difference.column}"
        write(Line(say(f"Your base differs from it at {at}:", f"Chuỗi ký của bạn khác tại {vi}:")))
        for row in _rows(difference):
            write(Line(f"  {row}"))
    if found.same_key is not None:
        write(Line(_own_base(same_key=found.same_key)))


def _own_base(*, same_key: bool) -> str:
    if same_key:
        return say(
            "Your signature is right for your own base: key and algorithm are in order, only the base is not.",
            "Chữ ký đúng với chuỗi ký của bạn: khóa và thuật toán đúng, chỉ chuỗi ký sai.",
        )
    return say("Your signature does not verify over your own base.", "Chữ ký không đúng với chuỗi ký của bạn.")


def _rows(difference: Difference) -> list[str]:
    mark = difference.offset - difference.start
    rows = []
    for name, data in ((say("gateway", "cổng"), difference.ours), (say("yours", "của bạn"), difference.theirs)):
        shown = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in data)  # noqa: PLR2004 - printable ASCII
        rows.append(f"{name:<8} {data.hex(' '):<96} {shown}")
    rows.append(f"{'':<8} {'   ' * mark}^^")
    return rows
