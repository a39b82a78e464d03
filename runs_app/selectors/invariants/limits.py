"""What is under way at once, and how much may be: I8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runs_app.selectors.invariants.terms import I8, NO_RUN, Breach, breaches, query

# A person may lower a limit at any time; what is under way then goes on, and nothing new starts.
# That it happened in this order is seen from the transactions that wrote last: a pool does not note
# when it was changed.
_POOLS = query(
    "pools",
    f"""
SELECT {NO_RUN.format(dag="''")},
  CASE WHEN was_lowered THEN 'pool_lowered' ELSE 'pool_overdrawn' END AS code,
  format('the pool %%s has %%s slots, and %%s are taken, by %%s task runs%%s', name, slots, taken,
    holders, CASE WHEN was_lowered THEN '; it was changed after the last of them was let in'
      ELSE '' END) AS problem,
  was_lowered AS is_warning
FROM (
  SELECT p.name, p.slots, held.taken, held.holders, age(p.xmin) <= coalesce((
    SELECT min(age(h.xmin))
    FROM skytrail_task_run t
    JOIN skytrail_transition h ON h.run_id = t.run_id AND h.task_run_id = t.id
    WHERE t.is_gated AND t.pool = p.name AND t.state = ANY (%(active)s::text[])
      AND h.from_state = 'waiting' AND h.to_state = 'queued'
  ), -1) AS was_lowered
  FROM skytrail_pool p
  CROSS JOIN LATERAL (
    SELECT sum(t.pool_slots) AS taken, count(*) AS holders
    FROM skytrail_task_run t
    WHERE t.is_gated AND t.pool = p.name AND t.state = ANY (%(active)s::text[])
  ) held
  WHERE held.taken > p.slots
) overdrawn
""",
)

_TASKS_OF_DAGS = query(
    "tasks_of_dags",
    f"""
SELECT {NO_RUN.format(dag="dag_id")},
  CASE WHEN was_lowered THEN 'dag_lowered' ELSE 'dag_overdrawn' END AS code,
  format('%%s tasks are under way, of %%s that max_active_tasks allows%%s', holders,
    max_active_tasks, CASE WHEN was_lowered THEN '; the DAG was changed after the last of them was'
      ' let in' ELSE '' END) AS problem,
  was_lowered AS is_warning
FROM (
  SELECT d.dag_id, d.max_active_tasks, held.holders, d.updated_at > held.newest AS was_lowered
  FROM skytrail_dag d
  CROSS JOIN LATERAL (
    SELECT count(*) AS holders, max(t.queued_at) AS newest
    FROM skytrail_task_run t
    WHERE t.is_gated AND t.dag_id = d.id AND t.state = ANY (%(active)s::text[])
  ) held
  WHERE d.max_active_tasks IS NOT NULL AND held.holders > d.max_active_tasks
) overdrawn
""",
)

_RUNS_OF_DAGS = query(
    "runs_of_dags",
    f"""
SELECT {NO_RUN.format(dag="d.dag_id")},
  CASE WHEN d.updated_at > max(run.started_at) THEN 'dag_lowered' ELSE 'dag_overdrawn' END AS code,
  format('%%s runs are under way, of %%s that it may have%%s', count(*),
    d.runs_at_once, CASE WHEN d.updated_at > max(run.started_at)
      THEN '; the DAG was changed after the last of them was started' ELSE '' END) AS problem,
  d.updated_at > max(run.started_at) AS is_warning
FROM skytrail_dag d
JOIN skytrail_dag_run run ON run.dag_id = d.id AND run.state = ANY (%(run_active)s::text[])
GROUP BY d.id
HAVING count(*) > d.runs_at_once
""",
)


def kept(shared: Mapping[str, Any]) -> list[Breach]:
    """I8."""
    found = [
        *_POOLS.all(**shared),
        *_TASKS_OF_DAGS.all(**shared),
        *_RUNS_OF_DAGS.all(**shared),
    ]
    return breaches(I8, found)
