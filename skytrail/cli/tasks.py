"""`skytrail tasks`."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from skytrail.cli.arguments import DagArgument, RunArgument, TaskArgument
from skytrail.cli.clearing import clear
from skytrail.cli.output import Format, OutputOption, show_record
from skytrail.cli.project import connect
from skytrail.cli.trying import commands as trying

app = typer.Typer(help="Tasks: try one, read logs, have them run again.", no_args_is_help=True)
app.command("test")(trying.try_a_task)
app.command()(clear)

#: How often a followed log is looked at, in seconds.
_LOOK_EVERY = 0.3


@app.command()
def rendered(
    dag: DagArgument,
    run: RunArgument,
    task: TaskArgument,
    output: OutputOption = Format.TABLE,
    attempt: Annotated[
        int | None, typer.Option(min=1, help="Which try; the latest by default.")
    ] = None,
    map_index: Annotated[int, typer.Option(min=-1, help="Of a mapped task.")] = -1,
) -> None:
    """Show what the templates of a task were filled in to, secrets masked."""
    user = connect()
    from runs_app.access import access_task_run
    from runs_app.api.serializers import RenderedSerializer
    from runs_app.selectors.rendered import rendered_fields

    task_run = access_task_run(user, dag, run, task, map_index=map_index)
    found = dict(RenderedSerializer(rendered_fields(task_run, attempt=attempt)).data)
    show_record(found if output is Format.JSON else found["rendered_fields"], output)


@app.command()
def logs(
    dag: DagArgument,
    run: RunArgument,
    task: TaskArgument,
    output: OutputOption = Format.TABLE,
    attempt: Annotated[int | None, typer.Option(min=1, help="Which try; all by default.")] = None,
    map_index: Annotated[int, typer.Option(min=-1, help="Of a mapped task.")] = -1,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the task is over.")
    ] = False,
) -> None:
    """Show the log of a task."""
    user = connect()
    from runs_app.access import access_task_run
    from runs_app.selectors.logs import Position, chunks_after, is_complete

    task_run = access_task_run(user, dag, run, task, map_index=map_index)
    if output is Format.JSON:
        text = "".join(text for _, text in chunks_after(task_run, attempt, Position()))
        show_record({"task_id": task, "attempt": attempt, "log": text}, output)
        return
    position = Position()
    while True:
        # Asked before reading: what is written in between is read now, not lost.
        over = not follow or is_complete(task_run, attempt)
        for read_to, text in chunks_after(task_run, attempt, position):
            position = read_to
            typer.echo(text, nl=False)
        if over:
            return
        time.sleep(_LOOK_EVERY)
