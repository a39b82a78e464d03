"""Showing a local run as it goes: a live tree in a terminal, lines elsewhere, JSON at its end."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.tree import Tree

from dags_app.domain.commands import ApprovalCommand
from runs_app.domain.states import TaskState
from skytrail.cli.output import Format, show_record, state_text
from skytrail.cli.tree import tree_of
from skytrail.cli.trying.asking import ask
from skytrail.cli.trying.picture import picture_of, record_of, said_of, why
from workers.local.ledger import Ledger, LocalTask
from workers.local.runner import LocalRun, Observer

#: More tasks than these take a while to draw.
_MANY = 200

#: After which a task's log is shown in full.
_BROKEN = frozenset({TaskState.FAILED, TaskState.UP_FOR_RETRY})


class Watcher(Observer, Protocol):
    """Shows a run, and asks its watcher what only people can say."""

    def showing(self, run: LocalRun) -> contextlib.AbstractContextManager[None]:
        """Within, what happens is shown; at the end how it ended."""

    def ask(self, command: ApprovalCommand) -> str | None:
        """One of the options of an approval; None where nobody can be asked."""


def watcher_for(output: Format, *, longest_wait: float) -> Watcher:
    """The one that suits where the output goes."""
    if output is Format.JSON:
        return Silent()
    # Not the one that all commands share: what a task prints goes into its log, and this must not.
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    if console.is_terminal and output is Format.TABLE:
        return LiveTree(console, longest_wait=longest_wait)
    return Lines(console, longest_wait=longest_wait)


class Silent:
    """Only the end, as JSON."""

    def moved(self, task: LocalTask) -> None:
        """Nobody is told."""

    def ask(self, command: ApprovalCommand) -> str | None:
        return None

    @contextlib.contextmanager
    def showing(self, run: LocalRun) -> Iterator[None]:
        yield
        show_record(record_of(run.ledger), Format.JSON)


class Lines:
    """A line for each change, and the log of what failed."""

    def __init__(self, console: Console, *, longest_wait: float) -> None:
        self._console = console
        self._longest_wait = longest_wait
        self._ledger: Ledger | None = None

    def moved(self, task: LocalTask) -> None:
        if task.state in {TaskState.QUEUED, TaskState.CANCELLING}:
            return
        if task.state in _BROKEN:
            for line in task.tries[-1].transcript.text.splitlines():
                self._say(f"    {escape(line)}")
        self._say(f"{state_text(task.state)}  {escape(task.name)}{self._because(task)}")

    def ask(self, command: ApprovalCommand) -> str | None:
        return None

    @contextlib.contextmanager
    def showing(self, run: LocalRun) -> Iterator[None]:
        self._ledger = ledger = run.ledger
        began = time.monotonic()
        self._say(f"{escape(ledger.spec.name)} {escape(ledger.facts.run_id)}")
        yield
        self._say(f"{state_text(ledger.state)}  the run, in {time.monotonic() - began:.2f} s")

    def _because(self, task: LocalTask) -> str:
        assert self._ledger is not None
        if task.tries and task.state is not TaskState.RUNNING:
            reason = said_of(task, task.tries[-1], longest_wait=self._longest_wait)
        elif task.state.is_final:
            reason = why(self._ledger, task)
        else:
            reason = ""
        return f"  {escape(reason)}" if reason else ""

    def _say(self, text: str) -> None:
        self._console.print(text)


class LiveTree:
    """The tree, drawn anew as the run goes on."""

    def __init__(self, console: Console, *, longest_wait: float) -> None:
        self._console = console
        self._longest_wait = longest_wait
        self._live: Live | None = None

    def moved(self, task: LocalTask) -> None:
        """The next picture shows it."""

    def ask(self, command: ApprovalCommand) -> str | None:
        assert self._live is not None
        self._live.stop()
        try:
            return ask(self._console, command)
        finally:
            self._live.start(refresh=True)

    @contextlib.contextmanager
    def showing(self, run: LocalRun) -> Iterator[None]:
        began = time.monotonic()

        def tree() -> Tree:
            shown = picture_of(run.ledger, began=began, longest_wait=self._longest_wait)
            return tree_of(shown)

        # What user code prints is its log: nothing is to be shown beside the tree.
        self._live = Live(
            console=self._console,
            get_renderable=tree,
            refresh_per_second=8 if len(run.ledger.tasks) <= _MANY else 1,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        with self._live:
            yield
