"""Which runs there have been, and when: everything but what happened in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from dags_app.domain.spec import DagSpec
from dags_app.domain.timing import definition as timing
from dags_app.domain.timing.schedule import (
    ContinuousSchedule,
    OnceSchedule,
    between_backwards,
    previous_before,
)
from runs_app.models import RunType
from skytrail.cli.seeding.chance import Chance
from skytrail.cli.seeding.definitions import timetable_of
from skytrail.cli.seeding.graphs import Seeded, rows_of
from skytrail.cli.seeding.moments import DAY, MINUTE, SECOND, micros, moment

#: A DAG keeps so many of its latest ticks: what runs each quarter of an hour is not kept a month.
MOST_TICKS = 200

#: A DAG with more ticks may have had a backfill.
_LONG_ENOUGH = 15

#: Ages and ticks begin this long ago at the latest, so that every run is over by now.
SETTLED = 20 * MINUTE


@dataclass(slots=True, kw_only=True)
class Planned:
    """A run that is to have happened. Times in microseconds."""

    key: str
    dag: Seeded
    at: int
    run_type: RunType
    #: The tick that it is for, and the one before.
    logical: int | None = None
    interval_start: int | None = None
    by: str
    #: When it was over; None while nobody has told it, or because it would not be over yet.
    ended: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUp:
    """A backfill, of so many dates as it has runs."""

    key: str
    dag: Seeded
    at: int
    runs: list[Planned]

    @property
    def by(self) -> str:
        """Who has asked for it."""
        return f"user:{self.dag.spec.owner}"


@dataclass(frozen=True, slots=True)
class History:
    """All that is to have happened; runs oldest first."""

    runs: list[Planned]
    backfills: list[MadeUp]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be there in the end."""

    dags: int
    task_runs: int
    days: int
    now: datetime
    live: bool = False


def ticks_of(spec: DagSpec, begin: int, end: int) -> tuple[int, ...]:
    """The latest ticks of a schedule in that time, oldest first."""
    if spec.schedule is None:
        return ()
    written = json.dumps(timing.canonical(spec.schedule))
    anchor = spec.start_date or moment(begin)
    return _ticks(written, spec.timezone, anchor, begin, end)


# Thousands of DAGs share a few hundred schedules.
@lru_cache(maxsize=8192)
def _ticks(written: str, timezone: str, anchor: datetime, begin: int, end: int) -> tuple[int, ...]:
    schedule = timing.timetable(timing.read(json.loads(written)), timezone=timezone, anchor=anchor)
    if schedule is None or isinstance(schedule, ContinuousSchedule | OnceSchedule):
        return ()
    found = between_backwards(schedule, moment(begin), moment(end), MOST_TICKS)
    return tuple(micros(tick) for tick in reversed(found))


def history(wish: Wish, found: Sequence[Seeded], chance: Chance) -> History:
    """All runs, oldest first: those of the schedules, and triggered ones to make up the number.

    The ticks of DAGs are changed: the latest of each is noted.
    """
    of_schedules = {dag.key: list(scheduled(dag, chance)) for dag in found}
    backfills = _backfills(of_schedules.values(), chance, now=micros(wish.now))
    planned = [run for each in of_schedules.values() for run in each]
    there = sum(rows_of(run.dag.spec) for run in planned)
    now = micros(wish.now)
    for dag in _in_turns(found, chance) if there < wish.task_runs else ():
        planned.append(_manual(dag, chance.randrange(dag.born, now - SETTLED), chance))
        there += rows_of(dag.spec)
        if there >= wish.task_runs:
            break
    planned.sort(key=lambda run: run.at)
    superfluous = 0
    while there > wish.task_runs:
        there -= rows_of(planned[superfluous].dag.spec)
        superfluous += 1
    del planned[:superfluous]
    for run in planned:
        if run.logical is not None:
            run.dag.last_tick = max(run.logical, run.dag.last_tick or 0)
    return History(planned, backfills)


def _backfills(of_dags: Iterable[list[Planned]], chance: Chance, *, now: int) -> list[MadeUp]:
    """Has a few DAGs make up for the oldest of their ticks, once they were there a while."""
    long_enough = [runs for runs in of_dags if len(runs) > _LONG_ENOUGH and not runs[0].dag.skipped]
    found = []
    for runs in chance.sample(long_enough, (len(long_enough) + 49) // 50):
        some = runs[: chance.randint(4, 10)]
        earliest, latest = runs[len(some)].at, now - 2 * DAY
        if earliest >= latest:
            continue
        at = chance.randrange(earliest, min(latest, earliest + 3 * DAY))
        made = MadeUp(key=chance.key(at), dag=some[0].dag, at=at, runs=some)
        for number, run in enumerate(some):
            run.at = at + number * SECOND // 10
            run.key = chance.key(run.at)
            run.run_type = RunType.BACKFILL
            run.by = made.by
        found.append(made)
    return found


def scheduled(dag: Seeded, chance: Chance) -> Iterator[Planned]:
    """The runs that the schedule of `dag` has started."""
    if not dag.ticks:
        return
    schedule = timetable_of(dag.spec, moment(dag.born))
    assert schedule is not None
    assert not isinstance(schedule, ContinuousSchedule)
    before = previous_before(schedule, moment(dag.ticks[0]))
    start = dag.ticks[0] if before is None else micros(before)
    for tick in dag.ticks:
        at = tick + int(chance.uniform(0.05, 1.4) * SECOND)
        yield Planned(
            key=chance.key(at),
            dag=dag,
            at=at,
            run_type=RunType.SCHEDULED,
            logical=tick,
            interval_start=start,
            by="schedule",
        )
        start = tick


def _manual(dag: Seeded, at: int, chance: Chance) -> Planned:
    by = f"user:{dag.spec.owner}"
    return Planned(key=chance.key(at), dag=dag, at=at, run_type=RunType.MANUAL, by=by)


def _in_turns(found: Sequence[Seeded], chance: Chance) -> Iterator[Seeded]:
    """DAGs without end: those without a schedule more often."""
    unscheduled = [dag for dag in found if not dag.ticks] or list(found)
    while True:
        yield chance.choice(unscheduled if chance.happens(0.9) else found)
