"""Skytrail's two Celery tasks: execute a task run, and plan a run.

Both take ids, return a short word for whoever watches Flower, and may run twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from celery import shared_task

from workers import names
from workers.planning import plan
from workers.riding import ride


@shared_task(name=names.RUN, bind=True)
def run(self: Any, task_run_id: str, epoch: int) -> str:
    """Executes a task run, and what follows it while that is quick."""
    return ride(self.request, UUID(task_run_id), epoch)


@shared_task(name=names.DISPATCH, bind=True)
def dispatch_run(self: Any, run_pk: str, towards: Sequence[int] | None = None) -> str:
    """Plans a run and sends what is ready."""
    return plan(UUID(run_pk), towards, actor=self.request.hostname or "local")
