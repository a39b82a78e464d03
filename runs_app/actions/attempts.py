"""An execution's life in two statements: claimed when it starts, finished when it ends."""

from __future__ import annotations

import dataclasses
import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from runs_app.actions.asset_deliveries import DELIVERIES
from runs_app.actions.consigning import PLACE, Place, publish_alone
from runs_app.actions.degrading import degrade
from runs_app.actions.transitions import Move, sql_list, task_move
from runs_app.dispatching import request_dispatch_after_commit
from runs_app.domain.claims import Refusal, refusal
from runs_app.domain.executions import Execution, Finished
from runs_app.domain.named_outputs import RETURN_VALUE
from runs_app.domain.outcomes import MAX_ERROR_CHARACTERS, Outcome
from runs_app.domain.retries import next_state
from runs_app.domain.states import FINAL, LEASED, POKING, SLEEPING, TaskState
from skytrail.database.statement import Nothing, Statement

#: The columns of an `Execution`, of a task run named `m`.
_EXECUTION = """m.id AS task_run_id, m.epoch, m.attempt, m.max_attempts,
  m.task_id, m.map_index, m.map_values::json AS map_values, dag.dag_id, run.id AS run_pk,
  run.run_id, run.run_type, run.logical_date,
  run.data_interval_start, run.data_interval_end, run.conf::json AS conf,
  c.digest AS command_digest, c.canonical AS command,
  v.timeout_seconds, v.queued_timeout_seconds, v.memory_limit_mb,
  v.retry_delay_seconds, v.retry_exponential_backoff, v.max_retry_delay_seconds,
  coalesce(extract(epoch FROM clock_timestamp() - m.waiting_since), 0)::float8 AS waited_seconds,
  v.outlets::text[] AS outlets,
  v.expand::json AS expand, v.expand_kwargs::json AS expand_kwargs, v.max_map_length,
  ARRAY(
    SELECT d.task_id::text FROM skytrail_version_task d
    WHERE v.type = 'branch' AND d.version_id = v.version_id AND v.position = ANY (d.upstream)
  ) AS downstream"""
_EXECUTION_JOINS = """
JOIN skytrail_dag_run run ON run.id = m.run_id
JOIN skytrail_dag dag ON dag.id = m.dag_id
JOIN skytrail_version_task v ON v.id = m.version_task_id
JOIN skytrail_command c ON c.digest = v.command_id"""

# A later step of a stretch is claimed while it waits, one epoch ahead: the message was written when
# the stretch was cut, and the dispatcher would have queued it with that epoch. Everything beside
# the row itself is looked up by key in a subquery of its own: joins would leave the planner a
# choice, which it gets wrong while a table is young and its statistics say nothing.
_CLAIM = task_move(
    "claim",
    Move(
        guard="""t.id = %(id)s::uuid
    AND (SELECT run.state FROM skytrail_dag_run run WHERE run.id = t.run_id) = 'running'
    AND (
      (t.state = 'queued' AND t.epoch = %(epoch)s)
      OR (
        t.state = 'waiting' AND t.epoch = %(epoch)s - 1 AND NOT t.is_gated
        AND (
          SELECT v.trigger_rule = 'all_success' AND NOT EXISTS (
            SELECT FROM unnest(v.upstream) AS before (position)
            WHERE (
              SELECT u.state FROM skytrail_task_run u
              WHERE u.run_id = t.run_id AND u.position = before.position AND u.map_index = -1
            ) <> 'success'
          )
          FROM skytrail_version_task v WHERE v.id = t.version_task_id
        )
      )
    )""",
        to="'running'",
        lease="clock_timestamp() + %(lease)s * interval '1 second'",
        reason="'claimed'",
        sets="""epoch = %(epoch)s,
        attempt = t.attempt + (before.from_state = 'waiting')::int,
        worker = %(actor)s,
        started_at = clock_timestamp(),
        ready_at = NULL,
        chosen = NULL""",
        also=(
            """attempt AS (
  INSERT INTO skytrail_attempt (id, task_run_id, epoch, number, worker, state, reason, message)
  SELECT coalesce(%(key)s::uuid, skytrail_uuid7()), id, epoch, attempt, worker, 'running', '', ''
  FROM moved
)""",
        ),
        returning=_EXECUTION,
        returning_joins=_EXECUTION_JOINS,
    ),
    Execution,
)

