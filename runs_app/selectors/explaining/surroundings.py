"""Who has the slots of pools and DAGs, and who serves which queue."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from runs_app.domain.explaining.facts import Holder, PoolFacts, QueueFacts
from runs_app.models import Pool
from runs_app.selectors.attention import queues as queues_now
from runs_app.selectors.workers import workers_with_status
from skytrail.database.statement import Statement

#: Who has slots, by pool; under None who counts against the DAG's max_active_tasks.
Holders: TypeAlias = Mapping[str | None, tuple[Holder, ...]]


@dataclass(frozen=True, slots=True)
class _Held:
    pool: str | None
    is_of_dag: bool
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    slots: int
    since: datetime | None


# Served by the index `task_run_gated`.
_NOW = Statement(
    "slots_held_now",
    """
SELECT t.pool::text AS pool, t.dag_id = %(dag)s::uuid IS TRUE AS is_of_dag, d.dag_id, r.run_id,
  t.task_id, t.map_index, t.pool_slots AS slots,
  CASE WHEN t.state = 'queued' THEN t.queued_at ELSE t.started_at END AS since
FROM skytrail_task_run t
JOIN skytrail_dag_run r ON r.id = t.run_id
JOIN skytrail_dag d ON d.id = t.dag_id
WHERE t.is_gated AND t.state IN ('cancelling', 'queued', 'restarting', 'running')
  AND (t.pool = ANY (%(pools)s::text[]) OR t.dag_id = %(dag)s::uuid)
ORDER BY since LIMIT 1000
""",
    _Held,
)

# There is no index by which history could be asked about a pool: it is that of runs that were under
# way, begun within the day before, and of 50 of them at most.
_THEN = Statement(
    "slots_held_then",
    """
WITH near AS MATERIALIZED (
  SELECT r.id FROM skytrail_dag_run r
  WHERE r.queued_at <= %(at)s::timestamptz
    AND r.queued_at > %(at)s::timestamptz - interval '1 day'
    AND (r.finished_at IS NULL OR r.finished_at > %(at)s::timestamptz)
  ORDER BY r.queued_at DESC LIMIT 50
), last AS MATERIALIZED (
  SELECT DISTINCT ON (h.task_run_id) h.task_run_id, h.to_state, h.at
  FROM near JOIN skytrail_transition h ON h.run_id = near.id
  WHERE h.at <= %(at)s::timestamptz AND h.task_run_id IS NOT NULL
  ORDER BY h.task_run_id, h.at DESC, h.id DESC
)
SELECT t.pool::text AS pool, t.dag_id = %(dag)s::uuid IS TRUE AS is_of_dag, d.dag_id, r.run_id,
  t.task_id, t.map_index, t.pool_slots AS slots, last.at AS since
FROM last
JOIN skytrail_task_run t ON t.id = last.task_run_id
JOIN skytrail_dag_run r ON r.id = t.run_id
JOIN skytrail_dag d ON d.id = t.dag_id
WHERE last.to_state IN ('cancelling', 'queued', 'restarting', 'running') AND t.is_gated
  AND (t.pool = ANY (%(pools)s::text[]) OR t.dag_id = %(dag)s::uuid)
ORDER BY last.at LIMIT 1000
""",
    _Held,
)


def holders_now(pools: Sequence[str], dag: UUID | None) -> Holders:
    """Who has slots of these pools, and of the DAG where one is given: since when, first first."""
    return _by_gate(_NOW.all(pools=list(pools), dag=dag))


def holders_then(pools: Sequence[str], dag: UUID | None, at: datetime) -> Holders:
    """The same of a past time, as far as it is known."""
    return _by_gate(_THEN.all(pools=list(pools), dag=dag, at=at))


def _by_gate(rows: Iterable[_Held]) -> Holders:
    found: dict[str | None, list[Holder]] = {}
    for row in rows:
        holder = Holder(
            dag_id=row.dag_id,
            run_id=row.run_id,
            task_id=row.task_id,
            map_index=row.map_index,
            slots=row.slots,
            since=row.since,
        )
        if row.pool is not None:
            found.setdefault(row.pool, []).append(holder)
        if row.is_of_dag:
            found.setdefault(None, []).append(holder)
    return {gate: tuple(holders) for gate, holders in found.items()}


def pools_with(holders: Holders, names: Collection[str]) -> dict[str, PoolFacts]:
    """These pools as they are, those that exist, with who has their slots."""
    if not names:
        return {}
    sizes = Pool.objects.filter(name__in=names).values_list("name", "slots")
    return {name: PoolFacts(slots=slots, holders=holders.get(name, ())) for name, slots in sizes}


def silent_workers(names: Collection[str]) -> dict[str, datetime]:
    """Those of these workers that have not stopped and are not heard of: when they were last."""
    workers: Iterable[Any] = workers_with_status().filter(name__in=names, stopped_at=None)
    return {worker.name: worker.last_heartbeat for worker in workers if not worker.is_active}


def queues_of(names: Collection[str]) -> dict[str, QueueFacts]:
    """These queues, who serves them, and how much lies in them."""
    workers: Iterable[Any] = workers_with_status().filter(stopped_at=None)
    alive = [worker for worker in workers if worker.is_active]
    now = {queue.name: queue for queue in queues_now()}
    found = {}
    for name in names:
        serving = [worker for worker in alive if name in worker.queues]
        queue = now.get(name)
        found[name] = QueueFacts(
            workers=tuple(worker.name for worker in serving),
            processes=sum(worker.concurrency for worker in serving),
            running=queue.running if queue else 0,
            queued=queue.length if queue else 0,
        )
    return found
