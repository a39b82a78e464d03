"""The one port through which workers reach the state of runs.

Today there is one way: straight into Postgres. A worker without database credentials will speak
HTTP through the same port.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection

from runs_app.actions import attempts, leases, logs
from runs_app.domain.claims import Refusal
from runs_app.domain.executions import Execution, Finished
from runs_app.domain.outcomes import Outcome
from runs_app.selectors.outputs import outputs_of
from workers.log import Piece

_logger = logging.getLogger(__name__)
T = TypeVar("T")


class RunGateway(Protocol):
    """What a worker may read and write."""

    def claim(self, *, task_run_id: UUID, epoch: int, worker: str) -> Execution | Refusal:
        """Starts an execution; see `attempts.claim`."""

    def outputs(self, execution: Execution, task_ids: Iterable[str]) -> dict[str, Any]:
        """What earlier tasks of the run left."""

    def append_log(self, execution: Execution, piece: Piece) -> None:
        """Keeps a piece of the log."""

    def finish(
        self, execution: Execution, outcome: Outcome, *, worker: str, rest_of_log: Sequence[Piece]
    ) -> Finished | None:
        """Writes the end; see `attempts.finish`."""

    def hand_back(self, execution: Execution, *, worker: str) -> bool:
        """Gives an execution up unfinished, for another worker; see `attempts.hand_back`."""

    def renew(self, executions: Sequence[tuple[UUID, int]]) -> list[leases.Held]:
        """Renews leases; see `leases.renew`."""


class DatabaseGateway:
    """The port, straight into Postgres."""

    #: How long a worker goes on trying while the database does not answer, in seconds.
    patience = 45.0

    def claim(self, *, task_run_id: UUID, epoch: int, worker: str) -> Execution | Refusal:
        return self._persist(
            lambda: attempts.claim(task_run_id=task_run_id, epoch=epoch, worker=worker)
        )

    def outputs(self, execution: Execution, task_ids: Iterable[str]) -> dict[str, Any]:
        return self._persist(lambda: outputs_of(execution.run_pk, task_ids))

    def append_log(self, execution: Execution, piece: Piece) -> None:
        logs.append(
            task_run_id=execution.task_run_id,
            epoch=execution.epoch,
            sequence=piece.sequence,
            text=piece.text,
        )

    def finish(
        self, execution: Execution, outcome: Outcome, *, worker: str, rest_of_log: Sequence[Piece]
    ) -> Finished | None:
        for piece in rest_of_log[:-1]:
            self._persist(lambda piece=piece: self.append_log(execution, piece))  # type: ignore[misc]
        last = rest_of_log[-1] if rest_of_log else Piece(0, "")
        return self._persist(
            lambda: attempts.finish(
                execution, outcome, worker=worker, log=last.text, log_sequence=last.sequence
            )
        )

    def hand_back(self, execution: Execution, *, worker: str) -> bool:
        return self._persist(lambda: attempts.hand_back(execution, worker=worker))

    def renew(self, executions: Sequence[tuple[UUID, int]]) -> list[leases.Held]:
        return leases.renew(executions)

    def _persist(self, step: Callable[[], T]) -> T:
        """Does `step` again while the database is away: all steps are guarded and may run twice."""
        deadline = time.monotonic() + self.patience
        pause = 0.1
        while True:
            try:
                return step()
            except (OperationalError, InterfaceError) as error:
                if time.monotonic() + pause > deadline:
                    raise
                _logger.warning("the database does not answer, trying again: %s", error)
                connection.close()
                time.sleep(pause)
                pause = min(pause * 2, 5.0)
