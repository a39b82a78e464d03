"""What could go on, and does not: I7."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from runs_app.domain import planner
from runs_app.domain.graph import Graph, Step, step_of
from runs_app.domain.states import TaskState
from runs_app.selectors import pasts
from runs_app.selectors.graphs import graph_of
from runs_app.selectors.invariants.terms import I7, RUN, TASK, Breach, Found, breaches, query
from skytrail.database.statement import Statement


@dataclass(frozen=True, slots=True)
class _Standing:
    """A task of a run that is under way, with what the planner asks about it."""

    run_pk: UUID
    task_run_pk: UUID
    dag_id: str
    run_id: str
    task_id: str
    version_id: UUID
    position: int
    map_index: int
    map_length: int | None
    state: str
    chosen: list[str] | None
    #: It waits for a slot: the planner has found it ready.
    has_place_in_line: bool
    #: When it came into its state, or its run was started if that was later.
    since: datetime
    now: datetime


_STANDINGS = Statement(
    "fsck_standings",
    f"""
WITH moved AS (
  SELECT h.task_run_id, max(h.at) AS at
  FROM skytrail_transition h
  WHERE h.run_id = ANY (%(runs)s::uuid[]) AND h.task_run_id IS NOT NULL
  GROUP BY h.task_run_id
)
SELECT {TASK}, run.version_id, t.position, t.map_index, t.map_length, t.state, t.chosen,
  t.is_gated AND t.ready_at IS NOT NULL AS has_place_in_line,
  greatest(moved.at, run.started_at, run.queued_at) AS since, now() AS now
FROM skytrail_dag_run run
JOIN skytrail_dag d ON d.id = run.dag_id
JOIN skytrail_task_run t ON t.run_id = run.id
LEFT JOIN moved ON moved.task_run_id = t.id
WHERE run.id = ANY (%(runs)s::uuid[]) AND run.state = 'running'
  AND EXISTS (
    SELECT FROM skytrail_task_run w WHERE w.run_id = run.id AND w.state = 'waiting'
  )
ORDER BY run.id, t.position, t.map_index
""",
    _Standing,
)

# While the broker is away, every message that could not be sent is tried again at each sweep.
_UNSENT_AND_ASLEEP = query(
    "unsent_and_asleep",
    f"""
SELECT {TASK}, 'never_sent' AS code,
  format('it has been queued for %%s s, and its message could not be sent',
    extract(epoch FROM now() - t.queued_at)::int) AS problem,
  false AS is_warning
FROM skytrail_task_run t
JOIN skytrail_dag_run run ON run.id = t.run_id
JOIN skytrail_dag d ON d.id = run.dag_id
WHERE t.run_id = ANY (%(runs)s::uuid[]) AND run.state = 'running'
  AND t.state = 'queued' AND t.published_at IS NULL
  AND t.queued_at <= now() - %(standing_still)s::interval
UNION ALL
SELECT {TASK}, 'overslept' AS code,
  CASE WHEN t.wake_at IS NULL THEN format('it is %%s, and nothing says until when', t.state)
    ELSE format('it is %%s, and was to be taken up again %%s s ago', t.state,
      extract(epoch FROM now() - t.wake_at)::int) END AS problem,
  false AS is_warning
FROM skytrail_task_run t
JOIN skytrail_dag_run run ON run.id = t.run_id
JOIN skytrail_dag d ON d.id = run.dag_id
WHERE t.run_id = ANY (%(runs)s::uuid[]) AND run.state = 'running'
  AND t.state = ANY (%(sleeping)s::text[])
  AND (
    t.wake_at <= now() - %(standing_still)s::interval
    OR (t.wake_at IS NULL AND NOT EXISTS (
      SELECT FROM skytrail_approval a
      WHERE a.task_run_id = t.id AND a.attempt = t.attempt AND a.choice IS NULL
    ))
  )
