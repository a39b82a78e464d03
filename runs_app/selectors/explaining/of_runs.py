"""What is known of a run and its tasks, now or at a time in the past."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from runs_app.domain.explaining.facts import Key, OtherRun, RunFacts, TaskFacts
from runs_app.domain.states import RUN_ACTIVE, RunState, TaskState
from runs_app.models import Approval, Attempt, DagRun, TaskRun
from runs_app.selectors import pasts
from runs_app.selectors.explaining.surroundings import holders_of_dag, pools_of, queues_of
from runs_app.selectors.graphs import graph_of
from skytrail.database.clock import database_now
from skytrail.database.statement import Statement

#: Other runs of the DAG that are named.
OTHERS = 6

_WITH_WORDS = (
    TaskState.FAILED, TaskState.UP_FOR_RETRY, TaskState.SKIPPED, TaskState.UP_FOR_RESCHEDULE,
    TaskState.DEFERRED,
)  # fmt: skip


@dataclass(frozen=True)
class _Last:
    task_run: UUID | None
    state: str
    reason: str
    actor: str
    at: datetime


# The run's own moves stand among those of its tasks, with no task run.
_LAST = Statement(
    "last_moves",
    """
SELECT DISTINCT ON (task_run_id) task_run_id AS task_run, to_state AS state, reason, actor, at
FROM skytrail_transition
WHERE run_id = %(run)s::uuid AND at <= %(at)s::timestamptz
ORDER BY task_run_id, at DESC, id DESC
""",
    _Last,
)


def run_facts(run: DagRun, *, at: datetime | None = None) -> RunFacts:
    """The facts of a run with its tasks; of a past time as history tells them."""
    now = database_now()
    moment = min(at, now) if at is not None else now
    is_past = at is not None and at < now
    last = {move.task_run: move for move in _LAST.all(run=run.pk, at=moment)}
    rows = list(TaskRun.objects.filter(run=run).defer("map_values"))
    words = _words(rows)
    tasks = {
        (row.position, row.map_index): _task(
            row, last.get(row.pk), words.get(row.pk), moment, past=is_past
        )
        for row in rows
    }
    own = last.get(None)
    state = RunState(own.state) if is_past and own is not None else RunState(run.state)
    facts = RunFacts(
        dag_id=run.dag.dag_id,
        run_id=run.run_id,
        run_type=run.run_type,
        state=state,
        at=moment,
        is_past=is_past,
        graph=graph_of(run.version_id),
        tasks=tasks,
        since=own.at if own else run.queued_at,
        reason=own.reason if own else "",
        actor=own.actor if own else "",
        logical_date=run.logical_date,
        queued_at=run.queued_at,
        started_at=_not_after(run.started_at, moment),
        finished_at=_not_after(run.finished_at, moment),
        timed_out=run.timed_out,
        runs_at_once=run.dag.runs_at_once,
        max_active_tasks=run.dag.max_active_tasks,
        overlap_policy=run.dag.overlap_policy,
    )
    return facts if is_past or state.is_final else _with_surroundings(facts, run, rows)


def _with_surroundings(facts: RunFacts, run: DagRun, rows: Iterable[TaskRun]) -> RunFacts:
    """What is only known of the present: who else is there."""
    tasks = facts.tasks.values()
    waits_for_slot = [t for t in tasks if t.state is TaskState.WAITING and t.is_gated]
    names = {task.pool for task in waits_for_slot if task.pool is not None}
    queued = {task.queue for task in tasks if task.state is TaskState.QUEUED}
    is_limited = facts.max_active_tasks is not None and bool(waits_for_slot)
    past: dict[int, tuple[str, ...]] = {}
    if facts.graph.awaits_past:
        past = dict.fromkeys(pasts.held(facts.graph, run.pk), ("they have not gone well yet",))
    found = replace(
        facts,
        pools=pools_of(names) if names else {},
        queues=queues_of(queued) if queued else {},
        active_tasks=holders_of_dag(run.dag_id) if is_limited else (),
        held_by_past=past,
        questions=_questions(rows),
    )
    if facts.state is not RunState.QUEUED:
        return found
    others = DagRun.objects.filter(dag=run.dag_id).exclude(pk=run.pk)
    active = others.filter(state__in=sorted(RUN_ACTIVE)).order_by("queued_at")
    named = active.only("run_id", "state", "started_at")[: max(OTHERS, facts.runs_at_once)]
    return replace(
        found,
        under_way=tuple(
            OtherRun(run_id=other.run_id, state=other.state, since=other.started_at)
            for other in named
        ),
        ahead=others.filter(state=RunState.QUEUED, queued_at__lt=run.queued_at).count(),
    )


def _task(
    row: TaskRun, last: _Last | None, words: tuple[str, str] | None, at: datetime, *, past: bool
) -> TaskFacts:
    state = TaskState(row.state)
    if past:
        # Before its first move it waited.
        state = TaskState(last.state) if last else TaskState.WAITING
    ended_with, message = words if words and (not past or state == row.state) else ("", "")
    return TaskFacts(
        key=(row.position, row.map_index),
        name=str(row),
        state=state,
        since=last.at if last else None,
        reason=last.reason if last else "",
        actor=last.actor if last else "",
        attempt=row.attempt,
        max_attempts=row.max_attempts,
        queue=row.queue,
        pool=row.pool,
        pool_slots=row.pool_slots,
        is_gated=row.is_gated,
        ready_at=_not_after(row.ready_at, at),
        queued_at=_not_after(row.queued_at, at),
        started_at=_not_after(row.started_at, at),
        finished_at=_not_after(row.finished_at, at),
        wake_at=row.wake_at if not past or state == row.state else None,
        lease_expires_at=row.lease_expires_at,
        worker=row.worker,
        lost_count=row.lost_count,
        chosen=None if row.chosen is None else tuple(row.chosen),
        ended_with=ended_with,
        message=message,
    )


def _words(rows: Iterable[TaskRun]) -> dict[UUID, tuple[str, str]]:
    """What the last executions said, of tasks for whom that matters."""
    keys = [row.pk for row in rows if row.state in _WITH_WORDS]
    if not keys:
        return {}
    attempts = Attempt.objects.filter(task_run__in=keys).order_by("task_run_id", "-epoch")
    latest: Iterable[Any] = attempts.distinct("task_run_id")
    return {
        each.task_run_id: (each.reason if each.reason != "finished" else "", each.message)
        for each in latest
    }


def _questions(rows: Iterable[TaskRun]) -> dict[Key, tuple[str, tuple[str, ...]]]:
    asleep = {row.pk: row for row in rows if row.state == TaskState.DEFERRED}
    if not asleep:
        return {}
    open_ones = Approval.objects.filter(task_run__in=list(asleep), choice=None)
    return {
        (asleep[each.task_run_id].position, asleep[each.task_run_id].map_index): (
            each.subject,
            tuple(each.assigned_users),
        )
        for each in open_ones
        if asleep[each.task_run_id].attempt == each.attempt
    }


def _not_after(moment: datetime | None, at: datetime) -> datetime | None:
    return moment if moment is not None and moment <= at else None
