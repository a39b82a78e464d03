"""What tasks may ask about runs of other DAGs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dags_app.domain.problems import suggestion
from dags_app.models import Dag
from runs_app.domain.others import OtherRun
from runs_app.models import DagRun, TaskRun
from skytrail.errors import NotFound


class DagIsGone(NotFound):
    """There is no DAG {dag_id}."""


class TaskIsGone(NotFound):
    """The DAG {dag_id} has no task {task_id}{hint}."""


def find_run(
    *,
    dag_id: str,
    run_id: str | None,
    logical_date: datetime | None,
    task_ids: Sequence[str] = (),
) -> OtherRun | None:
    """The run of this id, or the newest of this logical date; None if there is none yet.

    Raises `DagIsGone`, and `TaskIsGone` where there is a run that has no such task.
    """
    dag = Dag.objects.present().filter(dag_id=dag_id).first()
    if dag is None:
        raise DagIsGone(dag_id=repr(dag_id))
    runs = DagRun.objects.filter(dag=dag)
    runs = runs.filter(run_id=run_id) if run_id else runs.filter(logical_date=logical_date)
    run = runs.order_by("-queued_at").only("run_id", "state").first()
    if run is None:
        return None
    tasks: dict[str, list[str]] = {name: [] for name in task_ids}
    rows = TaskRun.objects.filter(run=run, task_id__in=tasks).values_list(
        "task_id", "map_index", "map_length", "state"
    )
    for task_id, map_index, length, state in rows:
        # Of a mapped task that has been expanded its instances count, and not the expansion.
        if map_index >= 0 or length is None:
            tasks[task_id].append(state)
    for name in task_ids:
        if not tasks[name] and not TaskRun.objects.filter(run=run, task_id=name).exists():
            known = TaskRun.objects.filter(run=run).values_list("task_id", flat=True)
            raise TaskIsGone(dag_id=repr(dag_id), task_id=repr(name), hint=suggestion(name, known))
    return OtherRun(run.run_id, run.state, tasks)
