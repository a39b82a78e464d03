"""What has moved lately: for pages that are open."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from runs_app.models import Transition
from skytrail.database.keys import least_key


@dataclass(frozen=True, slots=True)
class Moved:
    """One move: of a run, or (with `task_run`) of one of its tasks."""

    id: UUID
    run: UUID
    dag: UUID
    task_run: UUID | None
    state: str


def moved_runs(since: datetime) -> list[Moved]:
    """The moves of runs that were written since then, oldest first."""
    # History has no index by time alone; its keys sort by it.
    moves = (
        Transition.objects.filter(id__gte=least_key(since), task_run=None)
        .order_by("id")
        .values_list("id", "run_id", "run__dag_id", "task_run_id", "to_state")
    )
    return [Moved(*move) for move in moves]


def moved_tasks(runs: Collection[UUID], since: datetime) -> list[Moved]:
    """The moves of these runs' tasks that were written since then, oldest first."""
    if not runs:
        return []
    moves = (
        Transition.objects.filter(run__in=runs, at__gte=since, task_run__isnull=False)
        .order_by("at", "id")
        .values_list("id", "run_id", "run__dag_id", "task_run_id", "to_state")
    )
    return [Moved(*move) for move in moves]


def history_of(run: UUID, *, task_run: UUID | None = None, most: int) -> list[Transition]:
    """The latest moves of a run and its tasks, or of one of them; newest first."""
    moves = Transition.objects.filter(run=run).order_by("-at", "-id")
    if task_run is not None:
        moves = moves.filter(task_run=task_run)
    return list(moves.select_related("task_run")[:most])
