"""What came of a run, as a test looks at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dags_app.domain.problems import suggestion
from runs_app.domain.states import RunState, TaskState
from workers.local.ledger import Ledger, LocalTask


@dataclass(frozen=True)
class TaskResult:
    """A task, or one instance of a mapped one."""

    task_id: str
    state: TaskState
    #: What later tasks could use; of a mapped task the list of what its instances have left.
    output: Any
    #: What it has written, all tries together.
    log: str
    #: What went wrong, or why it was skipped, in a sentence; None where nothing did.
    error: str | None
    #: How many tries there were.
    attempts: int
    #: What the templates of its fields were filled in to in the last try, secrets masked.
    rendered: Mapping[str, Any] = field(default_factory=dict)
    #: Of a mapped task its instances, in order.
    instances: Sequence[TaskResult] = ()

    def __str__(self) -> str:
        because = f": {self.error}" if self.error else ""
        return f"{self.task_id} {self.state.value}{because}"


@dataclass(frozen=True, repr=False)
class RunResult:
    """A run that is over. `result["fetch"]` is one of its tasks."""

    dag_id: str
    run_id: str
    state: RunState
    tasks: Sequence[TaskResult]

    def __getitem__(self, task_id: str) -> TaskResult:
        for task in self.tasks:
            if task.task_id == task_id:
                return task
        known = [task.task_id for task in self.tasks]
        raise KeyError(f"there is no task {task_id!r}{suggestion(task_id, known)}")

    def __iter__(self) -> Iterator[TaskResult]:
        return iter(self.tasks)

    @property
    def states(self) -> dict[str, str]:
        """How each task has ended, by id."""
        return {task.task_id: task.state.value for task in self.tasks}

    def __repr__(self) -> str:
        """With the states of all tasks and the logs of those that failed: a test shows this."""
        lines = [f"<run of {self.dag_id}: {self.state.value}"]
        for task in self.tasks:
            lines.append(f"  {task}")
            for each in (task, *task.instances):
                if each.state is TaskState.FAILED:
                    lines += [f"    {line}" for line in each.log.splitlines()]
        return "\n".join(lines) + ">"


def result_of(ledger: Ledger) -> RunResult:
    """The result of a run that is over."""
    return RunResult(
        dag_id=ledger.spec.name,
        run_id=ledger.facts.run_id,
        state=ledger.state,
        tasks=[_task(ledger, task) for task in ledger.in_order() if task.map_index < 0],
    )


def _task(ledger: Ledger, task: LocalTask) -> TaskResult:
    instances = ledger.instances(task.position) if task.map_index < 0 else []
    last = task.tries[-1] if task.tries else None
    return TaskResult(
        task_id=task.name,
        state=task.state,
        output=ledger.output_of(task),
        log="".join(each.transcript.text for each in task.tries),
        error=last.message or None if last is not None else None,
        attempts=task.attempt,
        rendered=last.transcript.rendered if last is not None else {},
        instances=[_task(ledger, instance) for instance in instances],
    )
