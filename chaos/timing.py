"""How long the transactions take in which runs are planned, in whichever process that happens.

A file for each process, with a line for each transaction: its seconds, from its first statement to
the end of its commit. What is sent after the commit does not count: nobody holds a lock any more.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chaos import points

#: The variable; whatever it says, it is done.
VARIABLE = "CHAOS_TIMES"

_PREFIX = "transactions."


def install() -> None:
    """Does what the environment says."""
    if os.environ.get(VARIABLE):
        from django.db.backends.base.base import BaseDatabaseWrapper  # noqa: PLC0415

        from runs_app.actions import dispatching_steps  # noqa: PLC0415  # at the start

        clock = _Clock(Path(os.environ["SKYTRAIL_DATA_DIR"]))
        dispatch = dispatching_steps.dispatch
        clock.time(BaseDatabaseWrapper)
        points.replace(dispatch, clock.around(dispatch))


def seconds(folder: Path) -> list[float]:
    """Of all transactions of all processes."""
    return [
        float(line)
        for file in folder.glob(f"{_PREFIX}*")
        for line in file.read_text("ascii").splitlines()
    ]


class _Clock(threading.local):
    """For one thread: whether it plans a run, and since when its transaction is open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._plans = False
        self._since: float | None = None

    def around(self, dispatch: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(dispatch)
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._plans = True
            try:
                return dispatch(*args, **kwargs)
            finally:
                self._plans = False

        return timed

    def time(self, wrapper: Any) -> None:
        """Has the way to the database say when a transaction begins and when it is committed."""
        set_autocommit, commit = wrapper.set_autocommit, wrapper.commit

        @functools.wraps(set_autocommit)
        def begin(connection: Any, autocommit: bool, *args: Any, **kwargs: Any) -> None:  # noqa: FBT001
            set_autocommit(connection, autocommit, *args, **kwargs)
            if not autocommit:
                self._since = time.monotonic()

        @functools.wraps(commit)
        def end(connection: Any) -> None:
            commit(connection)
            if self._plans and self._since is not None:
                self._note(time.monotonic() - self._since)
            self._since = None

        wrapper.set_autocommit, wrapper.commit = begin, end

    def _note(self, taken: float) -> None:
        with (self._folder / f"{_PREFIX}{os.getpid()}").open("a", encoding="ascii") as file:
            file.write(f"{taken:.6f}\n")
