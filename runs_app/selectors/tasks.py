"""A run's tasks, with what went wrong in each."""

from __future__ import annotations

from django.db.models import Prefetch, QuerySet

from runs_app.models import Attempt, DagRun, TaskRun


def tasks_of(run: DagRun) -> QuerySet[TaskRun]:
    """The run's task runs in topological order, each with its attempts read beside it."""
    return (
        TaskRun.objects.filter(run=run)
        .order_by("position", "map_index")
        .prefetch_related(Prefetch("attempts", queryset=Attempt.objects.order_by("epoch")))
    )
