"""A limit of time and memory for a short piece of work in this process."""

from __future__ import annotations

import contextlib
import resource
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType


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
    try:
        pages = Path("/proc/self/statm").read_text("ascii").split()[0]
    except OSError:
        return None
    return int(pages) * resource.getpagesize()
