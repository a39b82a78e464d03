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


def ticks_of(spec: DagSpec, begin: int, end: int, most: int = MOST_TICKS) -> tuple[int, ...]:
    """The latest ticks of a schedule in that time, at most so many, oldest first."""
    if spec.schedule is None:
        return ()
    written = json.dumps(timing.canonical(spec.schedule))
    anchor = spec.start_date or moment(begin)
    return _ticks(written, spec.timezone, anchor, begin, end, most)


# Thousands of DAGs share a few hundred schedules.
@lru_cache(maxsize=8192)
def _ticks(
    written: str, timezone: str, anchor: datetime, begin: int, end: int, most: int
) -> tuple[int, ...]:
    schedule = timing.timetable(timing.read(json.loads(written)), timezone=timezone, anchor=anchor)
    if schedule is None or isinstance(schedule, ContinuousSchedule | OnceSchedule):
        return ()
    found = between_backwards(schedule, moment(begin), moment(end), most)
    return tuple(micros(tick) for tick in reversed(found))


def history(
    wish: Wish, found: Sequence[Seeded], chance: Chance, *, make_up: bool = True
) -> History:
    """All runs, oldest first: those of the schedules, and triggered ones to make up the number.

    Without `make_up` the number of task runs comes out as it may. The latest tick is noted in each
    of the DAGs.
    """
    planned = [run for dag in found for run in scheduled(dag, chance)]
    if make_up:
        planned += list(_triggered(wish, planned, found, chance))
    planned.sort(key=lambda run: run.at)
    if make_up:
        del planned[: _superfluous(planned, wish.task_runs)]
    backfills = _backfills(planned, chance, now=micros(wish.now))
    planned.sort(key=lambda run: run.at)
    for run in planned:
        if run.logical is not None:
            run.dag.last_tick = max(run.logical, run.dag.last_tick or 0)
    return History(planned, backfills)


def _triggered(
    wish: Wish, there: Sequence[Planned], found: Sequence[Seeded], chance: Chance
) -> Iterator[Planned]:
    """Runs that somebody triggered, until there are enough."""
    missing = wish.task_runs - sum(rows_of(run.dag.spec) for run in there)
    for dag in _in_turns(found, chance):
        if missing <= 0:
            return
        yield _manual(dag, chance.randrange(dag.born, micros(wish.now) - SETTLED), chance)
        missing -= rows_of(dag.spec)


def _superfluous(planned: Sequence[Planned], most: int) -> int:
    """How many of the oldest are too many, of `most` task runs in all."""
    there = sum(rows_of(run.dag.spec) for run in planned)
    count = 0
    while there > most:
        there -= rows_of(planned[count].dag.spec)
        count += 1
    return count


def _backfills(planned: Iterable[Planned], chance: Chance, *, now: int) -> list[MadeUp]:
    """Has a few DAGs make up for the oldest of their ticks, once they were there a while."""
    of_dags: dict[str, list[Planned]] = {}
    for run in planned:
        if run.run_type is RunType.SCHEDULED and not run.dag.skipped:
            of_dags.setdefault(run.dag.key, []).append(run)
    long_enough = [runs for runs in of_dags.values() if len(runs) > _LONG_ENOUGH]
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
