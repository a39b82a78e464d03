"""What is known of a run and its tasks, now or at a time in the past."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from runs_app.domain.explaining.facts import Key, MoveFacts, OtherRun, RunFacts, TaskFacts
from runs_app.domain.states import LEASED, RUN_ACTIVE, RunState, TaskState
from runs_app.models import Approval, Attempt, DagRun, Transition
from runs_app.selectors.explaining.befores import run_before
from runs_app.selectors.explaining.surroundings import (
    Holders,
    holders_now,
    holders_then,
    pools_with,
    queues_of,
    silent_workers,
)
from runs_app.selectors.graphs import graph_of
from skytrail.database.clock import database_now
from skytrail.database.statement import Statement

#: Other runs of the DAG that are named.
OTHERS = 6

#: Of these what their last execution said matters; of a past time also which try it was.
_WITH_WORDS = frozenset(
    {
        TaskState.FAILED,
        TaskState.UP_FOR_RETRY,
        TaskState.SKIPPED,
        TaskState.UP_FOR_RESCHEDULE,
        TaskState.DEFERRED,
    }
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A task run as it is, and its last move until the time in question."""

    id: UUID
    position: int
    map_index: int
    task_id: str
    state: str
    attempt: int
    max_attempts: int
    queue: str
    pool: str | None
    pool_slots: int
    is_gated: bool
    chosen: list[str] | None
    map_length: int | None
    worker: str
    lost_count: int
    ready_at: datetime | None
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    wake_at: datetime | None
    lease_expires_at: datetime | None
    moved_to: str | None
    reason: str | None
    actor: str | None
    at: datetime | None

    @property
    def key(self) -> Key:
        return self.position, self.map_index


_TASKS = Statement(
    "tasks_with_last_moves",
    """
SELECT t.id, t.position, t.map_index, t.task_id, t.state, t.attempt, t.max_attempts, t.queue,
  t.pool, t.pool_slots, t.is_gated, t.chosen::text[] AS chosen, t.map_length, t.worker,
  t.lost_count, t.ready_at, t.queued_at, t.started_at, t.finished_at, t.wake_at,
  t.lease_expires_at, h.to_state AS moved_to, h.reason, h.actor, h.at
FROM skytrail_task_run t
LEFT JOIN (
  SELECT DISTINCT ON (task_run_id) task_run_id, to_state, reason, actor, at
  FROM skytrail_transition
  WHERE run_id = %(run)s::uuid AND at <= %(at)s::timestamptz AND task_run_id IS NOT NULL
  ORDER BY task_run_id, at DESC, id DESC
) h ON h.task_run_id = t.id
WHERE t.run_id = %(run)s::uuid
  AND (%(positions)s::int[] IS NULL OR t.position = ANY (%(positions)s::int[]))
ORDER BY t.position, t.map_index
""",
    _Row,
)


def run_facts(
    run: DagRun, *, at: datetime | None = None, about: tuple[int, UUID] | None = None
) -> RunFacts:
    """The facts of a run with its tasks; of a past time as history tells them.

    `about` is the position and the key of a task: then only what is before it is read, and its
    history.
    """
    now = database_now()
    moment = min(at, now) if at is not None else now
    is_past = at is not None and at < now
    graph = graph_of(run.version_id)
    positions = None
    if about is not None and not graph.fails_fast:  # there any failure may be the reason
        positions = sorted({about[0], *graph.ancestors([about[0]])})
    rows = _TASKS.all(run=run.pk, at=moment, positions=positions)
    tries = _tries(rows, moment, past=is_past)
    own = (
        Transition.objects.filter(run=run, task_run=None, at__lte=moment)
        .order_by("-at", "-id")
        .first()
    )
    state = RunState(run.state)
    if is_past:
        state = RunState(own.to_state) if own else RunState.QUEUED
    facts = RunFacts(
        dag_id=run.dag.dag_id,
        run_id=run.run_id,
        run_type=run.run_type,
        state=state,
        at=moment,
        is_past=is_past,
        graph=graph,
        tasks={row.key: _task(row, tries.get(row.id), moment, past=is_past) for row in rows},
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
        moves=() if about is None else _moves(run, about[1], moment),
    )
    return facts if facts.is_missing or state.is_final else _with_surroundings(facts, run, rows)


def _with_surroundings(facts: RunFacts, run: DagRun, rows: Iterable[_Row]) -> RunFacts:
    """Who else is there, or was: of a past time what history tells of that."""
    then = facts.at if facts.is_past else None
    if facts.state is RunState.QUEUED:
        return _in_line(facts, run, then)
    tasks = facts.tasks.values()
    more: dict[str, Any] = {}
    for_slots = [t for t in tasks if t.state is TaskState.WAITING and t.is_gated]
    if for_slots:
        names = sorted({task.pool for task in for_slots if task.pool is not None})
        limited = run.dag_id if facts.max_active_tasks is not None else None
        holders: Holders = (
            holders_now(names, limited) if then is None else holders_then(names, limited, then)
        )
        more["pools"] = pools_with(holders, names)
        more["active_tasks"] = holders.get(None, ())
    if facts.graph.awaits_past:
        more["before"] = run_before(facts.graph, run.pk, facts.tasks, then)
    asleep = {row.id: row.key for row in rows if facts.tasks[row.key].state is TaskState.DEFERRED}
    if asleep:
        more["questions"] = _questions(asleep, facts.at)
    if then is None:
        queued = {task.queue for task in tasks if task.state is TaskState.QUEUED}
        if queued:
            more["queues"] = queues_of(queued)
        if workers := {task.worker for task in tasks if task.state in LEASED}:
            more["silent"] = silent_workers(workers)
    return replace(facts, **more)