# The same without a move: of what has been claimed already.
_READ = Statement(
    "read_execution",
    f"SELECT {_EXECUTION} FROM skytrail_task_run m {_EXECUTION_JOINS}"
    " WHERE m.id = %(id)s::uuid AND m.epoch = %(epoch)s",
    Execution,
)


@dataclasses.dataclass(frozen=True)
class _Standing:
    state: str
    epoch: int
    #: Whether the epoch in question was claimed under the key in question.
    is_ours: bool


_LOOK = Statement(
    "look",
    """
SELECT t.state, t.epoch, EXISTS (
  SELECT FROM skytrail_attempt a
  WHERE a.task_run_id = t.id AND a.epoch = %(epoch)s AND a.id = %(key)s::uuid
    AND a.finished_at IS NULL
) AS is_ours
FROM skytrail_task_run t WHERE t.id = %(id)s::uuid
""",
    _Standing,
)


@dataclasses.dataclass(frozen=True)
class _Finished:
    state: str
    run_pk: UUID
    degraded: bool
    from_state: str


def _finish(*, sets: str = "", also: tuple[str, ...] = ()) -> Move:
    """The move that ends an execution, with what else is to be written where it ended well."""
    return Move(
        guard=f"t.id = %(id)s::uuid AND t.epoch = %(epoch)s AND t.state IN {sql_list(LEASED)}",
        # What was asked for while it ran comes first: a restart in any case, a cancel unless the
        # task was quicker and succeeded.
        to="""CASE
      WHEN t.state = 'restarting' THEN 'waiting'
      WHEN %(to)s::text = 'success' THEN 'success'
      WHEN t.state = 'cancelling' THEN 'cancelled'
      ELSE %(to)s::text END""",
        reason="%(reason)s",
        sets=f"""epoch = t.epoch + (before.to_state = 'waiting')::int,
        wake_at = CASE WHEN before.to_state IN {sql_list(SLEEPING)}
          THEN clock_timestamp() + %(wake_after)s::float8 * interval '1 second' END,
        waiting_since = CASE WHEN before.to_state IN {sql_list(POKING)}
          THEN coalesce(t.waiting_since, t.started_at) END,
        chosen = CASE WHEN before.to_state = 'success' THEN %(chosen)s::varchar[] END{sets}""",
        also=(
            """attempt AS (
  UPDATE skytrail_attempt a SET
    state = CASE WHEN m.from_state = 'running' OR m.state = 'success'
      THEN %(ended)s ELSE 'cancelled' END,
    reason = %(reason)s, message = %(message)s, exit_code = %(exit_code)s::int,
    finished_at = clock_timestamp()
  FROM moved m WHERE a.task_run_id = %(id)s::uuid AND a.epoch = %(epoch)s
)""",
            """output AS (
  INSERT INTO skytrail_output (task_run_id, epoch, name, value)
  SELECT moved.id, moved.epoch, output.name, output.value
  FROM moved CROSS JOIN jsonb_each(%(outputs)s::jsonb) AS output (name, value)
  WHERE moved.state = 'success'
)""",
            """log AS (
  INSERT INTO skytrail_log_chunk (task_run_id, epoch, sequence, text)
  SELECT id, %(epoch)s, %(log_sequence)s::int, %(log)s::text FROM moved WHERE %(log)s::text <> ''
)""",
            *also,
        ),
        returning="""m.state, m.run_id AS run_pk,
  (SELECT degraded FROM skytrail_dag_run WHERE id = m.run_id), m.from_state""",
    )


_FINISH = task_move("finish", _finish(), _Finished)

