"""`skytrail connections`: how tasks reach other systems, by name."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer
from rich.markup import escape

from skytrail.cli.arguments import read_document
from skytrail.cli.asking import somebody_is_there
from skytrail.cli.connecting import NameArgument, add
from skytrail.cli.output import Format, OutputOption, console, show_record, show_rows
from skytrail.cli.project import connect

app = typer.Typer(
    help="Connections, how tasks reach other systems: list, get, add, delete, import, test.",
    no_args_is_help=True,
)

app.command()(add)

_COLUMNS = ("conn_id", "conn_type", "source", "description")


@app.command("list")
def list_(output: OutputOption = Format.TABLE) -> None:
    """List the connections that can be looked up from here, and where each is found first."""
    connect()
    from skytrail.security.secrets.listing import connections_here

    rows = [
        {
            "conn_id": each.name,
            "conn_type": each.about,
            "source": each.source,
            "description": each.description,
            "hides": list(each.hides),
            "problem": each.problem,
        }
        for each in connections_here()
    ]
    hint = "No connections. Add one: skytrail connections add NAME --conn-type … --host …"
    columns = [*_COLUMNS]
    columns += [name for name in ("hides", "problem") if any(row[name] for row in rows)]
    show_rows(rows, columns, output, empty=hint)


@app.command()
def get(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    *,
    show_secrets: Annotated[
        bool, typer.Option("--show-secrets", help="With the password and secret extras.")
    ] = False,
) -> None:
    """Show a connection as tasks find it. Secrets are shown as *** unless they are asked for."""
    connect()
    from skytrail.security.models import Connection
    from skytrail.security.secrets.finding import find_connection
    from skytrail.security.secrets.listing import DATABASE, source_of
    from skytrail.security.secrets.outside import CONNECTION
    from skytrail.security.secrets.shown import shown_connection

    value = find_connection(name)
    record = shown_connection(value, with_secrets=show_secrets)
    record["source"] = source_of(CONNECTION, name)
    if record["source"] == DATABASE:
        row = Connection.objects.filter(conn_id=name).first()
        record["description"] = row.description if row else ""
    if show_secrets:
        record["uri"] = value.uri
    show_record(record, output)


@app.command()
def delete(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a connection from the database. What needs it fails from then on."""
    connect()
    from skytrail.security.secrets.keeping import delete_connection

    if not yes and somebody_is_there():
        typer.confirm(f"Delete the connection {name}?", abort=True, err=True)
    delete_connection(name)
    if output is Format.TABLE:
        console.print(f"[green]✓[/green] {name} is deleted.")
    else:
        show_record({"conn_id": name, "deleted": True}, output)


@app.command("test")
def try_(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    queue: Annotated[str, typer.Option(help="A worker of this queue makes the test.")] = "default",
    *,
    here: Annotated[
        bool, typer.Option("--here", help="Test from this machine, without a worker.")
    ] = False,
) -> None:
    """Test a connection where tasks use it: in a worker. The exit code is 1 where it fails."""
    connect()
    from skytrail.security.secrets.names import checked_name
    from skytrail.security.secrets.outside import CONNECTION
    from skytrail.security.secrets.testing import get_tester

    checked_name(name, what=CONNECTION)
    tester = get_tester()
    tested = tester.try_here(name) if here else tester.try_in_worker(name, queue=queue)
    if output is Format.TABLE:
        sign = {"ok": "[green]✓[/green]", "failed": "[red]✗[/red]"}.get(tested.status, "–")
        console.print(f"{sign} {escape(tested.message)} (on {escape(tested.where)})")
    else:
        show_record(dataclasses.asdict(tested), output)
    if tested.status != "ok":
        raise typer.Exit(1)


@app.command("import")
def import_(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="JSON or YAML, as Airflow exports; - for stdin."),
    ],
    output: OutputOption = Format.TABLE,
    *,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace those that are there.")
    ] = False,
) -> None:
    """Take over the connections of a file: all of them, or none."""
    document = read_document(file)
    connect()
    from skytrail.security.secrets.importing import import_connections

    imported = import_connections(document, overwrite=overwrite)
    show_imported(imported.added, imported.replaced, output)


def show_imported(added: list[str], replaced: list[str], output: Format) -> None:
    """What an import has done."""
    if output is Format.TABLE:
        console.print(f"[green]✓[/green] {len(added)} added, {len(replaced)} replaced.")
    else:
        show_record({"added": added, "replaced": replaced}, output)
