"""A proxy between one process and one server, which can be asked to misbehave as networks do.

    with Proxy(server_port=5432) as proxy:       # the process is given proxy.port
        proxy.hold()                             # nothing gets through, in either direction
        proxy.open()                             # what was on its way arrives now, late

What a process has sent before a partition arrives after it, as TCP has it: a statement may well be
executed when its sender has long given up. Two things a proxy cannot do: it always acknowledges
what it is sent, so no time limit of the kernel's own ever runs out; and it always accepts.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

_HOST = "127.0.0.1"
_CHUNK = 65_536

#: Closing with this says RST instead of FIN: the other side hears of an error.
_ABRUPT = struct.pack("ii", 1, 0)


@dataclass(eq=False)
class _Link:
    """One connection: the process's side and the server's."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    #: Whether the server's side has forgotten it: whatever comes is swallowed.
    is_forgotten: bool = False

    def sever(self) -> None:
        """Ends both sides with an RST."""
        for writer in (self.client, self.server):
            if writer is not None:
                _reset(writer)


@dataclass(eq=False)
class Proxy:
    """Listens on a port of its own (`port`, or any free one where it is 0) from `start` on.

    Its methods may be called from any thread, and have taken effect when they return.
    """

    server_port: int
    port: int = 0
    _up: asyncio.Event = field(init=False)
    _down: asyncio.Event = field(init=False)
    _links: set[_Link] = field(default_factory=set)
    _delay: float = 0.0
    _swallows: bool = False
    _listener: asyncio.Server | None = None
    _loop: asyncio.AbstractEventLoop = field(init=False)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins to listen, and lets everything through."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._do(self._begin())

    def stop(self) -> None:
        """Ends, and severs what is connected."""
        if self._thread is not None:
            self._do(self._end())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=5)
            self._loop.close()
            self._thread = None

    def __enter__(self) -> Proxy:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        self.stop()

    # ------------------------------------------------------------------------- what it can do

    def open(self) -> None:
        """Everything goes through again. Connections that `forget` has cut hear an RST."""
        self._do(self._open())

    def hold(self, *, up: bool = True, down: bool = True) -> None:
        """Nothing gets through `up` to the server, or `down` from it; it waits for `open`."""

        def hold() -> None:
            if up:
                self._up.clear()
            if down:
                self._down.clear()

        self._call(hold)

    def forget(self) -> None:
        """Half-open: the server's side is gone, and the process's side is not told.

        What it sends is swallowed, on old and new connections, until `open`.
        """
        self._call(self._forget)

    def refuse(self) -> None:
        """Connections are severed with an RST, and new ones refused, until `open`."""
        self._do(self._refuse())

    def sever(self) -> None:
        """Connections are severed with an RST; new ones go through."""
        self._call(self._sever)

    def delay(self, seconds: float) -> None:
        """All that goes through takes so much longer, in each direction; 0 for no longer."""

        def delay() -> None:
            self._delay = seconds

        self._call(delay)

    # ------------------------------------------------------------------------- inside its thread

    async def _begin(self) -> None:
        self._up, self._down = asyncio.Event(), asyncio.Event()
        self._up.set()
        self._down.set()
        await self._listen()

    async def _listen(self) -> None:
        if self._listener is None:
            self._listener = await asyncio.start_server(self._accept, _HOST, self.port)
            self.port = self._listener.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        await self._refuse()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _open(self) -> None:
        self._swallows = False
        for link in [link for link in self._links if link.is_forgotten]:
            link.sever()
        self._up.set()
        self._down.set()
        await self._listen()

    async def _refuse(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self._sever()

    def _sever(self) -> None:
        for link in list(self._links):
            link.sever()

    def _forget(self) -> None:
        self._swallows = True
        for link in self._links:
            link.is_forgotten = True
            if link.server is not None:
                _reset(link.server)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(writer, is_forgotten=self._swallows)
        self._links.add(link)
        try:
            if link.is_forgotten:
                await _swallow(reader)
                return
            from_server, link.server = await asyncio.open_connection(_HOST, self.server_port)
            await asyncio.gather(
                self._pump(reader, link.server, self._up, link),
                self._pump(from_server, writer, self._down, link),
            )
        except OSError:
            link.sever()
        finally:
            self._links.discard(link)
            for one in (writer, link.server):
                if one is not None:
                    one.close()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        way: asyncio.Event,
        link: _Link,
    ) -> None:
        """Carries one direction. While the way is closed it reads nothing more: no memory grows."""
        try:
            while data := await reader.read(_CHUNK):
                if self._delay:
                    await asyncio.sleep(self._delay)
                await way.wait()
                if not link.is_forgotten:
                    writer.write(data)
                    await writer.drain()
        except OSError:
            if not link.is_forgotten:
                raise
        if not link.is_forgotten:
            await way.wait()
            with contextlib.suppress(OSError, RuntimeError):
                writer.write_eof()
        elif writer is link.server:
            await _swallow(reader)

    # ------------------------------------------------------------------------- from other threads

    def _do(self, step: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(step, self._loop).result(timeout=10)

    def _call(self, step: Callable[[], None]) -> None:
        async def called() -> None:
            step()

        self._do(called())


async def _swallow(reader: asyncio.StreamReader) -> None:
    while await reader.read(_CHUNK):
        pass


def _reset(writer: asyncio.StreamWriter) -> None:
    connection: socket.socket | None = writer.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABRUPT)
    writer.transport.abort()
