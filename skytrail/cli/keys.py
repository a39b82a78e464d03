"""`skytrail make-fernet-key` and `skytrail rotate-fernet-key`."""

from __future__ import annotations

import sys

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from skytrail.cli.output import Format, OutputOption, show_record
from skytrail.cli.project import connect


def add_to(app: typer.Typer) -> None:
    """Makes them commands of `app`."""
    app.command()(make_fernet_key)
    app.command()(rotate_fernet_key)


def make_fernet_key() -> None:
    """Print a new key for SKYTRAIL_FERNET_KEYS, which secrets are encrypted with."""
    from cryptography.fernet import Fernet  # as `vault.make_key`, which asks Django for settings

    typer.echo(Fernet.generate_key().decode())


def rotate_fernet_key(output: OutputOption = Format.TABLE) -> None:
    """Encrypt all secrets anew with the first of SKYTRAIL_FERNET_KEYS.

    Put the new key in front, start all processes anew, run this, then take the old key away.
    """
    connect()
    from skytrail.security.secrets import keeping

    done = 0
    bar = Progress(
        TextColumn("encrypting anew"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task("", total=keeping.encrypted())
        for count in keeping.encrypt_anew():
            done += count
            bar.advance(task, count)
    if output is Format.TABLE:
        typer.echo(f"{done} encrypted anew with the first key; the other keys are needed no more.")
    else:
        show_record({"encrypted": done}, output)
