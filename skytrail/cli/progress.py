"""Watching a run: live in a terminal, line by line elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from runs_app.api.serializers import RunSerializer, TaskRunSerializer
from runs_app.domain.states import RunState, TaskState
from runs_app.models import DagRun, TaskRun
from runs_app.selectors.tasks import tasks_of
from skytrail.cli.failures import RUN_FAILED
from skytrail.cli.output import Format, console, show_record, state_text
from skytrail.errors import SkytrailError

_LOOK_EVERY = 0.2


class StoppedWatching(SkytrailError):
    """The run goes on. Look at it with `skytrail runs show {dag} {run}`, or end it with
    `skytrail runs cancel {dag} {run}`.
    """


#: More tasks than these are counted; only those under way are then listed.
_MOST_ROWS = 30


def watch(run: DagRun, output: Format, *, transient: bool = False) -> int:
    """Shows a run until it is over; the exit code for how it ended.

    With `transient` the live picture is wiped away in the end: something better follows.
    """
    try:
        if output is Format.JSON:
            _wait(run)
            tasks = TaskRunSerializer(tasks_of(run), many=True).data
            show_record({**RunSerializer(run).data, "tasks": tasks}, output)
        elif console.is_terminal:
            _watch_live(run, transient=transient)
        else:
            _watch_lines(run)
    except KeyboardInterrupt:
        raise StoppedWatching(dag=run.dag.dag_id, run=run.run_id) from None
    return 0 if run.state == RunState.SUCCESS else RUN_FAILED


def _is_over(run: DagRun) -> bool:
    run.refresh_from_db()
    return RunState(run.state).is_final


def _wait(run: DagRun) -> None:
    while not _is_over(run):
        time.sleep(_LOOK_EVERY)


def _watch_live(run: DagRun, *, transient: bool) -> None:
    with Live(console=console, refresh_per_second=8, transient=transient) as live:
        while True:
            over = _is_over(run)
            live.update(_picture(run))
            if over:
                return
            time.sleep(_LOOK_EVERY)


def _watch_lines(run: DagRun) -> None:
    """One line for each change of a task's state."""
    console.print(f"{run.dag.dag_id} {run.run_id}", soft_wrap=True)
    seen: dict[Any, str] = {}
    while True:
        over = _is_over(run)
        for task in TaskRun.objects.filter(run=run).order_by("position", "map_index"):
            if seen.get(task.pk, TaskState.WAITING) != task.state:
                seen[task.pk] = task.state
                console.print(f"{state_text(task.state)}  {escape(str(task))}", soft_wrap=True)
        if over:
            console.print(f"{state_text(run.state)}  the run", soft_wrap=True)
            return
        time.sleep(_LOOK_EVERY)


def _picture(run: DagRun) -> Group:
    tasks = list(tasks_of(run))
    counts = Counter(task.state for task in tasks)
    done = sum(count for state, count in counts.items() if TaskState(state).is_final)
    head = Text.from_markup(
        f"{state_text(run.state)}  [bold]{escape(run.dag.dag_id)}[/bold] "
        f"[bright_black]{escape(run.run_id)}[/bright_black]"
    )
    bar = Table.grid(padding=(0, 1))
    bar.add_row(ProgressBar(total=len(tasks), completed=done, width=40), f"{done} of {len(tasks)}")
    shown = tasks if len(tasks) <= _MOST_ROWS else [task for task in tasks if _under_way(task)]
    return Group(head, bar, task_table(shown[:_MOST_ROWS]))


def _under_way(task: TaskRun) -> bool:
    quiet = {TaskState.WAITING, TaskState.SUCCESS, TaskState.SKIPPED}
    return task.state not in quiet


def task_table(tasks: list[TaskRun]) -> Table:
    """Tasks with their state, how long they took, and what went wrong."""
    table = Table.grid(padding=(0, 2))
    for task in tasks:
        attempts = list(task.attempts.all())
        trouble = attempts[-1].message if attempts and attempts[-1].state == "failed" else ""
        tries = f"try {task.attempt} of {task.max_attempts}" if task.max_attempts > 1 else ""
        table.add_row(
            Text.from_markup(state_text(task.state)),
            escape(str(task)),
            _duration(task),
            tries if task.attempt else "",
            Text(trouble, style="red", overflow="ellipsis", no_wrap=True),
        )
    return table


def _duration(task: TaskRun) -> str:
    if task.started_at is None:
        return ""
    end = task.finished_at or datetime.now(UTC)
    return f"{max(0.0, (end - task.started_at).total_seconds()):.2f} s"
