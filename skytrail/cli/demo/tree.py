"""A run that is over as a tree: its tasks with times, outputs and the ends of their logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from rich.text import Text
from rich.tree import Tree

from runs_app.domain.states import TaskState
from runs_app.models import DagRun, TaskRun
from runs_app.selectors.logs import Position, chunks_after
from runs_app.selectors.outputs import outputs_of
from runs_app.selectors.tasks import tasks_of
from skytrail.cli.demo.shortening import shortened
from skytrail.cli.output import STATES

_LOG_LINES = 3

_QUIET = "bright_black"


@dataclass(frozen=True)
class _Detail:
    """What is said below a task: a name, a text, and its colour."""

    name: str
    text: str
    colour: str = _QUIET

    def line(self) -> Text:
        name = Text(f"{self.name:<7} ", _QUIET, no_wrap=True, overflow="ellipsis")
        return name.append(self.text, self.colour)


def tree_of(run: DagRun) -> Tree:
    """The run with its tasks, in the order of the DAG."""
    return _Picture(run).tree()


class _Picture:
    def __init__(self, run: DagRun) -> None:
        self._run = run
        self._began = run.started_at or run.queued_at
        self._tasks = list(tasks_of(run))
        self._width = max(len(task.task_id) for task in self._tasks)

    def tree(self) -> Tree:
        tree = Tree(self._headline(), guide_style=_QUIET)
        for task in self._tasks:
            node = tree.add(self._line(task))
            for detail in self._details(task):
                node.add(detail.line())
        return tree

    def _headline(self) -> Text:
        counts = Counter(task.state for task in self._tasks)
        counted = ", ".join(f"{count} {state}" for state, count in counts.most_common())
        text = _state(self._run.state).append(f"  {self._run.dag.dag_id}", "bold")
        if self._run.finished_at:
            text.append(f"  in {_seconds(self._began, self._run.finished_at)}")
        return text.append(f"  {len(self._tasks)} tasks: {counted}", _QUIET)

    def _line(self, task: TaskRun) -> Text:
        """State and name; when it started and how long it took, all tries together; the tries."""
        text = _state(task.state, width=max(len(other.state) for other in self._tasks))
        text.no_wrap, text.overflow = True, "ellipsis"
        text.append(f" {task.task_id:<{self._width}}", "bold")
        attempts = list(task.attempts.all())
        if attempts and task.finished_at:
            began = attempts[0].started_at
            offset = f"+{_seconds(self._began, began)}"
            text.append(f"  {offset:>8}", _QUIET).append(
                f"  {_seconds(began, task.finished_at):>7}"
            )
        if task.attempt > 1:
            text.append(f"  {task.attempt} tries", "yellow")
        return text

    def _details(self, task: TaskRun) -> Iterator[_Detail]:
        attempts = list(task.attempts.all())
        for attempt in attempts:
            if attempt.state == TaskState.FAILED:
                yield _Detail(f"try {attempt.number}", attempt.message, "red")
            elif attempt.state != TaskState.SUCCESS:
                yield _Detail("why", attempt.message)
        if not attempts and (reason := self._why_not(task)):
            yield _Detail("why", reason)
        for line in _log_tail(task):
            yield _Detail("log", line)
        if (output := self._outputs.get(task.task_id)) is not None:
            yield _Detail("output", shortened(output), "cyan")

    def _why_not(self, task: TaskRun) -> str:
        """Why a task never started, from the tasks directly before it."""
        upstream = [other for other in self._tasks if other.task_id in self._upstream[task.task_id]]
        for other in upstream:
            if other.chosen is not None and task.task_id not in other.chosen:
                return f"{other.task_id} went on with {', '.join(other.chosen) or 'nothing'}"
        stopped = [f"{o.task_id} is {o.state}" for o in upstream if o.state != TaskState.SUCCESS]
        return ", ".join(stopped)

    @cached_property
    def _outputs(self) -> Mapping[str, Any]:
        return outputs_of(self._run.pk, [task.task_id for task in self._tasks])

    @cached_property
    def _upstream(self) -> Mapping[str, list[str]]:
        tasks = self._run.version.spec["tasks"]
        return {task["id"]: task.get("depends_on", []) for task in tasks}


def _log_tail(task: TaskRun) -> list[str]:
    """The last lines of the last try."""
    chunks = chunks_after(task, task.attempt, Position())
    lines = "".join(text for _, text in chunks).splitlines()
    return [line.rstrip() for line in lines if line.strip()][-_LOG_LINES:]


def _state(state: str, *, width: int = 0) -> Text:
    colour, sign = STATES.get(state, ("white", "?"))
    return Text().append(f"{sign} {state:<{width}}", colour)


def _seconds(began: datetime, ended: datetime) -> str:
    return f"{max(0.0, (ended - began).total_seconds()):.2f} s"
