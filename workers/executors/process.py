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

#: The variable by which processes of an execution are found even when they have left the group.
COOKIE = "SKYTRAIL_EXECUTION"

_CHUNK = 65_536

#: How often a process is looked after whose children hold its output open, and, where its end makes
#: no sound, one that has closed it.
_GLANCE = 0.2
_SHORT_GLANCE = 0.005

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

    Its output goes to `log` as it comes. Raises `OSError` where it cannot be started, and
    `Interrupted` when it was told to stop: the group has been ended then.
    """
    with warden.watching(cookie) as watch:
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
        try:
            _listen(process, log, interruption)
        except BaseException:
            _end(process, cookie, log)
            raise
        finally:
            # Whatever the process has left behind in its group: nobody waits for it any more.
            _signal_group(process.pid, signal.SIGKILL)
            assert process.stdout is not None
            process.stdout.close()
        return process.returncode


def _listen(process: subprocess.Popen[bytes], log: Log, interruption: Interruption) -> None:
    """Copies output to the log until the process has ended."""
    assert process.stdout is not None
    pipe = process.stdout.fileno()
    os.set_blocking(pipe, False)
    with selectors.DefaultSelector() as selector, _end_of(process) as end:
        selector.register(pipe, selectors.EVENT_READ)
        selector.register(interruption, selectors.EVENT_READ)
        if end is not None:
            selector.register(end, selectors.EVENT_READ)
        is_open = True
        while True:
            for key, _ in selector.select(_GLANCE if is_open or end else _SHORT_GLANCE):
                if key.fileobj is interruption:
                    assert interruption.reason is not None
                    raise Interrupted(interruption.reason)
                if key.fileobj == pipe and not _drain(pipe, log):
                    is_open = False
                    selector.unregister(pipe)
            if process.poll() is not None:
                if is_open:
                    _drain(pipe, log)
                return


@contextlib.contextmanager
def _end_of(process: subprocess.Popen[bytes]) -> Iterator[int | None]:
    """A descriptor that becomes readable when the process ends; None where the system has none.

    A process closes its output a moment before it can be waited for: without this, every short
    command would cost a glance more.
    """
    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _drain(pipe: int, log: Log) -> bool:
    """Copies what is there; false at the end."""
    try:
        while data := os.read(pipe, _CHUNK):
            log.write_bytes(data)
            if len(data) < _CHUNK:
                return True
    except BlockingIOError:
        return True
    return False


def _end(process: subprocess.Popen[bytes], cookie: str, log: Log) -> None:
    """SIGTERM for the group; after the grace time SIGKILL, also for those that have left it."""
    assert process.stdout is not None
    _signal_group(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + settings.SKYTRAIL_STOP_GRACE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        _drain(process.stdout.fileno(), log)
        time.sleep(0.02)
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()
    warden.kill_by_cookie(COOKIE, {cookie})
    _drain(process.stdout.fileno(), log)


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
