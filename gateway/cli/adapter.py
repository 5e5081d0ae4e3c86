"""``motlan adapter``: connect an agency's system by a mapping file: draft it, test it, record samples, install it."""

from pathlib import Path
from typing import Any

import click

from gateway.cli import adapter_report as report
from gateway.cli.output import example, json_option, note, print_json, verb
from gateway.cli.values import SERVICE, SUBSYSTEM, File
from gateway.wiring import kit, kit_layout, kit_record, kit_test

Folder = click.Path(file_okay=False, path_type=Path)
Existing = click.Path(exists=True, path_type=Path)


@click.group(
    epilog=example("motlan adapter new --wsdl weather.wsdl --service VN/GOV/G07/stations/weather --out weather")
)
def adapter() -> None:
    """Connect an agency's system: draft a mapping, test it on samples, record samples, install it."""


@adapter.command(
    epilog=example(
        "motlan adapter new --wsdl weather.wsdl --service VN/GOV/G07/stations/weather --out weather",
        "motlan adapter new --openapi vehicles.json --service VN/GOV/G01/vehicles/plate --base-url http://127.0.0.1:9000",
    )
)
@click.option("--wsdl", type=File, help="The provider's WSDL, with what it imports beside it or below.")
@click.option("--openapi", type=File, help="The provider's OpenAPI 3 or Swagger 2 document, JSON.")
@click.option("--service", type=SERVICE, required=True, help="The service that it becomes.")
@click.option("--out", type=Folder, help="Folder to write; by default the service's code.")
@click.option("--root", type=Folder, help="The folder that the WSDL may import from; by default its own.")
@click.option("--operation", "operations", multiple=True, help="Only this one; repeat for several. Default: all.")
@click.option("--base-url", default="", help="Where the provider is, if not where its contract says.")
@click.option("--client", type=SUBSYSTEM, help="The consumer that the drafted grant is for.")
@click.option("--purpose", default="1.000000", show_default=True, help="Procedure code of the drafted grant.")
@click.option("--basis", default="ND-0/0000", show_default=True, help="Legal basis of the drafted grant.")
@json_option
@verb
def new(*, as_json: bool, **options: Any) -> None:
    """Write a first mapping from a contract, with schemas, a service file, a grant and samples to fill in."""
    if (options["wsdl"] is None) == (options["openapi"] is None):
        raise click.UsageError("give one of --wsdl and --openapi")
    service = options["service"]
    made = kit.new(
        kit.Wanted(
            contract=options["wsdl"] or options["openapi"],
            openapi=options["openapi"] is not None,
            folder=options["out"] or Path(service.service_code),
            service=service,
            root=options["root"],
            operations=options["operations"],
            client=options["client"],
            purpose=options["purpose"],
            basis=options["basis"],
            base_url=options["base_url"],
        )
    )
    if as_json:
        print_json(report.made_values(made))
    else:
        report.print_made(made)


@adapter.command(epilog=example("motlan adapter install weather --config demo/config/gateway.toml"))
@click.argument("folder", type=Existing)
@click.option("--config", required=True, type=File, help="The gateway's settings: gateway.toml.")
@click.option("--replace", is_flag=True, help="Replace files that are there already.")
@json_option
@verb
def install(folder: Path, config: Path, *, replace: bool, as_json: bool) -> None:
    """Copy an adapter's files to where a gateway's settings look for them. Nothing is restarted."""
    written = kit_layout.install(kit_layout.find_layout(folder), config, replace=replace)
    if as_json:
        print_json({"files": [str(each) for each in written]})
        return
    for each in written:
        click.echo(str(each))
    note(
        f"✓ {len(written)} files; now  motlan check --config {config}, then SIGHUP to the gateway",
        f"✓ {len(written)} tệp; tiếp theo  motlan check --config {config}, rồi gửi SIGHUP tới cổng",
    )


@adapter.command("test", epilog=example("motlan adapter test weather", "motlan adapter test weather --json"))
@click.argument("folder", type=Existing)
@click.option("--samples", type=Folder, help="Folder of samples; by default samples/ of the adapter.")
@click.option("--no-misbehave", is_flag=True, help="Only the samples; no provider that goes wrong.")
@click.option("--all", "everything", is_flag=True, help="List every field, not only what is lost or missing.")
@json_option
@verb
@click.pass_context
def test(
    ctx: click.Context, folder: Path, samples: Path | None, *, no_misbehave: bool, everything: bool, as_json: bool
) -> None:
    """Run an adapter against its samples, offline, and against a provider that goes wrong; exit 1 unless all is well.

    FOLDER is the adapter's folder, or a mapping file in its mappings/.
    """
    found = kit_test.run_test(kit_layout.find_layout(folder), samples=samples, misbehave=not no_misbehave)
    if as_json:
        print_json(report.test_values(found))
    else:
        report.print_test(found, everything=everything)
    if not found.is_well:
        ctx.exit(1)


@adapter.command(
    epilog=example(
        "motlan adapter record weather --config demo/config/gateway.toml --service VN/GOV/G07/stations/weather \\",
        "  --request ask.json --name hanoi --path /get-city-weather --officer kt.lan --case 000.00.01.G22-260131-0007",
    )
)
@click.argument("folder", type=Existing)
@click.option("--config", required=True, type=File, help="The gateway's settings: where the provider is.")
@click.option("--service", required=True, type=SERVICE, help="The service, as it is installed there.")
@click.option("--request", required=True, type=File, help="A canonical request, JSON. It may be about a real person.")
@click.option("--name", required=True, help="Name of the sample.")
@click.option("--path", default="", help="Of the operation.")
@click.option("--method", default="POST", show_default=True, help="Of the operation.")
@click.option("--officer", required=True, help="Who records, for the log.")
@click.option("--case", required=True, help="In which case, for the log.")
@click.option("--purpose", default="1.000000", show_default=True, help="For which purpose, for the log.")
@click.option("--personal", multiple=True, metavar="FIELD", help="A further field whose values are replaced.")
@click.option("--not-personal", multiple=True, metavar="FIELD", help="A field that is no person's after all.")
@click.option("--replace", is_flag=True, help="Replace a sample of that name.")
@json_option
@verb
def record(folder: Path, *, as_json: bool, **options: Any) -> None:
    """Ask the live provider once, and keep the answer as a sample in which every personal value is replaced.

    The call stands in the gateway's log, under the gateway's own name. Nothing is written while a real value is left.
    """
    made = kit_record.record(
        kit_layout.find_layout(folder),
        options["config"],
        options["service"],
        kit_record.Asked(
            name=options["name"],
            document=kit_record.read_request(options["request"]),
            path=options["path"],
            method=options["method"],
        ),
        kit_record.Why(officer=options["officer"], case=options["case"], purpose=options["purpose"]),
        personal=options["personal"],
        not_personal=options["not_personal"],
        replace=options["replace"],
    )
    if as_json:
        print_json(report.record_values(made))
    else:
        report.print_record(made)
