"""What a worker's executors are told: straight from Postgres."""

from __future__ import annotations

from datetime import datetime

from runs_app.domain.executions import Execution
from runs_app.selectors.lateness import is_latest
from skytrail.database.clock import database_now
from workers.patience import patiently
from workers.services import Services

#: How long an executor waits for a database that does not answer, in seconds.
PATIENCE = 3600.0


class DatabaseRuns:
    """Asks Postgres."""

    def now(self) -> datetime:
        return patiently(database_now, seconds=PATIENCE, what="look at the clock")

    def is_latest(self, execution: Execution) -> bool:
        return patiently(
            lambda: is_latest(execution.run_pk), seconds=PATIENCE, what="look for later runs"
        )


FROM_THE_DATABASE = Services(runs=DatabaseRuns())
