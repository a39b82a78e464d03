"""Creating runs: one that somebody asks for, or many that a schedule asks for.

A run's tasks are written with it, and its first ones are queued in the same transaction, so that
starting costs no message more than the work itself.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from dags_app.actions.taking_over import up_to_date
from dags_app.domain import params
from dags_app.domain.problems import suggestion
from dags_app.domain.timing.schedule import ContinuousSchedule, previous_before
from dags_app.models import Dag, DagVersion
from runs_app.actions.consigning import PLACE, Place, consign
from runs_app.dispatching import publish_after_commit, request_dispatch_after_commit
from runs_app.domain.graph import Step
from runs_app.domain.states import RunState, TaskState
from runs_app.models import DagRun, Pool, RunType
from runs_app.selectors.graphs import graph_of
from runs_app.selectors.runs import shown
from skytrail.database.clock import database_now
from skytrail.database.statement import Statement
from skytrail.errors import Conflict, Invalid, Problem

#: A request starts up to this many tasks by itself; more are left to the dispatcher.
MAX_STARTED_BY_REQUEST = 100

#: Airflow's rule for run ids.
RUN_ID = re.compile(r"[A-Za-z0-9_.~:+-]+")


class RunExists(Conflict):
    """The DAG {dag_id} already has a run {run_id}. Choose another run_id, or leave it out."""


class IdempotencyKeyReused(Conflict):
    """This Idempotency-Key was used for a run with other contents. Use a new key for a new run."""


class BadRun(Invalid):
    """The run cannot be created as asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """A run that is asked for. Dates are aware; `run_id` None has one made."""

    run_type: RunType = RunType.MANUAL
    run_id: str | None = None
    logical_date: datetime | None = None
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    conf: dict[str, Any] | None = None
    idempotency_key: str | None = None
    #: Of its DAG; None for the one that holds now.
    version: DagVersion | None = None


@dataclass(frozen=True, slots=True)
class Launched:
    """The run's key, and whether it is new: a repeated Idempotency-Key answers with the first."""

    run_pk: UUID
    is_new: bool

    def run(self) -> DagRun:
        """The run, with what is shown beside it."""
        return shown(DagRun.objects.all()).get(pk=self.run_pk)


@dataclass(frozen=True)
class _Held:
    at: datetime


_HOLD = Statement(
    "hold_dag",
    "SELECT clock_timestamp() AS at FROM skytrail_dag WHERE id = %(dag)s::uuid FOR NO KEY UPDATE",
    _Held,
)


@dataclass(frozen=True, slots=True)
class _NewTask(Place):
    """A new task run, and what is to be known of its run."""

    run_state: str
    dag_pk: UUID
    version_id: UUID


