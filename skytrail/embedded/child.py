"""One run of one program under the supervisor: its output, its end, its process group."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import STDOUT, Process
from typing import TYPE_CHECKING

from skytrail.embedded.lines import Lines
from skytrail.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from skytrail.embedded.command import Command

_READ_SIZE = 65_536
#: Seconds for output that is still in the pipe when its writer has ended.
_LAST_WORDS = 0.25


class CannotStart(Unavailable):
    """{program} cannot be started: {reason}"""


class Child:
    """A started program, leader of a process group of its own. `ended` holds its exit code."""

    def __init__(self, process: Process, output: _Output) -> None:
        self._process = process
        self._output = output
        self.pid = process.pid
        self.ended = asyncio.create_task(self._see_to_the_end())

    @classmethod
    async def start(cls, command: Command, on_line: Callable[[str], None]) -> Child:
        """Start `command`; each line of its output goes to `on_line`. Raises CannotStart."""
        # A pipe of our own: asyncio's would keep `wait` waiting for as long as any descendant has
        # it open, also one that the program has left behind for good.
        reading, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *command.argv, stdout=writing, stderr=STDOUT, **command.popen_options()
            )
        except OSError as error:
            os.close(reading)
            raise CannotStart(program=command.argv[0], reason=error) from error
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        return cls(process, _Output(reading, on_line))

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def stop(self, *, with_signal: signal.Signals, grace: float) -> bool:
        """Ask it to end; after `grace` seconds kill its group. Whether it ended by itself."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(with_signal)
        done, _ = await asyncio.wait({self.ended}, timeout=grace)
        if not done:
            self.kill_group()
            await asyncio.wait({self.ended})
        return bool(done)

    def kill_group(self) -> None:
        """Kill it and whatever it has started that is still in its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    async def _see_to_the_end(self) -> int:
        code = await self._process.wait()
        # A crashed pool leaves workers, a crashed server its backends. They would take the place
        # (a port, a shared memory segment) of those that the next start brings.
        self.kill_group()
        await self._output.close(within=_LAST_WORDS)
        return code


class _Output:
    """Reads what a program writes, as it comes, and passes on its lines."""

    def __init__(self, descriptor: int, on_line: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._on_line = on_line
        self._lines = Lines()
        self._finished = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    async def close(self, *, within: float) -> None:
        """Wait for the end of the output, but not for ever: another process may hold the pipe."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._finished.wait(), within)
        self._finish()

    def _read(self) -> None:
        data = os.read(self._descriptor, _READ_SIZE)
        if not data:
            self._finish()
        self._pass_on(self._lines.feed(data))

    def _finish(self) -> None:
        if self._finished.is_set():
            return
        self._finished.set()
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._pass_on(self._lines.rest())

    def _pass_on(self, lines: list[str]) -> None:
        for line in lines:
            self._on_line(line)