# The instances of a mapped task are written with the end of its expansion. Those of an expansion
# before a clear take their new values, and wait already; what there is no value for any more is
# removed by the planner.
_FINISH_EXPANSION = task_move(
    "finish_expansion",
    _finish(
        sets=""",
        map_length = CASE WHEN before.to_state IN ('success', 'skipped')
          THEN jsonb_array_length(%(instances)s::jsonb) END""",
        also=(
            """instances AS (
  INSERT INTO skytrail_task_run AS i (
    run_id, version_task_id, dag_id, task_id, position, map_index, map_values, state,
    attempt, max_attempts, epoch, lost_count, queue, pool, pool_slots, is_gated, priority, worker,
    publish_count
  )
  SELECT m.run_id, m.version_task_id, m.dag_id, m.task_id, m.position, item.place - 1, item.values,
    'waiting', 0, v.retries + 1, 0, 0, v.queue, v.pool, v.pool_slots, v.is_gated, v.priority, '', 0
  FROM moved m
  JOIN skytrail_version_task v ON v.id = m.version_task_id
  CROSS JOIN jsonb_array_elements(%(instances)s::jsonb) WITH ORDINALITY AS item (values, place)
  WHERE m.state = 'success'
  ON CONFLICT (run_id, position, map_index) DO UPDATE SET map_values = excluded.map_values
)""",
        ),
    ),
    _Finished,
)


# What a task makes new is told with its end, to whom it concerns.
_FINISH_WITH_OUTLETS = task_move(
    "finish_with_outlets",
    _finish(
        also=(
            """events AS (
  INSERT INTO skytrail_asset_event (
    asset, at, extra, task_run_id, epoch, dag_id, run_id, task_id, map_index, emitted_by
  )
  SELECT asset, clock_timestamp(), '{}', m.id, %(epoch)s,
    (SELECT d.dag_id FROM skytrail_dag d WHERE d.id = m.dag_id),
    (SELECT r.run_id FROM skytrail_dag_run r WHERE r.id = m.run_id),
    m.task_id, m.map_index, 'task'
  FROM moved m CROSS JOIN unnest(%(outlets)s::text[]) AS asset
  WHERE m.state = 'success'
  RETURNING id, asset
)""",
            DELIVERIES,
        ),
    ),
    _Finished,
)


@dataclasses.dataclass(frozen=True)
class _Written:
    state: str
    run_pk: UUID


# Who else ends an execution gives it one of these reasons.
_WRITTEN = Statement(
    "written_before",
    """
SELECT a.state, t.run_id AS run_pk
FROM skytrail_attempt a JOIN skytrail_task_run t ON t.id = a.task_run_id
WHERE a.task_run_id = %(id)s::uuid AND a.epoch = %(epoch)s
  AND a.finished_at IS NOT NULL AND a.reason NOT IN ('worker_lost', 'worker_stopped')
""",
    _Written,
)

_HAND_BACK = task_move(
    "hand_back",
    Move(
        guard=f"t.id = %(id)s::uuid AND t.epoch = %(epoch)s AND t.state IN {sql_list(LEASED)}",
        to="""CASE
      WHEN t.state = 'cancelling' THEN 'cancelled'
      WHEN t.state = 'restarting' THEN 'waiting'
      ELSE 'queued' END""",
        reason="'worker stops'",
        sets="""epoch = t.epoch + 1,
        queued_at = clock_timestamp(),
        published_at = clock_timestamp(),
        publish_count = 1""",
        also=(
            """attempt AS (
  UPDATE skytrail_attempt a SET
    state = 'cancelled', reason = 'worker_stopped', finished_at = clock_timestamp(),
    message = 'the worker ' || m.worker || ' was stopped and handed it back'
  FROM moved m WHERE a.task_run_id = %(id)s::uuid AND a.epoch = %(epoch)s
)""",
        ),
        returning=PLACE,
    ),
    Place,
)

_WANT_REPLAN = Statement(
    "want_replan",
    """
UPDATE skytrail_dag_run SET replan_wanted = true
WHERE id = %(run)s::uuid AND NOT replan_wanted
""",
    Nothing,
)


