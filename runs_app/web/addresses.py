"""Where the pages of runs and their tasks are."""

from __future__ import annotations

from django.urls import reverse

from runs_app.models import DagRun, TaskRun


def of_run(run: DagRun) -> str:
    """The page of a run."""
    return reverse("run", args=[run.dag.dag_id, run.run_id])


def of_task(run: DagRun, task_id: str, map_index: int = -1) -> str:
    """The page of one of its tasks."""
    page = reverse("task", args=[run.dag.dag_id, run.run_id, task_id])
    return page if map_index < 0 else f"{page}?map_index={map_index}"


def of_task_run(run: DagRun, task: TaskRun) -> str:
    """The same, of a row."""
    return of_task(run, task.task_id, task.map_index)
