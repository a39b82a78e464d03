"""Timers: a run that takes too long, a task that is queued for too long, a try that will not end.

What a try itself may take is watched where it runs; here is what nobody else can see.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from runs_app.actions import attempts
from runs_app.actions.cancellation import Stopped, stopping
from runs_app.actions.degrading import degrade
from runs_app.actions.transitions import Move, run_move, task_move
from runs_app.dispatching import (
    call_in_after_commit,
    get_dispatcher,
    request_dispatch_after_commit,
)
from runs_app.domain.outcomes import Outcome
from runs_app.domain.retries import next_state
from runs_app.domain.states import TaskState
from skytrail.database.statement import Statement

#: Rows taken in one transaction.
BATCH = 200

ACTOR = "timer"


@dataclass(frozen=True, slots=True)
class TimedOut:
    """What one look at the clock found."""

    runs: int = 0
    queued: int = 0


@dataclass(frozen=True)
class _Run:
    id: UUID


# A run whose tasks have all ended is left to its dispatch: it has made it in time.
_STOP_RUNS = run_move(
    "time_out_runs",
    Move(
        guard="""t.state = 'running' AND NOT t.timed_out
    AND t.times_out_at < statement_timestamp() AND EXISTS (
      SELECT FROM skytrail_task_run u WHERE u.run_id = t.id AND u.finished_at IS NULL
    )""",
        order="t.times_out_at",
        limit=f"LIMIT {BATCH}",
        skip_locked=True,
        to="'cancelling'",
        reason="'run timeout'",
        sets="timed_out = true",
    ),
    _Run,
)

_STOP_TASKS = task_move(
    "time_out_tasks",
    stopping("t.run_id = ANY (%(runs)s::uuid[])", reason="run timeout"),
    Stopped,
)


@dataclass(frozen=True)
class _Late:
    id: UUID
    epoch: int


# Few definitions have this limit: where none has, no queued row is looked at.
_LATE = Statement(
    "queued_for_too_long",
    f"""
SELECT t.id, t.epoch
FROM skytrail_task_run t
JOIN skytrail_version_task v ON v.id = t.version_task_id
JOIN skytrail_dag_run run ON run.id = t.run_id
WHERE t.state = 'queued' AND run.state = 'running'
  AND t.queued_at < statement_timestamp() - v.queued_timeout_seconds * interval '1 second'
  AND EXISTS (SELECT FROM skytrail_version_task WHERE queued_timeout_seconds IS NOT NULL)
ORDER BY t.queued_at
LIMIT {BATCH}
""",
    _Late,
)


@dataclass(frozen=True)
class _GivenUp:
    run_pk: UUID


# A try that no worker took leaves an attempt all the same: that is where people look for reasons.
_GIVE_UP = task_move(
    "give_up_queued",
    Move(
        guard="t.id = %(id)s::uuid AND t.epoch = %(epoch)s AND t.state = 'queued'",
        to="%(to)s::text",
        reason="'queued_timeout'",
        sets="""wake_at = CASE WHEN before.to_state = 'up_for_retry'
          THEN clock_timestamp() + %(retry_delay)s::float8 * interval '1 second' END""",
        also=(
            """attempt AS (
  INSERT INTO skytrail_attempt
    (task_run_id, epoch, number, worker, state, reason, message, started_at, finished_at)
  SELECT id, epoch, attempt, '', 'failed', 'queued_timeout', %(message)s,
    queued_at, clock_timestamp()
  FROM moved
)""",
        ),
        returning="m.run_id AS run_pk",
    ),
    _GivenUp,
)


def time_out() -> TimedOut:
    """Stops runs whose time is up, and gives up tries that were queued for too long."""
    return TimedOut(runs=_stop_runs(), queued=_give_up_queued())


def end_overdue(*, task_run_id: UUID, epoch: int, worker: str) -> bool:
    """Fails a try that outlived its time limit in a process that had to be killed for it.

    To be called once that process is gone. False where the execution is no longer `worker`'s.
    """
    execution = attempts.read(task_run_id=task_run_id, epoch=epoch)
    if execution is None:
        return False
    finished = attempts.finish(
        execution, Outcome.too_long(execution.timeout_seconds or 0.0), worker=worker
    )
    if finished is None:
        return False
    # The canvas died with the process.
    degrade([finished.run_pk])
    get_dispatcher().request_dispatch(finished.run_pk)
    return True


def _stop_runs() -> int:
    stopped = 0
    while True:
        with transaction.atomic():
            runs = [run.id for run in _STOP_RUNS.all(actor=ACTOR)]
            tasks = _STOP_TASKS.all(runs=runs, actor=ACTOR) if runs else []
            call_in_after_commit(
                task.worker for task in tasks if task.state == TaskState.CANCELLING
            )
            for run_pk in runs:
                request_dispatch_after_commit(run_pk)
        stopped += len(runs)
        if len(runs) < BATCH:
            return stopped


def _give_up_queued() -> int:
    """One by one: how long to wait before the next try is a decision of the domain."""
    given_up = 0
    for late in _LATE.all():
        execution = attempts.read(task_run_id=late.id, epoch=late.epoch)
        if execution is None:
            continue
        limit = f"{execution.queued_timeout_seconds:g} s"
        outcome = Outcome.failed(
            f"it was queued for longer than {limit} and no worker took it; is there a free one "
            "that serves its queue?",
            reason="queued_timeout",
        )
        state, wake_after = next_state(execution, outcome)
        moved = _GIVE_UP.one(
            id=late.id,
            epoch=late.epoch,
            to=state,
            retry_delay=wake_after,
            message=outcome.message,
            actor=ACTOR,
        )
        if moved is not None:
            given_up += 1
            if state is TaskState.FAILED:
                attempts.want_replan(moved.run_pk)
                get_dispatcher().request_dispatch(moved.run_pk)
    return given_up
