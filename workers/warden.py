"""The warden: a small process that outlives a worker long enough to end what the worker started.

A worker that is killed cannot clean up after itself. Each of its pool processes holds a connection
to the warden and says which process groups it starts; when a connection breaks while groups are
known, they are killed, with whatever carries their cookie in its environment. When the worker and
all its pool processes are gone, the warden removes the worker's directory and goes too.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: Where a worker's pool processes find its warden.
SOCKET = "SKYTRAIL_WARDEN"

#: The variable by which processes of an execution are found even when they have left the group.
COOKIE = "SKYTRAIL_EXECUTION"

#: Whoever is killed may just have started another; after so many rounds it is given up.
_ROUNDS = 20

#: What the warden inherits: to find Python and our code, and none of the worker's secrets.
_PASSED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "LANG")


# ----------------------------------------------------------------------- in the pool processes


class Watch:
    """One execution that the warden knows of; without a warden, nothing."""

    def __init__(self, cookie: str, connection: socket.socket | None) -> None:
        self._cookie = cookie
        self._connection = connection

    def group(self, pid: int) -> None:
        """The execution's process group."""
        self.say(f"= {self._cookie} {pid}")

    def say(self, line: str) -> None:
        if self._connection is not None:
            # A warden that is gone takes nothing away: the worker is being ended as well.
            with contextlib.suppress(OSError):
                self._connection.sendall(line.encode() + b"\n")


_connections: dict[int, socket.socket] = {}  # by pid: a forked process needs one of its own


@contextlib.contextmanager
def watching(cookie: str) -> Iterator[Watch]:
    """Within, what is started is ended by the warden if this process dies.

    The cookie is told before anything starts, so that there is no moment in between.
    """
    watch = Watch(cookie, _connect())
    watch.say(f"+ {cookie}")
    try:
        yield watch
    finally:
        watch.say(f"- {cookie}")


def _connect() -> socket.socket | None:
    path = os.environ.get(SOCKET)
    if path is None:
        return None
    pid = os.getpid()
    if pid not in _connections:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(path)
        except OSError:
            connection.close()
            return None
        _connections[pid] = connection
    return _connections[pid]


def _hang_up() -> None:
    """In a process that user code forks: it must not keep up the connection of its parent."""
    for connection in _connections.values():
        connection.close()
    _connections.clear()


os.register_at_fork(after_in_child=_hang_up)


def start(directory: Path) -> subprocess.Popen[bytes]:
    """Starts a warden for a worker; it ends when its standard input is closed.

    It listens in `directory`, the worker's own, and removes it at the end.
    """
    path = directory / "warden.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(128)
        warden = subprocess.Popen(
            [sys.executable, "-m", "workers.warden", str(listener.fileno()), str(directory)],
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
    os.environ[SOCKET] = str(path)
    return warden


def kill_by_cookie(cookies: set[str]) -> None:
    """Kills every process that has one of `cookies` in its environment, and what those start."""
    import psutil  # noqa: PLC0415  # seldom needed, and the warden is to stay small

    killed: set[int] = {os.getpid()}
    for _ in range(_ROUNDS):
        before = len(killed)
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.pid not in killed and process.environ().get(COOKIE) in cookies:
                    killed.add(process.pid)
                    process.kill()
        if len(killed) == before:
            return


# ----------------------------------------------------------------------- the warden's own process


@dataclass
class _Charge:
    """What one pool process has under way: cookies, and the group of each once it is known."""

    groups: dict[str, int | None] = field(default_factory=dict)
    buffer: bytes = b""

    def hear(self, data: bytes) -> None:
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        for line in lines:
            sign, cookie, *pid = line.decode().split(" ")
            match sign:
                case "+":
                    self.groups[cookie] = None
                case "=":
                    self.groups[cookie] = int(pid[0])
                case "-":
                    self.groups.pop(cookie, None)

    def end(self) -> None:
        """Kills all of it."""
        for pid in self.groups.values():
            if pid is not None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
        if self.groups:
            kill_by_cookie(set(self.groups))


def serve(listener: socket.socket) -> None:
    """Watches until the worker's end of standard input and all connections are closed."""
    charges: dict[socket.socket, _Charge] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
        worker_is_there = True
        while worker_is_there or charges:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    connection, _address = listener.accept()
                    selector.register(connection, selectors.EVENT_READ)
                    charges[connection] = _Charge()
                elif isinstance(key.fileobj, socket.socket):
                    data = _receive(key.fileobj)
                    charges[key.fileobj].hear(data)
                    if not data:
                        selector.unregister(key.fileobj)
                        key.fileobj.close()
                        charges.pop(key.fileobj).end()
                elif not os.read(sys.stdin.fileno(), 4096):
                    worker_is_there = False
                    selector.unregister(sys.stdin.fileno())


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65_536)
    except ConnectionError:
        return b""


def main() -> None:
    """The warden's process."""
    # A Ctrl-C or a stop of the worker's group is not for the warden: it ends when they have ended.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    listener, directory = sys.argv[1:]
    serve(socket.socket(fileno=int(listener)))
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
