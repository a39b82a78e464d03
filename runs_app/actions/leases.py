"""Worker processes reporting: one statement renews all they hold and answers what to stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from skytrail.database.statement import Nothing, Statement


@dataclass(frozen=True)
class Held:
    """An execution that is still this worker's; `state` says whether it is to be stopped."""

    id: UUID
    epoch: int
    state: str


_RENEW = Statement(
    "renew",
    """
WITH held AS MATERIALIZED (
  SELECT t.id FROM skytrail_task_run t
  JOIN unnest(%(ids)s::uuid[], %(epochs)s::int[]) AS h (id, epoch)
    ON h.id = t.id AND h.epoch = t.epoch
  WHERE t.state IN ('running', 'cancelling', 'restarting')
  ORDER BY t.id
  FOR NO KEY UPDATE OF t
)
UPDATE skytrail_task_run t
SET lease_expires_at = clock_timestamp() + %(lease)s * interval '1 second'
FROM held WHERE t.id = held.id
RETURNING t.id, t.epoch, t.state
""",
    Held,
)

_REPORT = Statement(
    "report",
    """
INSERT INTO skytrail_worker
  (name, hostname, pid, queues, concurrency, started_at, last_heartbeat, stopped_at)
VALUES (%(name)s, %(hostname)s, %(pid)s, %(queues)s::varchar[], %(concurrency)s,
  clock_timestamp(), clock_timestamp(), NULL)
ON CONFLICT (name) DO UPDATE SET
  hostname = EXCLUDED.hostname, pid = EXCLUDED.pid, queues = EXCLUDED.queues,
  concurrency = EXCLUDED.concurrency, last_heartbeat = EXCLUDED.last_heartbeat, stopped_at = NULL,
  started_at = CASE WHEN skytrail_worker.pid = EXCLUDED.pid
    THEN skytrail_worker.started_at ELSE EXCLUDED.started_at END
""",
    Nothing,
)

_LEAVE = Statement(
    "leave",
    """
UPDATE skytrail_worker SET stopped_at = clock_timestamp()
WHERE name = %(name)s AND pid = %(pid)s
""",
    Nothing,
)


def renew(executions: Sequence[tuple[UUID, int]]) -> list[Held]:
    """Renews the leases of `(task run, epoch)` pairs. What is missing in the answer is no longer
    the caller's: another execution has taken over, and this one is to be stopped.
    """
    if not executions:
        return []
    return _RENEW.all(
        ids=[task_run_id for task_run_id, _ in executions],
        epochs=[epoch for _, epoch in executions],
        lease=settings.SKYTRAIL_LEASE_SECONDS,
    )


def report(*, name: str, hostname: str, pid: int, queues: Sequence[str], concurrency: int) -> None:
    """A worker process says that it is there."""
    _REPORT.count(
        name=name, hostname=hostname, pid=pid, queues=list(queues), concurrency=concurrency
    )


def leave(*, name: str, pid: int) -> None:
    """A worker process says that it stops."""
    _LEAVE.count(name=name, pid=pid)
