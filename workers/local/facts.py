"""What a local run is for: its name, its dates and its parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dags_app.domain import params
from dags_app.domain.spec import DagSpec
from dags_app.domain.timing.catchup import Tick, with_intervals
from dags_app.domain.timing.definition import timetable
from dags_app.domain.timing.schedule import ContinuousSchedule, previous_before


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What a run is for. Dates are aware; without one it is as if somebody had triggered it."""

    run_id: str
    began_at: datetime
    logical_date: datetime | None = None
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    conf: dict[str, Any] = field(default_factory=dict)


def facts_of(
    spec: DagSpec, *, conf: Any = None, logical_date: datetime | None = None, now: datetime
) -> RunFacts:
    """The facts of a run that somebody tries at `now`.

    Its dates are those of the run that the DAG's schedule would start for `logical_date`, or else
    for its latest tick. Where it has no schedule, it has the date it is given, or none. Raises
    `params.BadConf`.
    """
    tick = _tick(spec, logical_date, now)
    return RunFacts(
        run_id=f"test__{(tick.logical_date if tick else now).isoformat()}",
        began_at=now,
        logical_date=tick.logical_date if tick else None,
        data_interval_start=tick.data_interval_start if tick else None,
        data_interval_end=tick.data_interval_end if tick else None,
        conf=params.resolve(spec.params, {} if conf is None else conf),
    )


def _tick(spec: DagSpec, wanted: datetime | None, now: datetime) -> Tick | None:
    schedule = timetable(spec.schedule, timezone=spec.timezone, anchor=spec.start_date or now)
    if schedule is None:
        return None if wanted is None else Tick(wanted, wanted, wanted)
    if isinstance(schedule, ContinuousSchedule):
        return Tick(wanted or now, wanted or now, wanted or now)
    # What has not been due yet is tried as if it were now.
    (tick,) = with_intervals(schedule, [wanted or previous_before(schedule, now) or now])
    return tick
