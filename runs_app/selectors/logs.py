"""Reading logs, while they are being written and afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runs_app.domain.states import TaskState
from runs_app.models import Attempt, LogChunk, TaskRun

#: Chunks read at once.
PAGE = 200


@dataclass(frozen=True, slots=True)
class Position:
    """How far somebody has read."""

    epoch: int = 0
    sequence: int = -1


def chunks_after(
    task_run: TaskRun, attempt: int | None, position: Position
) -> Iterator[tuple[Position, str]]:
    """Pieces of the log of a try (None: of all), each with the position behind it.

    A try has several executions where workers were lost; their logs follow each other.
    """
    executions = Attempt.objects.filter(task_run=task_run)
    if attempt is not None:
        executions = executions.filter(number=attempt)
    for epoch in executions.filter(epoch__gte=position.epoch).values_list("epoch", flat=True):
        sequence = position.sequence if epoch == position.epoch else -1
        while page := list(
            LogChunk.objects.filter(task_run=task_run, epoch=epoch, sequence__gt=sequence)
            .order_by("sequence")
            .values_list("sequence", "text")[:PAGE]
        ):
            for sequence, text in page:  # the next page begins behind the last one
                yield Position(epoch, sequence), text


def is_complete(task_run: TaskRun, attempt: int | None) -> bool:
    """Whether nothing more can be written to the log of a try."""
    task_run.refresh_from_db(fields=["state", "attempt"])
    executions = Attempt.objects.filter(task_run=task_run)
    if attempt is not None:
        if attempt < task_run.attempt:
            return True
        executions = executions.filter(number=attempt)
    if executions.filter(finished_at=None).exists():
        return False
    return TaskState(task_run.state).is_final
