from __future__ import annotations

from dags_app.domain.commands import EmptyCommand
from runs_app.domain.outcomes import Outcome
from workers.executors.contract import Call


class EmptyExecutor:
    """Does nothing, successfully."""

    def execute(self, call: Call[EmptyCommand]) -> Outcome:
        return Outcome.success()
