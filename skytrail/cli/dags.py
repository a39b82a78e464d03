"""`skytrail dags`."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skytrail.cli import versions
from skytrail.cli.arguments import (
    DATE_FORMATS,
    ConfOption,
    DagArgument,
    FileArgument,
    LimitOption,
    read_spec,
)
from skytrail.cli.output import Format, OutputOption, console, show_record, show_rows
from skytrail.cli.project import actor, connect
from skytrail.cli.trying import commands as trying

if TYPE_CHECKING:
    from dags_app.models import Dag

app = typer.Typer(help="DAGs: list, show, save, try, trigger.", no_args_is_help=True)
app.command("test")(trying.try_a_dag)
versions.add_to(app)

_TICKS = ("local_date", "data_interval_start", "data_interval_end")

#: So many ticks of a preview are listed in a terminal.
_MOST_TICKS = 20

_COLUMNS = ("dag_id", "is_paused", "schedule", "next_run_at", "version", "owner", "tags")


@app.command("list")
def list_(
    output: OutputOption = Format.TABLE,
    tag: Annotated[str | None, typer.Option(help="Only DAGs with this tag.")] = None,
    limit: LimitOption = 1000,
) -> None:
    """List DAGs."""
    user = connect()
    from dags_app.api.serializers import DagSerializer
    from dags_app.models import Dag

    dags = Dag.objects.visible_to(user).select_related("version").defer("version__spec")
    if tag:
        dags = dags.filter(tags__contains=[tag])
    dags = dags.order_by("dag_id")
    show_rows(
        [_with_schedule(row) for row in DagSerializer(dags[:limit], many=True).data],
        _COLUMNS,
        output,
        empty="There are no DAGs yet: save one with `skytrail dags save FILE`.",
    )


@app.command()
def show(dag: DagArgument, output: OutputOption = Format.TABLE) -> None:
    """Show a DAG with its definition."""
    user = connect()
    from dags_app.access import access_dag
    from dags_app.api.serializers import DagDetailSerializer

    record = DagDetailSerializer(access_dag(user, dag)).data
    if output is Format.JSON:
        show_record(record, output)
        return
    spec = record.pop("spec")
    show_record(_with_schedule(record), output)
    rows = [{"depends_on": [], "type": "empty"} | task for task in spec["tasks"]]
    console.print()
    show_rows(rows, ("id", "type", "depends_on"), output, empty="")


@app.command()
def validate(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="Definitions in YAML or JSON, Python files, folders; - for standard input.",
        ),
    ],
    output: OutputOption = Format.TABLE,
) -> None:
    """Check definitions without saving them, in one file or in many.

    One definition in YAML or JSON: exit code 3 with every problem, if it has any. Python files,
    folders and several paths: a line FILE:LINE:COLUMN: MESSAGE for each problem, and exit code 1.
    """
    from skytrail.cli.checking import check_files

    if len(paths) > 1 or Path(paths[0]).is_dir() or Path(paths[0]).suffix == ".py":
        raise typer.Exit(check_files([Path(path) for path in paths], output))
    spec = read_spec(paths[0])
    show_record({"name": spec.name, "tasks": len(spec.tasks), "valid": True}, output)


@app.command()
def save(
    file: FileArgument,
    output: OutputOption = Format.TABLE,
    effective_from: Annotated[
        datetime | None,
        typer.Option(
            formats=DATE_FORMATS, help="From this time on; until then everything stays as it is."
        ),
    ] = None,
) -> None:
    """Save a definition: a new DAG, or a new version of the one of that name."""
    connect()
    from dags_app.actions import registration
    from dags_app.models import Dag, DagSource

    spec = read_spec(file)
    existing = Dag.objects.present().filter(dag_id=spec.name).first()
    if existing:
        saved = registration.replace(
            dag=existing,
            spec=spec,
            author=actor(),
            source=DagSource.API,
            effective_from=effective_from and effective_from.astimezone(),
        )
    elif effective_from:
        raise registration.NotToCome.because(
            "effective_from",
            "no_version_before",
            f"there is no DAG named {spec.name!r} that could stay as it is until then",
        )
    else:
        saved = registration.create(spec=spec, author=actor(), source=DagSource.API)
    show_record(
        {
            "dag_id": saved.dag.dag_id,
            "version": saved.version.number,
            "new_version": saved.version_is_new,
            **({"effective_from": effective_from.astimezone()} if effective_from else {}),
            "next_run_at": None if saved.dag.paused else saved.dag.next_run_at,
        },
        output,
    )


@app.command()
def trigger(
    dag: DagArgument,
    output: OutputOption = Format.TABLE,
    conf: ConfOption = None,
    run_id: Annotated[str | None, typer.Option("--run-id", "-r", help="The run's id.")] = None,
    logical_date: Annotated[
        datetime | None,
        typer.Option(
            "--logical-date",
            "-l",
            formats=DATE_FORMATS,
            help="The time that the run is for.",
        ),
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="By this version of the DAG.")
    ] = None,
    *,
    wait: Annotated[
        bool, typer.Option("--wait", "-w", help="Show its progress; exit code 1 if it fails.")
    ] = False,
) -> None:
    """Trigger a run."""
    user = connect()
    from dags_app.access import access_dag, access_version
    from runs_app.actions.launching import RunRequest, launch
    from runs_app.api.serializers import RunSerializer
    from skytrail.cli.progress import watch
    from skytrail.documents import read_json

    found = access_dag(user, dag)
    request = RunRequest(
        version=None if version is None else access_version(found, version),
        conf=None if conf is None else read_json(conf),
        run_id=run_id,
        logical_date=logical_date and logical_date.astimezone(),
    )
    run = launch(found, request, actor=actor()).run()
    if wait:
        raise typer.Exit(watch(run, output))
    show_record(_short(RunSerializer(run).data), output)


@app.command()
def pause(dag: DagArgument, output: OutputOption = Format.TABLE) -> None:
    """Hold a DAG's schedule back; runs can still be triggered."""
    user = connect()
    from dags_app.access import access_dag
    from dags_app.actions import pausing

    _show_paused(pausing.pause(access_dag(user, dag), actor=actor()), output)


