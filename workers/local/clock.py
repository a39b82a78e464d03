"""The time of a local run: real, but for long waits, which are cut short."""

from __future__ import annotations

import select
import socket
import time


class Clock:
    """Seconds since the run began. What is left out of a wait counts as passed.

    So a sensor that looks every minute and gives up after ten does so here as well, if sooner.
    """

    def __init__(self, *, longest_wait: float) -> None:
        """`longest_wait`: no wait takes longer, in seconds."""
        self.longest_wait = longest_wait
        self._began = time.monotonic()
        self._left_out = 0.0
        self._ear, self._bell = socket.socketpair(type=socket.SOCK_DGRAM)
        self._bell.setblocking(False)  # noqa: FBT003  # the library's own way

    def now(self) -> float:
        """How much of the run's time has passed."""
        return time.monotonic() - self._began + self._left_out

    def wait_until(self, moment: float) -> None:
        """Until `moment` has come, or somebody rings."""
        pause = moment - self.now()
        if pause <= 0:
            return
        rung, _, _ = select.select([self._ear], [], [], min(pause, self.longest_wait))
        if not rung:
            self._left_out += max(0.0, moment - self.now())

    def ring(self) -> None:
        """Ends the wait under way, and any later one. May be called by a signal handler."""
        self._bell.send(b"!")

    def close(self) -> None:
        """Gives back what it holds."""
        self._ear.close()
        self._bell.close()
