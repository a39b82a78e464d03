"""One run: its graph, its tasks over time, and everything that is known about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dags_app.web.painting import Painted, graph_of_version
from runs_app.access import access_run
from runs_app.domain.graph import Graph
from runs_app.domain.pictures.durations import percentile
from runs_app.domain.pictures.gantt import Part, Timed, Try, gantt
from runs_app.domain.pictures.scale import Scale
from runs_app.domain.states import RunState, TaskState
from runs_app.models import Artifact, DagRun, TaskRun
from runs_app.selectors.counts import task_counts
from runs_app.selectors.graphs import graph_of
from runs_app.selectors.grid import cells_of
from runs_app.selectors.moves import history_of
from runs_app.selectors.tasks import tasks_of
from runs_app.web.addresses import of_task, of_task_run
from skytrail.database.clock import database_now
from skytrail.rest.pagination import NewestFirst
from skytrail.web.paging import page_of
from skytrail.web.parts import page_or_part
from skytrail.web.shown import between, duration

#: Address below the run's, and name.
TABS = (
    ("", "Graph"),
    ("gantt/", "Gantt"),
    ("tasks/", "Tasks"),
    ("details/", "Details"),
    ("history/", "History"),
)

#: Lanes of a Gantt chart, and moves of a history.
LANES = 300
MOVES = 200


class InOrder(NewestFirst):
    """As the tasks follow each other."""

    ordering = ("position", "map_index", "id")


@require_GET
def run(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """The graph, each task in its state and with its time."""
    found = access_run(request.user, dag_id, run_id)
    cells = cells_of([found])
    painted = {
        task_id: Painted(
            state=cell.state,
            key=cell.key,
            href=of_task(found, task_id),
            note=_note(cell.instances, cell.started_at, cell.finished_at),
        )
        for (_, task_id), cell in cells.items()
    }
    graph = graph_of_version(found.version, painted)
    return render(request, "runs_app/run_graph.html", _frame(request, found, "") | {"graph": graph})


@require_GET
def head(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """What stands above the tabs, once more."""
    found = access_run(request.user, dag_id, run_id)
    return render(request, "runs_app/run_head.html", _frame(request, found, ""))


@require_GET
def chart(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """The tasks over time."""
    found = access_run(request.user, dag_id, run_id)
    context = _frame(request, found, "gantt/") | _gantt(found)
    page, part = "runs_app/run_gantt.html", "runs_app/gantt_chart.html"
    return page_or_part(request, page, part, context, target="gantt")


@require_GET
def tasks(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """The tasks as a table."""
    found = access_run(request.user, dag_id, run_id)
    state = request.GET.get("state")
    wanted = [state] if state in set(TaskState) else None
    page = page_of(request, tasks_of(found, state=wanted), InOrder, limit=100)
    context = _frame(request, found, "tasks/") | {
        "page": page,
        "rows": [(task, of_task_run(found, task), _trouble(task)) for task in page.rows],
        "state": state,
    }
    return page_or_part(request, "runs_app/run_tasks.html", "runs_app/task_rows.html", context)


@require_GET
def details(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Its conf, what its tasks left, and where it comes from."""
    found = access_run(request.user, dag_id, run_id)
    artifacts = Artifact.objects.visible_to(request.user).shown().filter(task_run__run=found)
    context = _frame(request, found, "details/") | {
        "outputs": outputs_shown(found),
        "artifacts": list(artifacts.order_by("-stored_at")[:50]),
        "repeated_by": list(found.repeated_by.only("run_id").order_by("queued_at")[:10]),
    }
    return render(request, "runs_app/run_details.html", context)


