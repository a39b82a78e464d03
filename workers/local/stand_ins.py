"""What takes the place of executors that have to do with other runs, or with people.

A local run has neither: it says what would happen, and goes on as if it had gone well; and whoever
started it answers for those who would be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dags_app.domain.commands import (
    ApprovalCommand,
    ExternalSensorCommand,
    TaskType,
    TriggerDagCommand,
)
from runs_app.domain.others import Answer
from runs_app.domain.outcomes import Outcome
from workers.executors.approval import decided
from workers.executors.contract import Call, Executor

#: Asks for one of an approval's options; None where nobody can be asked.
Ask = Callable[[ApprovalCommand], str | None]


class TriggerStandIn:
    """Says which run would be triggered."""

    def execute(self, call: Call[TriggerDagCommand]) -> Outcome:
        command = call.command
        call.log.write(f"would trigger {command.dag_id} with conf {command.conf}\n")
        if command.wait_for_completion:
            call.log.write("would wait for its end; goes on as if it had gone well\n")
        return Outcome.success()


class ExternalStandIn:
    """Says what would be waited for."""

    def execute(self, call: Call[ExternalSensorCommand]) -> Outcome:
        command = call.command
        what = f"{', '.join(command.task_ids)} of {command.dag_id}" if command.task_ids else None
        call.log.write(f"would wait for {what or command.dag_id}; goes on as if it had gone well\n")
        return Outcome.success()


class ApprovalStandIn:
    """Has whoever started the run answer."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def execute(self, call: Call[ApprovalCommand]) -> Outcome:
        command = call.command
        chosen = self._ask(command)
        if chosen is None:
            return Outcome.failed(
                f"nobody can be asked here: {command.subject!r}; say beforehand what the answer is "
                "(--approve)",
                reason="nobody_answers",
                may_retry=False,
            )
        if chosen not in command.options:
            return Outcome.failed(
                f"the answer {chosen!r} to {command.subject!r} is none of the options: "
                f"{', '.join(command.options)}",
                reason="no_such_option",
                may_retry=False,
            )
        call.log.write(f"{command.subject}: {chosen}\n")
        return decided(command, Answer(chosen, by="who tries it", note=""))


def stand_ins(ask: Ask) -> Mapping[TaskType, Executor[Any]]:
    """Those of a local run."""
    return {
        TaskType.TRIGGER_DAG: TriggerStandIn(),
        TaskType.EXTERNAL_SENSOR: ExternalStandIn(),
        TaskType.APPROVAL: ApprovalStandIn(ask),
    }
