"""What Celery could not send on: the next step of a chain, the part of a chord.

Celery publishes those itself when a task has ended, and gives up where Redis is away. The row says
how the task ended, but nobody comes to see what is next, so recovery is asked to.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import signals
from django.db import DatabaseError

from runs_app.actions.consigning import want_plan
from runs_app.models import TaskRun
from workers import names

_logger = logging.getLogger(__name__)


@signals.task_failure.connect
@signals.task_internal_error.connect
def have_it_planned(sender: Any, args: Any = (), **_: Any) -> None:
    """Notes that the run is to be planned. Our tasks themselves never fail in Celery's eyes."""
    if sender.name != names.RUN or not args:
        return
    try:
        want_plan(TaskRun.objects.filter(pk=args[0]).values_list("run_id", flat=True))
    except DatabaseError as error:
        _logger.warning("could not note that a run is to be planned: %s", error)
