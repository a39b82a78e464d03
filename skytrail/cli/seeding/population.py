"""Which DAGs there are: their versions, and how their runs usually go."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from dags_app.domain.parse import parse
from dags_app.domain.spec import DagSpec
from dags_app.domain.timing.overlap import OverlapPolicy
from skytrail.cli.seeding import shapes
from skytrail.cli.seeding.calendar import SETTLED, Wish, ticks_of
from skytrail.cli.seeding.chance import Chance
from skytrail.cli.seeding.definitions import frozen
from skytrail.cli.seeding.graphs import Nature, Seeded, rows_of
from skytrail.cli.seeding.moments import DAY, HOUR, micros

#: How many versions a DAG has, in which part of all cases.
_VERSIONS = {1: 75, 2: 15, 3: 7, 5: 3}

_NOTES = ("", "more retries", "as asked in review")


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
    ticks = [ticks_of(spec, begin, now - SETTLED) for spec in specs]
    there = sum(len(each) * rows_of(spec) for spec, each in zip(specs, ticks, strict=True))
    # Half of them in the end are younger than the history is long, if there would be too much.
    share = wish.task_runs / there if there else 1.0
    found = []
    for spec, each in zip(specs, ticks, strict=True):
        age = min(1.0, chance.uniform(0.05, 2 * share)) * wish.days * DAY
        born = now - SETTLED - int(age)
        dag = grown(
            spec,
            born=born,
            now=now,
            nature=_nature(chance, now),
            speed=_speed(spec, chance),
            versions=chance.weighed(_VERSIONS),
            chance=chance,
            paused_since=None if wish.live else now - SETTLED,
        )
        skips = spec.overlap_policy is OverlapPolicy.SKIP
        give_ticks(dag, each, passing_over=0.05 if skips else 0.0, chance=chance)
        found.append(dag)
    return found


def grown(
    spec: DagSpec,
    *,
    born: int,
    now: int,
    nature: Nature,
    speed: float,
    versions: int,
    chance: Chance,
    paused_since: int | None,
) -> Seeded:
    """A DAG that was saved so many times since it was `born`, and has no ticks yet.

    Its tasks usually take about `speed` seconds each.
    """
    dag = Seeded(
        key=chance.key(born), spec=spec, nature=nature, born=born, paused_since=paused_since
    )
    later = sorted(chance.randrange(born, now - SETTLED) for _ in range(versions - 1))
    usual: dict[str, float] = {}
    for number, since in enumerate([born, *later], start=1):
        dag.versions.append(
            frozen(
                _as_it_was(spec, versions - number),
                number=number,
                since=since,
                note=chance.choice(_NOTES) if number > 1 else "",
                chance=chance,
                speed=speed,
                usual=usual,
            )
        )
    return dag


def give_ticks(dag: Seeded, ticks: tuple[int, ...], *, passing_over: float, chance: Chance) -> None:
    """Gives it those of its `ticks` that have come since it was born, but for what is skipped."""
    for tick in ticks:
        if tick > dag.born and (dag.paused_since is None or tick < dag.paused_since):
            (dag.skipped if chance.happens(passing_over) else dag.ticks).append(tick)


def _speed(spec: DagSpec, chance: Chance) -> float:
    """Seconds that a task usually takes: runs that come often are short."""
    most = 15.0 if "*/15" in str(spec.schedule) else 400.0
    return min(chance.lognormvariate(2.0, 1.2), most)


def _as_it_was(spec: DagSpec, ago: int) -> DagSpec:
    """The definition some versions ago: told otherwise, and with less patience."""
    if not ago:
        return spec
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
