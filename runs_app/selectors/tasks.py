"""A run's tasks, with what went wrong in each."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Prefetch, QuerySet

from runs_app.models import Attempt, DagRun, TaskRun


def tasks_of(run: DagRun, *, state: Sequence[str] | None = None) -> QuerySet[TaskRun]:
    """The run's task runs in topological order, each with its attempts read beside it.

    With `state`, only those in one of these states.
    """
    tasks = TaskRun.objects.filter(run=run)
    if state:
        tasks = tasks.filter(state__in=state)
    return tasks.order_by("position", "map_index").prefetch_related(
        Prefetch("attempts", queryset=Attempt.objects.order_by("epoch"))
    )
