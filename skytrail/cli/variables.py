"""`skytrail variables`: texts that tasks read by name."""

from __future__ import annotations

from typing import Annotated

import typer

from skytrail.cli.arguments import read_document
from skytrail.cli.asking import from_stdin, prompted, somebody_is_there
from skytrail.cli.connecting import SecretOnCommandLine
from skytrail.cli.connections import show_imported
from skytrail.cli.output import Format, OutputOption, console, show_record, show_rows
from skytrail.cli.project import connect

app = typer.Typer(
    help="Variables, texts that tasks read by name: list, get, set, delete, import.",
    no_args_is_help=True,
)

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="The variable's name.")]


@app.command("list")
def list_(output: OutputOption = Format.TABLE) -> None:
    """List the variables that can be looked up from here, and where each is found first."""
    connect()
    from skytrail.security.secrets.listing import variables_here

    rows = [
        {
            "key": each.name,
            "is_secret": each.about,
            "source": each.source,
            "description": each.description,
            "hides": list(each.hides),
            "problem": each.problem,
        }
        for each in variables_here()
    ]
    columns = ["key", "is_secret", "source", "description"]
    columns += [name for name in ("hides", "problem") if any(row[name] for row in rows)]
    show_rows(rows, columns, output, empty="No variables. Set one: skytrail variables set KEY")


@app.command()
def get(
    key: KeyArgument,
    output: OutputOption = Format.TABLE,
    *,
    show_secrets: Annotated[
        bool, typer.Option("--show-secrets", help="With its value, if it is secret.")
    ] = False,
) -> None:
    """Show a variable as tasks find it. A secret is shown as *** unless it is asked for."""
    connect()
    from skytrail.security.models import Variable
    from skytrail.security.redaction import MASK
    from skytrail.security.secrets.finding import look_up_variable
    from skytrail.security.secrets.listing import DATABASE, source_of
    from skytrail.security.secrets.outside import VARIABLE

    found = look_up_variable(key)
    record = {
        "key": key,
        "value": MASK if found.is_secret and not show_secrets else found.value,
        "is_secret": found.is_secret,
        "source": source_of(VARIABLE, key),
    }
    if record["source"] == DATABASE:
        row = Variable.objects.filter(key=key).first()
        record["description"] = row.description if row else ""
    show_record(record, output)


@app.command("set")
def set_(
    key: KeyArgument,
    value: Annotated[
        str | None,
        typer.Argument(
            metavar="[VALUE]",
            help="- reads it from standard input. Without one it is asked for. In clear text only "
            "with --not-secret.",
        ),
    ] = None,
    output: OutputOption = Format.TABLE,
    description: Annotated[
        str | None, typer.Option(help="What it is for; this is not encrypted.")
    ] = None,
    *,
    not_secret: Annotated[
        bool, typer.Option("--not-secret", help="It may be shown to whoever may see variables.")
    ] = False,
) -> None:
    """Set a variable in the database, encrypted. It is secret unless said otherwise."""
    safe = f"skytrail variables set {key} - < FILE"
    if value not in {None, "-"} and not not_secret:
        raise SecretOnCommandLine(option="VALUE", safe=f"{safe}; or say --not-secret")
    connect()
    from skytrail.security.models import Variable
    from skytrail.security.secrets.keeping import keep_variable
    from skytrail.security.secrets.names import checked_name
    from skytrail.security.secrets.outside import VARIABLE

    checked_name(key, what=VARIABLE)
    if value is None and somebody_is_there():
        value = prompted("Value")
    elif value is None or value == "-":
        value = from_stdin("The value", example=safe)
    if description is None:
        row = Variable.objects.filter(key=key).first()
        description = row.description if row else ""
    keep_variable(key, value, is_secret=not not_secret, description=description)
    if output is Format.TABLE:
        console.print(f"[green]✓[/green] {key} is kept{'' if not_secret else ' as a secret'}.")
    else:
        show_record({"key": key, "is_secret": not not_secret, "description": description}, output)


@app.command()
def delete(
    key: KeyArgument,
    output: OutputOption = Format.TABLE,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a variable from the database. What needs it fails from then on."""
    connect()
    from skytrail.security.secrets.keeping import delete_variable

    if not yes and somebody_is_there():
        typer.confirm(f"Delete the variable {key}?", abort=True, err=True)
    delete_variable(key)
    if output is Format.TABLE:
        console.print(f"[green]✓[/green] {key} is deleted.")
    else:
        show_record({"key": key, "deleted": True}, output)


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
    by_name: Annotated[
        bool,
        typer.Option(
            "--secret-by-name",
            help="Keep as secrets only those whose names look like it; otherwise all are.",
        ),
    ] = False,
) -> None:
    """Take over the variables of a file: all of them, or none."""
    document = read_document(file)
    connect()
    from skytrail.security.secrets.importing import import_variables

    imported = import_variables(document, overwrite=overwrite, all_secret=not by_name)
    show_imported(imported.added, imported.replaced, output)
