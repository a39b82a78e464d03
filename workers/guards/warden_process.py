"""The warden: a small process that outlives a worker long enough to end what the worker started.

A worker that is killed cannot clean up after itself. Each of its pool processes holds a connection
to the warden; when one breaks, everything that this pool process has started is killed: the process
groups that it told of, whatever carries its cookie or an execution's in its environment, what it
has forked, and what was seen below it. When the worker itself is gone, its pool processes are
killed: nobody would renew their leases. Then the warden removes the worker's directory and goes.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import selectors
import shutil
import signal
import socket
import struct
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from workers.guards.offspring import Sightings, kill_by_cookie

#: How often it looks what is below the pool processes, in seconds.
_LOOK_EVERY = 1.0

_CREDENTIALS = struct.Struct("3i")


@dataclass
class _Charge:
    """One connection, of a pool process or of something that was forked from one.

    What a pool process has under way: cookies, and the group of each once it is known.
    """

    pid: int
    #: For signals that can only reach this one process; None where there is no such thing.
    handle: int | None
    name: str | None = None
    groups: dict[str, int | None] = field(default_factory=dict)
    below: Sightings = field(default_factory=Sightings)
    buffer: bytes = b""

    def hear(self, data: bytes) -> Iterator[tuple[str, str]]:
        """Takes in what it says; gives on what does not concern it alone."""
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
                case _:
                    yield sign, cookie


@dataclass
class Warden:
    """Watches until the worker and all its pool processes have gone."""

    listener: socket.socket
    worker: int
    _charges: dict[socket.socket, _Charge] = field(default_factory=dict)
    #: What was forked from each pool process, by its name.
    _forks: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    #: Names of pool processes that have gone.
    _gone: set[str] = field(default_factory=set)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _worker_is_there: bool = True

    def serve(self) -> None:
        """Watches; ends with them."""
        self._selector.register(self.listener, selectors.EVENT_READ)
        for sign_of_life in (sys.stdin.fileno(), self._handle_of_worker()):
            if sign_of_life is not None:
                self._selector.register(sign_of_life, selectors.EVENT_READ, self._worker_has_gone)
        next_look = time.monotonic()
        while self._worker_is_there or self._charges:
            ready = self._selector.select(max(0.0, next_look - time.monotonic()))
            # Newcomers first: a fork may tell of itself in its parent's last moment.
            ready.sort(key=lambda one: one[0].fileobj is not self.listener)
            broken = []
            for key, _ in ready:
                if key.fileobj is self.listener:
                    self._welcome()
                elif isinstance(key.fileobj, socket.socket):
                    if not self._hear(key.fileobj):
                        broken.append(self._charges.pop(key.fileobj))
                elif key.data is not None:
                    key.data(key.fd)
            self._end(broken)
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + _LOOK_EVERY
                for charge in self._charges.values():
                    if charge.name is not None:
                        charge.below.look(charge.pid)

    def _handle_of_worker(self) -> int | None:
        """Becomes readable when the worker's parent process ends.

        Its end of our standard input is not enough: the pool processes have it too.
        """
        handle = _handle(self.worker)
        if os.getppid() != self.worker:
            self._worker_is_there = False
        return handle

    def _worker_has_gone(self, descriptor: int) -> None:
        if descriptor == sys.stdin.fileno():
            if os.read(descriptor, 4096):
                return
        else:
            for charge in self._charges.values():
                _kill(charge.handle)
        self._worker_is_there = False
        self._selector.unregister(descriptor)

    def _welcome(self) -> None:
        connection, _address = self.listener.accept()
        pid = _peer(connection)
        self._charges[connection] = _Charge(pid, _handle(pid))
        self._selector.register(connection, selectors.EVENT_READ)

    def _hear(self, connection: socket.socket) -> bool:
        """Takes in what a connection brings; false at its end."""
        charge = self._charges[connection]
        data = _receive(connection)
        for sign, name in charge.hear(data):
            if sign == "i":
                charge.name = name
            else:
                self._take_fork(charge, name)
        if not data:
            self._selector.unregister(connection)
            connection.close()
        return bool(data)

    def _take_fork(self, charge: _Charge, name: str) -> None:
        """`charge` was forked from the pool process of that name, or from a fork of it."""
        handle, charge.handle = charge.handle, None
        if handle is None:
            return
        if name in self._gone:
            _kill(handle)
            os.close(handle)
            return
        self._forks[name] = [*_alive(self._forks[name]), handle]

    def _end(self, broken: list[_Charge]) -> None:
        """Kills what pool processes that have gone had started."""
        cookies: set[str] = set()
        for charge in broken:
            if charge.handle is not None:
                os.close(charge.handle)
            charge.below.kill()
            for group in charge.groups.values():
                if group is not None:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.killpg(group, signal.SIGKILL)
            cookies |= charge.groups.keys()
            if charge.name is not None:
                cookies.add(charge.name)
                self._gone.add(charge.name)
                for handle in self._forks.pop(charge.name, []):
                    _kill(handle)
                    os.close(handle)
        if cookies:
            kill_by_cookie(cookies)


def _handle(pid: int) -> int | None:
    """See pidfd_open(2): no other process can come to have it, as it can a number."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None  # it has ended already


def _alive(handles: list[int]) -> list[int]:
    """Those whose process has not ended; the others are closed."""
    poll = select.poll()
    for handle in handles:
        poll.register(handle, select.POLLIN)
    ended = {handle for handle, _ in poll.poll(0)}
    for handle in ended:
        os.close(handle)
    return [handle for handle in handles if handle not in ended]


def _kill(handle: int | None) -> None:
    if handle is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)


def _peer(connection: socket.socket) -> int:
    """The process that has connected; 0 where that cannot be told."""
    if not hasattr(socket, "SO_PEERCRED"):
        return 0
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid: int = _CREDENTIALS.unpack(raw)[0]
    return pid


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
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    listener, directory, worker = sys.argv[1:]
    Warden(socket.socket(fileno=int(listener)), int(worker)).serve()
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
