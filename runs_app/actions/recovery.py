"""Finding in Postgres what Redis or a worker has lost, and sending it again.

Three things can be wrong with a run that ought to move: a task is queued and its message is gone; a
task runs and its worker is gone; nothing runs, because the message that should have led on is gone.
Each has its sweep. All of them may run twice at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from runs_app.actions import admission, presence, promotion, ticks
from runs_app.actions.consigning import PLACE, Place, publish_alone
from runs_app.actions.degrading import degrade
from runs_app.actions.dispatching_steps import dispatch
from runs_app.actions.transitions import Move, sql_list, task_move
from runs_app.dispatching import get_dispatcher
from runs_app.domain.states import LEASED, TaskState
from runs_app.models import TaskRun
from skytrail.database.statement import Statement

#: Rows taken in one sweep.
BATCH = 500

#: A queued task whose message was never sent is sent after this many seconds.
UNSENT_AFTER = 5

#: A message may be under way for this long before anybody asks after it (and for no longer than a
#: lease); doubled with each sending.
LATE_AFTER = 15
LATEST_AFTER = 600

#: What was sent by so many seconds later, was sent later for certain: sending follows the commit.
OVERTAKEN_BY = 5

#: Every active run is planned as a whole at least this often (degraded ones at every tick), as far
#: as there is time for it in a sweep. All in seconds.
PLAN_EVERY = 20
PLAN_FOR = 2.0
PLAN_BATCH = 50

ACTOR = "recovery"


@dataclass(frozen=True, slots=True)
class Recovered:
    """What one sweep found."""

    lost: int = 0
    republished: int = 0
    planned: int = 0
    promoted: int = 0
    admitted: int = 0


def _lost(*, guard: str, order: str = "t.id", limit: str = "", skip_locked: bool = False) -> Move:
    return Move(
        joins="JOIN skytrail_version_task v ON v.id = t.version_task_id",
        guard=f"t.state IN {sql_list(LEASED)} AND {guard}",
        order=order,
        limit=limit,
        skip_locked=skip_locked,
        to="""CASE
      WHEN t.state = 'cancelling' THEN 'cancelled'
      WHEN t.state = 'restarting' THEN 'waiting'
      WHEN v.rerun_on_worker_loss AND t.lost_count < %(max_lost)s THEN 'queued'
      ELSE 'failed' END""",
        reason="'worker_lost'",
        sets="""epoch = t.epoch + 1,
        lost_count = t.lost_count + (before.from_state = 'running')::int,
        queued_at = CASE WHEN before.to_state = 'queued' THEN clock_timestamp() END,
        published_at = CASE WHEN before.to_state = 'queued' THEN clock_timestamp() END,
        publish_count = 1""",
        also=(
            """attempt AS (
  UPDATE skytrail_attempt a SET
    state = CASE WHEN m.from_state = 'running' THEN 'failed' ELSE 'cancelled' END,
    reason = 'worker_lost',
    message = 'the worker ' || m.worker || ' stopped reporting while it ran this',
    finished_at = clock_timestamp()
  FROM moved m WHERE a.task_run_id = m.id AND a.epoch = m.epoch - 1
)""",
        ),
        returning=PLACE,
    )


_LEASE_RAN_OUT = task_move(
    "lease_ran_out",
    _lost(
        # The database may have been away just since recovery has asked whether it was.
        guard=f"t.lease_expires_at < statement_timestamp() AND NOT ({presence.UNSETTLED})",
        order="t.lease_expires_at",
        limit=f"LIMIT {BATCH}",
        skip_locked=True,
    ),
    Place,
)
# Nobody comes back to these: where somebody else holds one of them, it is waited for.
_WORKER_DIED = task_move(
    "worker_died",
    _lost(guard="(t.id, t.epoch) IN (SELECT * FROM unnest(%(ids)s::uuid[], %(epochs)s::int[]))"),
    Place,
)


@dataclass(frozen=True)
class _Queue:
    queue: str
    queued: int


_QUEUES = Statement(
    "queues",
    """
SELECT queue, count(*)::int AS queued FROM skytrail_task_run WHERE state = 'queued' GROUP BY queue
""",
    _Queue,
)

# Not a move: the task run stays queued, with its epoch, and is sent once more.
_RESEND = Statement(
    "resend",
    f"""
WITH late AS MATERIALIZED (
  SELECT t.id FROM skytrail_task_run t JOIN skytrail_dag_run run ON run.id = t.run_id
  WHERE t.state = 'queued' AND t.queue = %(queue)s AND run.state = 'running'
    AND CASE
      WHEN t.published_at IS NULL
        THEN t.queued_at < statement_timestamp() - interval '{UNSENT_AFTER} seconds'
      ELSE t.published_at < statement_timestamp() - interval '1 second' * least(
        {LATEST_AFTER}, %(late_after)s * power(2, least(t.publish_count, 10) - 1))
    END
    AND (
      %(deficit)s > 0 OR t.published_at IS NULL
      -- A queue is served in order: what was sent later and runs has overtaken what is gone. But
      -- for what was sent ahead of the others, which has an epoch more than tries.
      OR t.published_at < (
        SELECT max(c.published_at) - interval '{OVERTAKEN_BY} seconds' FROM skytrail_task_run c
        WHERE c.state IN {sql_list(LEASED)} AND c.queue = t.queue
          AND sign(c.priority) = sign(t.priority) AND c.epoch = c.attempt
      )
    )
  ORDER BY t.published_at NULLS FIRST
  LIMIT %(limit)s
  FOR NO KEY UPDATE OF t SKIP LOCKED
)
UPDATE skytrail_task_run m
SET published_at = clock_timestamp(), publish_count = m.publish_count + 1
FROM late WHERE m.id = late.id
RETURNING {PLACE}
""",
    Place,
)


@dataclass(frozen=True)
class _Run:
    pk: UUID


_STALE = Statement(
    "least_recently_planned",
    f"""
