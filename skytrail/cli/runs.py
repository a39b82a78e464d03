"""`skytrail runs`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from runs_app.domain.states import RunState
from skytrail.cli.arguments import ConfOption, DagArgument, LimitOption, RunArgument
from skytrail.cli.output import Format, OutputOption, console, show_record, show_rows
from skytrail.cli.project import actor, connect
from skytrail.cli.selecting import (
    DownstreamOption,
    OnlyFailedOption,
    TaskOption,
    UpstreamOption,
)

app = typer.Typer(help="Runs: list, show, cancel, clear.", no_args_is_help=True)

_COLUMNS = ("dag_id", "run_id", "state", "run_type", "queued_at", "started_at", "finished_at")
_TASKS = ("task_id", "state", "attempt", "worker", "started_at", "finished_at", "problem")


@app.command("list")
def list_(
    dag: Annotated[str | None, typer.Argument(metavar="[DAG]", help="Only of this DAG.")] = None,
    output: OutputOption = Format.TABLE,
    state: Annotated[RunState | None, typer.Option(help="Only runs in this state.")] = None,
    limit: LimitOption = 25,
) -> None:
    """List runs, newest first."""
    user = connect()
    from dags_app.access import access_dag
    from runs_app.api.serializers import RunSerializer
    from runs_app.selectors.runs import runs_matching

    runs = runs_matching(
        user, dag=access_dag(user, dag) if dag else None, state=[state] if state else None
    )
    rows = RunSerializer(runs.order_by("-queued_at", "-id")[:limit], many=True).data
    show_rows(rows, _COLUMNS, output, empty="No runs. Start one: `skytrail dags trigger DAG`.")


@app.command()
def show(dag: DagArgument, run: RunArgument, output: OutputOption = Format.TABLE) -> None:
    """Show a run with its tasks."""
    user = connect()
    from runs_app.access import access_run
    from runs_app.api.serializers import RunSerializer, TaskRunSerializer
    from runs_app.selectors.tasks import tasks_of

    found = access_run(user, dag, run)
    record = dict(RunSerializer(found).data)
    tasks = TaskRunSerializer(tasks_of(found), many=True).data
    if output is Format.JSON:
        show_record({**record, "tasks": tasks}, output)
        return
    show_record(record, output)
    console.print()
    rows = [
        {**task, "problem": (task["error"] or {}).get("message"), "task_id": _name_of(task)}
        for task in tasks
    ]
    show_rows(rows, _TASKS, output, empty="It has no tasks.")


def _name_of(task: Mapping[str, Any]) -> str:
    index = task["map_index"]
    return task["task_id"] if index < 0 else f"{task['task_id']}[{index}]"


@app.command()
def cancel(dag: DagArgument, run: RunArgument, output: OutputOption = Format.TABLE) -> None:
    """Cancel a run: what waits is cancelled at once, what runs is stopped."""
    user = connect()
    from runs_app.access import access_run
    from runs_app.actions.cancellation import cancel_run

    cancelled = cancel_run(access_run(user, dag, run, to="run"), actor=actor())
    show_record({"dag_id": dag, "run_id": cancelled.run_id, "state": cancelled.state}, output)


@app.command()
def clear(
    dag: DagArgument,
    run: RunArgument,
    output: OutputOption = Format.TABLE,
    task: TaskOption = None,
    *,
    upstream: UpstreamOption = False,
    downstream: DownstreamOption = True,
    only_failed: OnlyFailedOption = False,
    conf: ConfOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list them.")] = False,
) -> None:
    """Have tasks of a run run again: all, some with what is around them, or only what failed; if
    wished with another conf.
    """
    user = connect()
    from runs_app.access import access_run
    from runs_app.actions import rerunning
    from runs_app.domain.clearing import Selection
    from skytrail.documents import read_json

    cleared = rerunning.clear(
        access_run(user, dag, run, to="run"),
        Selection(task_ids=task, upstream=upstream, downstream=downstream, only_failed=only_failed),
        actor=actor(),
        conf=None if conf is None else read_json(conf),
        dry_run=dry_run,
    )
    rows = [{"task_id": row.name, "state": row.state} for row in cleared]
    show_rows(rows, ("task_id", "state"), output, empty="There is nothing to clear.")


@app.command()
def repeat(
    dag: DagArgument, run: RunArgument, output: OutputOption = Format.TABLE, conf: ConfOption = None
) -> None:
    """Run a run once more by the DAG's version that holds now: as a run of its own."""
    user = connect()
    from runs_app.access import access_run
    from runs_app.actions import repeating
    from runs_app.api.serializers import RunSerializer
    from skytrail.documents import read_json

    found = access_run(user, dag, run, to="run")
    repeated = repeating.repeat(
        found, actor=actor(), conf=None if conf is None else read_json(conf)
    )
    names = ("dag_id", "run_id", "state", "version", "logical_date", "conf", "repeats")
    record = dict(RunSerializer(repeated).data)
    show_record(record if output is Format.JSON else {name: record[name] for name in names}, output)
