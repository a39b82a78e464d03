"""What tasks of a local run are told where a worker would ask Postgres."""

from __future__ import annotations

from datetime import UTC, datetime

from runs_app.domain.executions import Execution
from workers.services import Services


class NoOtherRuns:
    """There is this run and no other."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def is_latest(self, execution: Execution) -> bool:
        return True


def services() -> Services:
    """Those of a local run."""
    return Services(runs=NoOtherRuns())
