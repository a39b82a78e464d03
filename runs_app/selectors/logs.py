"""Reading logs, while they are being written and afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Right

from runs_app.domain.states import TaskState
from runs_app.models import Attempt, LogChunk, TaskRun

#: Chunks read at once: at most 64 Ki characters each.
PAGE = 20

#: What is shown of a log's end where the log itself is not the subject.
LAST_LINES = 50
LAST_CHARACTERS = 8_192


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
    while page := page_after(task_run, attempt, position):
        yield from page
        position = page[-1][0]


def page_after(
    task_run: TaskRun, attempt: int | None, position: Position
) -> list[tuple[Position, str]]:
    """The first pieces behind `position`, so few that they fit into memory; empty at the end."""
    behind = Q(epoch=position.epoch, sequence__gt=position.sequence) | Q(epoch__gt=position.epoch)
    chunks = LogChunk.objects.filter(behind, task_run=task_run)
    if attempt is not None:
        executions = Attempt.objects.filter(task_run=task_run, number=attempt)
        chunks = chunks.filter(epoch__in=executions.values("epoch"))
    rows = chunks.order_by("epoch", "sequence").values_list("epoch", "sequence", "text")
    return [(Position(epoch, sequence), text) for epoch, sequence, text in rows[:PAGE]]


def is_complete(task_run: TaskRun, attempt: int | None) -> bool:
    """Whether nothing more can be written to the log of a try (None: to any log of the task).

    False while the task waits for its next try: that writes to a log of its own, but whoever reads
    all of them wants to see it.
    """
    task_run.refresh_from_db(fields=["state", "attempt"])
    executions = Attempt.objects.filter(task_run=task_run)
    if attempt is not None:
        executions = executions.filter(number=attempt)
    if executions.filter(finished_at=None).exists():
        return False
    state = TaskState(task_run.state)
    if state.is_final:
        return True
    # A try that is over has been followed by another one, or will be.
    is_behind = attempt is not None and attempt < task_run.attempt
    has_ended = attempt == task_run.attempt and state is TaskState.UP_FOR_RETRY
    return is_behind or has_ended


def last_lines(task_run_pk: UUID, epoch: int) -> list[str]:
    """The end of an execution's log: `LAST_LINES` lines, of `LAST_CHARACTERS` in all, at most.

    Read from the end, however long the log is. A line that is not shown from its beginning on
    begins with an ellipsis.
    """
    chunks = LogChunk.objects.filter(task_run=task_run_pk, epoch=epoch).order_by("-sequence")
    # One more than is shown says whether there is anything before it.
    ends = chunks.annotate(end=Right("text", LAST_CHARACTERS + 1)).values_list("end", flat=True)
    text, read = "", 0
    while len(text) <= LAST_CHARACTERS and text.count("\n") <= LAST_LINES:
        page = list(ends[read : read + PAGE])
        text = "".join(reversed(page)) + text
        read += PAGE
        if len(page) < PAGE:
            break
    lines = text[-LAST_CHARACTERS:].split("\n")
    if len(text) > LAST_CHARACTERS and text[-LAST_CHARACTERS - 1] != "\n":
        lines[0] = f"…{lines[0]}"
    if not lines[-1]:
        del lines[-1]
    return lines[-LAST_LINES:]
