"""One task of a run: its executions with their logs, and what is known about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dags_app.access import Purpose
from runs_app.access import access_task_run
from runs_app.domain.artifacts import handle_in
from runs_app.domain.states import TaskState
from runs_app.models import Attempt, TaskRun
from runs_app.selectors.moves import history_of
from runs_app.selectors.outputs import rows_of
from runs_app.selectors.rendered import rendered_of
from runs_app.web.addresses import of_task, of_task_run
from skytrail.rest.pagination import NewestFirst
from skytrail.rest.requests import BadRequest
from skytrail.web.paging import page_of

MOVES = 100


class ByIndex(NewestFirst):
    """Instances in their order."""

    ordering = ("map_index", "id")


@require_GET
def task(request: HttpRequest, dag_id: str, run_id: str, task_id: str) -> HttpResponse:
    """The page; `map_index` names an instance, `attempt` one of its tries (the last)."""
    found = accessed(request, dag_id, run_id, task_id)
    return render(request, "runs_app/task.html", _context(request, found))


@require_GET
def head(request: HttpRequest, dag_id: str, run_id: str, task_id: str) -> HttpResponse:
    """What changes on the page while the task goes on."""
    found = accessed(request, dag_id, run_id, task_id)
    return render(request, "runs_app/task_head.html", _context(request, found))


def accessed(
    request: HttpRequest, dag_id: str, run_id: str, task_id: str, *, to: Purpose = "view"
) -> TaskRun:
    """The task run that the address names. Raises what `access_task_run` does, `BadRequest`."""
    index = number(request, "map_index", least=-1)
    which = -1 if index is None else index
    return access_task_run(request.user, dag_id, run_id, task_id, map_index=which, to=to)


def number(request: HttpRequest, name: str, *, least: int) -> int | None:
    """A whole number of the query string. Raises `BadRequest`."""
    text = request.GET.get(name)
    if text is None:
        return None
    if text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() and len(text) < 10:
        value = int(text)
        if value >= least:
            return value
    raise BadRequest.because(name, "bad_number", f"give a whole number from {least} on")


def _goes_on(task: TaskRun, attempts: Sequence[Attempt], number: int) -> bool:
    """Whether more may be written to the log of this try."""
    if any(each.finished_at is None for each in attempts if each.number == number):
        return True
    state = TaskState(task.state)
    return not state.is_final and number >= task.attempt and state is not TaskState.UP_FOR_RETRY


def _context(request: HttpRequest, task: TaskRun) -> dict[str, Any]:
    run = task.run
    attempts = list(Attempt.objects.filter(task_run=task).order_by("epoch"))
    chosen = number(request, "attempt", least=1) or task.attempt or 1
    state = TaskState(task.state)
    may_run = request.user.has_perm("dags_app.run_dag") and run.dag.deleted_at is None
    query = f"attempt={chosen}" + (f"&map_index={task.map_index}" if task.map_index >= 0 else "")
    context: dict[str, Any] = {
        "task": task,
        "run": run,
        "dag": run.dag,
        "address": of_task(run, task.task_id, task.map_index),
        "attempts": attempts,
        "numbers": sorted({attempt.number for attempt in attempts}),
        "chosen": chosen,
        "of_chosen": [attempt for attempt in attempts if attempt.number == chosen],
        "log_query": query,
        "follow": _goes_on(task, attempts, chosen),
        "is_over": state.is_final,
        "may_run": may_run,
        "may_cancel": may_run and not state.is_final and state is not TaskState.CANCELLING,
        "may_clear": may_run and state not in {TaskState.WAITING, TaskState.RESTARTING},
        "moves": history_of(run.pk, task_run=task.pk, most=MOVES),
        "most": MOVES,
    }
    if task.map_length is not None:
        instances = TaskRun.objects.filter(run=run, position=task.position, map_index__gte=0)
        page = page_of(request, instances, ByIndex, limit=100)
        context["page"] = page
        context["instances"] = [(each, of_task_run(run, each)) for each in page.rows]
    else:
        context["rendered"] = rendered_of(task, attempt=chosen) if attempts else None
        context["outputs"] = [
            (output.name, output.value, handle_in(output.value))
            for output in rows_of(task).order_by("name")[:50]
        ]
    return context
