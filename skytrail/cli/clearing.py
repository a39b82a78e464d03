"""`skytrail tasks clear`: tasks of many runs run again."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skytrail.cli.arguments import DATE_FORMATS, ConfOption, DagArgument
from skytrail.cli.output import Format, OutputOption, show_rows
from skytrail.cli.project import actor, connect
from skytrail.cli.selecting import (
    DownstreamOption,
    OnlyFailedOption,
    TaskOption,
    UpstreamOption,
)

if TYPE_CHECKING:
    from runs_app.actions.clearing_ranges import RunCleared

_CLEARED = ("run_id", "logical_date", "tasks", "passed_over")
_NOTHING = "No run of that time has such tasks to clear."


def clear(
    dag: DagArgument,
    from_date: Annotated[
        datetime,
        typer.Option("--from", "-s", formats=DATE_FORMATS, help="The first logical date."),
    ],
    to_date: Annotated[
        datetime,
        typer.Option("--to", "-e", formats=DATE_FORMATS, help="The last one, included."),
    ],
    output: OutputOption = Format.TABLE,
    task: TaskOption = None,
    conf: ConfOption = None,
    *,
    upstream: UpstreamOption = False,
    downstream: DownstreamOption = True,
    only_failed: OnlyFailedOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list them.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Have tasks run again in all runs of a stretch of time; they are listed, and it is asked."""
    user = connect()
    from dags_app.access import access_dag
    from runs_app.actions.clearing_ranges import clear_range
    from runs_app.domain.clearing import Selection
    from skytrail.documents import read_json

    found = access_dag(user, dag, to="run")
    selection = Selection(
        task_ids=task, upstream=upstream, downstream=downstream, only_failed=only_failed
    )
    given: dict[str, Any] = {
        "from_date": from_date.astimezone(),
        "to_date": to_date.astimezone(),
        "actor": actor(),
        "conf": None if conf is None else read_json(conf),
    }
    asks = not yes and not dry_run and sys.stdin.isatty()
    if dry_run or asks:
        rows = _cleared(clear_range(found, selection, dry_run=True, **given))
        show_rows(rows, _CLEARED, output, empty=_NOTHING)
        if dry_run or not rows:
            return
        count = sum(len(row["tasks"]) for row in rows)
        typer.confirm(f"Have {count} tasks run again?", abort=True, err=True)
    rows = []
    for row in _cleared(clear_range(found, selection, **given)):
        rows.append(row)
        if output is Format.TABLE and sys.stderr.isatty():
            typer.echo(f"cleared {len(rows)}: {row['run_id']}", err=True)
    show_rows(rows, _CLEARED, output, empty=_NOTHING)


def _cleared(runs: Iterable[RunCleared]) -> list[dict[str, Any]]:
    return [
        {
            "run_id": cleared.run.run_id,
            "logical_date": cleared.run.logical_date,
            "tasks": [task.name for task in cleared.tasks],
            "passed_over": cleared.passed_over,
        }
        for cleared in runs
        if cleared.tasks or cleared.passed_over
    ]
