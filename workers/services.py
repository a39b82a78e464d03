"""What executors may ask of Skytrail beside their command: about other runs, so far.

Protocols: a worker's answers come from Postgres (`workers/database_services.py`), the local runner
has its own (`workers/local/`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from runs_app.domain.executions import Execution


class Runs(Protocol):
    """What is to be known of runs, our own and others."""

    def now(self) -> datetime:
        """What time it is, by the clock that everything goes by."""

    def is_latest(self, execution: Execution) -> bool:
        """Whether no later run of its DAG's schedule is due yet."""


@dataclass(frozen=True, slots=True)
class Services:
    """All that an executor may ask."""

    runs: Runs
