"""The states of a DAG's tasks over its last runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from runs_app.models import DagRun
from skytrail.database.statement import Statement


@dataclass(frozen=True)
class Cell:
    """A task of a run. Of a mapped task the worst of its instances, and how many there are."""

    run: UUID
    task_id: str
    key: UUID
    state: str
    started_at: datetime | None
    finished_at: datetime | None
    instances: int


# The order in which instances of a mapped task speak for it.
_CELLS = Statement(
    "grid",
    """
SELECT DISTINCT ON (t.run_id, t.task_id) t.run_id AS run, t.task_id, t.id AS key, t.state,
  t.started_at, t.finished_at,
  (count(*) FILTER (WHERE t.map_index >= 0) OVER (PARTITION BY t.run_id, t.task_id))::int
    AS instances
FROM skytrail_task_run t
WHERE t.run_id = ANY (%(runs)s::uuid[])
ORDER BY t.run_id, t.task_id, array_position(
  ARRAY['failed', 'upstream_failed', 'running', 'cancelling', 'restarting', 'up_for_retry',
        'queued', 'up_for_reschedule', 'deferred', 'waiting', 'cancelled', 'skipped', 'removed',
        'success']::text[], t.state::text)
""",
    Cell,
    prepared=False,
)


def cells_of(runs: Sequence[DagRun]) -> dict[tuple[UUID, str], Cell]:
    """The cells of the grid, by run and task."""
    cells = _CELLS.all(runs=[run.pk for run in runs])
    return {(cell.run, cell.task_id): cell for cell in cells}
