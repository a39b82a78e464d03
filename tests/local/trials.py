"""Local runs for tests, in as few words as the test needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dags_app.domain.parse import parse
from dags_app.domain.spec import DagSpec
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from workers.guards.interruption import Reason
from workers.local.clock import Clock
from workers.local.facts import RunFacts
from workers.local.ledger import Ledger, LocalTask
from workers.local.runner import LocalRun, Outputs
from workers.local.transcript import Transcript
from workers.local.trying import Trial, prepared

FACTS = RunFacts(run_id="test__1", began_at=datetime(2026, 1, 31, tzinfo=UTC))


@dataclass
class Notes:
    """An observer that writes down each move; `on_move` is called with it."""

    on_move: Callable[[LocalTask], None] = lambda _: None
    moves: list[str] = field(default_factory=list)

    def moved(self, task: LocalTask) -> None:
        self.moves.append(f"{task.name} {task.state}")
        self.on_move(task)


def spec_of(*tasks: dict[str, Any], **fields: Any) -> DagSpec:
    """A definition of these tasks."""
    return parse({"name": "story", "tasks": list(tasks), **fields})


def bash(name: str, command: str, *depends_on: str, **fields: Any) -> dict[str, Any]:
    """A task that runs a command."""
    return {
        "id": name,
        "type": "bash",
        "command": command,
        "depends_on": list(depends_on),
        **fields,
    }


def tried(
    *tasks: dict[str, Any], trial: Trial | None = None, notes: Notes | None = None, **fields: Any
) -> Ledger:
    """A run of these tasks that is over."""
    spec = spec_of(*tasks, **fields)
    with prepared(spec, FACTS, trial or Trial(), observer=notes or Notes()) as run:
        run.to_the_end()
    return run.ledger


def states(ledger: Ledger) -> dict[str, str]:
    """How each task, and each instance, has ended."""
    return {task.name: task.state.value for task in ledger.in_order()}


def log_of(ledger: Ledger, name: str) -> str:
    """What a task, or an instance, has written, all tries together."""
    (task,) = [task for task in ledger.in_order() if task.name == name]
    return "".join(each.transcript.text for each in task.tries)


@dataclass
class Scripted:
    """Hands that do nothing: each execution ends as the script says."""

    script: Callable[[Execution], Outcome]

    def execute(self, execution: Execution, transcript: Transcript, outputs: Outputs) -> Outcome:
        return self.script(execution)

    def stop(self, execution: Execution, reason: Reason) -> None:
        raise AssertionError("nothing here takes long enough to be stopped")


def scripted(spec: DagSpec, script: Callable[[Execution], Outcome]) -> Ledger:
    """A run that is over, of tasks that end as the script says. No time passes."""
    clock = Clock(longest_wait=0.0)
    ledger = Ledger(spec, FACTS)
    LocalRun(ledger, hands=Scripted(script), clock=clock, observer=Notes()).to_the_end()
    clock.close()
    return ledger
