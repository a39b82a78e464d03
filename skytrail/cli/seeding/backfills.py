"""Backfills as rows, once their runs have been told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from dags_app.domain.timing import definition as timing
from runs_app.domain.backfills import BackfillState, Treatment
from runs_app.models import Backfill, BackfillRun
from skytrail.cli.seeding.calendar import MadeUp
from skytrail.cli.seeding.chance import Chance
from skytrail.cli.seeding.copying import copy_models
from skytrail.cli.seeding.moments import SECOND, moment


def write(made: Sequence[MadeUp], chance: Chance) -> None:
    """Writes them, all completed. The caller holds the transaction."""
    copy_models([_row(each) for each in made])
    copy_models([entry for each in made for entry in _entries(each, chance)])


def _row(made: MadeUp) -> Backfill:
    first, last = _dates(made)[0], _dates(made)[-1]
    spec = made.dag.spec
    ends = [run.ended for run in made.runs if run.ended is not None]
    return Backfill(
        id=UUID(made.key),
        dag_id=UUID(made.dag.key),
        from_date=moment(first),
        to_date=moment(last),
        schedule=timing.canonical(spec.schedule),
        timezone=spec.timezone,
        anchor=spec.start_date or moment(made.dag.born).replace(microsecond=0),
        dates=len(made.runs),
        max_active_runs=len(made.runs),
        state=BackfillState.COMPLETED.value,
        reached=moment(last),
        is_through=True,
        created_by=made.by,
        created_at=moment(made.at),
        finished_at=moment(max(ends, default=made.at) + SECOND),
    )


def _entries(made: MadeUp, chance: Chance) -> Iterator[BackfillRun]:
    for run, date in zip(made.runs, _dates(made), strict=True):
        yield BackfillRun(
            id=UUID(chance.key(run.at)),
            backfill_id=UUID(made.key),
            logical_date=moment(date),
            # One that was told to nobody counts as deleted since.
            run_id=None if run.ended is None else UUID(run.key),
            treatment=Treatment.CREATED.value,
        )


def _dates(made: MadeUp) -> list[int]:
    return [run.logical for run in made.runs if run.logical is not None]