# Runs of several DAGs at once, for the schedule tick, with all their tasks; the caller holds the
# DAGs. Where a DAG has as many runs running as it may have, or older ones wait, a run is created as
# queued. A run's first tasks are queued with it, but for gated ones, which are to be admitted.
# Where only some tasks are wanted, the others are removed from the start.
_INSERT = Statement(
    "insert_runs",
    f"""
WITH wanted AS (
  SELECT * FROM unnest(
    %(dags)s::uuid[], %(run_ids)s::text[], %(run_types)s::text[], %(logical_dates)s::timestamptz[],
    %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(confs)s::text[], %(keys)s::text[],
    %(versions)s::uuid[]
  ) WITH ORDINALITY
    AS w (dag, run_id, run_type, logical_date, interval_start, interval_end, conf, key, version,
      place)
), there AS (
  SELECT dag_id, count(*) FILTER (WHERE state <> 'queued') AS active,
    count(*) FILTER (WHERE state = 'queued') AS waiting
  FROM skytrail_dag_run
  WHERE dag_id = ANY (%(dags)s::uuid[]) AND state IN ('queued', 'running', 'cancelling')
  GROUP BY dag_id
), judged AS (
  SELECT w.*, coalesce(w.version, d.version_id) AS version_id, d.run_timeout_seconds,
      coalesce(there.waiting, 0) = 0
      AND coalesce(there.active, 0) + row_number() OVER (PARTITION BY w.dag ORDER BY w.place)
        <= d.runs_at_once AS may_start
  FROM wanted w
  JOIN skytrail_dag d ON d.id = w.dag
  LEFT JOIN there ON there.dag_id = w.dag
), run AS (
  INSERT INTO skytrail_dag_run (
    dag_id, version_id, run_id, run_type, triggered_by, state, logical_date,
    data_interval_start, data_interval_end, conf, idempotency_key, started_at, planned_at,
    replan_wanted, degraded, times_out_at
  )
  SELECT dag, version_id, run_id, run_type, %(actor)s,
    CASE WHEN may_start THEN 'running' ELSE 'queued' END, logical_date,
    interval_start, interval_end, conf::jsonb, key,
    CASE WHEN may_start THEN clock_timestamp() END, clock_timestamp(), false, false,
    CASE WHEN may_start THEN clock_timestamp() + run_timeout_seconds * interval '1 second' END
  FROM judged ORDER BY place
  ON CONFLICT DO NOTHING
  RETURNING id, dag_id, version_id, state
), m AS (
  INSERT INTO skytrail_task_run (
    run_id, version_task_id, dag_id, task_id, position, map_index, state,
    attempt, max_attempts, epoch, lost_count, queue, pool, pool_slots, is_gated, priority, worker,
    queued_at, published_at, publish_count, finished_at
  )
  SELECT run.id, v.id, run.dag_id, v.task_id, v.position, -1,
    CASE WHEN left_out.it THEN 'removed' WHEN starts.now THEN 'queued' ELSE 'waiting' END,
    starts.now::int, v.retries + 1, starts.now::int, 0,
    v.queue, v.pool, v.pool_slots,
    slot.is_needed, v.priority, '',
    CASE WHEN starts.now THEN clock_timestamp() END,
    CASE WHEN starts.now THEN clock_timestamp() END,
    starts.now::int,
    CASE WHEN left_out.it THEN clock_timestamp() END
  FROM run
  JOIN skytrail_version_task v ON v.version_id = run.version_id
  CROSS JOIN LATERAL (
    -- An expansion needs none; its instances do.
    SELECT v.is_gated AND v.expand IS NULL AND v.expand_kwargs IS NULL AS is_needed
  ) slot
  CROSS JOIN LATERAL (
    SELECT coalesce(v.task_id <> ALL (%(only)s::text[]), false) AS it
  ) left_out
  CROSS JOIN LATERAL (
    SELECT %(start)s AND NOT left_out.it AND run.state = 'running' AND v.upstream = '{{}}'
      AND NOT slot.is_needed AND NOT v.depends_on_past AND NOT v.wait_for_downstream AS now
  ) starts
  RETURNING *
), history AS (
  INSERT INTO skytrail_transition
    (run_id, task_run_id, from_state, to_state, epoch, reason, actor, at)
  SELECT id, NULL, '', state, 0, 'created', %(actor)s, clock_timestamp() FROM run
  UNION ALL
  SELECT run_id, id, 'waiting', state, epoch, 'ready', %(actor)s, clock_timestamp()
  FROM m WHERE state = 'queued'
  UNION ALL
  SELECT run_id, id, 'waiting', state, epoch, 'left out', %(actor)s, clock_timestamp()
  FROM m WHERE state = 'removed'
)
SELECT {PLACE}, run.state AS run_state, run.dag_id AS dag_pk, run.version_id
FROM m JOIN run ON run.id = m.run_id
""",
    _NewTask,
)


def launch(dag: Dag, request: RunRequest, *, actor: str) -> Launched:
    """Creates one run of `dag` and starts it, or has it wait for its turn (`max_active_runs`).

    Raises `BadRun` and `params.BadConf` for what was asked, `RunExists` where the run_id or the
    scheduled date is taken, `IdempotencyKeyReused`.
    """
    dag = up_to_date(dag)
    version_id = request.version.pk if request.version else dag.version_id
    request = _checked(dag, request)
    with transaction.atomic():
        # So that two requests cannot both take the last free place, or both be the first of a key.
        held = _HOLD.one(dag=dag.pk)
        if request.idempotency_key and (earlier := _with_key(dag, request)):
            return Launched(earlier, is_new=False)
        if request.run_id is None:
            moment = request.logical_date or (held.at if held else database_now())
            request = replace(request, run_id=run_id_for(request.run_type, moment))
        start = len(graph_of(version_id).roots) <= MAX_STARTED_BY_REQUEST
        created = insert([(dag, request)], actor=actor, start=start)
    if not created:
        raise RunExists(dag_id=repr(dag.dag_id), run_id=repr(request.run_id))
    return Launched(created[0], is_new=True)


def insert(
    wanted: Sequence[tuple[Dag, RunRequest]],
    *,
    actor: str,
    start: bool = True,
    only: Sequence[str] | None = None,
) -> list[UUID]:
    """Writes complete requests as runs and has their first tasks sent; the keys of the new runs.

    Requests whose run is there already are passed over. The caller holds the DAGs' rows. Without
    `start` nothing is queued yet: the dispatcher is asked to; and so it is where `only` some tasks
    are to run.
    """
    tasks = _INSERT.all(
        dags=[dag.pk for dag, _ in wanted],
        run_ids=[request.run_id for _, request in wanted],
        run_types=[str(request.run_type) for _, request in wanted],
        logical_dates=[request.logical_date for _, request in wanted],
        starts=[request.data_interval_start for _, request in wanted],
        ends=[request.data_interval_end for _, request in wanted],
        confs=[json.dumps(request.conf or {}) for _, request in wanted],
        keys=[request.idempotency_key for _, request in wanted],
        versions=[request.version and request.version.pk for _, request in wanted],
        actor=actor,
        start=start and only is None,
        only=None if only is None else list(only),
    )
    by_run: dict[UUID, dict[Step, _NewTask]] = {}
    for task in tasks:
        by_run.setdefault(task.run_pk, {})[task.position] = task
    names = {dag.pk: dag.dag_id for dag, _ in wanted}
    for run_pk, rows in by_run.items():
        _send(run_pk, rows, names)
    return list(by_run)


