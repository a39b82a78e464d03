"""Taking up again what slept: retries whose delay is over, and what is to be looked for again."""

from __future__ import annotations

from django.db import transaction

from runs_app.actions import admission
from runs_app.actions.consigning import PLACE, Place, publish_alone
from runs_app.actions.transitions import Move, sql_list, task_move
from runs_app.domain.states import POKING, SLEEPING, TaskState

#: Task runs taken up in one transaction.
BATCH = 500

# A gated task gave its slot back when it fell asleep: it stands in line for one again. Admission
# will count a try; of a task that waits for something it is the same one, and is not counted here.
_WAKE = task_move(
    "wake",
    Move(
        joins="JOIN skytrail_dag_run run ON run.id = t.run_id",
        guard=f"""t.state IN {sql_list(SLEEPING)} AND t.wake_at <= statement_timestamp()
    AND run.state = 'running'""",
        order="t.wake_at",
        limit=f"LIMIT {BATCH}",
        skip_locked=True,
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
    ),
    Place,
)


def wake(*, actor: str = "schedule") -> int:
    """Takes up every task run whose `wake_at` has come; how many that were."""
    woken = 0
    while True:
        with transaction.atomic():
            places = _WAKE.all(actor=actor)
            queued = [place for place in places if place.state == TaskState.QUEUED]
            publish_alone(queued)
        if len(queued) < len(places):
            admission.admit(actor=actor)
        woken += len(places)
        if len(places) < BATCH:
            return woken
