from __future__ import annotations

from dataclasses import replace
from typing import Any

from dags_app.domain.commands import ShortCircuitCommand
from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState
from workers.executors.contract import Call
from workers.executors.python import call_function

#: Texts that mean no: a template leaves words where it is more than one expression.
_NO = frozenset({"", "false", "no", "off", "0", "none", "null"})


class ShortCircuitExecutor:
    """Finds out whether to go on: by calling a function, or from a value."""

    def execute(self, call: Call[ShortCircuitCommand]) -> Outcome:
        command = call.command
        if command.callable is None:
            return _decided(call, Outcome.success(command.value))
        outcome = call_function(call, command.callable, command.args, command.kwargs)
        return _decided(call, outcome) if outcome.state is TaskState.SUCCESS else outcome


def _decided(call: Call[Any], outcome: Outcome) -> Outcome:
    if is_true(outcome.output):
        return outcome
    call.log.write("the condition does not hold: what follows is skipped\n")
    return replace(outcome, chosen=())


def is_true(value: Any) -> bool:
    """Whether a value means yes: Python's answer, but for words that mean no."""
    return value.strip().lower() not in _NO if isinstance(value, str) else bool(value)
