"""What runs have to say when their DAG is to be deleted."""

from __future__ import annotations

from typing import Any

from dags_app.models import Dag
from runs_app.domain.states import RUN_FINAL
from runs_app.models import DagRun
from skytrail.errors import Conflict


class DagHasUnfinishedRuns(Conflict):
    """{dag_id} has {count} unfinished run(s). Cancel them or wait for their end, then delete it."""


def keep_dag_with_unfinished_runs(*, dag: Dag, **_: Any) -> None:
    """Raises `DagHasUnfinishedRuns` while any run of `dag` is under way or waits."""
    count = DagRun.objects.filter(dag=dag).exclude(state__in=RUN_FINAL).count()
    if count:
        raise DagHasUnfinishedRuns(dag_id=repr(dag.dag_id), count=count)
