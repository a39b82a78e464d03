"""A process of its own for a task: started clean, listened to, and ended as a whole.

The process leads a session and a process group; whatever it starts is in that group unless it takes
pains to leave, and is found below this process even then. The warden knows of it before it starts,
so that it ends even if this process dies.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from workers.guards import warden
from workers.guards.interruption import Interrupted, Interruption
from workers.guards.limits import Limits, OutOfMemory, TooMuchOutput
from workers.guards.offspring import (
    COOKIE,
    Offspring,
    adopting,
    children_now,
    kill_by_cookie,
)
from workers.log import Log

_CHUNK = 65_536

#: So many chunks are copied before somebody else gets a word in. A pipe holds less than that.
_CHUNKS_AT_ONCE = 32

#: How often a process is looked after where its end cannot be waited for, in seconds.
_GLANCE = 0.02

#: How often its memory is measured where that is limited, in seconds; and when half is used up.
_MEASURE_EVERY = 0.25
_MEASURE_OFTEN = 0.05

#: How often what it has left behind is waited for, in seconds.
_TIDY_EVERY = 5.0

#: Killed outright, or a shell's word that what it ran was.
_KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)

_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")


def clean_environment() -> dict[str, str]:
    """What a task's process inherits: enough to find programs, none of our secrets."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


@dataclass(frozen=True, slots=True)
class End:
    """How a process ended: its exit code, negative for a signal."""

    code: int
    #: Whether it was killed, and the system had meanwhile killed somebody for want of memory.
    memory_ran_out: bool


def run(
    argv: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    cwd: Path,
    cookie: str,
    log: Log,
    interruption: Interruption,
    limits: Limits,
) -> End:
    """Runs `argv` to its end; whatever it leaves running is ended with it.

    Its output goes to `log` as it comes. Raises `OSError` or `ValueError` where it cannot be
    started. Raises `Interrupted` when it was told to stop, and `OutOfMemory` or `TooMuchOutput`
    when it went beyond its limits: it and all it had started have been ended then.
    """
    kills = _kills_for_memory()
    with warden.watching(cookie) as watch, adopting():
        beside = children_now()
        process = subprocess.Popen(
            argv,
            env={**environment, COOKIE: cookie},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        watch.group(process.pid)
        _first_to_go(process.pid)
        offspring = Offspring(process.pid, beside=beside)
        assert process.stdout is not None
        with process.stdout as stdout:
            pipe = _Pipe(stdout.fileno(), log, limits.output)
            try:
                _listen(process, pipe, interruption, _Watch(offspring, limits.memory))
            except BaseException as error:
                grace = 0.0 if isinstance(error, OutOfMemory) else _grace()
                _end(process, pipe, offspring, cookie, grace)
                raise
            # Nobody waits any more for what it has left behind. It has ended and is not yet waited
            # for, so its number is still its own.
            _signal_group(process.pid, signal.SIGKILL)
            offspring.end()
            pipe.drain()
        code = process.wait()
        return End(code, memory_ran_out=code in _KILLED and _kills_for_memory() != kills)


def _first_to_go(pid: int) -> None:
    """Where memory runs out the task is to be killed, and not the worker that would report it."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text("1000", "ascii")


def _kills_for_memory() -> bytes | None:
    """How often the kernel has killed for want of memory, in whichever group; None: not told."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/vmstat").read_bytes().splitlines():
            if line.startswith(b"oom_kill "):
                return line
    return None


class _Pipe:
    """Where the process writes: to the log, within a limit of bytes."""

    def __init__(self, descriptor: int, log: Log, limit: int | None) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self._log = log
        self._limit = limit
        self._total = 0

    def drain(self) -> bool:
        """Copies what is there, but not endlessly; false where there will be no more."""
        with contextlib.suppress(BlockingIOError):
            for _ in range(_CHUNKS_AT_ONCE):
                data = os.read(self.descriptor, _CHUNK)
                if not data:
                    return False
                self._total += len(data)
                self._log.write_bytes(data)
        return True

    def check(self) -> None:
        """Raises `TooMuchOutput` where it has become more than the limit."""
        if self._limit is not None and self._total > self._limit:
            raise TooMuchOutput(self._limit)


class _Watch:
    """Looks at times at what the process and its offspring have become."""

    def __init__(self, offspring: Offspring, limit: int | None) -> None:
        self._offspring = offspring
        self._limit = limit
        self._next = time.monotonic() + self._pause(used=0)

    def _pause(self, used: int) -> float:
        if self._limit is None:
            return _TIDY_EVERY
        return _MEASURE_EVERY if used < self._limit / 2 else _MEASURE_OFTEN

    @property
    def wait(self) -> float:
        """In how many seconds it is time again."""
        return max(0.0, self._next - time.monotonic())

    def look(self) -> None:
        """Where it is time: measures the memory, raises `OutOfMemory`, and tidies up."""
        if time.monotonic() < self._next:
            return
        self._offspring.bury()
        used = 0
        if self._limit is not None:
            used = self._offspring.memory(enough=self._limit)
            if used > self._limit:
                raise OutOfMemory(used, self._limit)
        self._next = time.monotonic() + self._pause(used)


def _listen(
    process: subprocess.Popen[bytes], pipe: _Pipe, interruption: Interruption, watch: _Watch
) -> None:
    """Copies output to the log until the process has ended; it is still to be waited for then."""
    with selectors.DefaultSelector() as selector, _end_of(process.pid) as ended:
        selector.register(pipe.descriptor, selectors.EVENT_READ)
        selector.register(interruption, selectors.EVENT_READ)
        if ended is not None:
            selector.register(ended, selectors.EVENT_READ)
        while True:
            pause = watch.wait if ended is not None else _GLANCE
            ready = {key.fd for key, _ in selector.select(pause)}
            if interruption.reason is not None:
                raise Interrupted(interruption.reason)
            if pipe.descriptor in ready and not pipe.drain():
                selector.unregister(pipe.descriptor)
            pipe.check()
            watch.look()
            if _has_ended(process.pid) if ended is None else ended in ready:
                return


@contextlib.contextmanager
def _end_of(pid: int) -> Iterator[int | None]:
    """A descriptor that becomes readable when the process ends; None where there is no such."""
    if not hasattr(os, "pidfd_open"):
        yield None
        return
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _has_ended(pid: int) -> bool:
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return ended is not None


def _grace() -> float:
    return float(settings.SKYTRAIL_STOP_GRACE_SECONDS)


def _end(
    process: subprocess.Popen[bytes], pipe: _Pipe, offspring: Offspring, cookie: str, grace: float
) -> None:
    """SIGTERM for the group; after the grace time SIGKILL, also for those that have left it."""
    deadline = time.monotonic() + grace
    if grace:
        _signal_group(process.pid, signal.SIGTERM)
    while _is_somebody_left(process) and time.monotonic() < deadline:
        pipe.drain()
        time.sleep(_GLANCE)
        offspring.bury()
    _signal_group(process.pid, signal.SIGKILL)
    offspring.end()
    process.wait()
    kill_by_cookie({cookie})
    pipe.drain()


def _is_somebody_left(process: subprocess.Popen[bytes]) -> bool:
    """Whether anybody in the group is still at work: a shell may end before what it has started."""
    if process.poll() is None:
        return True
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
