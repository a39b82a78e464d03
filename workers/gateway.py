"""The one port through which workers reach the state of runs.

Today there is one way: straight into Postgres. A worker without database credentials will speak
HTTP through the same port.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from uuid import UUID

from runs_app.actions import attempts, leases, logs, rendering
from runs_app.domain.claims import Refusal
from runs_app.domain.executions import Execution, Finished
from runs_app.domain.outcomes import Outcome
from runs_app.selectors.outputs import outputs_of
from skytrail.database.keys import new_key
from workers.log import Piece
from workers.patience import patiently

T = TypeVar("T")


class RunGateway(Protocol):
    """What a worker may read and write."""

    def claim(self, *, task_run_id: UUID, epoch: int, worker: str) -> Execution | Refusal:
        """Starts an execution; see `attempts.claim`."""

    def outputs(self, execution: Execution, task_ids: Iterable[str]) -> dict[str, Any]:
        """What earlier tasks of the run left."""

    def keep_rendered(self, execution: Execution, fields: Mapping[str, Any]) -> None:
        """Keeps what the templates were filled in to."""

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


@dataclass(frozen=True)
class DatabaseGateway:
    """The port, straight into Postgres."""

    #: How long a worker goes on trying while the database does not answer, in seconds.
    patience: float = 45.0
    #: The same for a message that it has just taken: others may be better off.
    patience_with_a_claim: float = 5.0
    #: The same within an execution and at its end: nothing is lost by waiting, all by giving up.
    patience_with_an_end: float = 3600.0

    def claim(self, *, task_run_id: UUID, epoch: int, worker: str) -> Execution | Refusal:
        key = new_key()  # one for all tries: by it the claim is known again
        return patiently(
            lambda: attempts.claim(task_run_id=task_run_id, epoch=epoch, worker=worker, key=key),
            seconds=self.patience_with_a_claim,
            what="claim a task",
        )

    def outputs(self, execution: Execution, task_ids: Iterable[str]) -> dict[str, Any]:
        # Giving up would fail the task, which is not to blame.
        return patiently(
            lambda: outputs_of(execution.run_pk, task_ids),
            seconds=self.patience_with_an_end,
            what="read outputs",
        )

    def keep_rendered(self, execution: Execution, fields: Mapping[str, Any]) -> None:
        patiently(
            lambda: rendering.keep(execution, fields),
            seconds=self.patience_with_an_end,
            what="keep what templates were filled in to",
        )

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
        def write() -> Finished | None:
            for piece in rest_of_log[:-1]:
                self.append_log(execution, piece)
            last = rest_of_log[-1] if rest_of_log else Piece(0, "")
            return attempts.finish(
                execution, outcome, worker=worker, log=last.text, log_sequence=last.sequence
            )

        return patiently(write, seconds=self.patience_with_an_end, what="write a task's end")

    def hand_back(self, execution: Execution, *, worker: str) -> bool:
        return self._persist(
            lambda: attempts.hand_back(execution, worker=worker), "hand a task back"
        )

    def renew(self, executions: Sequence[tuple[UUID, int]]) -> list[leases.Held]:
        return leases.renew(executions)

    def _persist(self, step: Callable[[], T], what: str) -> T:
        """Steps are guarded and may run twice."""
        return patiently(step, seconds=self.patience, what=what)
