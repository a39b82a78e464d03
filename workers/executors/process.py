"""A process of its own for a task: started clean, listened to, and ended as a whole.

The process leads a session and a process group; whatever it starts is in that group unless it takes
pains to leave. The warden knows of it before it starts, so that it ends even if this process dies.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from django.conf import settings

from workers import warden
from workers.interruption import Interrupted, Interruption
from workers.log import Log

_CHUNK = 65_536

#: So many chunks are copied before somebody else gets a word in. A pipe holds less than that.
_CHUNKS_AT_ONCE = 32

#: How often a process is looked after where its end cannot be waited for, in seconds.
_GLANCE = 0.02

_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")


def clean_environment() -> dict[str, str]:
    """What a task's process inherits: enough to find programs, none of our secrets."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def run(
    argv: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    cwd: Path,
    cookie: str,
    log: Log,
    interruption: Interruption,
) -> int:
    """Runs `argv` to its end and returns its exit code, negative for a signal.

    Its output goes to `log` as it comes. Raises `OSError` or `ValueError` where it cannot be
    started, and `Interrupted` when it was told to stop: the group has been ended then.
    """
    with warden.watching(cookie) as watch:
        process = subprocess.Popen(
            argv,
            env={**environment, warden.COOKIE: cookie},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        watch.group(process.pid)
        _first_to_go(process.pid)
        assert process.stdout is not None
        with process.stdout as pipe:
            os.set_blocking(pipe.fileno(), False)
            try:
                _listen(process, pipe.fileno(), log, interruption)
            except BaseException:
                _end(process, pipe.fileno(), cookie, log)
                raise
            # Nobody waits any more for what it has left behind in its group. It has ended and is
            # not yet waited for, so its number is still its own.
            _signal_group(process.pid, signal.SIGKILL)
            _drain(pipe.fileno(), log)
        return process.wait()


def _first_to_go(pid: int) -> None:
    """Where memory runs out the task is to be killed, and not the worker that would report it."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text("1000", "ascii")


def _listen(
    process: subprocess.Popen[bytes], pipe: int, log: Log, interruption: Interruption
) -> None:
    """Copies output to the log until the process has ended; it is still to be waited for then."""
    with selectors.DefaultSelector() as selector, _end_of(process.pid) as ended:
        selector.register(pipe, selectors.EVENT_READ)
        selector.register(interruption, selectors.EVENT_READ)
        if ended is not None:
            selector.register(ended, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select(_GLANCE if ended is None else None)}
            if interruption.reason is not None:
                raise Interrupted(interruption.reason)
            if pipe in ready and not _drain(pipe, log):
                selector.unregister(pipe)
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


def _drain(pipe: int, log: Log) -> bool:
    """Copies what is there, but not endlessly; false where there will be no more."""
    with contextlib.suppress(BlockingIOError):
        for _ in range(_CHUNKS_AT_ONCE):
            data = os.read(pipe, _CHUNK)
            if not data:
                return False
            log.write_bytes(data)
    return True


def _end(process: subprocess.Popen[bytes], pipe: int, cookie: str, log: Log) -> None:
    """SIGTERM for the group; after the grace time SIGKILL, also for those that have left it."""
    _signal_group(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + settings.SKYTRAIL_STOP_GRACE_SECONDS
    while _is_somebody_left(process) and time.monotonic() < deadline:
        _drain(pipe, log)
        time.sleep(_GLANCE)
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()
    warden.kill_by_cookie({cookie})
    _drain(pipe, log)


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
