"""Dead letters for tests: tasks that have used up their tries."""

from __future__ import annotations

from typing import Any

from runs_app.actions import attempts, logs
from runs_app.actions.dispatching_steps import dispatch
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.models import DagRun, DeadLetter
from runs_app.selectors.dead_letters import Letter, letter_of, matching
from skytrail.security.subject import Operator
from tests.factories import Graph, save_dag, start_run, task

WORKER = "worker@one"

#: The graph of `dead_letter` unless another one is given.
ROW: Graph = {"extract": [], "load": ["extract"]}


def kill(
    run: DagRun,
    task_id: str = "extract",
    *,
    reason: str = "exit_code",
    message: str = "it broke",
    exit_code: int | None = 3,
    log: str = "",
) -> DeadLetter:
    """A queued task of the run is begun and fails for good."""
    row = task(run, task_id)
    execution = attempts.claim(task_run_id=row.pk, epoch=row.epoch, worker=WORKER)
    assert isinstance(execution, Execution)
    if log:
        logs.append(task_run_id=row.pk, epoch=execution.epoch, sequence=0, text=log)
    ended = Outcome.failed(message, reason=reason, exit_code=exit_code, may_retry=False)
    attempts.finish(execution, ended, worker=WORKER, log_sequence=1)
    letter: DeadLetter = DeadLetter.objects.get(pk=row.pk)
    return letter


def dead_letter(
    name: str = "story", *, run_id: str = "first", graph: Graph | None = None, **outcome: Any
) -> DeadLetter:
    """A run whose first task has failed for good, and which has ended over it."""
    run = start_run(save_dag(graph or ROW, name=name), run_id=run_id)
    letter = kill(run, next(iter(graph or ROW)), **outcome)
    dispatch(run.pk, actor="dispatcher")
    return letter


def named(letter: DeadLetter) -> Letter:
    """Its names."""
    return letter_of(letter)


def listed() -> list[str]:
    """The tasks on the list, as `dag run task`, those that failed last first."""
    letters = matching(Operator()).order_by("-finished_at", "-id")
    return [f"{one.dag.dag_id} {one.run.run_id} {one.task_id}" for one in letters]
