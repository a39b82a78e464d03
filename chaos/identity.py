"""Tells Python tasks who they are, in the variables that bash tasks find in their environment."""

from __future__ import annotations

import os

from dags_app.domain.commands import PythonCommand
from runs_app.domain.outcomes import Outcome
from workers.executors.contract import Call
from workers.executors.python import PythonExecutor


def install() -> None:
    """Sees to it for every call that follows."""
    execute = PythonExecutor.execute

    def told(self: PythonExecutor, call: Call[PythonCommand]) -> Outcome:
        os.environ.update(call.about())
        return execute(self, call)

    PythonExecutor.execute = told  # type: ignore[method-assign]
