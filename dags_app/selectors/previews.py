"""When a DAG will run, and what would start if it were resumed: asked before anything is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dags_app.domain.timing.catchup import Tick, first_run_at
from dags_app.domain.timing.overlap import OverlapPolicy
from dags_app.domain.timing.preview import AtOnce, Clockwork, at_once, coming, following
from dags_app.models import Dag
from skytrail.database.clock import database_now


@dataclass(frozen=True, slots=True)
class Resuming:
    """What resuming a DAG would start at once, and when it would run next after that."""

    starts: AtOnce
    next_run_at: datetime | None


def clockwork_of(dag: Dag) -> Clockwork | None:
    """The DAG's schedule for the clock; None where the clock has no part in it."""
    timetable, window = dag.timetable, dag.catchup_window_seconds
    if timetable is None:
        return None
    return Clockwork(
        timetable=timetable,
        catchup=dag.catchup,
        window=None if window is None else timedelta(seconds=window),
        end_date=dag.end_date,
        last_logical_date=dag.last_logical_date,
        overlap=OverlapPolicy(dag.overlap_policy),
    )


def next_runs(dag: Dag, *, count: int) -> tuple[Tick, ...]:
    """The next runs that the schedule asks for; of a paused DAG, as if it were resumed now."""
    clockwork = clockwork_of(dag)
    if clockwork is None:
        return ()
    now = database_now()
    start = _on_resuming(dag, clockwork, now) if dag.paused else dag.next_run_at
    return coming(clockwork, next_run_at=start, now=now, count=count)


def resuming(dag: Dag, *, now: datetime | None = None) -> Resuming:
    """What resuming would do, at `now` if given; nothing where the DAG is not paused."""
    clockwork = clockwork_of(dag)
    if clockwork is None or not dag.paused:
        return Resuming(AtOnce((), is_more=False, passed_over=0), dag.next_run_at)
    now = now or database_now()
    start = _on_resuming(dag, clockwork, now)
    starts = at_once(clockwork, next_run_at=start, now=now)
    if start is None or start > now:
        return Resuming(starts, start)
    return Resuming(starts, following(clockwork, now=now))


def _on_resuming(dag: Dag, clockwork: Clockwork, now: datetime) -> datetime | None:
    return first_run_at(
        clockwork.timetable,
        now=now,
        start_date=dag.start_date,
        end_date=dag.end_date,
        catchup=dag.catchup,
        last_logical_date=dag.last_logical_date,
    )
