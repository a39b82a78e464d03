"""Showing one task as it goes: its log as it comes, then what came of it."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape

from dags_app.domain.commands import ApprovalCommand
from runs_app.domain.states import TaskState
from skytrail.cli.output import Format, show_record, state_text
from skytrail.cli.trying.asking import ask
from skytrail.cli.trying.picture import said_of, task_record
from workers.local.ledger import LocalTask
from workers.local.runner import LocalRun
from workers.log import OUR_THREADS

#: How often the log is looked at, in seconds.
_LOOK_EVERY = 0.1


class Following:
    """Follows what is executed."""

    def __init__(self, output: Format, *, longest_wait: float) -> None:
        self._output = output
        self._longest_wait = longest_wait
        # Not `sys.stdout` as it is later: what a task prints goes into its log.
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._tasks: list[LocalTask] = []
        self._follower: _Follower | None = None

    def moved(self, task: LocalTask) -> None:
        if task not in self._tasks:
            self._tasks.append(task)
        if self._output is Format.JSON:
            return
        if task.state is TaskState.RUNNING:
            self._follower = _Follower(task, self._console)
            self._follower.start()
        elif self._follower is not None:
            self._follower.stop()
            self._follower = None
            self._show_end(task)

    def ask(self, command: ApprovalCommand) -> str | None:
        if self._output is Format.JSON or not self._console.is_terminal:
            return None
        return ask(self._console, command)

    @contextlib.contextmanager
    def showing(self, run: LocalRun) -> Iterator[None]:
        """Within, the run is shown; in JSON at its end."""
        try:
            yield
        finally:
            if self._follower is not None:
                self._follower.stop()
        if self._output is Format.JSON:
            tasks = [task_record(run.ledger, task) for task in self._tasks]
            show_record({"state": run.ledger.state, "tasks": tasks}, self._output)

    def _show_end(self, task: LocalTask) -> None:
        last = task.tries[-1]
        seconds = "" if last.ended is None else f"  in {last.ended - last.began:.2f} s"
        message = said_of(task, last, longest_wait=self._longest_wait)
        because = f"  {escape(message)}" if message else ""
        self._console.print(f"{state_text(task.state)}  {escape(task.name)}{seconds}{because}")
        if task.output is not None:
            text = json.dumps(task.output, ensure_ascii=False)
            self._console.print(f"[cyan]{escape(text)}[/cyan]")


class _Follower(threading.Thread):
    """Copies a log to the terminal while it grows."""

    def __init__(self, task: LocalTask, console: Console) -> None:
        super().__init__(name=f"{OUR_THREADS}follower", daemon=True)
        self._transcript = task.tries[-1].transcript
        self._console = console
        self._shown = 0
        self._is_over = threading.Event()

    def run(self) -> None:
        while not self._is_over.wait(_LOOK_EVERY):
            self._copy()

    def stop(self) -> None:
        """Ends it, when all has been copied."""
        self._is_over.set()
        self.join()
        self._copy()

    def _copy(self) -> None:
        text = self._transcript.text
        self._console.out(text[self._shown :], end="", highlight=False)
        self._shown = len(text)
