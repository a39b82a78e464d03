"""How many of a run's tasks are in which state."""

from __future__ import annotations

from django.db.models import Count

from runs_app.models import DagRun, TaskRun


def task_counts(run: DagRun) -> dict[str, int]:
    """The counts, of states that there are."""
    rows = TaskRun.objects.filter(run=run).values("state").annotate(count=Count("pk"))
    return {row["state"]: row["count"] for row in rows}
