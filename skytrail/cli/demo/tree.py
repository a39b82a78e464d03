"""A run that is over as a tree: its tasks with times, outputs and the ends of their logs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rich.text import Text
from rich.tree import Tree

from runs_app.domain.states import TaskState
from runs_app.models import Attempt, DagRun, TaskRun
from runs_app.selectors.logs import Position, chunks_after
from runs_app.selectors.outputs import outputs_of
from runs_app.selectors.tasks import tasks_of
from skytrail.cli.output import STATES

_LOG_LINES = 3

#: Characters of an output, and of a text in it.
_OUTPUT = 220
_TEXT = 60
#: Entries of a list.
_ENTRIES = 3


def tree_of(run: DagRun) -> Tree:
    """The run with its tasks, in the order of the DAG."""
    tasks = list(tasks_of(run))
    outputs = outputs_of(run.pk, [task.task_id for task in tasks])
    began = run.started_at or run.queued_at
    columns = _Columns(began, max(len(task.task_id) for task in tasks))
    tree = Tree(_headline(run, tasks), guide_style="bright_black")
    for task in tasks:
        node = tree.add(columns.line(task))
        for name, text, style in _details(task, outputs):
            node.add(_detail(name, text, style))
    return tree


def _headline(run: DagRun, tasks: list[TaskRun]) -> Text:
    counts = Counter(task.state for task in tasks)
    counted = ", ".join(f"{count} {state}" for state, count in counts.most_common())
    text = _state(run.state)
    text.append(f"  {run.dag.dag_id}", "bold")
    if run.finished_at:
        text.append(f"  in {_seconds(run.started_at or run.queued_at, run.finished_at)}")
    text.append(f"  {len(tasks)} tasks: {counted}", "bright_black")
    return text


class _Columns:
    """One line for each task, its parts below those of the others."""

    def __init__(self, began: datetime, width: int) -> None:
        self._began = began
        self._width = width

    def line(self, task: TaskRun) -> Text:
        text = _state(task.state, width=10)
        text.append(f" {task.task_id:<{self._width}}", "bold")
        attempts = list(task.attempts.all())
        if attempts and task.finished_at:
            began, ended = attempts[0].started_at, task.finished_at
            text.append(f"  +{_seconds(self._began, began):>7}", "bright_black")
            text.append(f"  {_seconds(began, ended):>7}")
        if task.attempt > 1:
            text.append(f"  {task.attempt} tries", "yellow")
        return text


def _details(task: TaskRun, outputs: dict[str, Any]) -> Iterable[tuple[str, str, str]]:
    """What is to be said about a task: name, text, style."""
    attempts = list(task.attempts.all())
    for attempt in attempts:
        if attempt.state in {TaskState.FAILED, TaskState.SKIPPED}:
            yield f"try {attempt.number}", attempt.message, _hue(attempt)
    for line in _log_tail(task):
        yield "log", line, "bright_black"
    if (output := outputs.get(task.task_id)) is not None:
        yield "output", shortened(output), "cyan"


def _hue(attempt: Attempt) -> str:
    return "red" if attempt.state == TaskState.FAILED else "bright_black"


def _detail(name: str, text: str, style: str) -> Text:
    line = Text(f"{name:<7} ", "bright_black", no_wrap=True, overflow="ellipsis")
    return line.append(text, style)


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


def shortened(output: Any) -> str:
    """An output on one line: JSON, in which long texts and lists are cut."""
    text = json.dumps(_cut(output), ensure_ascii=False)
    return text if len(text) <= _OUTPUT else f"{text[:_OUTPUT]} …"


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _TEXT:
        return f"{value[:_TEXT].rstrip()} … ({len(value):,} characters)"
    if isinstance(value, list) and len(value) > _ENTRIES:
        return [*map(_cut, value[:_ENTRIES]), f"… {len(value)} in all"]
    if isinstance(value, list):
        return [_cut(inner) for inner in value]
    if isinstance(value, dict):
        return {name: _cut(inner) for name, inner in value.items()}
    return value
