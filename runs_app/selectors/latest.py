"""The last runs of many DAGs at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from skytrail.database.statement import Statement


@dataclass(frozen=True)
class Latest:
    """One of a DAG's last runs."""

    dag: UUID
    id: UUID
    run_id: str
    state: str
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def seconds(self) -> float | None:
        """How long it took; None where it has not ended or never began."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


# For each DAG a few steps along the index `run_newest_of_dag`, however many runs it has.
_LATEST = Statement(
    "latest_runs",
    """
SELECT d.id AS dag, r.id, r.run_id, r.state, r.queued_at, r.started_at, r.finished_at
FROM unnest(%(dags)s::uuid[]) AS d (id)
CROSS JOIN LATERAL (
  SELECT * FROM skytrail_dag_run r WHERE r.dag_id = d.id
  ORDER BY r.queued_at DESC, r.id DESC LIMIT %(each)s::int
) r
""",
    Latest,
    prepared=False,
)


def latest_runs(dags: Sequence[UUID], *, each: int) -> dict[UUID, list[Latest]]:
    """The last `each` runs of each of these DAGs, oldest first; none for one that has none."""
    found: dict[UUID, list[Latest]] = defaultdict(list)
    for run in _LATEST.all(dags=list(dags), each=each):
        found[run.dag].append(run)
    return {
        dag: sorted(runs, key=lambda run: (run.queued_at, run.id)) for dag, runs in found.items()
    }
