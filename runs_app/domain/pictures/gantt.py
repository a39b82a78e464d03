"""A run's tasks over time: what each waited for, and which of them made the run take so long."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from runs_app.domain.pictures.scale import Scale


class Part(enum.StrEnum):
    """What a stretch of a task's time went into."""

    UPSTREAM = "upstream"
    LIMITS = "limits"
    QUEUE = "queue"
    RETRY = "retry"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Try:
    """An execution; `end` None: it goes on."""

    start: datetime
    end: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class Timed:
    """A task run with its times; `upstream` are places in the sequence it stands in.

    `ready_at`: since when it only waited for a slot; `queued_at`: when it was last given to the
    queue.
    """

    name: str
    state: str
    upstream: tuple[int, ...]
    ready_at: datetime | None
    queued_at: datetime | None
    tries: tuple[Try, ...]
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a task's lane, in seconds and on the scale; a try's `state`, or empty."""

    part: Part
    x: float
    width: float
    seconds: float
    state: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A task's lane, its seconds by part, and whether the run's length hangs on it."""

    place: int
    stretches: tuple[Stretch, ...]
    is_critical: bool

    def seconds(self, part: Part) -> float:
        return sum(each.seconds for each in self.stretches if each.part is part)


def gantt(tasks: Sequence[Timed], *, began: datetime, until: datetime) -> list[Row]:
    """A row for each task, in their order; `until` is the run's end, or now."""
    scale = Scale(began, until)
    critical = critical_path(tasks)
    return [
        Row(place, tuple(_stretches(tasks, task, scale)), place in critical)
        for place, task in enumerate(tasks)
    ]


def critical_path(tasks: Sequence[Timed]) -> set[int]:
    """The chain of tasks, each the last that the next one waited for, that ends with the last task.

    Had any of them been quicker, the run would have been; empty where nothing was executed.
    """
    ended = {
        place: task.finished_at
        for place, task in enumerate(tasks)
        if task.finished_at and task.tries
    }
    path: set[int] = set()
    here = max(ended, key=lambda place: ended[place], default=None)
    while here is not None and here not in path:
        path.add(here)
        before = [place for place in tasks[here].upstream if place in ended]
        here = max(before, key=lambda place: ended[place], default=None)
    return path


def _stretches(tasks: Sequence[Timed], task: Timed, scale: Scale) -> list[Stretch]:
    moments: list[tuple[Part, datetime, datetime, str]] = []
    ends = [tasks[place].finished_at for place in task.upstream]
    known = [end for end in ends if end is not None]
    is_blocked = len(known) < len(ends) and not task.tries and task.finished_at is None
    free = scale.end if is_blocked else max(known, default=scale.start)
    last = task.finished_at or scale.end
    free = min(free, last)
    first = task.tries[0].start if task.tries else None
    moments.append((Part.UPSTREAM, scale.start, min(free, first or free), ""))
    here = min(free, first or free)
    # Of a task that was tried again `queued_at` is of the last try.
    queued = task.queued_at if len(task.tries) <= 1 else None
    if task.ready_at is not None and queued is not None and queued > here:
        moments.append((Part.LIMITS, here, queued, ""))
        here = queued
    elif task.ready_at is not None and queued is None and first is None:
        moments.append((Part.LIMITS, here, last, ""))
        here = last
    if first is not None:
        moments.append((Part.QUEUE, here, first, ""))
    elif task.queued_at is not None and not is_blocked:
        moments.append((Part.QUEUE, here, last, ""))
    for place, each in enumerate(task.tries):
        end = each.end or last
        moments.append((Part.RUNNING, each.start, end, each.state))
        if place + 1 < len(task.tries):
            moments.append((Part.RETRY, end, task.tries[place + 1].start, ""))
    return [
        Stretch(
            part,
            scale.at(start),
            round(max(scale.at(end) - scale.at(start), 1.5 if part is Part.RUNNING else 0.0), 2),
            (end - start).total_seconds(),
            state,
        )
        for part, start, end, state in moments
        if end > start or part is Part.RUNNING
    ]
