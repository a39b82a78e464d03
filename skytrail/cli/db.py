"""`skytrail db`: the database."""

from __future__ import annotations

import typer

from skytrail.cli.output import Format, OutputOption, show_record
from skytrail.cli.project import connect

app = typer.Typer(help="The database.", no_args_is_help=True)


@app.command()
def migrate() -> None:
    """Bring the database's tables up to date."""
    connect()
    from django.core.management import call_command

    call_command("migrate", interactive=False)


@app.command()
def check(output: OutputOption = Format.TABLE) -> None:
    """Say whether the database answers and its tables are up to date; exit code 1 if not."""
    connect()
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (server,) = cursor.fetchone()
    show_record(
        {
            "server": f"PostgreSQL {server}",
            "up_to_date": not pending,
            "pending": [str(migration) for migration, _ in pending],
        },
        output,
    )
    raise typer.Exit(1 if pending else 0)


@app.command()
def shell() -> None:
    """Open psql on the database."""
    connect()
    from django.core.management import call_command

    call_command("dbshell")
