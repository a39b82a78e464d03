"""Starting runs that waited because their DAG had as many running as it may have."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from runs_app.actions.transitions import Move, run_move
from runs_app.dispatching import request_dispatch_after_commit
from skytrail.database.statement import Statement


@dataclass(frozen=True)
class _Dag:
    runs_at_once: int


_LOCK_DAG = Statement(
    "lock_dag",
    "SELECT runs_at_once FROM skytrail_dag WHERE id = %(dag)s::uuid FOR NO KEY UPDATE",
    _Dag,
)


@dataclass(frozen=True)
class _Started:
    id: UUID


_PROMOTE = run_move(
    "promote",
    Move(
        guard="t.dag_id = %(dag)s::uuid AND t.state = 'queued'",
        order="t.logical_date NULLS LAST, t.queued_at, t.id",
        limit="""LIMIT greatest(0, %(runs_at_once)s - (
    SELECT count(*) FROM skytrail_dag_run a
    WHERE a.dag_id = %(dag)s::uuid AND a.state IN ('running', 'cancelling')
  ))""",
        to="'running'",
        reason="'a run of this DAG ended'",
    ),
    _Started,
)


@dataclass(frozen=True)
class _Waiting:
    dag_pk: UUID


_WAITING = Statement(
    "dags_with_queued_runs",
    "SELECT DISTINCT dag_id AS dag_pk FROM skytrail_dag_run WHERE state = 'queued'",
    _Waiting,
)


@transaction.atomic
def promote(dag_pk: UUID, *, actor: str = "engine") -> int:
    """Starts as many of the DAG's queued runs, oldest first, as `max_active_runs` allows."""
    dag = _LOCK_DAG.one(dag=dag_pk)
    if dag is None:
        return 0
    started = _PROMOTE.all(dag=dag_pk, runs_at_once=dag.runs_at_once, actor=actor)
    for run in started:
        request_dispatch_after_commit(run.id)
    return len(started)


def promote_all(*, actor: str) -> int:
    """The same for every DAG with queued runs: for what a crash in between has left behind."""
    return sum(promote(row.dag_pk, actor=actor) for row in _WAITING.all())