def _in_line(facts: RunFacts, run: DagRun, then: datetime | None) -> RunFacts:
    """A run in line, with those that are under way and those before it."""
    others = DagRun.objects.filter(dag=run.dag_id).exclude(pk=run.pk)
    if then is None:
        active = others.filter(state__in=sorted(RUN_ACTIVE))
        queued = others.filter(state=RunState.QUEUED)
    else:
        active = others.filter(started_at__lte=then).exclude(finished_at__lte=then)
        queued = others.filter(queued_at__lte=then).exclude(started_at__lte=then)
        queued = queued.exclude(finished_at__lte=then)
    named = active.order_by("started_at").only("run_id", "state", "started_at")
    # As they are started: by logical date, those without one last.
    sooner = Q(queued_at__lt=run.queued_at)
    if run.logical_date is None:
        before = Q(logical_date__isnull=False) | sooner
    else:
        before = Q(logical_date__lt=run.logical_date) | (Q(logical_date=run.logical_date) & sooner)
    return replace(
        facts,
        under_way=tuple(
            OtherRun(
                run_id=other.run_id,
                state=other.state if then is None else RunState.RUNNING,
                since=other.started_at,
            )
            for other in named[: max(OTHERS, facts.runs_at_once)]
        ),
        ahead=queued.filter(before).count(),
    )


def _task(row: _Row, last_try: Attempt | None, at: datetime, *, past: bool) -> TaskFacts:
    # Before its first move it waited.
    state = TaskState(row.moved_to or TaskState.WAITING) if past else TaskState(row.state)
    number, worker, started_at = row.attempt, row.worker, _not_after(row.started_at, at)
    if past:
        # The row has those of now; the execution that had begun last has those of then.
        number = last_try.number if last_try else 0
        worker = last_try.worker if last_try else ""
        started_at = last_try.started_at if last_try else None
    is_told = state in _WITH_WORDS and last_try is not None
    return TaskFacts(
        key=row.key,
        name=row.task_id if row.map_index < 0 else f"{row.task_id}[{row.map_index}]",
        state=state,
        since=row.at,
        reason=row.reason or "",
        actor=row.actor or "",
        attempt=number,
        max_attempts=row.max_attempts,
        queue=row.queue,
        pool=row.pool,
        pool_slots=row.pool_slots,
        is_gated=row.is_gated,
        ready_at=None if past else row.ready_at,
        queued_at=_not_after(row.queued_at, at),
        started_at=started_at,
        finished_at=row.at if state.is_final else None,
        wake_at=None if past else row.wake_at,
        lease_expires_at=None if past else row.lease_expires_at,
        worker=worker,
        lost_count=0 if past else row.lost_count,
        chosen=None if row.chosen is None else tuple(row.chosen),
        map_length=row.map_length,
        ended_with=_word(last_try) if is_told else "",
        message=last_try.message if is_told and last_try else "",
    )


def _word(attempt: Attempt | None) -> str:
    return "" if attempt is None or attempt.reason == "finished" else attempt.reason


def _tries(rows: Iterable[_Row], at: datetime, *, past: bool) -> dict[UUID, Attempt]:
    """The last execution that had begun, of tasks of which that matters."""
    if past:
        keys = [row.id for row in rows if row.moved_to is not None]
    else:
        keys = [row.id for row in rows if row.state in _WITH_WORDS]
    if not keys:
        return {}
    begun = Attempt.objects.filter(task_run__in=keys)
    if past:
        begun = begun.filter(started_at__lte=at)
    latest = begun.order_by("task_run_id", "-epoch").distinct("task_run_id")
    return {each.task_run_id: each for each in latest}


def _questions(asleep: dict[UUID, Key], at: datetime) -> dict[Key, tuple[str, tuple[str, ...]]]:
    """What these tasks had asked, and had no answer to."""
    unanswered = Q(choice=None) | Q(decided_at__gt=at)
    asked = Approval.objects.filter(
        unanswered, task_run__in=list(asleep), requested_at__lte=at
    ).order_by("attempt")
    return {asleep[each.task_run_id]: (each.subject, tuple(each.assigned_users)) for each in asked}


def _moves(run: DagRun, task_run: UUID, at: datetime) -> tuple[MoveFacts, ...]:
    moves = Transition.objects.filter(run=run, task_run=task_run, at__lte=at).order_by("at", "id")
    rows = moves.values_list("from_state", "to_state", "at")
    return tuple(MoveFacts(from_state=source, to=to, at=when) for source, to, when in rows)


def _not_after(moment: datetime | None, at: datetime) -> datetime | None:
    return moment if moment is not None and moment <= at else None
