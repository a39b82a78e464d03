"""A worker and its warden: the worker starts it, the pool processes speak to it.

What it does is in `warden_process.py`. If it dies, another takes its place, and the pool processes
turn to that one: they are without a warden for a fraction of a second.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from workers.guards.offspring import COOKIE
from workers.log import OUR_THREADS

_logger = logging.getLogger(__name__)

#: Where a worker's pool processes find its warden.
SOCKET = "SKYTRAIL_WARDEN"

#: What the warden inherits: to find Python and our code, and none of the worker's secrets.
_PASSED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "LANG")

#: How long to wait before trying again, in seconds.
_PAUSE = 1.0

#: The same for reaching a warden, which is soon there again if it is to be.
_SHORT_PAUSE = 0.05

#: How long a warden has to take a call, in seconds; user code that forks waits for that.
_PATIENCE = 0.5


# ----------------------------------------------------------------------- in the worker


class Warden:
    """A worker's warden; it listens in `directory`, the worker's own, and removes it at the end."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._is_over = threading.Event()
        self.process = self._start()
        self._keeper = threading.Thread(target=self._keep, name=f"{OUR_THREADS}warden", daemon=True)
        self._keeper.start()

    def close(self, *, timeout: float = 2.0) -> None:
        """Lets it go, when it has ended what there is to end."""
        self._is_over.set()
        self._hang_up()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=timeout)

    def _hang_up(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def _start(self) -> subprocess.Popen[bytes]:
        path = self._directory / "warden.sock"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(128)
            argv = [str(listener.fileno()), str(self._directory), str(os.getpid())]
            process = subprocess.Popen(
                [sys.executable, "-m", "workers.guards.warden_process", *argv],
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                cwd=Path(__file__).parents[2],
                stdin=subprocess.PIPE,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
        os.environ[SOCKET] = str(path)
        return process

    def _keep(self) -> None:
        while True:
            code = self.process.wait()
            if self._is_over.is_set():
                return
            self._hang_up()
            _logger.error(
                "the warden of this worker has died (exit code %s); here is another", code
            )
            try:
                self.process = self._start()
            except OSError:
                _logger.exception("there is no warden: what a killed worker leaves would go on")
            self._is_over.wait(_PAUSE)  # it might die each time


# ----------------------------------------------------------------------- in the pool processes


class _Line:
    """This process's connection to the warden, kept up by a thread of its own."""

    def __init__(self, path: str) -> None:
        self.path = path
        #: This process in the environment of what it starts.
        self.name = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._watched: dict[str, int | None] = {}
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None

    def keep_up(self) -> None:
        """Connects, and sees to it that it stays so."""
        self._connect()
        threading.Thread(target=self._keep, name=f"{OUR_THREADS}line", daemon=True).start()

    def watch(self, cookie: str) -> None:
        with self._lock:
            self._watched[cookie] = None
            self._say(f"+ {cookie}")

    def group(self, cookie: str, pid: int) -> None:
        with self._lock:
            self._watched[cookie] = pid
            self._say(f"= {cookie} {pid}")

    def forget(self, cookie: str) -> None:
        with self._lock:
            self._watched.pop(cookie, None)
            self._say(f"- {cookie}")

    def hang_up(self) -> None:
        """In a forked process: it must not keep up the connection of its parent."""
        if self._connection is not None:
            self._connection.close()

    def _keep(self) -> None:
        pause = _SHORT_PAUSE
        while True:
            with contextlib.suppress(OSError):
                if self._connection is not None:
                    self._connection.recv(1)  # the warden says nothing: this is its end
            time.sleep(pause)
            pause = _SHORT_PAUSE if self._connect() else min(2 * pause, _PAUSE)

    def _connect(self) -> bool:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(self.path)
        except OSError:
            connection.close()
            return False
        with self._lock:
            self._connection, before = connection, self._connection
            self._say(f"i {self.name}")
            for cookie, pid in self._watched.items():
                self._say(f"+ {cookie}" if pid is None else f"= {cookie} {pid}")
        if before is not None:
            before.close()
        return True

    def _say(self, line: str) -> None:
        if self._connection is not None:
            # A warden that is gone takes nothing away: another one will be told all of it.
            with contextlib.suppress(OSError):
                self._connection.sendall(line.encode() + b"\n")


class _Joined:
    """What this process has with the warden: its own line, or what it is told by forking."""

    line: _Line | None = None
    #: The warden's address and the name of the pool process from which this one was forked.
    forked_from: tuple[str, str] | None = None


def join() -> None:
    """Makes this process known to its worker's warden, once, if there is one.

    What it starts from then on can be told by its environment.
    """
    path = os.environ.get(SOCKET)
    if path and _Joined.line is None:
        _Joined.line = line = _Line(path)
        os.environ[COOKIE] = line.name
        line.keep_up()


def _forked() -> None:
    """In what user code forks: it tells the warden of itself, with words of its own.

    Nothing else would lead to it: a fork has its parent's environment as it was at the start.
    """
    line = _Joined.line
    if line is not None:
        line.hang_up()
        _Joined.line = None
        _Joined.forked_from = (line.path, line.name)
    if _Joined.forked_from is not None:
        path, name = _Joined.forked_from
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_PATIENCE)
            connection.connect(path)
            connection.sendall(f"& {name}\n".encode())


os.register_at_fork(after_in_child=_forked)


class Watch:
    """One execution that the warden knows of; without a warden, nothing."""

    def __init__(self, cookie: str, line: _Line | None) -> None:
        self._cookie = cookie
        self._line = line

    def group(self, pid: int) -> None:
        """The execution's process group."""
        if self._line is not None:
            self._line.group(self._cookie, pid)


@contextlib.contextmanager
def watching(cookie: str) -> Iterator[Watch]:
    """Within, what is started is ended by the warden if this process dies.

    The cookie is told before anything starts, so that there is no moment in between.
    """
    join()
    line = _Joined.line
    if line is not None:
        line.watch(cookie)
    try:
        yield Watch(cookie, line)
    finally:
        if line is not None:
            line.forget(cookie)
