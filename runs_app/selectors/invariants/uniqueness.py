"""One run for each logical date: I9."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runs_app.selectors.invariants.terms import I9, RUN, Breach, breaches, query

_TWICE = query(
    "twice",
    f"""
SELECT {RUN}, 'logical_date_twice' AS code,
  format('%%s has the same logical date, %%s', other.run_id, run.logical_date) AS problem,
  false AS is_warning
FROM skytrail_dag_run run
JOIN skytrail_dag_run other ON other.dag_id = run.dag_id AND other.id <> run.id
  AND other.logical_date = run.logical_date AND other.run_type IN ('scheduled', 'backfill')
JOIN skytrail_dag d ON d.id = run.dag_id
WHERE run.id = ANY (%(runs)s::uuid[]) AND run.run_type IN ('scheduled', 'backfill')
UNION ALL
SELECT {RUN}, 'run_id_twice' AS code, 'another run of this DAG has the same run_id' AS problem,
  false AS is_warning
FROM skytrail_dag_run run
JOIN skytrail_dag_run other ON other.dag_id = run.dag_id AND other.id <> run.id
  AND other.run_id = run.run_id
JOIN skytrail_dag d ON d.id = run.dag_id
WHERE run.id = ANY (%(runs)s::uuid[])
""",
)


def one_run_per_date(shared: Mapping[str, Any]) -> list[Breach]:
    """I9."""
    return breaches(I9, _TWICE.all(**shared))