@app.command()
def resume(
    dag: DagArgument,
    output: OutputOption = Format.TABLE,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show which runs would start at once.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Let a DAG's schedule go on. Where that would start more than one run at once, they are shown,
    and it is asked whether that is meant.
    """
    user = connect()
    from dags_app.access import access_dag
    from dags_app.actions import pausing
    from dags_app.api.previews import ResumePreviewSerializer, resume_preview

    found = access_dag(user, dag)
    preview = resume_preview(found)
    if dry_run:
        _show_preview(dict(ResumePreviewSerializer(preview).data), output)
        return
    if preview["count"] > 1 and not yes and sys.stdin.isatty():
        _show_preview(dict(ResumePreviewSerializer(preview).data), output)
        typer.confirm(f"Resume {found.dag_id}?", abort=True, err=True)
    _show_paused(pausing.resume(found, actor=actor()), output)


@app.command("next-execution")
def next_execution(
    dag: DagArgument,
    output: OutputOption = Format.TABLE,
    count: Annotated[
        int, typer.Option("--num-executions", "-n", min=1, max=100, help="At most so many.")
    ] = 1,
) -> None:
    """Show the next runs that a DAG's schedule asks for."""
    user = connect()
    from dags_app.access import access_dag
    from dags_app.api.previews import TickSerializer, listed
    from dags_app.selectors.previews import next_runs

    found = access_dag(user, dag)
    ticks = listed(found, next_runs(found, count=count))
    rows = [dict(row) for row in TickSerializer(ticks, many=True).data]
    show_rows(rows, _TICKS, output, empty="Its schedule asks for no run.")


@app.command("list-import-errors")
def list_import_errors(output: OutputOption = Format.TABLE, limit: LimitOption = 25) -> None:
    """List the files that could not be used when they were synced last, and why."""
    user = connect()
    from dags_app.api.import_errors import ImportErrorSerializer
    from dags_app.models import DagImportError

    errors = DagImportError.objects.visible_to(user).order_by("-timestamp", "-id")
    rows = [dict(row) for row in ImportErrorSerializer(errors[:limit], many=True).data]
    empty = "There are none: all files that were synced are well."
    show_rows(rows, ("folder", "file", "line", "error"), output, empty=empty)


@app.command("skipped-ticks")
def skipped_ticks(
    dag: DagArgument, output: OutputOption = Format.TABLE, limit: LimitOption = 25
) -> None:
    """List the ticks that a DAG's overlap policy has passed over, newest first."""
    user = connect()
    from dags_app.access import access_dag
    from runs_app.api.serializers import SkippedTickSerializer
    from runs_app.models import SkippedTick

    ticks = SkippedTick.objects.filter(dag=access_dag(user, dag)).order_by("-logical_date")
    rows = [dict(row) for row in SkippedTickSerializer(ticks[:limit], many=True).data]
    show_rows(rows, ("logical_date", "reason"), output, empty="None was passed over.")


def _show_paused(dag: Dag, output: Format) -> None:
    show_record(
        {
            "dag_id": dag.dag_id,
            "is_paused": dag.paused,
            "next_run_at": None if dag.paused else dag.next_run_at,
        },
        output,
    )


def _show_preview(preview: dict[str, Any], output: Format) -> None:
    """What resuming would start, and how much more of it than is listed."""
    if output is Format.JSON:
        show_record(preview, output)
        return
    ticks = preview.pop("runs")
    shown = ticks[:_MOST_TICKS]
    show_rows(shown, _TICKS, output, empty="No run would start at once.")
    if output is Format.TABLE:
        if more := preview["count"] - len(shown):
            console.print(f"… and {more:,} more")
        console.print()
        show_record(preview, output)


def _with_schedule(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its schedule in one word, and no next run while it is held back."""
    next_run_at = None if row["is_paused"] else row["next_run_at"]
    return {**row, "schedule": row["timetable_summary"], "next_run_at": next_run_at}


def _short(run: dict[str, Any]) -> dict[str, Any]:
    """What somebody who has just triggered a run wants to know of it."""
    names = ("dag_id", "run_id", "state", "version", "logical_date", "conf", "queued_at")
    return {name: run[name] for name in names if run.get(name) is not None}
