"""`skytrail backfill`: making up for a stretch of a schedule."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from rich.console import Group
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from skytrail.cli.arguments import LimitOption
from skytrail.cli.failures import RUN_FAILED
from skytrail.cli.output import Format, OutputOption, console, show_record, show_rows
from skytrail.cli.project import actor, connect
from skytrail.errors import SkytrailError

if TYPE_CHECKING:
    from runs_app.domain.backfills import Reprocess
    from runs_app.models import Backfill

app = typer.Typer(
    help="Backfills, stretches of a schedule made up for: create, list, show, pause, resume, "
    "cancel.",
    no_args_is_help=True,
)

_COLUMNS = (
    "id", "dag_id", "state", "from_date", "to_date", "dates", "seen_to", "active", "succeeded",
    "failed", "created_by",
)  # fmt: skip
_DATES = ("local_date", "data_interval_start", "treatment")
_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]
_LOOK_EVERY = 0.5

IdArgument = Annotated[UUID, typer.Argument(metavar="ID", help="The backfill's id.")]


class StoppedWatching(SkytrailError):
    """The backfill goes on. Look at it with `skytrail backfill show {id}`, or end it with
    `skytrail backfill cancel {id}`.
    """


@app.command()
def create(
    output: OutputOption = Format.TABLE,
    *,
    dag_id: Annotated[str, typer.Option("--dag-id", help="The DAG's name.")],
    from_date: Annotated[
        datetime,
        typer.Option("--from-date", formats=_FORMATS, help="The first date, in the DAG's zone."),
    ],
    to_date: Annotated[
        datetime,
        typer.Option("--to-date", formats=_FORMATS, help="The last date, which counts too."),
    ],
    dag_run_conf: Annotated[
        str | None, typer.Option("--dag-run-conf", help="Parameters of its runs, as JSON.")
    ] = None,
    run_backwards: Annotated[
        bool, typer.Option("--run-backwards", help="The newest date first.")
    ] = False,
    max_active_runs: Annotated[
        int, typer.Option("--max-active-runs", min=1, max=10_000, help="So many at once.")
    ] = 10,
    reprocess_behavior: Annotated[
        str,
        typer.Option(
            "--reprocess-behavior",
            help="Which runs that are there are run again: none, failed or completed.",
        ),
    ] = "none",
    task: Annotated[
        list[str] | None, typer.Option("--task", "-t", help="Only this task; may be repeated.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list the dates, and what would become of each.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", "-w", help="Show its progress; exit code 1 if runs failed.")
    ] = False,
) -> None:
    """Make up for a stretch of a DAG's schedule."""
    user = connect()
    from dags_app.access import access_dag
    from runs_app.actions import backfilling
    from skytrail.documents import read_json

    dag = access_dag(user, dag_id)
    request = backfilling.BackfillRequest(
        from_date=from_date,
        to_date=to_date,
        reprocess_behavior=_reprocess(reprocess_behavior),
        max_active_runs=max_active_runs,
        run_backwards=run_backwards,
        task_ids=task,
        conf=None if dag_run_conf is None else read_json(dag_run_conf),
    )
    if dry_run:
        from runs_app.api.backfills import PlanSerializer, plan_of

        _show_plan(dict(PlanSerializer(plan_of(dag, backfilling.plan(dag, request))).data), output)
        return
    made = backfilling.create(dag, request, actor=actor())
    if wait:
        raise typer.Exit(_watch(made, output))
    show_record(_record(made.pk), output)


@app.command("list")
def list_(
    output: OutputOption = Format.TABLE,
    dag_id: Annotated[str | None, typer.Option("--dag-id", help="Only of this DAG.")] = None,
    limit: LimitOption = 25,
) -> None:
    """List backfills, newest first."""
    user = connect()
    from runs_app.api.backfills import BackfillSerializer
    from runs_app.models import Backfill

    found = Backfill.objects.visible_to(user)
    if dag_id is not None:
        found = found.filter(dag__dag_id=dag_id)
    newest = found.with_progress().order_by("-created_at", "-id")[:limit]
    rows = [dict(row) for row in BackfillSerializer(newest, many=True).data]
    show_rows(rows, _COLUMNS, output, empty="There are no backfills.")


@app.command()
def show(backfill: IdArgument, output: OutputOption = Format.TABLE) -> None:
    """Show a backfill, and how far it has come."""
    connect()
    show_record(_record(backfill), output)


@app.command()
def wait(backfill: IdArgument, output: OutputOption = Format.TABLE) -> None:
    """Watch a backfill until it is over; exit code 1 if runs of it have failed."""
    user = connect()
    from runs_app.access import access_backfill

    raise typer.Exit(_watch(access_backfill(user, backfill), output))


