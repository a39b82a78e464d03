"""Planning a run as a message asks for it, with patience where the database is away."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from celery.exceptions import Reject
from django.db import Error as DatabaseError

from runs_app.actions.dispatching_steps import dispatch
from skytrail.database.trouble import in_a_line, trouble_of
from workers.patience import patiently

#: How long a run's planning is tried before the message goes back to its queue, in seconds.
PATIENCE = 45.0


def plan(run_pk: UUID, towards: Sequence[int] | None, *, actor: str) -> str:
    """See `dispatch`, which this calls.

    Raises Celery's `Reject` where the database stays away: the message waits for it in its queue.
    """
    try:
        return patiently(
            lambda: dispatch(run_pk, towards, actor=actor), seconds=PATIENCE, what="plan a run"
        )
    except DatabaseError as error:
        if trouble_of(error) is None:
            raise
        raise Reject(in_a_line(error), requeue=True) from None
