"""What the history of a run must always show."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from runs_app.domain.states import LEASED
from runs_app.models import Attempt, DagRun, TaskRun, Transition


def check_history(run: DagRun) -> None:
    """Each move begins where the last one ended, no epoch falls, and each claim has one attempt."""
    rows = list(TaskRun.objects.filter(run=run))
    history = list(Transition.objects.filter(run=run).order_by("at", "id"))
    all_attempts = list(
        # A try that no worker took leaves one too.
        Attempt.objects.filter(task_run__run=run).exclude(reason="queued_timeout")
    )
    for row in rows:
        moves = [move for move in history if move.task_run_id == row.pk]
        attempts = [attempt for attempt in all_attempts if attempt.task_run_id == row.pk]
        told = ["waiting", *(state for move in moves for state in (move.from_state, move.to_state))]
        told.append(row.state)
        assert told[::2] == told[1::2], f"the history of {row.task_id} has a gap: {told}"
        epochs = [0, *(move.epoch for move in moves), row.epoch]
        assert all(a <= b for a, b in pairwise(epochs)), f"an epoch of {row.task_id} fell: {epochs}"
        claims = Counter(move.epoch for move in moves if move.to_state == "running")
        assert claims == Counter(attempt.epoch for attempt in attempts), "one attempt per claim"
        at_work = {attempt.epoch for attempt in attempts if attempt.finished_at is None}
        assert at_work == ({row.epoch} if row.state in LEASED else set()), "only the last may run"
