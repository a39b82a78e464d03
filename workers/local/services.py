"""What tasks of a local run are told where a worker would ask Postgres."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from runs_app.domain.executions import Execution
from workers.services import Services


class NoOtherRuns:
    """There is this run and no other. What time it is, `now` says."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now

    def is_latest(self, execution: Execution) -> bool:
        return True


def services(now: Callable[[], datetime]) -> Services:
    """Those of a local run."""
    return Services(runs=NoOtherRuns(now))
