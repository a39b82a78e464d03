"""Starting again: a worker's process becomes a new worker, with the same pid and the same words.

It stops first as if it had been told to, so that its tasks end or are handed back. Where that takes
too long it is as if the worker had been killed: its tasks come back when their leases run out.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from typing import Any

from django.conf import settings

_logger = logging.getLogger(__name__)

#: How much longer than the grace for its tasks a worker may take to stop, in seconds.
OVERTIME = 30.0


class Restart:
    """One for each worker. It is off when somebody tells the worker to stop, and means it."""

    def __init__(self) -> None:
        self._wanted = False
        self._own_signals = 0
        self._called_off = threading.Event()

    def begin(self, pool: Any) -> None:
        """Has the worker stop and return; does so by force if it takes too long."""
        self._wanted = True
        self._own_signals += 1
        os.kill(os.getpid(), signal.SIGTERM)
        if not self._called_off.wait(settings.SKYTRAIL_STOP_GRACE_SECONDS + OVERTIME):
            _logger.critical("this worker does not stop: it starts anew as if it had been killed")
            for process in list(pool._pool._pool):  # noqa: SLF001  # there is no other way to them
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
            self._return()

    def told_to_stop(self) -> None:
        """A signal has come: ours, or somebody else's. Called in a signal handler."""
        if self._own_signals:
            self._own_signals -= 1
        else:
            self._wanted = False
            self._called_off.set()

    def return_if_wanted(self) -> None:
        """At the very end of the worker; does not come back if the process starts again."""
        if self._wanted:
            self._return()

    def _return(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            with contextlib.suppress(ValueError):  # only the main thread may
                signal.signal(number, signal.SIG_DFL)
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  # as it was started