def claim(
    *, task_run_id: UUID, epoch: int, worker: str, key: UUID | None = None
) -> Execution | Refusal:
    """Starts execution `epoch` of a task run, or says why there is nothing to start.

    Each epoch of a task run is claimed at most once, however often its message arrives. Who asks
    again under the same `key`, because the connection died before the answer came, is given what
    the first call has claimed.
    """
    execution = _CLAIM.one(
        id=task_run_id, epoch=epoch, actor=worker, key=key, lease=settings.SKYTRAIL_LEASE_SECONDS
    )
    if execution is not None:
        return execution
    there = _LOOK.one(id=task_run_id, epoch=epoch, key=key)
    if there is not None and there.is_ours:
        ours = read(task_run_id=task_run_id, epoch=epoch)
        if ours is not None:
            return ours
    return refusal(
        state=TaskState(there.state) if there else None,
        epoch=there.epoch if there else 0,
        wanted=epoch,
    )


def read(*, task_run_id: UUID, epoch: int) -> Execution | None:
    """An execution that has been claimed before; None where the task run has gone on since."""
    return _READ.one(id=task_run_id, epoch=epoch)


def finish(
    execution: Execution, outcome: Outcome, *, worker: str, log: str = "", log_sequence: int = 0
) -> Finished | None:
    """Writes how `execution` ended, with its output and the rest of its log.

    None where another execution has taken over since: then nothing is written, and the outcome is
    to be dropped. Who asks again, because the connection died before the answer came, is told what
    the first call has written.
    """
    state, wake_after = next_state(execution, outcome)
    statement = _FINISH
    more: dict[str, Any] = {}
    if outcome.instances is not None:
        statement, more = _FINISH_EXPANSION, {"instances": json.dumps(outcome.instances)}
    elif execution.outlets and state == TaskState.SUCCESS and not execution.is_expansion:
        statement, more = _FINISH_WITH_OUTLETS, {"outlets": execution.outlets}
    row = statement.one(
        id=execution.task_run_id,
        epoch=execution.epoch,
        to=state,
        ended=outcome.state,
        reason=outcome.reason or "finished",
        message=outcome.message[:MAX_ERROR_CHARACTERS],
        exit_code=outcome.exit_code,
        wake_after=wake_after,
        chosen=list(outcome.chosen) if outcome.chosen is not None else None,
        outputs=_outputs(outcome),
        log=log,
        log_sequence=log_sequence,
        actor=worker,
        **more,
    )
    if row is None:
        return _written_before(execution)
    final = TaskState(row.state)
    restarted_or_cancelled = row.from_state != TaskState.RUNNING
    return Finished(
        state=final,
        run_pk=row.run_pk,
        needs_dispatch=row.degraded
        or restarted_or_cancelled
        or (final in FINAL - {TaskState.SUCCESS} and want_replan(row.run_pk)),
    )


def _outputs(outcome: Outcome) -> str | None:
    """What an outcome leaves, by name, as JSON; None for nothing."""
    if outcome.output is None:
        return None
    # Of no named outputs too it is to be known that there are none.
    is_parted = outcome.is_named and outcome.output
    return json.dumps(outcome.output if is_parted else {RETURN_VALUE: outcome.output})


def _written_before(execution: Execution) -> Finished | None:
    """What an earlier call has made of `execution`, if it did not come back to say so."""
    row = _WRITTEN.one(id=execution.task_run_id, epoch=execution.epoch)
    if row is None:
        return None
    # Whether its end was passed on nobody knows any more; asking once too often costs little.
    return Finished(state=TaskState(row.state), run_pk=row.run_pk, needs_dispatch=True)


def hand_back(execution: Execution, *, worker: str) -> bool:
    """Gives up an unfinished execution, to be run again at once by another worker.

    It costs neither a retry nor a loss. False where it was no longer this worker's.
    """
    with transaction.atomic():
        place = _HAND_BACK.one(id=execution.task_run_id, epoch=execution.epoch, actor=worker)
        if place is None:
            return False
        if place.state == TaskState.QUEUED:
            publish_alone([place], ahead=True)
        else:
            request_dispatch_after_commit(place.run_pk)
    degrade([place.run_pk])
    return True


def want_replan(run_pk: UUID) -> bool:
    """Notes that the run's whole graph must be planned again; false if that was noted already.

    So a thousand tasks that fail together cost one planning and not a thousand. It is a statement
    of its own because a dispatcher holds the run while it takes its tasks, never the reverse.
    """
    return bool(_WANT_REPLAN.count(run=run_pk))