@require_GET
def history(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Who moved what, when, and why."""
    found = access_run(request.user, dag_id, run_id)
    context = _frame(request, found, "history/") | {
        "moves": history_of(found.pk, most=MOVES),
        "most": MOVES,
    }
    page, part = "runs_app/run_history.html", "runs_app/moves.html"
    return page_or_part(request, page, part, context, target="moves")


def outputs_shown(run: DagRun) -> list[tuple[str, str, Any]]:
    """The first outputs of its tasks: task, name, value."""
    rows = TaskRun.objects.filter(run=run).values_list(
        "task_id", "map_index", "outputs__name", "outputs__value", "epoch", "outputs__epoch"
    )
    return [
        (task_id if index < 0 else f"{task_id}[{index}]", name, value)
        for task_id, index, name, value, epoch, of in rows.filter(outputs__isnull=False).order_by(
            "position", "map_index"
        )[:100]
        if epoch == of
    ]


def _frame(request: HttpRequest, run: DagRun, tab: str) -> dict[str, Any]:
    counts = task_counts(run)
    is_over = RunState(run.state).is_final
    may_run = request.user.has_perm("dags_app.run_dag") and run.dag.deleted_at is None
    bad = (TaskState.FAILED, TaskState.UPSTREAM_FAILED, TaskState.CANCELLED)
    return {
        "run": run,
        "dag": run.dag,
        "tab": tab,
        "tabs": TABS,
        "counts": [(state, counts[state]) for state in TaskState if state in counts],
        "is_over": is_over,
        "may_run": may_run,
        "may_cancel": may_run and not is_over and run.state != RunState.CANCELLING,
        "has_failed": any(state in counts for state in bad),
        "waited": between(run.queued_at, run.started_at) if run.started_at else None,
    }


def _gantt(run: DagRun) -> dict[str, Any]:
    began = run.started_at or run.queued_at
    until = run.finished_at or database_now()
    rows = list(tasks_of(run)[:LANES])
    timed = _timed(graph_of(run.version_id), rows)
    lanes = gantt(timed, began=began, until=until)
    scale = Scale(began, until)
    return {
        "lanes": [
            (rows[lane.place], of_task_run(run, rows[lane.place]), lane, _said(lane))
            for lane in lanes
        ],
        "axis": [(share, duration(scale.seconds * share / 100)) for share in (0, 25, 50, 75, 100)],
        "left_out": max(TaskRun.objects.filter(run=run).count() - LANES, 0),
        "has_limits": any(lane.seconds(Part.LIMITS) for lane in lanes),
        "has_retries": any(lane.seconds(Part.RETRY) for lane in lanes),
        "p50": percentile([lane.seconds(Part.RUNNING) for lane in lanes], 0.5),
    }


def _timed(graph: Graph, rows: Sequence[TaskRun]) -> list[Timed]:
    """The rows as the chart takes them. An instance waits for what its task waits for."""
    places: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(row.position, []).append(place)
    found = []
    for place, row in enumerate(rows):
        upstream = [
            other
            for position in graph.nodes[row.position].upstream
            for other in places.get(position, [])
        ]
        if row.map_index >= 0:
            # The row that it was expanded from comes first.
            upstream = [places[row.position][0], *upstream]
        found.append(
            Timed(
                name=str(row),
                state=row.state,
                upstream=tuple(each for each in upstream if each != place),
                ready_at=row.ready_at,
                queued_at=row.queued_at,
                tries=tuple(
                    Try(each.started_at, each.finished_at, each.state)
                    for each in row.attempts.all()
                ),
                finished_at=row.finished_at,
            )
        )
    return found


def _said(lane: Any) -> str:
    """A lane in words."""
    parts = [(part, lane.seconds(part)) for part in Part]
    return ", ".join(f"{part} {duration(spent)}" for part, spent in parts if spent >= 0.01)


def _note(instances: int, started: Any, finished: Any) -> str:
    took = between(started, finished) if started and finished else None
    words = [f"× {instances}"] if instances else []
    return " ".join([*words, *([] if took is None else [duration(took)])])


def _trouble(task: TaskRun) -> Any:
    """The execution that went wrong last, if the last one did."""
    attempts = list(task.attempts.all())
    last = attempts[-1] if attempts else None
    if last is None or last.state in {TaskState.SUCCESS, TaskState.RUNNING}:
        return None
    return last
