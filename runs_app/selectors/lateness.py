"""Whether a run is the latest that its DAG's schedule asks for."""

from __future__ import annotations

from uuid import UUID

from dags_app.domain.timing.schedule import ContinuousSchedule, next_after
from runs_app.models import DagRun, RunType
from skytrail.database.clock import database_now

#: Runs that the clock has made, for a time.
_OF_THE_CLOCK = {RunType.SCHEDULED, RunType.BACKFILL}


def is_latest(run_pk: UUID) -> bool:
    """Whether no tick after the run's own has come yet; runs that were triggered always are."""
    run = DagRun.objects.select_related("dag").get(pk=run_pk)
    schedule = run.dag.timetable
    if run.run_type not in _OF_THE_CLOCK or run.logical_date is None:
        return True
    if schedule is None or isinstance(schedule, ContinuousSchedule):
        return True
    following = next_after(schedule, run.logical_date)
    return following is None or following > database_now()
