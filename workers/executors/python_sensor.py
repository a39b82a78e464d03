from __future__ import annotations

import asyncio
import inspect
from dataclasses import replace
from typing import Any

from dags_app.domain.commands import PythonSensorCommand
from runs_app.domain.outcomes import Outcome, PokeReturnValue
from runs_app.domain.states import TaskState
from workers.executors.contract import Call
from workers.executors.python import invoke, load
from workers.executors.waiting import look_again


class PythonSensorExecutor:
    """Calls a function until it returns something true, which is the output then.

    With `skytrail.sdk.PokeReturnValue(is_done, xcom_value)` it says both apart. Where it raises,
    that is a failed try like any other.
    """

    def execute(self, call: Call[PythonSensorCommand]) -> Outcome:
        command = call.command

        def look() -> list[Any]:
            return _answer(load(command.callable)(*command.args, **command.kwargs))

        outcome = invoke(call, look, name=command.callable)
        if outcome.state is not TaskState.SUCCESS:
            return outcome
        is_done, value = outcome.output
        if is_done:
            return replace(outcome, output=value)
        return look_again(call.execution, command, f"{command.callable} has not said yes")


def _answer(value: Any) -> list[Any]:
    if inspect.iscoroutine(value):
        value = asyncio.run(value)
    if isinstance(value, PokeReturnValue):
        return [value.is_done, value.xcom_value]
    return [bool(value), value or None]
