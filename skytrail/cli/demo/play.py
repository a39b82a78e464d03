"""What `skytrail demo` shows, act by act."""

from __future__ import annotations

import signal
import time
from typing import Any

from django.db import DatabaseError
from rich.markup import escape

from skytrail.cli.demo.pipelines import MAIN, find, project
from skytrail.cli.demo.signals import Signals, Told
from skytrail.cli.demo.stage import Stage, staged
from skytrail.cli.output import Format, console
from skytrail.cli.project import connect

#: Seconds for everything from the start to the run's end; a slow machine needs a quarter of it.
_LIMIT = 180

_PARTS = "PostgreSQL, Valkey, web, dispatcher, worker and beat"


def play(*, port: int, keep: bool) -> int:
    """All of the demo, and its end; the exit code."""
    began = time.monotonic()
    with Signals(limit=_LIMIT) as signals:
        try:
            code = _demo(signals, port=port, keep=keep)
        except Told as told:
            console.print("Stopped; nothing is left behind.")
            return 128 + told.number
    console.print(f"Stopped; nothing is left behind. {time.monotonic() - began:.0f} s in all.")
    return code


def _demo(signals: Signals, *, port: int, keep: bool) -> int:
    """All of it; the exit code for how the run ended."""
    pipelines = find(project())
    with staged(signals, project=project(), port=port) as stage:
        _start(stage)
        _register(stage, pipelines)
        code = _run(stage)
        if keep:
            _tell_stories(stage)
            _stay(signals, stage)
        else:
            _say_what_next()
        return code


def _start(stage: Stage) -> None:
    """Shows the start: what is being waited for in a terminal, two lines elsewhere."""
    began = time.monotonic()
    console.print(
        "[bold]Skytrail's demo[/bold]: everything it is made of, and a pipeline that runs"
    )
    console.print(f"[bright_black]in a folder of its own, {stage.folder}[/bright_black]\n")
    starting = f"starting {_PARTS} …"
    if console.is_terminal:
        with console.status(starting):
            stage.wait_until_up()
    else:
        console.print(starting)
        stage.wait_until_up()
    _done(f"{_PARTS} are up at {stage.url}  ({time.monotonic() - began:.1f} s)")


def _register(stage: Stage, pipelines: list[dict[str, Any]]) -> None:
    for document in pipelines:
        stage.rest.register(document)
    _done(f"the pipelines of examples/ are registered over REST: {len(pipelines)}")


def _run(stage: Stage) -> int:
    """Runs the main example and shows it; the exit code for how it ended."""
    run_id = stage.rest.trigger(MAIN)
    _done(f"{MAIN} is triggered over REST\n")
    user = connect()
    from runs_app.access import access_run
    from skytrail.cli.demo.picture import picture_of
    from skytrail.cli.progress import watch
    from skytrail.cli.tree import tree_of

    try:
        run = access_run(user, MAIN, run_id)
        code = watch(run, Format.TABLE, transient=True)
        if not console.is_terminal:
            console.print()
        console.print(tree_of(picture_of(run)))
    except DatabaseError as error:
        raise stage.broken() from error
    console.print()
    return code


def _tell_stories(stage: Stage) -> None:
    """Leaves more to look at than one run: a month that is made up, and runs that wait."""
    from skytrail.cli.seeding.stories import begun, plant_stories
    from skytrail.database.clock import database_now

    try:
        planted = plant_stories(database_now())
    except DatabaseError as error:
        raise stage.broken() from error
    for name in begun():
        stage.rest.trigger(name)
    _done(
        f"{planted.dags} more DAGs with a month behind them, which is made up: "
        f"{planted.runs:,} runs, {planted.task_runs:,} task runs\n"
    )


def _stay(signals: Signals, stage: Stage) -> None:
    """Waits for Ctrl-C, after saying where everything is."""
    signals.no_limit()
    rows = {
        "web": stage.url,
        "sign in": f"as admin, password {stage.password}",
        "REST": f"{stage.url}/api/v1/docs",
        "commands": f"SKYTRAIL_DATA_DIR={stage.folder} skytrail runs list",
        "report": ", ".join(str(file) for file in stage.folder.glob("examples/*/*/report.html")),
        "lines": str(stage.log),
    }
    try:
        console.print("[bold]Everything is left running for a look.[/bold]")
        for name, text in rows.items():
            line = f"  [bright_black]{name:<10}[/bright_black]{escape(text)}"
            console.print(line, soft_wrap=True)
        console.print("Ctrl-C stops everything and removes the folder.")
        signal.pause()
    except Told:
        console.print()


def _say_what_next() -> None:
    console.print(
        "The report with its charts goes with the folder: `skytrail demo --keep` leaves everything "
        "running for a look. `skytrail up` starts an installation that stays, and "
        "examples/README.md goes through the examples.",
        style="bright_black",
    )


def _done(text: str) -> None:
    console.print(f"[green]✓[/green] {escape(text)}", soft_wrap=True)
