"""Limits of time and memory for work in this process."""

from __future__ import annotations

import contextlib
import resource
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType

from workers.guards.limits import OutOfMemory


class TooMuch(Exception):
    """The work takes too long, or too much memory."""


@contextlib.contextmanager
def limited(*, seconds: float, more_bytes: int) -> Iterator[None]:
    """Within, at most `seconds` of computing and at most about `more_bytes` of memory are spent.

    Raises `TooMuch`. For pure Python code that holds no locks: it is interrupted where it stands.
    Outside the main thread only memory is limited.
    """
    try:
        with _memory(more_bytes), _time(seconds):
            yield
    except MemoryError:
        raise TooMuch("it takes too much memory") from None


@contextlib.contextmanager
def _time(seconds: float) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def too_long(_number: int, _frame: FrameType | None) -> None:
        raise TooMuch(f"it takes longer than {seconds:g} s")

    # Time on the processor: a machine that is busy with something else does not count.
    handler = signal.signal(signal.SIGVTALRM, too_long)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, handler)


@contextlib.contextmanager
def _memory(more_bytes: int) -> Iterator[None]:
    size = _size_of_this_process()
    if size is None:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    ceilings = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min([size + more_bytes, *ceilings]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _size_of_this_process() -> int | None:
    """Its address space in bytes; None where that cannot be told, and so not be limited."""
    return _statm(0)


def _data_of_this_process() -> int | None:
    """What of it is written to and its own, in bytes; None as above."""
    return _statm(5)


def _statm(field: int) -> int | None:
    try:
        pages = Path("/proc/self/statm").read_bytes().split()[field]
    except OSError:
        return None
    return int(pages) * resource.getpagesize()


class Growth:
    """Within, this process grows by at most so many bytes; None for no limit.

    Where code asks for more it gets a `MemoryError`; if that comes out, it is an `OutOfMemory`
    here. Limited is what the process writes to and has for itself: libraries reserve far more
    addresses than they use, and files that are mapped can be given back. What it starts inherits
    the limit, each for itself.

    Not made from a generator, and with nothing to make at the end: there may be no memory for it.
    """

    __slots__ = ("_before", "_limit", "_size")

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._size: int | None = None

    def __enter__(self) -> None:
        if self._limit is None or (size := _data_of_this_process()) is None:
            return
        self._size = size
        self._before = soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        ceilings = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_DATA, (min([size + self._limit, *ceilings]), hard))

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._size is None:
            return
        resource.setrlimit(resource.RLIMIT_DATA, self._before)
        if isinstance(error, MemoryError):
            assert self._limit is not None
            grown = (_data_of_this_process() or 0) - self._size
            raise OutOfMemory(max(0, grown), self._limit) from error
