"""Filling a database: definitions first, then history in the order in which it happened."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db import connection, transaction

from dags_app.models import Dag
from skytrail.cli.seeding import beside, calendar, definitions
from skytrail.cli.seeding.calendar import Planned, Wish
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
    dags = calendar.dags(
        wish, chance, taken=taken, tell=lambda _: tell("definitions", next(made), wish.dags)
    )
    planned = calendar.runs(wish, dags, chance)
    write_definitions(dags, wish=wish, chance=chance, tell=tell)
    with transaction.atomic():
        beside.write(dags, now=wish.now, chance=chance)
    return write_history(dags, planned, wish=wish, chance=chance, tell=tell)


def write_definitions(dags: Sequence[Seeded], *, wish: Wish, chance: Chance, tell: Tell) -> None:
    """Writes DAGs with their versions."""
    done = 0
    for some in _batches(dags, _DAGS_AT_ONCE):
        with transaction.atomic():
            definitions.write(some, now=wish.now, chance=chance)
        done += len(some)
        tell("DAGs", done, len(dags))


def write_history(
    dags: Sequence[Seeded],
    planned: Iterable[Planned],
    *,
    wish: Wish,
    chance: Chance,
    tell: Tell,
    logs_of: float = 0.02,
) -> Planted:
    """Writes runs, oldest first, as far as they are over by now; and has the database count."""
    ledger = Ledger(COLUMNS)
    historian = Historian(ledger, chance, now=micros(wish.now), logs_of=logs_of)
    task_runs = 0
    for some in _batches(planned, _RUNS_AT_ONCE):
        task_runs += sum(historian.tell(run) for run in some)
        with transaction.atomic():
            ledger.write()
        tell("task runs", min(task_runs, wish.task_runs), wish.task_runs)
    _know_the_figures()
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


def _batches(things: Iterable[Thing], size: int) -> Iterator[list[Thing]]:
    rest = iter(things)
    while batch := list(itertools.islice(rest, size)):
        yield batch


def _know_the_figures() -> None:
    """So that queries are planned for what there is now, and not for an empty database."""
    if not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")