def _send(run_pk: UUID, rows: dict[Step, _NewTask], names: dict[UUID, str]) -> None:
    """Has a new run's queued tasks published; one that could not start any is dispatched."""
    first = rows[0]
    if first.run_state != RunState.RUNNING:
        return
    graph = graph_of(first.version_id)
    queued = [position for position in graph.roots if rows[position].state == TaskState.QUEUED]
    if queued:
        name = names[first.dag_pk]
        publish_after_commit(
            [consign(graph, dag_id=name, run_pk=run_pk, places=rows, queued=queued)]
        )
    if len(queued) < len(graph.roots):
        request_dispatch_after_commit(run_pk)


def _checked(dag: Dag, request: RunRequest) -> RunRequest:
    """`request` with everything filled in that it left open, but for the name of the run."""
    conf = request.conf if request.conf is not None else {}
    if len(json.dumps(conf)) > params.MAX_CONF_BYTES:
        limit = f"conf may have at most {params.MAX_CONF_BYTES:,} bytes as JSON"
        raise BadRun(problems=[Problem("conf", "too_large", limit)])
    if request.run_id is not None and not RUN_ID.fullmatch(request.run_id):
        hint = "use letters a–z and A–Z, digits and the characters _ . ~ : + -"
        raise BadRun(problems=[Problem("run_id", "bad_run_id", hint)])
    check_pools(dag, request.version)
    declared = request.version.spec.get("params", {}) if request.version else dag.params
    return replace(
        request,
        conf=params.resolve(declared, conf),
        data_interval_start=request.data_interval_start or _interval_start(dag, request),
        data_interval_end=request.data_interval_end or request.logical_date,
    )


def _interval_start(dag: Dag, request: RunRequest) -> datetime | None:
    """As the schedule would have it for this date: the tick before. Without any, the date."""
    date, timetable = request.logical_date, dag.timetable
    if date is None or timetable is None or isinstance(timetable, ContinuousSchedule):
        return date
    return previous_before(timetable, date) or date


def run_id_for(run_type: RunType, moment: datetime) -> str:
    """Airflow's form, `scheduled__2026-01-31T09:00:00+00:00`; what is not unique gets a suffix.

    `moment` is the logical date, or the time of asking where there is none.
    """
    is_unique = run_type not in {RunType.MANUAL, RunType.ASSET_TRIGGERED}
    suffix = "" if is_unique else f"_{secrets.token_hex(4)}"
    return f"{run_type.value}__{moment.astimezone(UTC).isoformat()}{suffix}"


def check_pools(dag: Dag, version: DagVersion | None = None) -> None:
    """A task that no pool will ever have room for: say so while somebody listens."""
    version = version or dag.version
    assert version is not None
    if not graph_of(version.pk).is_gated:
        return
    pools = version.tasks.values_list("pool", "pool_slots")
    wanted: dict[str, int] = {}
    for name, slots in pools:
        if name is not None:
            wanted[name] = max(slots, wanted.get(name, 0))
    known = dict(Pool.objects.values_list("name", "slots"))
    problems = [
        Problem(
            "pool",
            "no_such_pool",
            f"the DAG needs the pool {name!r}, which does not exist; create it first"
            f"{suggestion(name, known)}",
        )
        for name in sorted(wanted.keys() - known.keys())
    ]
    problems += [
        Problem(
            "pool",
            "pool_too_small",
            f"a task needs {wanted[name]} slots of the pool {name!r}, which has {known[name]}; "
            "give the pool more, or the task fewer (pool_slots)",
        )
        for name in sorted(wanted.keys() & known.keys())
        if 0 < known[name] < wanted[name]
    ]
    if problems:
        raise BadRun(problems=problems)


def _with_key(dag: Dag, request: RunRequest) -> UUID | None:
    """The run that was created under this Idempotency-Key, if it is the one asked for again."""
    earlier = DagRun.objects.filter(dag=dag, idempotency_key=request.idempotency_key).first()
    if earlier is None:
        return None
    version = request.version.pk if request.version else earlier.version_id
    asked = (request.conf, request.logical_date, request.run_id or earlier.run_id, version)
    if asked != (earlier.conf, earlier.logical_date, earlier.run_id, earlier.version_id):
        raise IdempotencyKeyReused
    key: UUID = earlier.pk
    return key
