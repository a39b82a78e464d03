"""Ctrl-C and its sisters: heard once as an exception, and never in the middle of cleaning up."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

from skytrail.errors import Unavailable

_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class TookTooLong(Unavailable):
    """The demo was not over within {limit} s. `skytrail demo` on a machine with less to do, or
    `skytrail up` and a look at its lines, may tell why.
    """


class Told(BaseException):
    """Somebody wants the demo to end; no `Exception`, so that nothing takes it for a failure."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)


class Signals:
    """Turns the first signal into `Told`, and a time limit in seconds into `TookTooLong`.

    After `from_now_on` nothing is raised any more: what is being cleaned up is cleaned up, and who
    is impatient is passed on to whoever can hurry.
    """

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._is_heard = False
        self._hurry: Callable[[], None] | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in (*_STOP, signal.SIGALRM):
            # Whoever started us with `nohup` wants us to outlive the terminal.
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue
            self._before[number] = signal.signal(number, self._hear)
        signal.alarm(self._limit)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.alarm(0)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def no_limit(self) -> None:
        """Takes the time limit away."""
        signal.alarm(0)

    def from_now_on(self, hurry: Callable[[], None]) -> None:
        """Signals only call `hurry` now."""
        self._is_heard = True
        self._hurry = hurry
        self.no_limit()

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self._is_heard:
            if self._hurry is not None:
                self._hurry()
            return
        self._is_heard = True
        if number == signal.SIGALRM:
            raise TookTooLong(limit=self._limit)
        raise Told(number)
