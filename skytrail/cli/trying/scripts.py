"""`dag.test()` at the end of a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dags_app.authoring import DAG
from skytrail.cli.output import Format
from skytrail.cli.trying.interrupting import say_it_is_stuck, stopping
from skytrail.cli.trying.watching import watcher_for
from skytrail.testing.results import RunResult, result_of
from skytrail.testing.running import date_of
from workers.local.facts import facts_of
from workers.local.readiness import get_ready
from workers.local.trying import Trial, prepared


def try_out(
    dag: DAG,
    *,
    conf: Mapping[str, Any] | None,
    logical_date: datetime | str | None,
    longest_wait: float,
) -> RunResult:
    """Runs the DAG and shows it."""
    spec = dag.spec()
    get_ready(spec)
    watcher = watcher_for(Format.TABLE, longest_wait=longest_wait)
    facts = facts_of(
        spec, conf=dict(conf or {}), logical_date=date_of(logical_date), now=datetime.now(UTC)
    )
    trial = Trial(longest_wait=longest_wait, ask=watcher.ask, on_stuck=say_it_is_stuck)
    with prepared(spec, facts, trial, observer=watcher) as run, stopping(run), watcher.showing(run):
        run.to_the_end()
    return result_of(run.ledger)
