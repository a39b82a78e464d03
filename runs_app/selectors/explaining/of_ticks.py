"""What is known of a DAG's schedule around a time."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from dags_app.models import Dag, DagPause
from runs_app.domain.explaining.ticks import Paused, ScheduleFacts, tick_at
from runs_app.models import DagRun, RunType, SkippedTick, Tick
from skytrail.database.clock import database_now

#: The periodic job that looks at schedules.
_JOB = "schedule"

_OF_THE_CLOCK = [RunType.SCHEDULED, RunType.BACKFILL]


def schedule_facts(dag: Dag, *, at: datetime | None = None) -> ScheduleFacts:
    """The facts of a DAG's schedule at a time (now)."""
    now = database_now()
    moment = at or now
    timetable = dag.timetable
    tick = tick_at(timetable, moment)
    run = skipped = None
    if tick is not None:
        runs = DagRun.objects.filter(dag=dag, logical_date=tick, run_type__in=_OF_THE_CLOCK)
        run = runs.only("run_id", "state", "queued_at").first()
        skipped = SkippedTick.objects.filter(dag=dag, logical_date=tick).first()
    pauses = DagPause.objects.filter(dag=dag, paused_at__lte=tick or moment)
    paused = pauses.filter(Q(resumed_at=None) | Q(resumed_at__gte=tick or moment)).first()
    window = dag.catchup_window_seconds
    looked = Tick.objects.filter(name=_JOB).values_list("ran_at", flat=True).first()
    return ScheduleFacts(
        dag_id=dag.dag_id,
        at=moment,
        now=now,
        timetable=timetable,
        waits_for=tuple(dag.waits_for),
        created_at=dag.created_at,
        schedule_since=dag.schedule_since,
        start_date=dag.start_date,
        end_date=dag.end_date,
        catchup=dag.catchup,
        catchup_window=None if window is None else timedelta(seconds=window),
        is_paused=dag.paused,
        paused=None if paused is None else _stretch(paused),
        next_run_at=dag.next_run_at,
        looked_at=looked,
        run_id=run.run_id if run else "",
        run_state=run.state if run else "",
        run_made_at=run.queued_at if run else None,
        skipped_because=skipped.reason if skipped else "",
    )


def _stretch(pause: DagPause) -> Paused:
    return Paused(since=pause.paused_at, until=pause.resumed_at, by=pause.paused_by)
