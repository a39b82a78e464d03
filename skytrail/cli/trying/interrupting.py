"""Ctrl-C during a local run: the task under way is stopped, and what waits is not begun."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any

from runs_app.domain.executions import Execution
from workers.guards.interruption import Reason
from workers.local.runner import LocalRun
from workers.log import Piece

_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def stopping(run: LocalRun) -> Iterator[None]:
    """Within, the first signal stops the run; Ctrl-C once more ends it without further ado."""
    heard = False

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal heard
        if heard:
            raise KeyboardInterrupt
        heard = True
        run.stop()

    before: dict[signal.Signals, Any] = {}
    for number in _STOP:
        if signal.getsignal(number) != signal.SIG_IGN:  # as under `nohup`
            before[number] = signal.signal(number, hear)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def say_it_is_stuck(execution: Execution, reason: Reason, rest: Sequence[Piece]) -> None:
    """A task's code has not let itself be stopped: this process is killed next."""
    show_cursor = "\x1b[?25h" if sys.stdout.isatty() else ""
    sys.__stderr__ and sys.__stderr__.write(
        f"{show_cursor}\n{execution.task_id} did not stop when told to ({reason}): this process is "
        "killed for it, as a worker's would be\n"
    )
