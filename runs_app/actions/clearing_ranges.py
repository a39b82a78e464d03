"""Clearing tasks in many runs of a DAG: those whose logical dates lie in a stretch of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dags_app.models import Dag
from runs_app.actions import rerunning
from runs_app.actions.rerunning import BadSelection, RunCannotBeCleared, ToClear
from runs_app.domain import clearing
from runs_app.domain.clearing import Selection
from runs_app.models import DagRun
from runs_app.selectors.graphs import graph_of
from skytrail.errors import Invalid, Problem

#: Runs that one request may clear.
MOST = 1_000


class BadRange(Invalid):
    """The runs to be cleared cannot be told."""


@dataclass(frozen=True, slots=True)
class RunCleared:
    """What was, or would be, cleared of a run; or why nothing."""

    run: DagRun
    tasks: list[ToClear] = field(default_factory=list)
    passed_over: str = ""


def clear_range(
    dag: Dag,
    selection: Selection,
    *,
    from_date: datetime,
    to_date: datetime,
    actor: str,
    conf: dict[str, Any] | None = None,
    dry_run: bool = False,
) -> Iterator[RunCleared]:
    """Clears the selected tasks in each run from the first date to the last, both included.

    Each run is cleared whole or not at all, in the order of their dates, and is told of as soon as
    it is done. A run that is being cancelled, or whose version has none of the tasks, is passed
    over. Raises `BadRange` for dates the wrong way round or more than `MOST` runs, and
    `BadSelection` for a task that none of the runs has, before anything is cleared.
    """
    runs = _runs(dag, from_date, to_date)
    _check_names(runs, selection)
    return (_clear(run, selection, actor=actor, conf=conf, dry_run=dry_run) for run in runs)


def _runs(dag: Dag, from_date: datetime, to_date: datetime) -> list[DagRun]:
    if from_date > to_date:
        message = "the first date is later than the last one; turn them round"
        raise BadRange(problems=[Problem("from_date", "wrong_way_round", message)])
    there = DagRun.objects.filter(dag=dag, logical_date__range=(from_date, to_date))
    count = there.count()
    if count > MOST:
        message = f"there are {count:,} runs in it; take a shorter stretch, of at most {MOST:,}"
        raise BadRange(problems=[Problem("to_date", "too_many_runs", message)])
    return list(there.order_by("logical_date", "queued_at", "id"))


def _check_names(runs: list[DagRun], selection: Selection) -> None:
    """A name that no run knows is a mistake; one that some do not is history."""
    wrong: list[Problem] | None = None
    for version_id in {run.version_id for run in runs}:
        found = clearing.named(graph_of(version_id), selection)
        if not isinstance(found, list):
            return
        wrong = found if wrong is None else [problem for problem in wrong if problem in found]
    if wrong:
        raise BadSelection(problems=wrong)


def _clear(
    run: DagRun,
    selection: Selection,
    *,
    actor: str,
    conf: dict[str, Any] | None,
    dry_run: bool,
) -> RunCleared:
    try:
        tasks = rerunning.clear(run, selection, actor=actor, conf=conf, dry_run=dry_run)
    except RunCannotBeCleared as error:
        return RunCleared(run, passed_over=error.message)
    except BadSelection as error:
        return RunCleared(run, passed_over=error.problems[0].message)
    return RunCleared(run, tasks)
