"""How running work is told to stop: by its time limit, by a person, or because its worker stops.

The telling comes from another thread, the companion. Work that waits for a process of its own
watches `fileno()`; work inside this process is interrupted by an exception in the main thread, and
only while it has said that this is safe.
"""

from __future__ import annotations

import contextlib
import enum
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class Reason(enum.StrEnum):
    """Why work is to stop."""

    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    #: Another execution has taken over, or may soon: whatever comes of this one will be dropped.
    LEASE_LOST = "lease_lost"
    #: Its worker cannot renew the lease and does not know whether others are about to take over.
    CUT_OFF = "cut_off"
    #: The worker stops; the task is handed back to be run by another one.
    SHUTDOWN = "shutdown"


class Interrupted(BaseException):
    """Raised inside work that is to stop; not an `Exception`, so that user code lets it pass."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason)


#: Wakes the main thread; nothing else in a Celery pool process uses it.
_SIGNAL = signal.SIGUSR2

#: Modules that hold locks which other threads need, and that an exception could leave locked.
_DELICATE = frozenset({"logging", "workers.log"})


class Interruption:
    """One execution's ear for being told to stop. Being told twice keeps the first reason."""

    #: Whoever can be interrupted by the signal right now.
    _current: Interruption | None = None

    def __init__(self) -> None:
        self.reason: Reason | None = None
        self._armed = False
        self._raised = False
        self._closed = False
        self._lock = threading.Lock()
        self._pipe: tuple[int, int] | None = None  # made when asked for: few executions need it

    @property
    def is_pending(self) -> bool:
        """Whether work in this process has been told and not yet been interrupted."""
        return self._armed and self.reason is not None

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
            self._armed = False
            if Interruption._current is self:
                Interruption._current = None
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
        self.remind()

    def remind(self) -> None:
        """Interrupts again while `is_pending`. Called from another thread.

        Once may not do: the signal may come just before the main thread begins to wait for
        something, or while it holds a lock that the exception must not leave behind.
        """
        main = threading.main_thread().ident
        # Without our handler the signal would end the process.
        if main is not None and signal.getsignal(_SIGNAL) is _on_signal:
            signal.pthread_kill(main, _SIGNAL)

    def interruptible(self) -> _Interruptible:
        """Within, `Interrupted` may be raised at any point of the main thread.

        It is raised once, so that user code has the grace time to clean up behind itself; and it
        leaves this block whatever user code has made of it.
        """
        return _Interruptible(self)

    def _arm(self) -> None:
        Interruption._current = self
        self._armed = True
        self._raise_if_told()

    def _disarm(self, error: BaseException | None) -> None:
        self._armed = False
        Interruption._current = None
        if self._raised and not isinstance(error, Interrupted):
            assert self.reason is not None
            raise Interrupted(self.reason) from None

    def _raise_if_told(self) -> None:
        if self._armed and self.reason is not None:
            self._armed = False
            self._raised = True
            raise Interrupted(self.reason)


class _Interruptible:
    """See `Interruption.interruptible`.

    Not made from a generator: the signal may come between any two of its steps, and a generator
    that is thrown away half way would raise where nobody can catch it.
    """

    __slots__ = ("_interruption",)

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption

    def __enter__(self) -> None:
        self._interruption._arm()  # noqa: SLF001  # its other half

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self._interruption._disarm(error)  # noqa: SLF001  # its other half


def install() -> None:
    """Makes a process's main thread interruptible; once per process, in that thread."""
    signal.signal(_SIGNAL, _on_signal)
    _Installed.once = True


def install_again() -> None:
    """The same after user code, which may have taken the signal for itself."""
    if _Installed.once and signal.getsignal(_SIGNAL) is not _on_signal:
        install()


@contextlib.contextmanager
def installed() -> Iterator[None]:
    """Within, this process is interruptible; afterwards the signal is whose it was before.

    Outside the main thread nothing is, and nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before, was_installed = signal.getsignal(_SIGNAL), _Installed.once
    install()
    try:
        yield
    finally:
        _Installed.once = was_installed
        signal.signal(_SIGNAL, before)


class _Installed:
    once = False


def _on_signal(_number: int, frame: FrameType | None) -> None:
    current = Interruption._current  # noqa: SLF001  # the handler is the class's other half
    if current is not None and current.is_pending and not is_delicate(frame):
        current._raise_if_told()  # noqa: SLF001


def is_delicate(frame: FrameType | None) -> bool:
    """Whether the main thread is where an exception could leave a lock behind."""
    while frame is not None:
        if frame.f_globals.get("__name__") in _DELICATE:
            return True
        frame = frame.f_back
    return False
