"""Executing a command as a worker does, and looking at what came of it."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from dags_app.domain.tasks import TASK_CLASSES
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.selectors.outputs import outputs_of
from tests.waiting import wait_until
from workers.carrying_out import carry_out
from workers.database_services import FROM_THE_DATABASE
from workers.executors.contract import Call
from workers.executors.registry import EXECUTORS
from workers.guards.interruption import Interrupted, Interruption, Reason
from workers.local.services import services
from workers.log import Log

EXECUTION = Execution(
    task_run_id=UUID(int=7),
    epoch=1,
    attempt=1,
    max_attempts=1,
    task_id="work",
    map_index=-1,
    map_values=None,
    dag_id="story",
    run_pk=UUID(int=8),
    run_id="manual__1",
    run_type="manual",
    logical_date=None,
    data_interval_start=None,
    data_interval_end=None,
    conf={},
    command_digest="",
    command="",
    timeout_seconds=None,
    queued_timeout_seconds=None,
    memory_limit_mb=None,
    retry_delay_seconds=0.0,
    retry_exponential_backoff=0.0,
    max_retry_delay_seconds=0.0,
    waited_seconds=0.0,
    outlets=[],
    expand=None,
    expand_kwargs=None,
    max_map_length=1024,
    downstream=[],
)


class Bench:
    """Executes commands; afterwards `log` has what the last one wrote."""

    def __init__(self) -> None:
        self.log = ""
        self.log_limit = 1_000_000
        self.execution = EXECUTION
        self.services = services(lambda: datetime.now(UTC))

    def about(self, **fields: Any) -> Bench:
        """The same, of an execution that differs in these fields."""
        self.execution = dataclasses.replace(self.execution, **fields)
        return self

    def run(self, type_: str, **parameters: Any) -> Outcome:
        """What becomes of a command."""
        log = Log(self.log_limit)
        interruption = Interruption()
        try:
            return self._execute(type_, parameters, log, interruption)
        finally:
            interruption.close()
            self.log = text_of(log)

    def stop(
        self, type_: str, *, once: Callable[[Log], object], reason: Reason, **parameters: Any
    ) -> Interrupted:
        """How a command ends that is told to stop once something is the case."""
        log = Log(self.log_limit)
        interruption = Interruption()
        failures: list[AssertionError] = []

        def tell() -> None:
            try:
                wait_until(lambda: once(log), what="the work has begun")
            except AssertionError as error:
                failures.append(error)
            interruption.request(reason)
            wait_until(lambda: not reminded(interruption).is_pending)

        teller = threading.Thread(target=tell, name="skytrail-teller")
        teller.start()
        try:
            outcome = self._execute(type_, parameters, log, interruption)
        except Interrupted as interrupted:
            return interrupted
        finally:
            teller.join()
            interruption.close()
            self.log = text_of(log)
            assert not failures, failures
        raise AssertionError(f"it went on to its end: {outcome}")

    def _execute(
        self, type_: str, parameters: dict[str, Any], log: Log, interruption: Interruption
    ) -> Outcome:
        document = {"type": type_, **parameters}
        command = TASK_CLASSES[type_].command_class.model_validate(document)
        call = Call(self.execution, command, log, interruption, self.services)
        return EXECUTORS[command.type].execute(call)


def text_of(log: Log) -> str:
    """All that is in a log; nothing can be added afterwards."""
    return "".join(piece.text for piece in log.close_and_take())


def reminded(interruption: Interruption) -> Interruption:
    """As the companion does again and again."""
    if interruption.is_pending:
        interruption.remind()
    return interruption


def for_real(execution: Execution, *, log: Log | None = None) -> Outcome:
    """What a worker makes of an execution, over the database."""
    interruption = Interruption()
    try:
        return carry_out(
            execution,
            log=log or Log(100_000),
            interruption=interruption,
            services=FROM_THE_DATABASE,
            outputs=lambda ids: outputs_of(execution.run_pk, ids),
        )
    finally:
        interruption.close()
