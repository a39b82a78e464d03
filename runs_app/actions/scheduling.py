"""The schedule tick: runs for every DAG that is due.

Any number of ticks may run at once. Each takes DAGs that no other holds, moves `next_run_at` on in
the same transaction that writes the runs, and a unique constraint keeps one run per date whatever
happens.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import Now

from dags_app.actions.taking_over import take_over_due
from dags_app.domain import params
from dags_app.domain.timing import catchup
from dags_app.domain.timing.overlap import OverlapPolicy, judge
from dags_app.models import Dag
from runs_app.actions import assets
from runs_app.actions.cancellation import cancel_run
from runs_app.actions.launching import RunRequest, insert, run_id_for
from runs_app.domain.states import RUN_UNFINISHED, RunState
from runs_app.models import DagRun, RunType, SkippedTick
from skytrail.database.clock import database_now

#: DAGs taken in one transaction.
BATCH = 200

#: Runs created for one DAG in one tick while it catches up; the rest follows with the next tick.
MAX_PER_DAG = 100

#: A tick stops taking further batches after this many seconds: the next one goes on.
MAX_SECONDS = 30.0

ACTOR = "schedule"

_UNFINISHED = sorted(RUN_UNFINISHED)


@dataclass(frozen=True, slots=True)
class Ticked:
    """What a tick came to."""

    dags: int
    runs: int


@dataclass(slots=True)
class _Unfinished:
    """A DAG's runs that have not ended."""

    running: int = 0
    waiting: int = 0


def tick() -> Ticked:
    """Creates the runs that are due now."""
    take_over_due()
    dags = runs = 0
    started = time.monotonic()
    while time.monotonic() - started < MAX_SECONDS:
        batch = _tick_batch()
        dags += batch.dags
        runs += batch.runs
        if batch.dags < BATCH:
            break
    runs += assets.start_runs()
    return Ticked(dags, runs)


@transaction.atomic
def _tick_batch() -> Ticked:
    due = list(
        Dag.objects.present()
        .filter(paused=False, next_run_at__lte=Now())
        .exclude(
            Q(schedule__has_key="continuous")
            & Exists(DagRun.objects.filter(dag=OuterRef("pk"), state__in=_UNFINISHED))
        )
        .order_by("next_run_at")
        .select_for_update(skip_locked=True, no_key=True)[:BATCH]
    )
    if not due:
        return Ticked(0, 0)
    now = database_now()
    there = _unfinished([dag for dag in due if _is_asked_about_others(dag)])
    wanted: list[tuple[Dag, RunRequest]] = []
    passed_over: list[SkippedTick] = []
    overtaken: list[Dag] = []
    for dag in due:
        others = there[dag.pk]
        if dag.is_continuous and (others.running or others.waiting):
            continue  # another tick has just begun one
        taken = _taken(dag, now)
        judged = judge(
            OverlapPolicy(dag.overlap_policy),
            taken.ticks,
            running=others.running,
            waiting=others.waiting,
        )
        conf = params.resolve(dag.params, {})
        wanted += [(dag, _request(tick, conf)) for tick in judged.start]
        passed_over += [
            SkippedTick(dag=dag, logical_date=tick.logical_date, reason=judged.reason)
            for tick in judged.passed_over
        ]
        if judged.cancels:
            overtaken.append(dag)
        dag.next_run_at = taken.next_run_at
        if taken.ticks:
            dag.last_logical_date = taken.ticks[-1].logical_date
    _cancel_scheduled(overtaken)
    created = insert(wanted, actor=ACTOR) if wanted else []
    SkippedTick.objects.bulk_create(passed_over, ignore_conflicts=True)
    Dag.objects.bulk_update(due, ["next_run_at", "last_logical_date"], batch_size=BATCH)
    return Ticked(len(due), len(created))


def _taken(dag: Dag, now: datetime) -> catchup.Due:
    timetable, window = dag.timetable, dag.catchup_window_seconds
    assert timetable is not None, "a DAG without a schedule has no next_run_at"
    assert dag.next_run_at is not None
    return catchup.due(
        timetable,
        next_run_at=dag.next_run_at,
        now=now,
        catchup=dag.catchup,
        end_date=dag.end_date,
        limit=MAX_PER_DAG,
        window=None if window is None else timedelta(seconds=window),
        last_logical_date=dag.last_logical_date,
    )


def _is_asked_about_others(dag: Dag) -> bool:
    return dag.is_continuous or dag.overlap_policy in {
        OverlapPolicy.SKIP,
        OverlapPolicy.BUFFER_ONE,
    }


def _unfinished(dags: Collection[Dag]) -> defaultdict[UUID, _Unfinished]:
    """How many runs of each have not ended. They are counted while the DAGs are held: whoever
    creates a run holds its DAG too.
    """
    found: defaultdict[UUID, _Unfinished] = defaultdict(_Unfinished)
    if not dags:
        return found
    runs = DagRun.objects.filter(dag__in=dags, state__in=_UNFINISHED)
    for row in runs.values("dag_id", "state").annotate(count=Count("pk")):
        of_dag = found[row["dag_id"]]
        if row["state"] == RunState.QUEUED:
            of_dag.waiting += row["count"]
        else:
            of_dag.running += row["count"]
    return found


def _cancel_scheduled(dags: Collection[Dag]) -> None:
    """Stops what the schedule has started before; what comes now begins when that has ended."""
    if not dags:
        return
    runs = DagRun.objects.filter(
        dag__in=dags,
        run_type=RunType.SCHEDULED,
        state__in=[RunState.QUEUED, RunState.RUNNING],
    )
    for run in runs.select_for_update(no_key=True).order_by("id"):
        cancel_run(run, actor=ACTOR)


def _request(tick: catchup.Tick, conf: dict[str, object]) -> RunRequest:
    return RunRequest(
        run_type=RunType.SCHEDULED,
        run_id=run_id_for(RunType.SCHEDULED, tick.logical_date),
        logical_date=tick.logical_date,
        data_interval_start=tick.data_interval_start,
        data_interval_end=tick.data_interval_end,
        conf=conf,
    )
