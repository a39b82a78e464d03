from __future__ import annotations

from dags_app.domain.commands import LatestOnlyCommand
from runs_app.domain.outcomes import Outcome
from workers.executors.contract import Call


class LatestOnlyExecutor:
    """Lets what follows go on only where no later run is due already."""

    def execute(self, call: Call[LatestOnlyCommand]) -> Outcome:
        if call.services.runs.is_latest(call.execution):
            return Outcome.success()
        call.log.write("a later run is due already: what depends on this is skipped\n")
        return Outcome.success(chosen=())
