"""Where rows stand now: I4 and I6."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runs_app.selectors.invariants.terms import I4, I6, RUN, TASK, Breach, breaches, query

# Recovery takes over what has run out at its next sweep, but after an absence of the database it
# leaves every lease alone for the time of one.
_LEASES = query(
    "leases",
    f"""
SELECT {TASK},
  CASE WHEN t.lease_expires_at IS NULL THEN 'no_lease'
    WHEN t.state <> ALL (%(leased)s::text[]) THEN 'lease_left_over'
    ELSE 'lease_ran_out' END AS code,
  CASE WHEN t.lease_expires_at IS NULL THEN format('it is %%s without a lease', t.state)
    WHEN t.state <> ALL (%(leased)s::text[]) THEN format('it is %%s and has a lease', t.state)
    ELSE format('it is %%s, its lease ran out %%s s ago, and nobody has taken it over',
      t.state, extract(epoch FROM now() - t.lease_expires_at)::int) END AS problem,
  false AS is_warning
FROM skytrail_task_run t
JOIN skytrail_dag_run run ON run.id = t.run_id
JOIN skytrail_dag d ON d.id = run.dag_id
WHERE t.run_id = ANY (%(runs)s::uuid[])
  AND ((t.state = ANY (%(leased)s::text[])) <> (t.lease_expires_at IS NOT NULL)
    OR t.lease_expires_at < now() - %(lease)s::interval - %(standing_still)s::interval)
""",
)

_ENDS = query(
    "ends",
    f"""
SELECT {TASK}, 'task_outlives_run' AS code,
  format('the run is %%s, but this is %%s', run.state, t.state) AS problem,
  false AS is_warning
FROM skytrail_dag_run run
JOIN skytrail_task_run t ON t.run_id = run.id
JOIN skytrail_dag d ON d.id = run.dag_id
WHERE run.id = ANY (%(runs)s::uuid[])
  AND run.state = ANY (%(run_final)s::text[]) AND t.state <> ALL (%(final)s::text[])
UNION ALL
SELECT {RUN}, 'run_outlives_tasks' AS code,
  format('the run is %%s, but its last task ended %%s s ago',
    run.state, extract(epoch FROM now() - max(t.finished_at))::int) AS problem,
  false AS is_warning
FROM skytrail_dag_run run
JOIN skytrail_task_run t ON t.run_id = run.id
JOIN skytrail_dag d ON d.id = run.dag_id
WHERE run.id = ANY (%(runs)s::uuid[]) AND run.state <> ALL (%(run_final)s::text[])
GROUP BY run.id, d.dag_id
HAVING bool_and(t.state = ANY (%(final)s::text[]))
  AND max(t.finished_at) <= now() - %(standing_still)s::interval
UNION ALL
SELECT {RUN}, 'tasks_missing' AS code,
  format('its version has %%s tasks, and the run %%s', version.tasks, count(DISTINCT t.position))
    AS problem,
  false AS is_warning
FROM skytrail_dag_run run
JOIN skytrail_dag d ON d.id = run.dag_id
LEFT JOIN skytrail_task_run t ON t.run_id = run.id
CROSS JOIN LATERAL (
  SELECT count(*) AS tasks FROM skytrail_version_task v WHERE v.version_id = run.version_id
) version
WHERE run.id = ANY (%(runs)s::uuid[])
GROUP BY run.id, d.dag_id, version.tasks
HAVING count(DISTINCT t.position) <> version.tasks
UNION ALL
SELECT {TASK}, 'end_not_noted' AS code,
  format('it is %%s, and when it ended is %%s', t.state,
    coalesce('noted as ' || t.finished_at, 'not noted')) AS problem,
  false AS is_warning
FROM skytrail_task_run t
JOIN skytrail_dag_run run ON run.id = t.run_id
JOIN skytrail_dag d ON d.id = run.dag_id
WHERE t.run_id = ANY (%(runs)s::uuid[])
  AND (t.state = ANY (%(final)s::text[])) <> (t.finished_at IS NOT NULL)
UNION ALL
SELECT {RUN}, 'end_not_noted' AS code,
  format('the run is %%s, and when it ended is %%s', run.state,
    coalesce('noted as ' || run.finished_at, 'not noted')) AS problem,
  false AS is_warning
FROM skytrail_dag_run run
JOIN skytrail_dag d ON d.id = run.dag_id
WHERE run.id = ANY (%(runs)s::uuid[])
  AND (run.state = ANY (%(run_final)s::text[])) <> (run.finished_at IS NOT NULL)
""",
)


def leased(shared: Mapping[str, Any]) -> list[Breach]:
    """I4."""
    return breaches(I4, _LEASES.all(**shared))


def ended_together(shared: Mapping[str, Any]) -> list[Breach]:
    """I6."""
    return breaches(I6, _ENDS.all(**shared))
