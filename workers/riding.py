"""Riding along: a worker that has just finished a step goes straight on with the next one.

A stretch is a Celery chain, and each hop of it is a message. Where steps take milliseconds, the hop
costs more than the step. So a step that succeeded is followed by the next in the same process, as
long as the whole took no longer than a moment; then the rest travels on as a message. Each step is
claimed and finished like any other: nothing but the message is saved.

Where Flower is, the steps between are announced to it.
"""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from celery.app.task import Context
from django.conf import settings

from runs_app.domain.states import TaskState
from workers import names
from workers.broker.announcing import Ride
from workers.execution import perform
from workers.planning import plan

#: A message that has taken so long, in seconds, goes no further by itself: others wait too.
A_MOMENT = 0.1


def ride(request: Context, task_run_id: UUID, epoch: int) -> str:
    """Executes a task run, then what follows it in its chain; the word for the last step.

    Raises Celery's `Ignore` where `perform` does, and its `Reject` where `plan` does.
    """
    worker = request.hostname or "local"
    ends_at = time.monotonic() + A_MOMENT
    word = perform(task_run_id=task_run_id, epoch=epoch, worker=worker)
    chain: Any = request.chain or []
    ridden = Ride(worker)
    try:
        while chain and word == TaskState.SUCCESS and _may_ride(request, chain[-1], ends_at):
            step = chain.pop()
            began = time.time()
            word = _execute(step, worker)
            ridden.note(step, word, began=began)
    finally:
        ridden.announce()
    if chain and word != TaskState.SUCCESS:
        # All that follows waits for this step: none of it would be claimed. Straight to the end.
        del chain[1:]
    return word


def _execute(step: dict[str, Any], worker: str) -> str:
    if step["task"] == names.DISPATCH:
        run_pk, towards = step["args"]
        return plan(UUID(run_pk), towards, actor=worker)
    task_run, epoch = step["args"]
    return perform(task_run_id=UUID(task_run), epoch=epoch, worker=worker)


def _may_ride(request: Context, step: dict[str, Any], ends_at: float) -> bool:
    options = step["options"]
    if not settings.SKYTRAIL_RIDE_ALONG or time.monotonic() > ends_at:
        return False
    if "chord" in options or "group_id" in options:
        return False  # Celery counts it; it has to travel
    if step["task"] == names.DISPATCH:
        return True
    return bool(
        step["task"] == names.RUN
        and options.get("queue") == (request.delivery_info or {}).get("routing_key")
    )
