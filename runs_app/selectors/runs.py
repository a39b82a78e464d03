"""Runs, with what is shown beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from dags_app.models import Dag
from runs_app.models import DagRun
from skytrail.security.subject import Subject


def shown(runs: QuerySet[DagRun]) -> QuerySet[DagRun]:
    """`runs` with the names of their DAGs and the numbers of their versions, and no more of them.

    A version's definition may be a megabyte, which no list of runs needs.
    """
    return runs.select_related("dag", "version", "repeats").only(
        *(field.name for field in DagRun._meta.concrete_fields),  # noqa: SLF001  # Django's own way
        "dag__dag_id",
        "version__number",
        "repeats__run_id",
    )


def runs_matching(
    user: Subject,
    *,
    dag: Dag | None = None,
    dag_id: str | None = None,
    state: Sequence[str] | None = None,
    run_type: str | None = None,
    queued_after: datetime | None = None,
    queued_before: datetime | None = None,
) -> QuerySet[DagRun]:
    """The runs that `user` may see and that fulfil every condition given."""
    runs = DagRun.objects.visible_to(user)
    if dag is not None:
        runs = runs.filter(dag=dag)
    if dag_id is not None:
        runs = runs.filter(dag__dag_id=dag_id)
    if state:
        runs = runs.filter(state__in=state)
    if run_type is not None:
        runs = runs.filter(run_type=run_type)
    if queued_after is not None:
        runs = runs.filter(queued_at__gte=queued_after)
    if queued_before is not None:
        runs = runs.filter(queued_at__lt=queued_before)
    return shown(runs)
