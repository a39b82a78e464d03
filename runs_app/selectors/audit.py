"""Who has changed a DAG, and who has done what with its runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dags_app.models import Dag
from skytrail.database.statement import Statement


@dataclass(frozen=True)
class Deed:
    """What somebody did: with a version (`number`), or with a run or its tasks (`run_id`)."""

    at: datetime
    actor: str
    what: str
    run_id: str | None
    number: int | None
    count: int


# What people and programs did, not what the engine did by itself: its actors are told by their
# names. Moves of one act (cancelling a run moves its tasks too) share their transaction's time.
_DEEDS = Statement(
    "audit",
    """
(SELECT v.created_at AS at, v.author AS actor, 'saved version' AS what,
   NULL::text AS run_id, v.number::int, 1 AS count
 FROM skytrail_dag_version v WHERE v.dag_id = %(dag)s::uuid
 ORDER BY v.number DESC LIMIT %(most)s::int)
UNION ALL
(SELECT b.created_at, b.created_by, 'made a backfill', NULL, NULL, coalesce(b.dates, 0)::int
 FROM skytrail_backfill b WHERE b.dag_id = %(dag)s::uuid
 ORDER BY b.created_at DESC LIMIT %(most)s::int)
UNION ALL
(SELECT p.paused_at, p.paused_by, 'paused it', NULL, NULL, 1
 FROM skytrail_dag_pause p WHERE p.dag_id = %(dag)s::uuid
 ORDER BY p.paused_at DESC LIMIT %(most)s::int)
UNION ALL
(SELECT p.resumed_at, p.resumed_by, 'resumed it', NULL, NULL, 1
 FROM skytrail_dag_pause p WHERE p.dag_id = %(dag)s::uuid AND p.resumed_at IS NOT NULL
 ORDER BY p.paused_at DESC LIMIT %(most)s::int)
UNION ALL
(SELECT m.at, m.actor, min(m.reason), r.run_id, NULL, count(*)::int
 FROM (
   SELECT id, run_id FROM skytrail_dag_run WHERE dag_id = %(dag)s::uuid
   ORDER BY queued_at DESC, id DESC LIMIT %(runs)s::int
 ) r
 JOIN skytrail_transition m ON m.run_id = r.id
 WHERE m.actor LIKE 'user:%%' OR m.actor LIKE 'cli:%%' OR m.actor LIKE 'token:%%'
 GROUP BY m.at, m.actor, r.run_id
 ORDER BY m.at DESC LIMIT %(most)s::int)
ORDER BY at DESC LIMIT %(most)s::int
""",
    Deed,
    prepared=False,
)

#: Runs whose history is looked through, newest first.
RUNS = 200
MOST = 100


def audit_of(dag: Dag) -> list[Deed]:
    """The latest deeds, newest first; those with runs, of its last `RUNS` runs."""
    return _DEEDS.all(dag=dag.pk, runs=RUNS, most=MOST)
