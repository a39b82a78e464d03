"""What a worker's executors are told: straight from Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import IO, Any, BinaryIO
from uuid import UUID

from dags_app.domain.commands import ApprovalCommand
from runs_app.actions import approvals, artifacts, state, triggering
from runs_app.domain.artifacts import Handle, ToKeep
from runs_app.domain.executions import Execution
from runs_app.domain.others import Answer, OtherRun
from runs_app.domain.state import Entry, Place, Write
from runs_app.selectors.artifacts import artifact_store, whereabouts
from runs_app.selectors.asset_events import triggering_events
from runs_app.selectors.lateness import is_latest
from runs_app.selectors.other_runs import find_run
from runs_app.selectors.state import state_for
from skytrail.database.clock import database_now
from skytrail.database.keys import new_key
from skytrail.security.secrets.finding import find_connection, look_up_variable
from skytrail.security.secrets.values import ConnectionValue, VariableValue
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

    def triggering_events(self, execution: Execution) -> dict[str, list[dict[str, Any]]]:
        return patiently(
            lambda: triggering_events(execution.run_pk),
            seconds=PATIENCE,
            what="look for events of assets",
        )


class DatabaseOthers:
    """Asks Postgres, and people by way of it."""

    def find(
        self,
        *,
        dag_id: str,
        run_id: str | None,
        logical_date: datetime | None,
        task_ids: Sequence[str] = (),
    ) -> OtherRun | None:
        return patiently(
            lambda: find_run(
                dag_id=dag_id, run_id=run_id, logical_date=logical_date, task_ids=task_ids
            ),
            seconds=PATIENCE,
            what="look for another run",
        )

    def trigger(
        self,
        execution: Execution,
        *,
        dag_id: str,
        conf: dict[str, Any],
        run_id: str | None,
        logical_date: datetime | None,
    ) -> OtherRun:
        run = patiently(
            lambda: triggering.trigger(
                parent=execution.run_pk,
                task_run_id=execution.task_run_id,
                attempt=execution.attempt,
                dag_id=dag_id,
                conf=conf,
                run_id=run_id,
                logical_date=logical_date,
                actor=f"task:{execution.dag_id}.{execution.task_id}",
            ),
            seconds=PATIENCE,
            what="trigger a run",
        )
        return OtherRun(run.run_id, run.state, {})

    def ask(self, execution: Execution, command: ApprovalCommand) -> Answer | None:
        return patiently(
            lambda: approvals.ask(
                task_run_id=execution.task_run_id, attempt=execution.attempt, command=command
            ),
            seconds=PATIENCE,
            what="ask for an approval",
        )


class DatabaseSecrets:
    """The environment's, mounted files', and what Postgres holds."""

    def connection(self, conn_id: str) -> ConnectionValue:
        return patiently(
            lambda: find_connection(conn_id), seconds=PATIENCE, what="look up a connection"
        )

    def variable(self, key: str) -> VariableValue:
        return patiently(lambda: look_up_variable(key), seconds=PATIENCE, what="look up a variable")


class DatabaseStates:
    """Keeps and finds in Postgres; while that is away, it waits."""

    def get(self, execution: Execution, place: Place, key: str) -> Entry | None:
        return patiently(
            lambda: state_for(execution, place, key), seconds=PATIENCE, what="read state"
        )

    def write(self, execution: Execution, place: Place, key: str, write: Write) -> int | None:
        write_key = new_key()  # one for all tries: by it the write is known again
        return patiently(
            lambda: state.write_by_try(execution, place, key, write, write_key=write_key),
            seconds=PATIENCE,
            what="write state",
        )

    def delete(self, execution: Execution, place: Place, key: str, *, expected: int | None) -> bool:
        return patiently(
            lambda: state.delete_by_try(execution, place, key, expected=expected),
            seconds=PATIENCE,
            what="delete state",
        )


class StoredArtifacts:
    """Rows in Postgres, content in the artifact store."""

    def keep(self, execution: Execution, source: IO[bytes], wanted: ToKeep) -> Handle:
        artifact_id = new_key()
        key = patiently(
            lambda: artifacts.begin(execution, artifact_id, wanted),
            seconds=PATIENCE,
            what="announce an artifact",
        )
        stored = artifact_store().write(key, source)
        return patiently(
            lambda: artifacts.complete(artifact_id, wanted, stored),
            seconds=PATIENCE,
            what="write an artifact down",
        )

    def read(self, artifact_id: UUID, sink: BinaryIO) -> None:
        found = patiently(
            lambda: whereabouts(artifact_id), seconds=PATIENCE, what="look for an artifact"
        )
        artifact_store().read(found.key, sink, sha256=found.sha256)


FROM_THE_DATABASE = Services(
    runs=DatabaseRuns(),
    secrets=DatabaseSecrets(),
    states=DatabaseStates(),
    artifacts=StoredArtifacts(),
    others=DatabaseOthers(),
)
