"""Tasks that are ready to be performed, in a real database, and what became of them."""

from __future__ import annotations

from typing import Any

from runs_app.models import Attempt, DagRun, LogChunk, Output, TaskRun
from tests.factories import save_dag, start_run, task
from workers.execution import perform

WORKER = "worker@here"


def ready(type_: str, *, also: dict[str, Any] | None = None, **parameters: Any) -> TaskRun:
    """A queued task of a new run, of this type and these parameters."""
    details = {"type": type_, **parameters, **(also or {})}
    run = start_run(save_dag({"work": [], "after": ["work"]}, tasks={"work": details}))
    return task(run, "work")


def done(found: TaskRun) -> str:
    """Performs a task as a worker does; the word that it answers."""
    return perform(task_run_id=found.pk, epoch=found.epoch, worker=WORKER)


def last_attempt(found: TaskRun) -> Attempt:
    """Its latest attempt."""
    attempt = Attempt.objects.filter(task_run=found).order_by("epoch").last()
    assert attempt is not None
    return attempt


def log_of(found: TaskRun) -> str:
    """All that its executions have written."""
    chunks = LogChunk.objects.filter(task_run=found).order_by("epoch", "sequence")
    return "".join(chunks.values_list("text", flat=True))


def output_of(found: TaskRun) -> Any:
    """What it has left."""
    return Output.objects.get(task_run=found).value


def run_of(found: TaskRun) -> DagRun:
    return DagRun.objects.get(pk=found.run_id)