""",
)

# Of those that wait at the same gates only the first that fits: a slot may have become free just
# now, which nobody notes, so nothing of the pool or the DAG may have ended lately.
_SLOTS = query(
    "slots",
    f"""
WITH line AS (
  SELECT t.id, t.run_id, t.dag_id, t.pool, t.pool_slots, t.priority, t.ready_at
  FROM skytrail_task_run t JOIN skytrail_dag_run r ON r.id = t.run_id
  WHERE t.is_gated AND t.state = 'waiting' AND r.state = 'running'
    AND t.ready_at <= now() - %(standing_still)s::interval
), pools AS (
  SELECT p.name, p.slots - coalesce(sum(t.pool_slots), 0) AS free
  FROM skytrail_pool p
  LEFT JOIN skytrail_task_run t
    ON t.is_gated AND t.pool = p.name AND t.state = ANY (%(active)s::text[])
  GROUP BY p.id
), dags AS (
  SELECT d.id, d.max_active_tasks - count(t.id) AS free
  FROM skytrail_dag d
  LEFT JOIN skytrail_task_run t
    ON t.is_gated AND t.dag_id = d.id AND t.state = ANY (%(active)s::text[])
  WHERE d.max_active_tasks IS NOT NULL AND d.id IN (SELECT dag_id FROM line)
  GROUP BY d.id
), first AS (
  SELECT DISTINCT ON (line.pool, line.dag_id) line.*
  FROM line
  LEFT JOIN pools ON pools.name = line.pool
  LEFT JOIN dags ON dags.id = line.dag_id
  WHERE (line.pool IS NULL OR pools.free >= line.pool_slots)
    AND (dags.id IS NULL OR dags.free >= 1)
  ORDER BY line.pool, line.dag_id, line.priority DESC, line.ready_at
)
SELECT {TASK}, 'slot_is_free' AS code,
  format('it has been ready for %%s s, and there is room for it',
    extract(epoch FROM now() - t.ready_at)::int) AS problem,
  false AS is_warning
FROM first
JOIN skytrail_task_run t ON t.id = first.id
JOIN skytrail_dag_run run ON run.id = t.run_id
JOIN skytrail_dag d ON d.id = run.dag_id
WHERE NOT EXISTS (
  SELECT FROM skytrail_task_run o
  WHERE o.is_gated AND (o.pool = t.pool OR o.dag_id = t.dag_id)
    AND (o.finished_at > now() - %(standing_still)s::interval
      OR (o.state = ANY (%(sleeping)s::text[]) AND EXISTS (
        SELECT FROM skytrail_attempt a
        WHERE a.task_run_id = o.id AND a.finished_at > now() - %(standing_still)s::interval)))
)
UNION ALL
SELECT {TASK}, 'no_such_pool' AS code,
  format('it waits for a slot of the pool %%s, which does not exist', t.pool) AS problem,
  false AS is_warning
FROM line
JOIN skytrail_task_run t ON t.id = line.id
JOIN skytrail_dag_run run ON run.id = t.run_id
JOIN skytrail_dag d ON d.id = run.dag_id
WHERE t.pool IS NOT NULL AND NOT EXISTS (SELECT FROM skytrail_pool p WHERE p.name = t.pool)
""",
)

# The first in line of each DAG, where no run has ended, and nobody has changed the DAG, just now.
_QUEUED_RUNS = query(
    "queued_runs",
    f"""
SELECT DISTINCT ON (d.id) {RUN}, 'run_may_start' AS code,
  format('the run has waited for %%s s, and its DAG may have %%s runs under way, and has %%s',
    extract(epoch FROM now() - run.queued_at)::int, d.runs_at_once, active.count) AS problem,
  false AS is_warning