@app.command()
def pause(backfill: IdArgument, output: OutputOption = Format.TABLE) -> None:
    """Create no further run of a backfill; those under way go on."""
    user = connect()
    from runs_app.access import access_backfill
    from runs_app.actions import backfilling

    backfilling.pause(access_backfill(user, backfill))
    show_record(_record(backfill), output)


@app.command()
def resume(backfill: IdArgument, output: OutputOption = Format.TABLE) -> None:
    """Go on with a backfill that was paused."""
    user = connect()
    from runs_app.access import access_backfill
    from runs_app.actions import backfilling

    backfilling.resume(access_backfill(user, backfill))
    show_record(_record(backfill), output)


@app.command()
def cancel(backfill: IdArgument, output: OutputOption = Format.TABLE) -> None:
    """Create no further run of a backfill, and cancel those under way."""
    user = connect()
    from runs_app.access import access_backfill
    from runs_app.actions import backfilling

    backfilling.cancel(access_backfill(user, backfill), actor=actor())
    show_record(_record(backfill), output)


def _reprocess(word: str) -> Reprocess:
    from runs_app.domain.backfills import Reprocess

    if word not in list(Reprocess):
        known = ", ".join(Reprocess)
        raise typer.BadParameter(f"use one of {known}", param_hint="--reprocess-behavior")
    return Reprocess(word)


def _record(key: UUID) -> dict[str, Any]:
    from runs_app.access import access_backfill
    from runs_app.api.backfills import BackfillSerializer
    from skytrail.security.subject import Operator

    return dict(BackfillSerializer(access_backfill(Operator(), key)).data)


def _show_plan(plan: Mapping[str, Any], output: Format) -> None:
    if output is Format.JSON:
        show_record(plan, output)
        return
    show_rows(plan["dates"], _DATES, output, empty="")
    if output is Format.TABLE:
        console.print()
        counts = " · ".join(
            f"{count:,} {treatment.replace('_', ' ')}"
            for treatment, count in plan["counts"].items()
        )
        more = ", and more that are not listed" if plan["is_more"] else ""
        console.print(f"{plan['count']:,} dates{more}: {counts}. Nothing has been created.")


def _watch(backfill: Backfill, output: Format) -> int:
    """Shows a backfill until it is over; the exit code for how it ended."""
    try:
        record = _record(backfill.pk)
        if output is Format.TABLE and console.is_terminal:
            with Live(_picture(record), console=console, refresh_per_second=8) as live:
                while record["finished_at"] is None:
                    time.sleep(_LOOK_EVERY)
                    record = _record(backfill.pk)
                    live.update(_picture(record))
        else:
            record = _wait(backfill, record, output)
    except KeyboardInterrupt:
        raise StoppedWatching(id=backfill.pk) from None
    if output is not Format.TABLE:
        show_record(record, output)
    is_well = record["state"] == "completed" and record["succeeded"] == _own(record)
    return 0 if is_well else RUN_FAILED


def _wait(backfill: Backfill, record: dict[str, Any], output: Format) -> dict[str, Any]:
    """Into a pipe: one line for each change."""
    said = ""
    while True:
        line = _in_words(record)
        if output is Format.TABLE and line != said:
            said = line
            console.print(line, soft_wrap=True)
        if record["finished_at"] is not None:
            return record
        time.sleep(_LOOK_EVERY)
        record = _record(backfill.pk)


def _picture(record: Mapping[str, Any]) -> Group:
    head = (
        f"[bold]{escape(record['dag_id'])}[/bold] {record['state']}  "
        f"[bright_black]{record['from_date']} to {record['to_date']}  {record['id']}[/bright_black]"
    )
    bar = Table.grid(padding=(0, 1))
    ended = record["seen_to"] - record["active"]
    bar.add_row(ProgressBar(total=record["dates"], completed=ended, width=40), _in_words(record))
    return Group(head, bar)


def _in_words(record: Mapping[str, Any]) -> str:
    total = "" if record["dates"] is None else f" of {record['dates']:,}"
    parts = [f"{record['seen_to'] - record['active']:,}{total} dates done"]
    parts += [
        f"{record[name]:,} {name.replace('_', ' ')}"
        for name in ("active", "succeeded", "failed", "cancelled", "passed_over")
        if record[name]
    ]
    return f"{record['state']}: {' · '.join(parts)}"


def _own(record: Mapping[str, Any]) -> int:
    """The runs that it has made or run again."""
    return int(record["created"] + record["rerun"])
