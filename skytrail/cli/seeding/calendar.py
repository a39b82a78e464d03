"""Which DAGs there are and which runs they have had: everything but what happened in a run."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from dags_app.domain.parse import parse
from dags_app.domain.spec import DagSpec
from dags_app.domain.timing import definition as timing
from dags_app.domain.timing.overlap import OverlapPolicy
from dags_app.domain.timing.schedule import (
    ContinuousSchedule,
    OnceSchedule,
    between_backwards,
    previous_before,
)
from runs_app.models import RunType
from skytrail.cli.seeding import shapes
from skytrail.cli.seeding.chance import Chance
from skytrail.cli.seeding.definitions import frozen, timetable_of
from skytrail.cli.seeding.graphs import Nature, Seeded, rows_of
from skytrail.cli.seeding.moments import DAY, HOUR, MINUTE, SECOND, micros, moment

#: A DAG keeps so many of its latest ticks: what runs each quarter of an hour is not kept a month.
MOST_TICKS = 200

#: Ages and ticks begin this long ago at the latest, so that every run is over by now.
_SETTLED = 20 * MINUTE


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


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be there in the end."""

    dags: int
    task_runs: int
    days: int
    now: datetime
    live: bool = False


def dags(
    wish: Wish, chance: Chance, *, taken: set[str], tell: Callable[[int], None]
) -> list[Seeded]:
    """The DAGs, with the ticks of theirs that have runs; `tell` hears of each.

    `taken` are names that are not free. The runs of all come to about `wish.task_runs` task runs.
    """
    now = micros(wish.now)
    begin = now - wish.days * DAY
    writing = shapes.documents(chance, runnable=wish.live, taken=taken)
    specs = []
    for document in itertools.islice(writing, wish.dags):
        specs.append(parse(document))
        tell(1)
    ticks = [ticks_of(spec, begin, now - _SETTLED) for spec in specs]
    there = sum(len(each) * rows_of(spec) for spec, each in zip(specs, ticks, strict=True))
    # Half of them in the end are younger than the history is long, if there would be too much.
    share = wish.task_runs / there if there else 1.0
    found = []
    for spec, each in zip(specs, ticks, strict=True):
        age = min(1.0, chance.uniform(0.05, 2 * share)) * wish.days * DAY
        born = now - _SETTLED - int(age)
        dag = _seeded(spec, born=born, now=now, chance=chance, paused=not wish.live)
        for tick in each:
            if tick > born:
                passed_over = spec.overlap_policy is OverlapPolicy.SKIP and chance.happens(0.05)
                (dag.skipped if passed_over else dag.ticks).append(tick)
        found.append(dag)
    return found


def _seeded(spec: DagSpec, *, born: int, now: int, chance: Chance, paused: bool) -> Seeded:
    speed = min(chance.lognormvariate(2.0, 1.2), 400.0)
    if spec.schedule is not None and "*/15" in str(spec.schedule):
        speed = min(speed, 15.0)
    dag = Seeded(
        key=chance.key(born), spec=spec, nature=_nature(chance, now), born=born, paused=paused
    )
    count = chance.weighed({1: 75, 2: 15, 3: 7, 5: 3})
    moments = sorted(chance.randrange(born, now - _SETTLED) for _ in range(count - 1))
    for number, since in enumerate([born, *moments], start=1):
        is_last = number == count
        dag.versions.append(
            frozen(
                spec if is_last else _as_it_was(spec, count - number),
                number=number,
                since=since,
                note=""
                if number == 1
                else chance.choice(["", "more retries", "as asked in review"]),
                chance=chance,
                speed=speed,
            )
        )
    return dag


def _as_it_was(spec: DagSpec, ago: int) -> DagSpec:
    """The definition some versions ago: told otherwise, and with less patience."""
    tasks = [task.model_copy(update={"retries": max(0, task.retries - ago)}) for task in spec.tasks]
    return spec.model_copy(
        update={"tasks": tasks, "description": f"{spec.description} (draft {ago})"}
    )


def _nature(chance: Chance, now: int) -> Nature:
    nature = Nature(failing=chance.weighed({0.0005: 60, 0.005: 30, 0.04: 8, 0.25: 2}))
    if chance.happens(0.03):
        nature.skipping = 0.1
    if chance.happens(0.05):
        nature.growth = chance.uniform(0.5, 3.0)
    if chance.happens(0.02):
        nature.broken_since = now - chance.randrange(HOUR, 4 * DAY)
        nature.broken_at = chance.randrange(3)
    return nature


def ticks_of(spec: DagSpec, begin: int, end: int) -> list[int]:
    """The latest ticks of a schedule in that time, oldest first."""
    if spec.schedule is None:
        return []
    written = json.dumps(timing.canonical(spec.schedule))
    anchor = spec.start_date or moment(begin)
    return list(_ticks(written, spec.timezone, anchor, begin, end))


# Thousands of DAGs share a few hundred schedules.
@lru_cache(maxsize=8192)
def _ticks(written: str, timezone: str, anchor: datetime, begin: int, end: int) -> tuple[int, ...]:
    schedule = timing.timetable(timing.read(json.loads(written)), timezone=timezone, anchor=anchor)
    if schedule is None or isinstance(schedule, ContinuousSchedule | OnceSchedule):
        return ()
    found = between_backwards(schedule, moment(begin), moment(end), MOST_TICKS)
    return tuple(micros(tick) for tick in reversed(found))


def runs(wish: Wish, found: Sequence[Seeded], chance: Chance) -> list[Planned]:
    """All runs, oldest first: those of the schedules, and triggered ones to make up the number."""
    planned = [run for dag in found for run in scheduled(dag, chance)]
    there = sum(rows_of(run.dag.spec) for run in planned)
    now = micros(wish.now)
    for dag in _in_turns(found, chance) if there < wish.task_runs else ():
        planned.append(_manual(dag, chance.randrange(dag.born, now - _SETTLED), chance))
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
    return planned


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
