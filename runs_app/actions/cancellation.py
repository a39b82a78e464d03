"""Stopping a run or a task because a person wants it stopped.

What has not started is cancelled at once. What runs becomes `cancelling`, and its worker is called
in; the row is final only when the work has really ended, or its lease has.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from runs_app.actions import promotion
from runs_app.actions.transitions import Move, run_move, sql_list, task_move
from runs_app.dispatching import call_in_after_commit, request_dispatch_after_commit
from runs_app.domain.states import FINAL, RunState, TaskState
from runs_app.models import DagRun, TaskRun
from skytrail.errors import Conflict


class RunHasEnded(Conflict):
    """The run {run_id} is over ({state}): there is nothing to cancel."""


class RunIsBeingCancelled(Conflict):
    """The run {run_id} is being cancelled already; its tasks are being stopped."""


class TaskHasEnded(Conflict):
    """The task {task_id} is over ({state}): there is nothing to cancel."""


class TaskIsBeingCancelled(Conflict):
    """The task {task_id} is being cancelled already; its worker is stopping it."""


@dataclass(frozen=True)
class Stopped:
    """A task run that was stopped; while it is `cancelling`, its `worker` has to be called in."""

    state: str
    worker: str


def stopping(guard: str, *, reason: str) -> Move:
    """The move that stops what `guard` finds: at once, or by way of the worker that runs it."""
    return Move(
        guard=f"{guard} AND t.state NOT IN {sql_list({*FINAL, TaskState.CANCELLING})}",
        to="CASE WHEN t.state IN ('running', 'restarting') THEN 'cancelling' ELSE 'cancelled' END",
        reason=f"'{reason}'",
        sets="""epoch = t.epoch + (before.to_state = 'cancelled')::int,
        wake_at = NULL,
        ready_at = NULL""",
        returning="m.state, m.worker",
    )


_CANCEL_TASKS = task_move(
    "cancel_tasks", stopping("t.run_id = %(run)s::uuid", reason="run cancelled"), Stopped
)
_CANCEL_TASK = task_move(
    "cancel_task", stopping("t.id = %(id)s::uuid", reason="task cancelled"), Stopped
)


@dataclass(frozen=True)
class _Run:
    id: UUID


_CANCEL_RUN = run_move(
    "cancel_run",
    Move(
        guard="t.id = %(run)s::uuid AND t.state IN ('queued', 'running')",
        to="""CASE WHEN EXISTS (
        SELECT FROM skytrail_task_run u WHERE u.run_id = t.id AND u.finished_at IS NULL
      ) THEN 'cancelling' ELSE 'cancelled' END""",
        reason="'run cancelled'",
    ),
    _Run,
)


def cancel_run(run: DagRun, *, actor: str) -> DagRun:
    """Stops a run and all its tasks. Raises `RunHasEnded` or `RunIsBeingCancelled`."""
    with transaction.atomic():
        held = DagRun.objects.select_for_update(no_key=True).get(pk=run.pk)
        state = RunState(held.state)
        if state.is_final:
            raise RunHasEnded(run_id=repr(held.run_id), state=state)
        if state is RunState.CANCELLING:
            raise RunIsBeingCancelled(run_id=repr(held.run_id))
        stopped = _CANCEL_TASKS.all(run=held.pk, actor=actor)
        _CANCEL_RUN.all(run=held.pk, actor=actor)
        call_in_after_commit(task.worker for task in stopped if task.state == "cancelling")
        # As it is left here: after the commit somebody else may clear it at once.
        held.refresh_from_db()
    if RunState(held.state).is_final:
        promotion.promote(held.dag_id)
    return held


def cancel_task(task_run: TaskRun, *, actor: str) -> TaskRun:
    """Stops one task; what waits for it is settled by its trigger rules.

    Raises `TaskHasEnded` or `TaskIsBeingCancelled`.
    """
    with transaction.atomic():
        DagRun.objects.select_for_update(no_key=True).only("pk").get(pk=task_run.run_id)
        stopped = _CANCEL_TASK.one(id=task_run.pk, actor=actor)
        task_run.refresh_from_db()
        if stopped is None:
            state = TaskState(task_run.state)
            if state.is_final:
                raise TaskHasEnded(task_id=repr(task_run.task_id), state=state)
            raise TaskIsBeingCancelled(task_id=repr(task_run.task_id))
        if stopped.state == TaskState.CANCELLING:
            call_in_after_commit([stopped.worker])
        else:
            request_dispatch_after_commit(task_run.run_id)
    return task_run
