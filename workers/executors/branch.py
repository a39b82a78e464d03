from __future__ import annotations

from typing import Any

from dags_app.domain.commands import BranchCommand
from dags_app.domain.problems import suggestion
from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState
from workers.executors.contract import Call
from workers.executors.python import call_function


class BranchExecutor:
    """Finds out which of the next tasks go on: by calling a function, or by looking up a value."""

    def execute(self, call: Call[BranchCommand]) -> Outcome:
        command = call.command
        if command.callable is None:
            return self._look_up(call)
        decided = call_function(call, command.callable, command.args, command.kwargs)
        if decided.state is not TaskState.SUCCESS:
            return decided
        return _choose(call, decided.output)

    def _look_up(self, call: Call[BranchCommand]) -> Outcome:
        command = call.command
        value = str(command.value)
        tasks = command.cases.get(value, command.default)
        if tasks is None:
            known = ", ".join(repr(case) for case in command.cases)
            return Outcome.failed(
                f"cases: there is none for {_shortened(value)} (there are {known}); add it, or "
                "give a default",
                reason="no_case",
                may_retry=False,
            )
        return _choose(call, tasks)


def _choose(call: Call[BranchCommand], decision: Any) -> Outcome:
    """Success with the chosen tasks; failure where the decision names no next task."""
    names = [] if decision is None else [decision] if isinstance(decision, str) else decision
    downstream = call.execution.downstream
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return Outcome.failed(
            f"a branch returns the id of a task or a list of ids, not {_shortened(decision)}",
            reason="bad_branch",
            may_retry=False,
        )
    for name in names:
        if name not in downstream:
            return Outcome.failed(
                f"{_shortened(name)} is no task directly after {call.execution.task_id!r}"
                f"{suggestion(name[:500], downstream)}",
                reason="bad_branch",
                may_retry=False,
            )
    shown = ", ".join(names) or "none of the next tasks"
    call.log.write(f"goes on with {shown}\n")
    return Outcome.success(decision, chosen=tuple(names))


def _shortened(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 200 else f"{shown[:200]}…"
