"""Giving out slots: pools, and the tasks that a DAG may have under way at once.

A gated task that is ready waits with `ready_at` until there is room at each of its gates. What is
taken is counted from the rows each time, so that no counter can drift; one admission runs at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from runs_app.actions.consigning import PLACE, QUEUED, Place, publish_alone
from runs_app.actions.transitions import Move, sql_list, task_move
from runs_app.dispatching import get_dispatcher
from runs_app.domain.limits import Candidate
from runs_app.domain.limits import admit as choose
from runs_app.domain.states import ACTIVE
from skytrail.database.statement import Nothing, Statement

_ALONE = Statement(
    "one_admission_at_once",
    "SELECT pg_advisory_xact_lock(hashtext('skytrail.admission'))",
    Nothing,
)


@dataclass(frozen=True)
class _Gate:
    gate: str
    free: int


_FREE = Statement(
    "free_slots",
    f"""
SELECT 'pool:' || p.name AS gate, (p.slots - coalesce(sum(t.pool_slots), 0))::int AS free
FROM skytrail_pool p
LEFT JOIN skytrail_task_run t
  ON t.is_gated AND t.pool = p.name AND t.state IN {sql_list(ACTIVE)}
GROUP BY p.name, p.slots
UNION ALL
SELECT 'dag:' || d.id, (d.max_active_tasks - count(t.id))::int
FROM skytrail_dag d
LEFT JOIN skytrail_task_run t
  ON t.is_gated AND t.dag_id = d.id AND t.state IN {sql_list(ACTIVE)}
WHERE d.max_active_tasks IS NOT NULL AND d.deleted_at IS NULL
GROUP BY d.id, d.max_active_tasks
""",
    _Gate,
)


@dataclass(frozen=True)
class _Waiting:
    id: UUID
    pool: str | None
    pool_slots: int
    dag_gate: str | None


# No gate's queue may hide another's: the first few hundred of each pool and DAG are looked at.
_CANDIDATES = Statement(
    "waiting_for_slots",
    """
SELECT id, pool, pool_slots, dag_gate FROM (
  SELECT t.id, t.pool, t.pool_slots, t.priority, t.ready_at,
    CASE WHEN d.max_active_tasks IS NOT NULL THEN 'dag:' || d.id END AS dag_gate,
    row_number() OVER (
      PARTITION BY t.pool, t.dag_id ORDER BY t.priority DESC, t.ready_at
    ) AS place
  FROM skytrail_task_run t
  JOIN skytrail_dag_run r ON r.id = t.run_id
  JOIN skytrail_dag d ON d.id = t.dag_id
  WHERE t.is_gated AND t.state = 'waiting' AND t.ready_at IS NOT NULL AND r.state = 'running'
    AND (t.pool IS NULL OR t.pool = ANY (%(open)s::text[]))
) waiting
WHERE place <= 500
ORDER BY priority DESC, ready_at, id
""",
    _Waiting,
)


_ADMIT = task_move(
    "admit",
    Move(
        guard="t.id = ANY (%(ids)s::uuid[]) AND t.state = 'waiting' AND t.ready_at IS NOT NULL",
        to="'queued'",
        reason="'a slot is free'",
        sets=QUEUED,
        returning=PLACE,
    ),
    Place,
)


@dataclass(frozen=True)
class _InVain:
    run_pk: UUID


# What a pool will never have room for. One of 0 slots holds everything back until somebody gives
# it some, which is what it is there for.
_GIVE_UP = task_move(
    "give_up_waiting",
    Move(
        joins="""LEFT JOIN skytrail_pool p ON p.name = t.pool
    JOIN skytrail_dag_run r ON r.id = t.run_id""",
        guard="""t.is_gated AND t.state = 'waiting' AND t.ready_at IS NOT NULL
    AND t.pool IS NOT NULL AND r.state = 'running'
    AND (p.id IS NULL OR (p.slots > 0 AND t.pool_slots > p.slots))""",
        skip_locked=True,
        to="'failed'",
        reason="'waits_in_vain'",
        sets="ready_at = NULL, epoch = t.epoch + 1",
        also=(
            """attempt AS (
  INSERT INTO skytrail_attempt
    (task_run_id, epoch, number, worker, state, reason, message, started_at, finished_at)
  SELECT m.id, m.epoch, m.attempt + 1, '', 'failed', 'waits_in_vain',
    CASE WHEN p.id IS NULL
      THEN format('it waits for a slot of the pool %%L, which does not exist; create it, and '
        'clear this task', m.pool)
      ELSE format('it needs %%s slots of the pool %%L, which has %%s; give the pool more or the '
        'task fewer (pool_slots), and clear it', m.pool_slots, m.pool, p.slots) END,
    clock_timestamp(), clock_timestamp()
  FROM moved m LEFT JOIN skytrail_pool p ON p.name = m.pool
)""",
        ),
        returning="m.run_id AS run_pk",
    ),
    _InVain,
)


def admit(*, actor: str = "engine") -> int:
    """Queues the ready gated tasks that there is room for, highest priority first.

    One that waits for what there will never be is failed, and told why. How many were queued.
    """
    in_vain = {row.run_pk for row in _GIVE_UP.all(actor=actor)}
    for run_pk in in_vain:
        get_dispatcher().request_dispatch(run_pk)
    return _admit(actor)


@transaction.atomic
def _admit(actor: str) -> int:
    _ALONE.count()
    free = {row.gate: row.free for row in _FREE.all()}
    open_pools = [gate.removeprefix("pool:") for gate, slots in free.items() if slots > 0]
    candidates = [
        Candidate(id=row.id, needs=_needs(row)) for row in _CANDIDATES.all(open=open_pools)
    ]
    chosen = choose(candidates, free)
    if not chosen:
        return 0
    queued = _ADMIT.all(ids=[candidate.id for candidate in chosen], actor=actor)
    publish_alone(queued)
    return len(queued)


def _needs(row: _Waiting) -> dict[str, int]:
    needs = {f"pool:{row.pool}": row.pool_slots} if row.pool else {}
    return needs | ({row.dag_gate: 1} if row.dag_gate else {})