FROM skytrail_dag_run run
JOIN skytrail_dag d ON d.id = run.dag_id
CROSS JOIN LATERAL (
  SELECT count(*) FROM skytrail_dag_run a
  WHERE a.dag_id = d.id AND a.state = ANY (%(run_active)s::text[])
) active
WHERE run.state = 'queued' AND active.count < d.runs_at_once
  AND run.queued_at <= now() - %(standing_still)s::interval
  AND d.updated_at <= now() - %(standing_still)s::interval
  AND NOT EXISTS (
    SELECT FROM skytrail_dag_run o
    WHERE o.dag_id = d.id AND o.finished_at > now() - %(standing_still)s::interval
  )
  AND NOT EXISTS (
    SELECT FROM skytrail_transition h
    WHERE h.run_id = run.id AND h.task_run_id IS NULL
      AND h.at > now() - %(standing_still)s::interval
  )
ORDER BY d.id, run.logical_date NULLS LAST, run.queued_at, run.id
""",
)


def going_on(shared: Mapping[str, Any]) -> list[Breach]:
    """I7, of single runs."""
    return breaches(I7, [*_standing_still(shared), *_UNSENT_AND_ASLEEP.all(**shared)])


def given_out(shared: Mapping[str, Any]) -> list[Breach]:
    """I7, of what runs share: slots, and places for runs."""
    return breaches(I7, [*_SLOTS.all(**shared), *_QUEUED_RUNS.all(**shared)])


def _standing_still(shared: Mapping[str, Any]) -> Iterator[Found]:
    """What the planner would have done long ago."""
    rows = _STANDINGS.all(**shared)
    for _, tasks in itertools.groupby(rows, key=lambda row: row.run_pk):
        yield from _left_behind(list(tasks), shared["standing_still"])


def _left_behind(tasks: Sequence[_Standing], tolerated: timedelta) -> Iterator[Found]:
    graph = graph_of(tasks[0].version_id)
    by_step = {step_of(task.position, task.map_index): task for task in tasks}
    if sum(isinstance(step, int) for step in by_step) < len(graph):
        return  # I6 says so: tasks are missing
    standings = _standings(graph, tasks)
    plan = planner.plan(graph, standings, held=pasts.held(graph, tasks[0].run_pk))
    due: dict[Step, TaskState] = dict.fromkeys([*plan.ready, *plan.ready_instances], _READY)
    due |= dict.fromkeys([*plan.skipped, *plan.skipped_instances], TaskState.SKIPPED)
    due |= dict.fromkeys(plan.upstream_failed, TaskState.UPSTREAM_FAILED)
    due |= dict.fromkeys(plan.removed, TaskState.REMOVED)
    since = _since(graph, tasks)
    for step, state in due.items():
        task = by_step[step]
        standing_for = task.now - since[task.position]
        if task.has_place_in_line or standing_for < tolerated:
            continue
        seconds = standing_for.total_seconds()
        if state is _READY:
            code, what = "ready_task_waits", "it has been ready"
        else:
            code, what = "task_not_settled", f"it should have been {state}"
        yield Found(
            task.run_pk,
            task.task_run_pk,
            task.dag_id,
            task.run_id,
            task.task_id,
            code,
            f"{what} for {seconds:.0f} s, and waits",
            is_warning=False,
        )


#: What a task that is ready is to become.
_READY = TaskState.QUEUED


def _standings(graph: Graph, tasks: Sequence[_Standing]) -> dict[int, planner.Standing]:
    return planner.standings_of(
        (
            task.position,
            task.map_index,
            TaskState(task.state),
            None if task.chosen is None else [graph.position_of[name] for name in task.chosen],
            task.map_length,
        )
        for task in tasks
    )


def _since(graph: Graph, tasks: Sequence[_Standing]) -> dict[int, datetime]:
    """For each position, when it or anything before it moved last."""
    moved: dict[int, datetime] = {}
    for task in tasks:
        moved[task.position] = max(task.since, moved.get(task.position, task.since))
    since: dict[int, datetime] = {}
    for node in graph.nodes:
        before = [since[parent] for parent in node.upstream]
        since[node.position] = max([moved[node.position], *before])
    return since
