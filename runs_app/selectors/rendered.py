"""What templates were filled in to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery

from runs_app.models import Attempt, RenderedFields, TaskRun
from skytrail.errors import NotFound


@dataclass(frozen=True)
class Rendered:
    """Of one execution. `attempt` counts from 1."""

    attempt: int
    epoch: int
    fields: dict[str, Any]
    rendered_at: datetime


class NothingRendered(NotFound):
    """No template of the task {task_id} was filled in{when}: it has none, or has not begun."""


def rendered_fields(task_run: TaskRun, *, attempt: int | None = None) -> Rendered:
    """The same. Raises `NothingRendered`."""
    found = rendered_of(task_run, attempt=attempt)
    if found is None:
        when = "" if attempt is None else f" for try {attempt}"
        raise NothingRendered(task_id=repr(task_run.task_id), when=when)
    return found


def rendered_of(task_run: TaskRun, *, attempt: int | None = None) -> Rendered | None:
    """Of the latest execution of a try, or of all; None where nothing was filled in."""
    attempts = Attempt.objects.filter(task_run=task_run)
    if attempt is not None:
        attempts = attempts.filter(number=attempt)
    number = attempts.filter(epoch=OuterRef("epoch")).values("number")[:1]
    rows = RenderedFields.objects.filter(task_run=task_run).annotate(number=Subquery(number))
    row = rows.filter(number__isnull=False).order_by("-epoch").first()
    if row is None:
        return None
    return Rendered(row.number, row.epoch, row.fields, row.created_at)


def fields_of(attempt: Attempt) -> dict[str, Any] | None:
    """Of one execution; None where nothing was filled in for it."""
    rows = RenderedFields.objects.filter(task_run=attempt.task_run_id, epoch=attempt.epoch)
    found: dict[str, Any] | None = rows.values_list("fields", flat=True).first()
    return found
