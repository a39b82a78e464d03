"""The `skytrail` command.

Thin: each verb parses, calls one action or selector, and shows. Exit codes are for scripts: 0 it
went well, 1 the run failed, 2 wrong usage, 3 invalid input, 4 not found, 5 conflict, 6 unavailable.
"""

from __future__ import annotations

import os
import sys

import typer

from skytrail import __version__
from skytrail.cli import (
    approvals,
    artifacts,
    assets,
    backfill,
    connections,
    dags,
    db,
    demo,
    dlq,
    keys,
    processes,
    runs,
    state,
    tasks,
    variables,
)
from skytrail.cli.explaining import explain
from skytrail.cli.failures import report
from skytrail.cli.fsck import fsck
from skytrail.cli.output import Format, OutputOption, show_record
from skytrail.cli.project import DatabaseAway
from skytrail.cli.seeding import seed
from skytrail.cli.sync import sync
from skytrail.cli.up import up
from skytrail.errors import SkytrailError

app = typer.Typer(
    name="skytrail",
    help="Skytrail: DAGs for Python and Django teams.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Exit codes: 0 it went well · 1 the run failed · 2 wrong usage · 3 invalid input · "
    "4 not found · 5 conflict · 6 unavailable.",
)
app.command()(up)
app.command()(demo.demo)
app.add_typer(dags.app, name="dags")
app.add_typer(runs.app, name="runs")
app.add_typer(tasks.app, name="tasks")
app.add_typer(backfill.app, name="backfill")
app.add_typer(dlq.app, name="dlq")
app.add_typer(approvals.app, name="approvals")
app.add_typer(artifacts.app, name="artifacts")
app.add_typer(assets.app, name="assets")
app.add_typer(connections.app, name="connections")
app.add_typer(variables.app, name="variables")
app.add_typer(state.app, name="state")
app.add_typer(db.app, name="db")
app.command()(sync)
app.command()(explain)
app.command()(fsck)
app.command()(seed)
keys.add_to(app)
processes.add_to(app)


@app.command()
def version(output: OutputOption = Format.TABLE) -> None:
    """Show which version this is."""
    if output is Format.JSON:
        show_record({"version": __version__}, output)
    else:
        typer.echo(f"Skytrail {__version__}")


def main() -> None:
    """The entry point: what went wrong is said in one place."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skytrail.settings")
    try:
        app()
    except SkytrailError as error:
        sys.exit(report(error))
    except BrokenPipeError:
        # `skytrail runs list | head`: the reader has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        from django.db import DatabaseError  # not before it is needed: most commands are quick

        if not isinstance(error, DatabaseError):
            raise
        # It was there when the command began.
        sys.exit(report(DatabaseAway(reason=str(error).strip() or type(error).__name__)))
