"""How running work is told to stop: by its time limit, by a person, or because its worker stops.

The telling comes from another thread, the companion. Work that waits for a process of its own
watches `fileno()`; work inside this process is interrupted by an exception in the main thread, and
only while it has said that this is safe.
"""

from __future__ import annotations

import enum
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Reason(enum.StrEnum):
    """Why work is to stop."""

    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    #: Another execution has taken over, or may soon: whatever comes of this one will be dropped.
    LEASE_LOST = "lease_lost"
    #: The worker stops; the task is handed back to be run by another one.
    SHUTDOWN = "shutdown"


class Interrupted(BaseException):
    """Raised inside work that is to stop; not an `Exception`, so that user code lets it pass."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason)


#: Wakes the main thread; nothing else in a Celery pool process uses it.
_SIGNAL = signal.SIGUSR2


class Interruption:
    """One execution's ear for being told to stop. Being told twice keeps the first reason."""

    _current: Interruption | None = None

    def __init__(self) -> None:
        self.reason: Reason | None = None
        self._armed = False
        self._raised = False
        self._closed = False
        self._lock = threading.Lock()
        self._pipe: tuple[int, int] | None = None  # made when asked for: few executions need it

    def fileno(self) -> int:
        """A descriptor that becomes readable when the work is to stop."""
        with self._lock:
            if self._pipe is None:
                self._pipe = os.pipe()
                if self.reason is not None:
                    os.write(self._pipe[1], b"!")
            return self._pipe[0]

    def close(self) -> None:
        """Gives the descriptors back; nobody can be told anything afterwards."""
        with self._lock:
            self._closed = True
            for descriptor in self._pipe or ():
                os.close(descriptor)
            self._pipe = None

    def request(self, reason: Reason) -> None:
        """Tells the work to stop. Called from another thread."""
        with self._lock:
            if self.reason is not None or self._closed:
                return
            self.reason = reason
            if self._pipe is not None:
                os.write(self._pipe[1], b"!")
        main = threading.main_thread().ident
        if main is not None:
            signal.pthread_kill(main, _SIGNAL)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Within, `Interrupted` may be raised at any point of the main thread.

        It is raised once, so that user code has the grace time to clean up behind itself; and it
        leaves this block whatever user code has made of it.
        """
        Interruption._current = self
        try:
            self._armed = True
            self._raise_if_told()
            yield
        finally:
            self._armed = False
            Interruption._current = None
            if self._raised and self.reason is not None:
                raise Interrupted(self.reason) from None

    def _raise_if_told(self) -> None:
        if self._armed and self.reason is not None:
            self._armed = False
            self._raised = True
            raise Interrupted(self.reason)


def install() -> None:
    """Makes a process's main thread interruptible; once per process, in that thread."""
    signal.signal(_SIGNAL, _on_signal)


def _on_signal(_number: int, _frame: FrameType | None) -> None:
    if current := Interruption._current:  # noqa: SLF001  # the handler is the class's other half
        current._raise_if_told()  # noqa: SLF001
