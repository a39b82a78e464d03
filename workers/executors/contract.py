"""What every executor is given, and what it answers with.

The conformance suite in `tests/workers/` runs over all of them: a new one is done when it passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from dags_app.domain.commands import Command
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from workers.guards.interruption import Interruption
from workers.log import Log
from workers.services import Services

C = TypeVar("C", bound=Command)


@dataclass(frozen=True, slots=True)
class Call(Generic[C]):
    """One execution of one command, its templates rendered."""

    execution: Execution
    command: C
    log: Log
    interruption: Interruption
    services: Services
    #: A text with a mask for each secret that this try has been lent so far.
    masked: Callable[[str], str] = str

    @property
    def params(self) -> Mapping[str, Any]:
        """The run's parameters."""
        return self.execution.conf

    def about(self) -> dict[str, str]:
        """What user code may want to know, as environment variables.

        `SKYTRAIL_IDEMPOTENCY_KEY` is the same for every try of this task of this run;
        `SKYTRAIL_FENCE` grows with each execution: a late one can be told from its successor.
        """
        execution = self.execution
        about = {
            "SKYTRAIL_DAG_ID": execution.dag_id,
            "SKYTRAIL_RUN_ID": execution.run_id,
            "SKYTRAIL_TASK_ID": execution.task_id,
            "SKYTRAIL_ATTEMPT": str(execution.attempt),
            "SKYTRAIL_IDEMPOTENCY_KEY": str(execution.task_run_id),
            "SKYTRAIL_FENCE": str(execution.epoch),
        }
        dates = {
            "SKYTRAIL_LOGICAL_DATE": execution.logical_date,
            "SKYTRAIL_DATA_INTERVAL_START": execution.data_interval_start,
            "SKYTRAIL_DATA_INTERVAL_END": execution.data_interval_end,
        }
        about |= {name: date.isoformat() for name, date in dates.items() if date}
        if execution.map_values is not None:
            about["SKYTRAIL_MAP_INDEX"] = str(execution.map_index)
        return about


class Executor(Protocol[C]):
    """Does what commands of one type say.

    It answers with an `Outcome` for whatever its command may do: a user's failure is a value and
    not an exception. What it writes goes to `call.log` as it comes. When `call.interruption` speaks
    it stops the work, for good, and raises `Interrupted`.
    """

    def execute(self, call: Call[C]) -> Outcome:
        """Does it."""