SELECT id AS pk FROM skytrail_dag_run
WHERE state IN ('running', 'cancelling') AND (
  planned_at IS NULL
  OR planned_at < statement_timestamp() - interval '{PLAN_EVERY} seconds'
  OR (degraded AND planned_at < statement_timestamp() - interval '1 second' * %(every)s)
)
ORDER BY planned_at NULLS FIRST
LIMIT {PLAN_BATCH}
""",
    _Run,
)


#: Tells workers that are cut off from the database that somebody sees it, and for how many seconds
#: leases are still left alone; False where they cannot have heard of it before.
Announce = Callable[[float], bool]


def nobody_to_tell(_settling: float) -> bool:
    """For where no worker executes anything."""
    return True


def recover(*, every: float, announce: Announce = nobody_to_tell) -> Recovered | None:
    """One sweep over everything; None if another one has just been made.

    Where `announce` says that workers cannot have heard of it, nothing is taken from anybody yet.
    """
    turn = ticks.take_turn("recover", every=every)
    if turn is None:
        return None
    settling = presence.note()
    may_take_over = announce(settling) and not settling
    lost = take_over_lost() if may_take_over else 0
    deficits, republished = _resend_lost_messages(turn.memory.get("deficits", {}))
    ticks.remember("recover", {"deficits": deficits})
    return Recovered(
        lost=lost,
        republished=republished,
        planned=_plan_stale(every),
        promoted=promotion.promote_all(actor=ACTOR),
        admitted=admission.admit(actor=ACTOR),
    )


def take_over_lost() -> int:
    """Moves on every execution whose lease has run out; how many that were.

    A lost execution does not spend the user's retries; after `SKYTRAIL_MAX_LOST` of them the task
    fails as `worker_lost`.
    """
    lost = 0
    while True:
        places = _move_on(_LEASE_RAN_OUT, lease=settings.SKYTRAIL_LEASE_SECONDS)
        degrade(place.run_pk for place in places)
        _ask_for_plans(place.run_pk for place in places if place.state != TaskState.QUEUED)
        lost += len(places)
        if len(places) < BATCH:
            return lost


def take_over_dead(executions: Sequence[tuple[UUID, int]]) -> int:
    """The same for executions, `(task run, epoch)`, whose process is known to be dead."""
    if not executions:
        return 0
    ids = [task_run_id for task_run_id, _ in executions]
    moved = _move_on(_WORKER_DIED, ids=ids, epochs=[epoch for _, epoch in executions])
    # Even where the end had been written: the canvas that would have gone on died with the process.
    runs = list(TaskRun.objects.filter(pk__in=ids).values_list("run_id", flat=True).distinct())
    degrade(runs)
    _ask_for_plans(runs)
    return len(moved)


def _move_on(statement: Statement[Place], **which: Any) -> list[Place]:
    """What was moved on. The runs are marked afterwards, in statements of their own: whoever holds
    a run may wait for its tasks, never the reverse.
    """
    with transaction.atomic():
        places = statement.all(**which, max_lost=settings.SKYTRAIL_MAX_LOST, actor=ACTOR)
        publish_alone([place for place in places if place.state == TaskState.QUEUED], ahead=True)
    return places


def _ask_for_plans(runs: Iterable[UUID]) -> None:
    for run_pk in set(runs):
        get_dispatcher().request_dispatch(run_pk)


def _resend_lost_messages(before: dict[str, int]) -> tuple[dict[str, int], int]:
    """Sends again what Redis seems to have lost; the deficits now, and how many were sent.

    Lost is what Redis cannot hold: it has fewer messages for a queue than Postgres has queued rows,
    in two checks in a row. A long backlog is no loss. While there is work, messages for later steps
    of chains, whose rows wait, hide what is missing; but then what is lost is overtaken.
    """
    deficits: dict[str, int] = {}
    sent = 0
    for row in _QUEUES.all():
        depth = get_dispatcher().queue_depth(row.queue)
        if depth is None:
            continue
        deficits[row.queue] = max(0, row.queued - depth)
        deficit = min(deficits[row.queue], before.get(row.queue, 0))
        with transaction.atomic():
            places = _RESEND.all(
                queue=row.queue,
                deficit=deficit,
                late_after=min(LATE_AFTER, settings.SKYTRAIL_LEASE_SECONDS),
                limit=min(BATCH, deficit) or BATCH,
            )
            publish_alone(places)
        degrade(place.run_pk for place in places)
        sent += len(places)
    return deficits, sent


def _plan_stale(every: float) -> int:
    """Plans the runs that nobody has planned for longest: a lost dispatch shows in no other way."""
    planned = 0
    until = time.monotonic() + PLAN_FOR
    while runs := _STALE.all(every=every * 0.9):
        for run in runs:
            dispatch(run.pk, actor=ACTOR)
        planned += len(runs)
        if len(runs) < PLAN_BATCH or time.monotonic() > until:
            break
    return planned
