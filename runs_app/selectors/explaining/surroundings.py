"""Who has the slots of pools and DAGs, and who serves which queue."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from runs_app.domain.explaining.facts import Holder, PoolFacts, QueueFacts
from runs_app.domain.states import ACTIVE
from runs_app.models import Pool, TaskRun
from runs_app.selectors.attention import queues as queues_now
from runs_app.selectors.workers import workers_with_status

#: Tasks with slots that are looked at: to be named, and to be counted.
MOST = 500


def pools_of(names: Collection[str]) -> dict[str, PoolFacts]:
    """These pools, and who has their slots."""
    slots = dict(Pool.objects.filter(name__in=names).values_list("name", "slots"))
    held: dict[str, list[Holder]] = {name: [] for name in slots}
    active = TaskRun.objects.filter(is_gated=True, pool__in=names, state__in=sorted(ACTIVE))
    for pool, holder in _holders(active):
        held.setdefault(pool or "", []).append(holder)
    return {
        name: PoolFacts(slots=count, holders=tuple(held[name])) for name, count in slots.items()
    }


def holders_of_dag(dag: UUID) -> tuple[Holder, ...]:
    """The tasks that count against a DAG's max_active_tasks."""
    active = TaskRun.objects.filter(is_gated=True, dag=dag, state__in=sorted(ACTIVE))
    return tuple(holder for _, holder in _holders(active))


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


def _holders(tasks: Any) -> Iterable[tuple[str | None, Holder]]:
    rows = tasks.order_by("queued_at").values_list(
        "pool", "dag__dag_id", "run__run_id", "task_id", "pool_slots"
    )
    for pool, dag_id, run_id, task_id, slots in rows[:MOST]:
        yield pool, Holder(dag_id=dag_id, run_id=run_id, task_id=task_id, slots=slots)
