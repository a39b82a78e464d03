"""Carrying out what the commands ask for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dags_app.domain import topology
from dags_app.domain.spec import DagSpec
from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import RunState
from skytrail.cli.failures import RUN_FAILED
from skytrail.cli.output import Format
from skytrail.cli.trying import LONGEST_WAIT
from skytrail.cli.trying.following import Following
from skytrail.cli.trying.interrupting import say_it_is_stuck, stopping
from skytrail.cli.trying.watching import Watcher, watcher_for
from workers.local.facts import facts_of
from workers.local.ledger import LocalTask
from workers.local.readiness import get_ready
from workers.local.trying import Trial, approving, prepared


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What is asked for beside the definition."""

    conf: Any = None
    date: datetime | None = None
    #: Only these tasks and what they wait for; without any, all.
    only: Sequence[str] = ()
    mark_success: re.Pattern[str] | None = None
    longest_wait: float = LONGEST_WAIT
    approve: bool = False


def try_dag(spec: DagSpec, wishes: Wishes, output: Format, *, now: datetime) -> int:
    """Runs the DAG and shows it; the exit code for how it ended."""
    get_ready(spec)
    watcher = watcher_for(output, longest_wait=wishes.longest_wait)
    facts = facts_of(spec, conf=wishes.conf, logical_date=wishes.date, now=now)
    trial = _trial(spec, wishes, watcher)
    with prepared(spec, facts, trial, observer=watcher) as run, stopping(run), watcher.showing(run):
        state = run.to_the_end()
    return 0 if state is RunState.SUCCESS else RUN_FAILED


def try_task(
    spec: DagSpec,
    task_id: str,
    wishes: Wishes,
    output: Format,
    *,
    now: datetime,
    map_index: int | None = None,
    outputs: Mapping[str, Any],
) -> int:
    """Runs one task once and shows it; the exit code for how it ended."""
    alone = [
        task.model_copy(update={"retries": 0}) if task.id == task_id else task
        for task in spec.tasks
    ]
    spec = spec.model_copy(update={"tasks": alone})
    get_ready(spec)
    watcher = Following(output, longest_wait=wishes.longest_wait)
    facts = facts_of(spec, conf=wishes.conf, logical_date=wishes.date, now=now)
    trial = replace(_trial(spec, wishes, watcher), outputs=outputs)
    with prepared(spec, facts, trial, observer=watcher) as run, stopping(run), watcher.showing(run):
        state = run.one(task_id, map_index=map_index)
    return 0 if state is RunState.SUCCESS else RUN_FAILED


def _trial(spec: DagSpec, wishes: Wishes, watcher: Watcher) -> Trial:
    return Trial(
        longest_wait=wishes.longest_wait,
        given=_given(spec, wishes),
        ask=approving if wishes.approve else watcher.ask,
        on_stuck=say_it_is_stuck,
    )


def _given(spec: DagSpec, wishes: Wishes) -> Callable[[LocalTask], Outcome | None]:
    wanted = _wanted(spec, wishes.only)

    def given(task: LocalTask) -> Outcome | None:
        if task.spec.id not in wanted:
            return Outcome.skipped("not asked for")
        if wishes.mark_success is not None and wishes.mark_success.fullmatch(task.spec.id):
            return Outcome.success()
        return None

    return given


def _wanted(spec: DagSpec, only: Sequence[str]) -> set[str]:
    """These tasks and all that come before them; without any, all of the DAG."""
    upstream = {task.id: task.depends_on for task in spec.tasks}
    if not only:
        return set(upstream)
    return {*only, *topology.descendants(only, upstream)}
