"""From blocks to Celery's canvas: a stretch becomes a chain, side-by-side stretches a chord.

Pure: builds signatures and sends nothing. Every signature is immutable and names a task run and an
epoch, nothing more; what is to be done is read from Postgres when the message arrives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from celery import Celery, Signature, chain, chord, group

from runs_app.dispatching import Consignment, Ticket
from runs_app.domain.blocks import Block, Fork, Stretch
from runs_app.domain.graph import Step
from workers import names

#: Celery's numbers for a task's priority, by its sign: Redis serves the lowest number first.
_PRIORITIES = {1: 0, 0: 5, -1: 9}


def canvases(consignment: Consignment, *, app: Celery) -> Iterator[tuple[Block, Signature]]:
    """The canvas for each block of a consignment."""
    for block in consignment.blocks:
        end = dispatch(consignment.run_pk, block.towards, app=app)
        stretches = [list(_steps(stretch, consignment.tickets, app)) for stretch in block.stretches]
        if len(stretches) == 1:
            yield block, chain(*stretches[0], end, app=app)
        else:
            header = [chain(*steps, app=app) if len(steps) > 1 else steps[0] for steps in stretches]
            yield block, chord(header, end, app=app)


def dispatch(run_pk: UUID, towards: tuple[int, ...] | None, *, app: Celery) -> Signature:
    """The message that has a run planned."""
    positions = None if towards is None else list(towards)
    return _signature(
        names.DISPATCH, (str(run_pk), positions), app, queue=names.DISPATCH_QUEUE, priority=5
    )


def _steps(stretch: Stretch, tickets: Mapping[Step, Ticket], app: Celery) -> Iterator[Signature]:
    for step in stretch:
        if isinstance(step, Fork):
            branches = [list(_steps(branch, tickets, app)) for branch in step.branches]
            yield group(
                [chain(*steps, app=app) if len(steps) > 1 else steps[0] for steps in branches],
                app=app,
            )
        else:
            yield _run(tickets[step], app)


def _run(ticket: Ticket, app: Celery) -> Signature:
    sign = (ticket.priority > 0) - (ticket.priority < 0)
    return _signature(
        names.RUN,
        (str(ticket.task_run_id), ticket.epoch),
        app,
        queue=ticket.queue,
        priority=_PRIORITIES[sign],
        # What Flower shows instead of the name that all of them share.
        shadow=ticket.label,
        task_id=f"{ticket.task_run_id}.{ticket.epoch}",
    )


def _signature(name: str, args: tuple[Any, ...], app: Celery, **options: Any) -> Signature:
    # Said here too, because whoever publishes may not know the task: Celery would subscribe to its
    # result, at the cost of two more trips to Redis and of a thread's wait when that is away.
    options["ignore_result"] = True
    return Signature(name, args=args, options=options, immutable=True, app=app)
