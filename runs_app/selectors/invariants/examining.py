"""Looking for rows that break an invariant, on a system that goes on working meanwhile.

Runs are looked at in batches, in the order of their keys. Each batch is one snapshot, taken by a
transaction that only reads: it locks nothing, and it is over before vacuum could miss it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from runs_app.selectors.invariants import (
    claims,
    guards,
    history,
    limits,
    moving,
    standing,
    uniqueness,
)
from runs_app.selectors.invariants.terms import Breach, Tolerance, parameters
from skytrail.database.statement import Statement

#: Runs whose keys are read at once.
PAGE: Final = 1_000

#: Task runs looked at in one transaction, unless a single run has more.
BATCH: Final = 10_000

#: The first key of all.
_BEFORE_ALL: Final = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which runs: those given, or all that have not ended, or ended at `since` or later.

    `since` None is for all runs, however old.
    """

    since: datetime | None = None
    runs: Sequence[UUID] | None = None


@dataclass(slots=True)
class Examination:
    """What was looked at, and what was found."""

    runs: int = 0
    task_runs: int = 0
    breaches: list[Breach] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is broken; warnings do not count."""
        return all(breach.found.is_warning for breach in self.breaches)


@dataclass(frozen=True, slots=True)
class _Run:
    pk: UUID
    task_runs: int


@dataclass(frozen=True, slots=True)
class _Extent:
    count: int
    last: UUID


_IN_SCOPE = """(%(since)s::timestamptz IS NULL OR run.finished_at IS NULL
    OR run.finished_at >= %(since)s::timestamptz)
  AND (%(only)s::uuid[] IS NULL OR run.id = ANY (%(only)s::uuid[]))"""

# Runs that are created while others are being looked at are left to the next time.
_EXTENT = Statement(
    "fsck_extent",
    f"""
SELECT count(*) AS count, coalesce(
  (SELECT id FROM skytrail_dag_run ORDER BY id DESC LIMIT 1), skytrail_uuid7()) AS last
FROM skytrail_dag_run run WHERE {_IN_SCOPE}
""",
    _Extent,
)

_PAGE = Statement(
    "fsck_page",
    f"""
SELECT page.id AS pk, (
  SELECT count(*) FROM skytrail_version_task v WHERE v.version_id = page.version_id
) AS task_runs
FROM (
  SELECT run.id, run.version_id FROM skytrail_dag_run run
  WHERE run.id > %(after)s::uuid AND run.id <= %(last)s::uuid AND {_IN_SCOPE}
  ORDER BY run.id LIMIT {PAGE}
) page
ORDER BY page.id
""",
    _Run,
)


def examine(
    scope: Scope,
    *,
    tolerance: Tolerance | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Examination:
    """Every row in `scope` that breaks an invariant, and the guards and limits that all share.

    `progress` is told how many runs have been looked at, and of how many. Must not be called inside
    a transaction.
    """
    tolerance = tolerance or Tolerance()
    tell = progress or (lambda _done, _of: None)
    result = Examination()
    with _snapshot():
        result.breaches += guards.standing()
        shared = parameters([], tolerance)
        result.breaches += limits.kept(shared)
        result.breaches += moving.given_out(shared)
        only = None if scope.runs is None else list(scope.runs)
        asked: dict[str, object] = {"since": scope.since, "only": only}
        extent = _EXTENT.one(**asked)
        assert extent is not None
    tell(0, extent.count)
    for batch in _batches(extent.last, asked):
        with _snapshot():
            result.breaches += _examine([run.pk for run in batch], tolerance)
        result.runs += len(batch)
        result.task_runs += sum(run.task_runs for run in batch)
        tell(result.runs, max(extent.count, result.runs))
    result.breaches.sort(key=lambda breach: int(breach.invariant.name[1:]))
    return result


def _examine(runs: Sequence[UUID], tolerance: Tolerance) -> Iterator[Breach]:
    shared = parameters(runs, tolerance)
    yield from claims.claimed_once(shared)
    yield from history.epochs_never_fall(shared)
    yield from history.final_is_final(shared)
    yield from standing.leased(shared)
    yield from claims.started_when_ready(shared)
    yield from standing.ended_together(shared)
    yield from moving.going_on(shared)
    yield from uniqueness.one_run_per_date(shared)
    yield from history.unbroken(shared)


def _batches(last: UUID, asked: dict[str, object]) -> Iterator[list[_Run]]:
    """The runs up to the key `last`, in pieces that fit into memory."""
    after = _BEFORE_ALL
    batch: list[_Run] = []
    size = 0
    while page := _PAGE.all(after=after, last=last, **asked):
        after = page[-1].pk
        for run in page:
            if batch and size + run.task_runs > BATCH:
                yield batch
                batch, size = [], 0
            batch.append(run)
            size += run.task_runs
    if batch:
        yield batch


@contextmanager
def _snapshot() -> Iterator[None]:
    """One moment of the database: all that is read inside belongs together."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # Each batch is planned for itself: what fits ten runs does not fit a thousand.
        cursor.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        cursor.execute("SET LOCAL jit = off")
        cursor.execute("SET LOCAL work_mem = '32MB'")
        yield
