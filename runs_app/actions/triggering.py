"""Runs that tasks of other runs trigger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from dags_app.models import Dag
from runs_app.actions.launching import RunRequest, launch
from runs_app.models import DagRun, RunType
from runs_app.selectors.other_runs import DagIsGone
from skytrail.database.statement import Statement
from skytrail.errors import Conflict

#: So many DAGs may trigger each other in a row.
MAX_DEPTH = 50


class TooDeep(Conflict):
    """{depth} runs have triggered one another in a row: do their DAGs do so in a ring?"""


@dataclass(frozen=True)
class _Depth:
    depth: int


_DEPTH = Statement(
    "depth_of_run",
    """
WITH RECURSIVE line AS (
  SELECT id, parent_id, 1 AS depth FROM skytrail_dag_run WHERE id = %(run)s::uuid
  UNION ALL
  SELECT p.id, p.parent_id, line.depth + 1 FROM line
  JOIN skytrail_dag_run p ON p.id = line.parent_id WHERE line.depth < 1000
)
SELECT max(depth)::int AS depth FROM line
""",
    _Depth,
)


def trigger(
    *,
    parent: UUID,
    task_run_id: UUID,
    attempt: int,
    dag_id: str,
    conf: dict[str, Any],
    run_id: str | None,
    logical_date: datetime | None,
    actor: str,
) -> DagRun:
    """The run that a try of a task has triggered: a new one, or the one it has triggered before.

    A try whose worker was lost begins again, and must not trigger twice. Raises `DagIsGone`,
    `TooDeep`, and what `launch` does.
    """
    dag = Dag.objects.present().filter(dag_id=dag_id).first()
    if dag is None:
        raise DagIsGone(dag_id=repr(dag_id))
    key = f"task:{task_run_id}:{attempt}"
    earlier = DagRun.objects.filter(dag=dag, idempotency_key=key).first()
    if earlier is not None:
        return earlier
    found = _DEPTH.one(run=parent)
    if found is not None and found.depth >= MAX_DEPTH:
        raise TooDeep(depth=found.depth)
    with transaction.atomic():
        launched = launch(
            dag,
            RunRequest(
                run_type=RunType.OPERATOR_TRIGGERED,
                conf=conf,
                run_id=run_id,
                logical_date=logical_date,
                idempotency_key=key,
            ),
            actor=actor,
        )
        DagRun.objects.filter(pk=launched.run_pk).update(parent=parent)
    return launched.run()
