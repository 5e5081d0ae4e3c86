"""``motlan log verify``: the log over HTTP, trusting nobody; and a gateway's stored records against it."""

from typing import Any

import click

from gateway.cli.log_export import verify_file
from gateway.cli.log_files import FolderLog, HttpLog
from gateway.cli.log_keys import demand_of, has_log_key, log_key_options, log_keys
from gateway.cli.log_verify_state import Keeper
from gateway.cli.log_verify_stored import Verified, verify_stored, verify_tree
from gateway.cli.output import example, fail, json_option, needs_gateway, note, print_json, say, verb
from gateway.cli.values import File, Folder, NewFile, passphrase_of
from gateway.keys.file import load_private_key
from gateway.model.errors import ExchangeError


@click.command(
    "verify",
    epilog=example(
        "motlan log verify --url https://gateway.example/log --vkey 'gateway.example/log+4fd3…+AZ…' \\",
        "  --remember log.note",
        "motlan log verify --config gateway.toml --auditor-key auditor.key.pem --resume verified.json",
        "motlan log verify calls.csv --vkey 'gateway.example/log+4fd3…+AZ…'",
    ),
)
@click.argument("file", metavar="[EXPORT]", required=False, type=File)
@click.option("--url", help="The log's address: every tile and entry is fetched and verified.")
@click.option(
    "--dir", "folder", type=Folder, help="A copy of the log (motlan log mirror): as --url, out of this folder."
)
@log_key_options
@click.option("--ca", type=File, help="CA certificates for TLS, PEM; the system's if not given.")
@click.option(
    "--remember",
    type=NewFile,
    help="A checkpoint is kept here: the log must extend the one found here, and the newest replaces it.",
)
@click.option(
    "--resume",
    type=NewFile,
    help="How far it got is kept here, also when it is stopped: the next run goes on from there, with what is new.",
)
@click.option("--config", type=File, help="A gateway's settings: verify its stored records against the log.")
@click.option("--auditor-key", type=File, help="Opens private fields, to verify them too. None is shown.")
@json_option
@click.pass_context
@verb
def verify_(ctx: click.Context, /, **options: Any) -> None:
    """Verify the whole log, and name everything that is wrong; exit 1 if anything is.

    With --url or --dir nothing is believed but the verifier key: leaves are derived from the entries, and all tiles,
    the root and the checkpoint's signature are compared with them. With --config the records in the gateway's database
    are compared with the log's entries (of --url or --dir if one is given too, else out of the database, where tree and
    signature are verified first), and with --auditor-key their private fields with what they commit to. Then also what
    records must be to one another: answers without their request, requests that never got an end, gaps, doubles, clocks
    that jump; and what the database says of its own tables, indexes and pages.

    With the file of an export (motlan log export) that is verified, offline: edited, missing and reordered rows are
    found by the log's key alone.

    With --quorum of the witnesses, or --witness-policy, an export's checkpoint must have their cosignatures; a log's
    checkpoint.cosigned, of --url or --dir, must, and the log must extend it.
    """
    if options["file"] is not None:
        _export(ctx, options)
        return
    public = _public(options)
    try:
        verified = _whole(public, options)
    finally:
        if isinstance(public, HttpLog):
            public.close()
    if options["as_json"]:
        print_json(_values(verified))
    else:
        _print(verified)
    if verified.faults or verified.error is not None:
        ctx.exit(1)
    if options["remember"] is not None and verified.log is not None:
        options["remember"].write_bytes(verified.log.checkpoint.note)


def _export(ctx: click.Context, options: dict[str, Any]) -> None:
    demand = demand_of(options)
    if has_log_key(options):
        keys = log_keys(options)
    elif options["config"] is not None:
        loader = needs_gateway("gateway.config.load")
        keys = needs_gateway("gateway.wiring.tools").log_keys_of(loader.load(options["config"]))
    else:
        raise click.UsageError(
            "an export needs --vkey, the log's key from a source you trust, or --trust, or a gateway's --config"
        )
    try:
        verify_file(options["file"], keys, demand, as_json=options["as_json"])
    except ExchangeError as error:
        found = Verified(faults=error.parts or (error.detail or error.kind.code,), error=error)
        if options["as_json"]:
            print_json(_values(found))
        else:
            _print(found)
        ctx.exit(1)


