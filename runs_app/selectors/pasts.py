"""Runs before and after another one of the same DAG, by logical date."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from runs_app.domain import past
from runs_app.domain.graph import Graph
from runs_app.domain.states import TaskState
from skytrail.database.statement import Statement


@dataclass(frozen=True)
class _Task:
    task_id: str
    state: str


# The runs of the clock stand in a row; one that somebody triggers for a date looks back at them.
_BEFORE = Statement(
    "run_before",
    """
SELECT t.task_id, t.state
FROM skytrail_task_run t
WHERE t.run_id = (
    SELECT p.id FROM skytrail_dag_run r
    JOIN skytrail_dag_run p ON p.dag_id = r.dag_id AND p.logical_date < r.logical_date
    WHERE r.id = %(run)s::uuid AND p.run_type IN ('scheduled', 'backfill')
    ORDER BY p.logical_date DESC LIMIT 1
  )
  AND t.task_id = ANY (%(task_ids)s::text[])
  AND (t.map_length IS NULL OR t.state <> 'success') AND t.state <> 'removed'
""",
    _Task,
)


@dataclass(frozen=True)
class _Run:
    id: UUID


_AFTER = Statement(
    "run_after",
    """
SELECT id FROM (
  SELECT n.id, n.state FROM skytrail_dag_run r
  JOIN skytrail_dag_run n ON n.dag_id = r.dag_id AND n.logical_date > r.logical_date
  WHERE r.id = %(run)s::uuid AND n.run_type IN ('scheduled', 'backfill')
  ORDER BY n.logical_date LIMIT 1
) following WHERE state = 'running'
""",
    _Run,
)


def held(graph: Graph, run_pk: UUID) -> frozenset[int]:
    """The positions of a run that have to wait for the run before it."""
    if not graph.awaits_past:
        return frozenset()
    wanted = {
        task_id
        for node in graph.nodes
        if node.awaits_past
        for task_id in past.awaited(graph, node.position)
    }
    before: dict[str, list[TaskState]] = {}
    for row in _BEFORE.all(run=run_pk, task_ids=sorted(wanted)):
        before.setdefault(row.task_id, []).append(TaskState(row.state))
    return past.held(graph, before)


def followers(run_pk: UUID) -> list[UUID]:
    """The next run of its DAG, if that is under way: it may wait for this one."""
    return [row.id for row in _AFTER.all(run=run_pk)]
