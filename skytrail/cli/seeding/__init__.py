"""`skytrail seed`: an installation that never was, to see how things look and how fast they are."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from skytrail.cli.output import Format, OutputOption, show_record
from skytrail.cli.project import connect
from skytrail.errors import Conflict


class NotEmpty(Conflict):
    """This database has {count} DAGs already, and what is made up would stand among them for good.
    Seed a folder of its own (SKYTRAIL_DATA_DIR), or say --yes if that is meant.
    """


def seed(
    output: OutputOption = Format.TABLE,
    dags: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many DAGs.")] = 10_000,
    task_runs: Annotated[
        int, typer.Option(min=0, max=100_000_000, help="About how many task runs, and never more.")
    ] = 1_000_000,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long the history is.")] = 30,
    seed: Annotated[int, typer.Option(help="The same number makes up the same.")] = 1,
    *,
    live: Annotated[
        bool,
        typer.Option(
            "--live", help="Do not pause the DAGs: their schedules start runs from now on."
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Even if the database has DAGs already.")
    ] = False,
) -> None:
    """Fill a scratch database with DAGs that nobody wrote and a history that never happened.

    For trying out pages, lists and backups at scale: definitions of many shapes, and runs with
    attempts, moves and logs, of which `skytrail fsck` finds nothing to say. The DAGs are paused.
    """
    connect()
    from dags_app.models import Dag
    from skytrail.cli.seeding.calendar import Wish
    from skytrail.cli.seeding.planting import plant
    from skytrail.database.clock import database_now

    count = Dag.objects.present().count()
    if count and not yes:
        raise NotEmpty(count=f"{count:,}")
    wish = Wish(dags=dags, task_runs=task_runs, days=days, now=database_now(), live=live)
    began = time.monotonic()
    with _progress() as progress:
        bars = {}

        def tell(what: str, done: int, of: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what, total=of)
            progress.update(bars[what], completed=done)

        planted = plant(wish, seed=seed, tell=tell)
    took = round(time.monotonic() - began, 1)
    names = ("dags", "versions", "runs", "task_runs", "attempts", "transitions", "log_chunks")
    show_record({**{name: getattr(planted, name) for name in names}, "seconds": took}, output)


def _progress() -> Progress:
    """On a terminal, and nowhere else."""
    errors = Console(stderr=True)
    return Progress(
        TextColumn("{task.description:<12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )
