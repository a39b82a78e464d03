"""What a DAG's runs were like: grid, calendar, durations, audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from dags_app.access import access_dag
from dags_app.models import Dag, VersionTask
from dags_app.selectors.previews import next_runs
from dags_app.web.frame import frame
from runs_app.domain.pictures.calendar import calendar as calendar_of
from runs_app.domain.pictures.durations import heights, percentile
from runs_app.domain.states import RunState, TaskState
from runs_app.models import DagRun
from runs_app.selectors.audit import RUNS, audit_of
from runs_app.selectors.grid import Cell, cells_of
from runs_app.selectors.latest import latest_runs
from runs_app.selectors.runs import runs_matching
from runs_app.selectors.spans import counts_by_day
from skytrail.database.clock import database_now
from skytrail.web.parts import page_or_part

#: Runs that a grid can show, by default the first; tasks of one page of it.
COLUMNS = (25, 50, 100)
TASKS = 200

#: Runs of the chart of durations.
MEASURED = 100

#: How far back the calendar goes, and runs that it shows as planned.
CALENDAR = timedelta(days=182)
PLANNED = 400

_BAR = 44


@require_GET
def grid(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Runs × tasks."""
    dag = access_dag(request.user, dag_id)
    given = request.GET.get("runs", "")
    columns = int(given) if given in map(str, COLUMNS) else COLUMNS[0]
    runs = list(runs_matching(request.user, dag=dag).order_by("-queued_at", "-id")[:columns])
    runs.reverse()
    cells = cells_of(runs)
    names = _task_names(dag.version_id, {task_id for _, task_id in cells})
    now = database_now()
    bars = heights([_seconds(run, now=now) for run in runs], height=_BAR)
    context = frame(request, dag, "grid/") | {
        "heads": [(run, _BAR - high, high) for run, high in zip(runs, bars, strict=True)],
        "rows": [
            (name, _cells(dag, name, [(run, cells.get((run.pk, name))) for run in runs]))
            for name in names[:TASKS]
        ],
        "left_out": max(len(names) - TASKS, 0),
        "columns": columns,
        "choices": COLUMNS,
        "states": [each for each in TaskState if each in {cell.state for cell in cells.values()}],
    }
    page, table = "runs_app/grid.html", "runs_app/grid_table.html"
    return page_or_part(request, page, table, context, target="grid")


@require_GET
def calendar(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Half a year of days, and those to come."""
    dag = access_dag(request.user, dag_id)
    zone, now = timezone.get_current_timezone(), database_now()
    today = timezone.localtime(now).date()
    counts = counts_by_day(dag, since=now - CALENDAR, zone=zone)
    planned = Counter(
        timezone.localtime(tick.logical_date).date() for tick in next_runs(dag, count=PLANNED)
    )
    last = today + timedelta(days=28)
    drawn = calendar_of(counts, first=today - CALENDAR, last=last, planned=planned)
    totals: Counter[str] = Counter()
    for of_day in counts.values():
        totals.update(of_day)
    context = frame(request, dag, "calendar/") | {
        "calendar": drawn,
        "totals": [(state, totals[state]) for state in RunState if totals[state]],
        "days": [day for day in reversed(drawn.days) if day.total][:60],
    }
    return render(request, "runs_app/calendar.html", context)


@require_GET
def durations(request: HttpRequest, dag_id: str) -> HttpResponse:
    """How long the last runs took."""
    dag = access_dag(request.user, dag_id)
    runs = latest_runs([dag.pk], each=MEASURED).get(dag.pk, [])
    over = [run for run in runs if run.seconds is not None]
    tall = heights([run.seconds for run in over], height=100)
    good = [
        run.seconds for run in over if run.state == RunState.SUCCESS and run.seconds is not None
    ]
    greatest = max((run.seconds or 0 for run in over), default=0.0) or 1.0
    p50, p95 = percentile(good, 0.5), percentile(good, 0.95)
    width = 1000 / max(len(over), 20)
    context = frame(request, dag, "durations/") | {
        "bars": [
            (round(place * width, 2), round(width * 0.86, 2), round(100 - high, 2), high, run)
            for place, (run, high) in enumerate(zip(over, tall, strict=True))
        ],
        "p50": p50,
        "p95": p95,
        "p50_y": None if p50 is None else round(100 - p50 / greatest * 100, 2),
        "p95_y": None if p95 is None else round(100 - p95 / greatest * 100, 2),
        "longest": greatest if over else None,
        "good": len(good),
    }
    return render(request, "runs_app/durations.html", context)


@require_GET
def audit(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Who changed it, and who did what with its runs."""
    dag = access_dag(request.user, dag_id)
    context = frame(request, dag, "audit/") | {"deeds": audit_of(dag), "runs": RUNS}
    return render(request, "runs_app/audit.html", context)


def _cells(dag: Dag, name: str, row: Sequence[tuple[DagRun, Cell | None]]) -> SafeString:
    """A row of the grid. Made here: a template takes ten times as long for thousands of cells."""
    return format_html_join(
        "",
        "<td>{}</td>",
        (("" if cell is None else _cell(dag, name, run, cell),) for run, cell in row),
    )


def _cell(dag: Dag, name: str, run: DagRun, cell: Cell) -> SafeString:
    instances = f" ({cell.instances} instances)" if cell.instances else ""
    return format_html(
        '<a class="square" href="/dags/{}/runs/{}/tasks/{}/" data-state="{}" data-key="{}"'
        ' title="{}: {}{}" aria-label="{}: {} in {}"></a>',
        *(dag.dag_id, run.run_id, name, cell.state, cell.key),
        *(cell.state, name, instances),
        *(cell.state, name, run.run_id),
    )


def _task_names(version: Any, seen: set[str]) -> list[str]:
    """The tasks of the current version in their order, then those that only earlier runs had."""
    now = list(
        VersionTask.objects.filter(version=version)
        .order_by("position")
        .values_list("task_id", flat=True)
    )
    return [*now, *sorted(seen - set(now))]


def _seconds(run: DagRun, *, now: datetime) -> float | None:
    if run.started_at is None:
        return None
    return ((run.finished_at or now) - run.started_at).total_seconds()
