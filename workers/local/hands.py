"""Executing in this process, under the guards that a worker's pool process has.

The companion watches the time limits and passes on the word to stop; what a task's process starts
ends with it. There is no warden: whoever starts a local run is there to see what it leaves behind.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from dags_app.domain.commands import TaskType
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from workers import log as logs
from workers.carrying_out import carry_out, outcome_of
from workers.executors.celery_task import timed
from workers.executors.contract import Executor
from workers.guards import interruption
from workers.guards.companion import Companion
from workers.guards.interruption import Interrupted, Reason
from workers.local.runner import Outputs
from workers.local.transcript import Transcript
from workers.log import Piece
from workers.services import Services

#: What becomes of this process when a task will not stop, before it is ended.
OnStuck = Callable[[Execution, Reason, Sequence[Piece]], None]


class InThisProcess:
    """Hands that execute right here; see `at_work`."""

    def __init__(
        self,
        services: Services,
        executors: Mapping[TaskType, Executor[Any]],
        companion: Companion,
    ) -> None:
        self._services = services
        self._executors = executors
        self._companion = companion
        self._told: tuple[UUID, int, Reason] | None = None

    def execute(self, execution: Execution, transcript: Transcript, outputs: Outputs) -> Outcome:
        execution = timed(execution)
        try:
            with self._companion.watching(execution, transcript.log) as ear:
                if self._told is not None and self._told[:2] == _key(execution):
                    ear.request(self._told[2])  # the companion did not know of it yet
                return carry_out(
                    execution,
                    log=transcript.log,
                    interruption=ear,
                    services=self._services,
                    outputs=outputs,
                    executors=self._executors,
                    rendered=transcript.rendered.update,
                )
        except Interrupted as interrupted:
            return outcome_of(interrupted.reason, execution)
        finally:
            interruption.install_again()

    def stop(self, execution: Execution, reason: Reason) -> None:
        self._told = (*_key(execution), reason)
        self._companion.tell(execution, reason)


def _key(execution: Execution) -> tuple[UUID, int]:
    return execution.task_run_id, execution.epoch


@contextlib.contextmanager
def at_work(
    services: Services, *, executors: Mapping[TaskType, Executor[Any]], on_stuck: OnStuck
) -> Iterator[InThisProcess]:
    """Within, tasks can be executed here; afterwards this process is as it was.

    Outside the main thread code in this process cannot be told to stop.
    """
    companion = Companion(on_stuck=on_stuck)
    with interruption.installed(), logs.installed():
        companion.start()
        try:
            yield InThisProcess(services, executors, companion)
        finally:
            companion.stop()