def _public(options: dict[str, Any]) -> HttpLog | FolderLog | None:
    """Where the log itself is read. Raises click.UsageError for options that do not go together."""
    url, folder, settings = options["url"], options["folder"], options["config"]
    if url is not None and folder is not None:
        raise click.UsageError("--url or --dir")
    if url is None and folder is None:
        if settings is None:
            raise click.UsageError("name the log's --url, a copy's --dir, a gateway's --config, or two of them")
        if demand_of(options).asks:
            raise click.UsageError("cosignatures are read of the log's --url, or of a copy's --dir")
        return None
    if settings is None and not has_log_key(options):
        raise click.UsageError(
            "--url and --dir need --vkey, or --trust: the log's key, from a source you trust, not from the log"
        )
    return FolderLog(folder) if folder is not None else HttpLog(url, options["ca"])


def _whole(public: HttpLog | FolderLog | None, options: dict[str, Any]) -> Verified:
    keeper = Keeper(options["resume"])
    try:
        if options["config"] is not None:
            return _with_config(public, options, keeper)
        assert public is not None
        return verify_tree(public.fetch, log_keys(options), options, keeper)
    finally:
        keeper.write()


def _with_config(public: HttpLog | FolderLog | None, options: dict[str, Any], keeper: Keeper) -> Verified:
    tools, loader = needs_gateway("gateway.wiring.tools"), needs_gateway("gateway.config.load")
    settings = loader.load(options["config"])
    file = options["auditor_key"]
    auditor = None if file is None else load_private_key(file, passphrase=passphrase_of(file))
    keys = log_keys(options) if has_log_key(options) else tools.log_keys_of(settings)
    context = click.get_current_context()

    def work(stored: Any) -> Verified:
        with context.scope(cleanup=False):  # in its thread too: the language hangs on it
            fetch = stored.fetch if public is None else public.fetch
            found = verify_tree(fetch, keys, options, keeper)
            return found if found.log is None else verify_stored(found, stored, fetch, keeper, quiet=options["as_json"])

    found: Verified = tools.with_stored_log(settings, auditor, work)
    return found


def _values(verified: Verified) -> dict[str, Any]:
    log, records = verified.log, verified.records
    head = None if log is None else log.checkpoint.checkpoint
    return {
        "valid": not verified.faults and verified.error is None,
        "origin": None if head is None else head.origin,
        "size": None if head is None else head.size,
        "root": None if head is None else head.root.hex(),
        "tiles": None if log is None else log.tiles,
        "cosigned": verified.cosigned,
        "records": None if records is None else records.records,
        "opened": None if records is None else records.opened,
        "code": None if verified.error is None else verified.error.kind.code,
        "faults": list(verified.faults),
        "notices": list(verified.notices),
    }


def _print(verified: Verified) -> None:
    log, records = verified.log, verified.records
    if log is not None:
        head = log.checkpoint.checkpoint
        click.echo(
            say(
                f"✓ {head.origin}: all {head.size} entries and every tile ({log.tiles}) are what its checkpoint signed",
                f"✓ {head.origin}: {head.size} mục và {log.tiles} khối băm đúng như điểm kiểm đã ký",
            )
        )
        click.echo(say(f"  root {head.root.hex()}", f"  gốc {head.root.hex()}"))
        if verified.cosigned is not None:
            newer = max(head.size - verified.cosigned, 0)
            click.echo(
                say(
                    f"✓ the first {verified.cosigned} are cosigned as demanded; {newer} came later",
                    f"✓ {verified.cosigned} mục đầu đã được đồng ký như yêu cầu; {newer} mục đến sau",
                )
            )
    if records is not None:
        click.echo(
            say(
                f"✓ {records.records} stored records are those of the log; private fields of {records.opened} verified",
                f"✓ {records.records} bản ghi lưu trữ khớp nhật ký; đã kiểm trường riêng tư của {records.opened}",
            )
        )
    for notice in verified.notices:
        click.secho(f"! {notice}", fg="yellow")
    for fault in verified.faults:
        click.secho(f"✗ {fault}", fg="red")
    if verified.error is not None:
        fail(verified.error)
    elif log is not None:
        note(
            "that nobody was shown another log, only an earlier checkpoint (--remember) or a witness can tell",
            "chỉ điểm kiểm giữ từ trước (--remember) hoặc bên làm chứng mới cho biết mọi người thấy cùng một nhật ký",
        )
