"""Running a run once more, as a run of its own: by the version that holds now.

A run keeps its version for ever: its rows, its history and what is checked of them are laid out by
it. So a run "by the newest version" is a new run for the same time, which says whose repetition it
is; the old one stays as it was.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from dags_app.models import Dag
from runs_app.actions.launching import Launched, RunRequest, launch
from runs_app.models import DagRun
from skytrail.errors import Conflict


class DagIsDeleted(Conflict):
    """The DAG {dag_id} has been deleted: there is no version of it that holds."""


@transaction.atomic
def repeat(run: DagRun, *, actor: str, conf: dict[str, Any] | None = None) -> DagRun:
    """A new run for the same dates, by the version that holds now, with the same or other `conf`.

    Raises `DagIsDeleted`, and what `launch` does: the old conf need not suit the new version.
    """
    dag = Dag.objects.present().select_related("version").filter(pk=run.dag_id).first()
    if dag is None:
        raise DagIsDeleted(dag_id=repr(run.dag.dag_id))
    launched: Launched = launch(
        dag,
        RunRequest(
            logical_date=run.logical_date,
            data_interval_start=run.data_interval_start,
            data_interval_end=run.data_interval_end,
            conf=dict(run.conf) if conf is None else conf,
        ),
        actor=actor,
    )
    DagRun.objects.filter(pk=launched.run_pk).update(repeats=run)
    return launched.run()
