"""What executors may ask of Skytrail beside their command: about other runs, for secrets, and for
what tasks keep.

Protocols: a worker's answers come from Postgres (`workers/database_services.py`), the local runner
has its own (`workers/local/`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from dags_app.domain.commands import ApprovalCommand
from runs_app.at_work.here import Artifacts, Secrets, States
from runs_app.domain.executions import Execution
from runs_app.domain.others import Answer, OtherRun


class Runs(Protocol):
    """What is to be known of runs, our own and others."""

    def now(self) -> datetime:
        """What time it is, by the clock that everything goes by."""

    def is_latest(self, execution: Execution) -> bool:
        """Whether no later run of its DAG's schedule is due yet."""

    def triggering_events(self, execution: Execution) -> dict[str, list[dict[str, Any]]]:
        """The events of assets that its run has been started by: see `triggering_events`."""


class Others(Protocol):
    """Other runs, and people: what only an installation has."""

    def find(
        self,
        *,
        dag_id: str,
        run_id: str | None,
        logical_date: datetime | None,
        task_ids: Sequence[str] = (),
    ) -> OtherRun | None:
        """See `find_run`."""

    def trigger(
        self,
        execution: Execution,
        *,
        dag_id: str,
        conf: dict[str, Any],
        run_id: str | None,
        logical_date: datetime | None,
    ) -> OtherRun:
        """The run that this try has triggered: see `triggering.trigger`."""

    def ask(self, execution: Execution, command: ApprovalCommand) -> Answer | None:
        """Asks people, if this try has not yet; what they have answered, if they have."""


@dataclass(frozen=True, slots=True)
class Services:
    """All that an executor may ask. Where there are no `others`, whoever executes stands in for
    those executors that would ask them.
    """

    runs: Runs
    secrets: Secrets
    states: States
    artifacts: Artifacts
    others: Others | None = None
