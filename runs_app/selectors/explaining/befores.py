"""The run before, for tasks that wait for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from runs_app.domain import past
from runs_app.domain.explaining.facts import BeforeFacts, Key, TaskFacts
from runs_app.domain.graph import Graph
from runs_app.domain.states import TaskState
from skytrail.database.statement import Statement


@dataclass(frozen=True, slots=True)
class _Task:
    run_id: str
    task_id: str
    state: str


# The run is found as `runs_app/selectors/pasts.py` does. Without a time as it stands now.
_BEFORE = Statement(
    "run_before_at",
    """
WITH before AS (
  SELECT p.id, p.run_id FROM skytrail_dag_run r
  JOIN skytrail_dag_run p ON p.dag_id = r.dag_id AND p.logical_date < r.logical_date
  WHERE r.id = %(run)s::uuid AND p.run_type IN ('scheduled', 'backfill')
  ORDER BY p.logical_date DESC LIMIT 1
)
SELECT before.run_id, t.task_id,
  CASE WHEN %(at)s::timestamptz IS NULL THEN t.state ELSE coalesce((
    SELECT h.to_state FROM skytrail_transition h
    WHERE h.run_id = before.id AND h.task_run_id = t.id AND h.at <= %(at)s::timestamptz
    ORDER BY h.at DESC, h.id DESC LIMIT 1
  ), 'waiting') END AS state
FROM before JOIN skytrail_task_run t ON t.run_id = before.id
WHERE t.task_id = ANY (%(task_ids)s::text[])
  AND (t.map_length IS NULL OR t.state <> 'success') AND t.state <> 'removed'
""",
    _Task,
)

#: So many tasks are asked about: more are not told of.
_MOST = 50


def run_before(
    graph: Graph, run_pk: UUID, tasks: Mapping[Key, TaskFacts], at: datetime | None
) -> BeforeFacts | None:
    """How the run before stands, or stood, with what waiting tasks of a run wait for in it."""
    wanted = [
        name
        for node in graph.nodes
        if node.awaits_past and (task := tasks.get((node.position, -1))) is not None
        if task.state is TaskState.WAITING
        for name in past.awaited(graph, node.position)
    ]
    found = _BEFORE.all(run=run_pk, task_ids=wanted[:_MOST], at=at) if wanted else []
    states: dict[str, list[TaskState]] = {}
    for row in found:
        states.setdefault(row.task_id, []).append(TaskState(row.state))
    return BeforeFacts(run_id=found[0].run_id, states=states) if found else None
