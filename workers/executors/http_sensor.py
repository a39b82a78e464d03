from __future__ import annotations

from dataclasses import replace
from typing import Any

from dags_app.domain.commands import HttpCommand, HttpSensorCommand, TaskType
from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState
from workers.executors.contract import Call
from workers.executors.http import HttpExecutor
from workers.executors.short_circuit import is_true
from workers.executors.waiting import look_again
from workers.rendering import CannotRender, evaluate

#: What may be otherwise by the next look: the service has not started, or has nothing yet.
_NOT_YET = frozenset({"http_status", "connection", "timeout"})


class HttpSensorExecutor:
    """Asks until the answer is as expected; the answer is the output then."""

    def execute(self, call: Call[HttpSensorCommand]) -> Outcome:
        command = call.command
        # What a template has made of the address is for the request to complain about.
        request = HttpCommand.model_construct(
            type=TaskType.HTTP,
            conn_id=command.conn_id,
            uri=command.uri,
            method=command.method,
            headers=command.headers,
            params=command.params,
            expected_status=command.expected_status,
            request_timeout_seconds=command.request_timeout_seconds,
        )
        asked: Call[Any] = call
        answer = HttpExecutor().execute(replace(asked, command=request))
        if answer.reason in _NOT_YET:
            return look_again(call.execution, command, answer.message)
        if answer.state is not TaskState.SUCCESS or command.condition is None:
            return answer
        try:
            holds = is_true(evaluate(command.condition, {"response": answer.output}))
        except CannotRender as error:
            return Outcome.failed(f"condition: {error}", reason="bad_template", may_retry=False)
        if holds:
            return answer
        return look_again(call.execution, command, f"{command.condition} does not hold")
