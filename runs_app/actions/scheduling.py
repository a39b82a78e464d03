"""The schedule tick: runs for every DAG that is due.

Any number of ticks may run at once. Each takes DAGs that no other holds, moves `next_run_at` on in
the same transaction that writes the runs, and a unique constraint keeps one run per date whatever
happens.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.db import transaction
from django.db.models.functions import Now

from dags_app.domain import catchup, params
from dags_app.models import Dag
from runs_app.actions.launching import RunRequest, insert, run_id_for
from runs_app.models import RunType
from skytrail.database.clock import database_now

#: DAGs taken in one transaction.
BATCH = 200

#: Runs created for one DAG in one tick while it catches up; the rest follows with the next tick.
MAX_PER_DAG = 100

#: A tick stops taking further batches after this many seconds: the next one goes on.
MAX_SECONDS = 30.0

ACTOR = "schedule"


@dataclass(frozen=True, slots=True)
class Ticked:
    """What a tick came to."""

    dags: int
    runs: int


def tick() -> Ticked:
    """Creates the runs that are due now."""
    dags = runs = 0
    started = time.monotonic()
    while time.monotonic() - started < MAX_SECONDS:
        batch = _tick_batch()
        dags += batch.dags
        runs += batch.runs
        if batch.dags < BATCH:
            break
    return Ticked(dags, runs)


@transaction.atomic
def _tick_batch() -> Ticked:
    due = list(
        Dag.objects.present()
        .filter(paused=False, next_run_at__lte=Now())
        .order_by("next_run_at")
        .select_for_update(skip_locked=True, no_key=True)[:BATCH]
    )
    if not due:
        return Ticked(0, 0)
    now = database_now()
    wanted: list[tuple[Dag, RunRequest]] = []
    for dag in due:
        schedule = dag.schedule
        assert schedule is not None, "a DAG without a schedule has no next_run_at"
        assert dag.next_run_at is not None
        taken = catchup.due(
            schedule,
            next_run_at=dag.next_run_at,
            now=now,
            catchup=dag.catchup,
            end_date=dag.end_date,
            limit=MAX_PER_DAG,
        )
        conf = params.resolve(dag.params, {})
        wanted += [(dag, _request(tick, conf)) for tick in taken.ticks]
        dag.next_run_at = taken.next_run_at
        if taken.ticks:
            dag.last_logical_date = taken.ticks[-1].logical_date
    created = insert(wanted, actor=ACTOR) if wanted else []
    Dag.objects.bulk_update(due, ["next_run_at", "last_logical_date"], batch_size=BATCH)
    return Ticked(len(due), len(created))


def _request(tick: catchup.Tick, conf: dict[str, object]) -> RunRequest:
    return RunRequest(
        run_type=RunType.SCHEDULED,
        run_id=run_id_for(RunType.SCHEDULED, tick.logical_date),
        logical_date=tick.logical_date,
        data_interval_start=tick.data_interval_start,
        data_interval_end=tick.data_interval_end,
        conf=conf,
    )
