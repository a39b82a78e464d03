"""Taking up again what slept: retries whose delay is over, and what is to be looked for again."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from runs_app.actions import admission
from runs_app.actions.consigning import PLACE, Place, publish_alone
from runs_app.actions.transitions import Move, sql_list, task_move
from runs_app.domain.states import POKING, SLEEPING, TaskState

#: Task runs taken up in one transaction.
BATCH = 500


# A gated task gave its slot back when it fell asleep: it stands in line for one again. Admission
# will count a try; of a task that waits for something it is the same one, and is not counted here.
def _taking_up(guard: str, *, order: str = "t.id", limit: str = "") -> Move:
    return Move(
        joins="JOIN skytrail_dag_run run ON run.id = t.run_id",
        guard=f"t.state IN {sql_list(SLEEPING)} AND run.state = 'running' AND {guard}",
        order=order,
        limit=limit,
        skip_locked=bool(limit),
        to="CASE WHEN t.is_gated THEN 'waiting' ELSE 'queued' END",
        reason=f"""CASE WHEN m.from_state IN {sql_list(POKING)}
          THEN 'time to look again' ELSE 'time to try again' END""",
        sets="""epoch = t.epoch + 1,
        attempt = t.attempt + CASE
          WHEN before.to_state = 'queued' THEN (before.from_state = 'up_for_retry')::int
          ELSE -(before.from_state <> 'up_for_retry')::int END,
        ready_at = CASE WHEN before.to_state = 'waiting' THEN clock_timestamp() END,
        queued_at = CASE WHEN before.to_state = 'queued' THEN clock_timestamp() END,
        published_at = CASE WHEN before.to_state = 'queued' THEN clock_timestamp() END,
        publish_count = 1,
        wake_at = NULL""",
        returning=PLACE,
    )


_WAKE = task_move(
    "wake",
    _taking_up("t.wake_at <= statement_timestamp()", order="t.wake_at", limit=f"LIMIT {BATCH}"),
    Place,
)

_ANSWERED = """t.state = 'deferred' AND EXISTS (
      SELECT FROM skytrail_approval a
      WHERE a.task_run_id = t.id AND a.attempt = t.attempt AND a.choice IS NOT NULL
    )"""

_WAKE_ANSWERED = task_move(
    "wake_answered", _taking_up(f"t.id = %(id)s::uuid AND {_ANSWERED}"), Place
)

# For answers that came while the task was just falling asleep.
_WAKE_ALL_ANSWERED = task_move(
    "wake_all_answered",
    _taking_up(
        f"""t.id IN (
      SELECT task_run_id FROM skytrail_approval
      WHERE choice IS NOT NULL AND decided_at > statement_timestamp() - interval '1 hour'
    ) AND {_ANSWERED}""",
        limit=f"LIMIT {BATCH}",
    ),
    Place,
)


def wake(*, actor: str = "schedule") -> int:
    """Takes up every task run whose `wake_at` has come, or that was answered; how many."""
    woken = 0
    for statement in (_WAKE, _WAKE_ALL_ANSWERED):
        while True:
            with transaction.atomic():
                places = statement.all(actor=actor)
                _send(places)
            _give_out(places, actor)
            woken += len(places)
            if len(places) < BATCH:
                break
    return woken


def wake_answered(task_run_pk: UUID, *, actor: str) -> bool:
    """Takes a task run up because its question was answered; false if it does not sleep (yet)."""
    with transaction.atomic():
        places = _WAKE_ANSWERED.all(id=task_run_pk, actor=actor)
        _send(places)
        transaction.on_commit(lambda: _give_out(places, actor), robust=True)
    return bool(places)


def _send(places: Sequence[Place]) -> None:
    publish_alone([place for place in places if place.state == TaskState.QUEUED])


def _give_out(places: Sequence[Place], actor: str) -> None:
    """Those that need a slot stand in line for it."""
    if any(place.state == TaskState.WAITING for place in places):
        admission.admit(actor=actor)
