"""Filling a database: definitions first, then history in the order in which it happened."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db import connection, transaction

from dags_app.models import Dag
from skytrail.cli.seeding import backfills, beside, calendar, definitions, population
from skytrail.cli.seeding.calendar import History, Wish
from skytrail.cli.seeding.chance import Chance
from skytrail.cli.seeding.copying import Ledger
from skytrail.cli.seeding.graphs import Seeded
from skytrail.cli.seeding.history import COLUMNS, Historian
from skytrail.cli.seeding.moments import micros

Thing = TypeVar("Thing")

#: DAGs, and runs, that are written in one transaction.
_DAGS_AT_ONCE = 1_000
_RUNS_AT_ONCE = 2_000

#: Told what is being done, how much of it is done, and how much there is.
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Planted:
    """How many rows there are now that were not there before."""

    dags: int
    versions: int
    runs: int
    task_runs: int
    attempts: int
    transitions: int
    log_chunks: int


def plant(wish: Wish, *, seed: int, tell: Tell) -> Planted:
    """Makes up what is wished for, and writes it."""
    chance = Chance(seed)
    taken = set(Dag.objects.present().values_list("dag_id", flat=True))
    made = itertools.count(1)
    dags = population.dags(
        wish, chance, taken=taken, tell=lambda _: tell("definitions", next(made), wish.dags)
    )
    history = calendar.history(wish, dags, chance)
    planted = write(dags, history, now=wish.now, chance=chance, tell=tell, logs_of=0.02)
    with transaction.atomic():
        beside.write(dags, now=wish.now, chance=chance)
    _know_the_figures()
    return planted


def write(
    dags: Sequence[Seeded],
    history: History,
    *,
    now: datetime,
    chance: Chance,
    tell: Tell,
    logs_of: float,
) -> Planted:
    """Writes DAGs, and their runs, oldest first, as far as they are over `now`.

    `logs_of`: which part of the executions that went well has kept its log.
    """
    for done, some in _batches(dags, _DAGS_AT_ONCE):
        with transaction.atomic():
            definitions.write(some, now=now, chance=chance)
        tell("DAGs", done, len(dags))
    ledger = Ledger(COLUMNS)
    historian = Historian(ledger, chance, now=micros(now), logs_of=logs_of)
    for done, some_runs in _batches(history.runs, _RUNS_AT_ONCE):
        for run in some_runs:
            historian.tell(run)
        with transaction.atomic():
            ledger.write()
        tell("runs", done, len(history.runs))
    with transaction.atomic():
        backfills.write(history.backfills, chance)
    written = ledger.written
    return Planted(
        dags=len(dags),
        versions=sum(len(dag.versions) for dag in dags),
        runs=written["skytrail_dag_run"],
        task_runs=written["skytrail_task_run"],
        attempts=written["skytrail_attempt"],
        transitions=written["skytrail_transition"],
        log_chunks=written["skytrail_log_chunk"],
    )


def _batches(things: Sequence[Thing], size: int) -> Iterator[tuple[int, Sequence[Thing]]]:
    """Pieces, each with how much is done when it is."""
    for start in range(0, len(things), size):
        piece = things[start : start + size]
        yield start + len(piece), piece


def _know_the_figures() -> None:
    """So that queries are planned for what there is now, and not for an empty database."""
    if not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")
