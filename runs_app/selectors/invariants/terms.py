"""What must always hold, in words, and what a breach of it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from runs_app.domain.states import ACTIVE, FINAL, LEASED, RUN_ACTIVE, RUN_FINAL, SLEEPING
from skytrail.database.statement import Statement

#: What stands still for less than this is under way: recovery looks at every run each 30 seconds,
#: in a sweep every 5, and may need two sweeps to be sure.
STANDING_STILL: Final = timedelta(seconds=45)

#: Two moves closer together than this may have been decided at once: a claim sees the rows as they
#: were when its statement began, and history notes when it wrote.
AT_ONCE: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Invariant:
    """One thing that must always hold; `sentence` says it."""

    name: str
    sentence: str


I1 = Invariant("I1", "Each execution (task run, epoch) was claimed exactly once, by one worker.")
I2 = Invariant("I2", "An epoch never falls.")
I3 = Invariant("I3", "A final state is left only by a clear, with a new epoch.")
I4 = Invariant("I4", "Whatever runs has a lease, and one that ran out is taken over.")
I5 = Invariant("I5", "No task was started before its trigger rule was satisfied.")
I6 = Invariant("I6", "A run is over if, and only if, all its tasks are.")
I7 = Invariant("I7", "Nothing that could go on stands still.")
I8 = Invariant("I8", "No pool and no DAG has more under way than it may.")
I9 = Invariant("I9", "A DAG has one run for each logical date.")
I10 = Invariant("I10", "History has one row for each move, from the first state to the present.")

INVARIANTS: Final = (I1, I2, I3, I4, I5, I6, I7, I8, I9, I10)


@dataclass(frozen=True, slots=True)
class Found:
    """A row that a query has found. Keys are None, and names empty, where there is none."""

    run_pk: UUID | None
    task_run_pk: UUID | None
    dag_id: str
    run_id: str
    task_id: str
    #: For programs, and for what may be done about it: see `runs_app/actions/repairing.py`.
    code: str
    #: What is wrong, in words.
    problem: str
    #: It explains itself, or a person's change does: no breach, but worth knowing.
    is_warning: bool


@dataclass(frozen=True, slots=True)
class Breach:
    """A row that breaks an invariant."""

    invariant: Invariant
    found: Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """What is still under way, and no breach."""

    standing_still: timedelta = STANDING_STILL
    at_once: timedelta = AT_ONCE


#: Where every move is made by itself, nothing is under way.
NO_TOLERANCE: Final = Tolerance(standing_still=timedelta(0), at_once=timedelta(0))


def parameters(runs: Sequence[UUID], tolerance: Tolerance) -> dict[str, Any]:
    """The parameters that all queries share."""
    return {
        "runs": list(runs),
        "standing_still": tolerance.standing_still,
        "at_once": tolerance.at_once,
        "lease": timedelta(seconds=settings.SKYTRAIL_LEASE_SECONDS),
        "final": sorted(FINAL),
        "leased": sorted(LEASED),
        "active": sorted(ACTIVE),
        "sleeping": sorted(SLEEPING),
        "run_final": sorted(RUN_FINAL),
        "run_active": sorted(RUN_ACTIVE),
    }


def breaches(invariant: Invariant, found: Iterable[Found]) -> list[Breach]:
    """What was found, as breaches of `invariant`."""
    return [Breach(invariant, one) for one in found]


def query(name: str, sql: str) -> Statement[Found]:
    """A query for rows that break an invariant; it selects the columns of `Found`."""
    return Statement(f"fsck_{name}", sql, Found)


#: The columns that name a task run `t` of a run `run` of a DAG `d`.
TASK = "run.id AS run_pk, t.id AS task_run_pk, d.dag_id, run.run_id, t.task_id"
#: The same for a run by itself.
RUN = "run.id AS run_pk, NULL::uuid AS task_run_pk, d.dag_id, run.run_id, '' AS task_id"
#: The same for something that no run is to blame for.
NO_RUN = (
    "NULL::uuid AS run_pk, NULL::uuid AS task_run_pk, {dag} AS dag_id, '' AS run_id, '' AS task_id"
)
