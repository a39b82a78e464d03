"""What executors may ask of Skytrail beside their command: about other runs, so far.

Protocols, so that the local runner can answer them without a database's worth of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from runs_app.domain.executions import Execution
from runs_app.selectors.lateness import is_latest
from workers.patience import patiently

#: How long an executor waits for a database that does not answer, in seconds.
PATIENCE = 3600.0


class Runs(Protocol):
    """What is to be known of runs, our own and others."""

    def is_latest(self, execution: Execution) -> bool:
        """Whether no later run of its DAG's schedule is due yet."""


@dataclass(frozen=True, slots=True)
class Services:
    """All that an executor may ask."""

    runs: Runs


class DatabaseRuns:
    """Asks Postgres."""

    def is_latest(self, execution: Execution) -> bool:
        return patiently(
            lambda: is_latest(execution.run_pk), seconds=PATIENCE, what="look for later runs"
        )


FROM_THE_DATABASE = Services(runs=DatabaseRuns())
