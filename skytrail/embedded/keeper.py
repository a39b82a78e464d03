"""Keeps one process alive: starts it, sees it become ready, starts it again, ends it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

from skytrail.embedded.child import Child
from skytrail.errors import SkytrailError, Unavailable

if TYPE_CHECKING:
    from skytrail.embedded.console import Console
    from skytrail.embedded.process import Process

_POLL = 0.03
#: Ends in a row, each soon after the start, after which it is said aloud that something is wrong.
_HOPELESS = 3


class ProcessDidNotStart(Unavailable):
    """{name} did not start: {reason}."""


class Keeper:
    """Runs one process until it is asked to end it.

    `started` is done when the process is ready for the first time. With `must_start` it fails when
    that start fails, and there is no second one; without, the process gets as many as it needs.
    """

    def __init__(self, process: Process, *, console: Console, must_start: bool) -> None:
        self.process = process
        self.started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # If nobody comes to hear of a failure (Ctrl-C meanwhile), it is not worth a warning.
        self.started.add_done_callback(lambda started: started.cancelled() or started.exception())
        self._console = console
        self._must_start = must_start
        self._asked_to_end = asyncio.Event()
        self._child: Child | None = None
        self._grace = process.grace
        self._ends_in_a_row = 0
        self._last_line = ""

    async def keep(self) -> None:
        """Until asked to end: one life after the other."""
        loop = asyncio.get_running_loop()
        backoff = self.process.backoff
        delay = backoff.first
        while True:
            began = loop.time()
            try:
                ending = await self._live()
            except SkytrailError as error:
                self._fail(error)
                ending = error.message
            if self._asked_to_end.is_set():
                return
            if self._must_start and not self.started.done():
                last_line = f"; its last line: {self._last_line}" if self._last_line else ""
                self._fail(
                    ProcessDidNotStart(name=self.process.name, reason=f"{ending}{last_line}")
                )
            if self._must_start and self.started.exception():
                return
            if loop.time() - began >= backoff.calm:
                delay, self._ends_in_a_row = backoff.first, 0
            self._report(ending, delay=delay)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked_to_end.wait(), delay)
                return
            delay = backoff.next(delay)

    def end(self) -> None:
        """Ask for the end: `keep` returns when the process has ended."""
        self._asked_to_end.set()

    def kill(self) -> None:
        """End it now, without asking."""
        self._grace = 0
        self._asked_to_end.set()
        if self._child:
            self._child.kill_group()

    async def _live(self) -> str:
        """One life, from start to end, and how it ended."""
        if self.process.before:
            await asyncio.to_thread(self.process.before)
        if self._asked_to_end.is_set():
            return "not started"
        child = self._child = await Child.start(self.process.command, self._pass_on)
        readiness = asyncio.create_task(self._see_it_ready())
        readiness.add_done_callback(self._on_readiness)
        asked = asyncio.create_task(self._asked_to_end.wait())
        try:
            await asyncio.wait({child.ended, asked}, return_when=asyncio.FIRST_COMPLETED)
            if not child.ended.done():
                await self._end(child)
        finally:
            readiness.cancel()
            asked.cancel()
            self._child = None
        return how_it_ended(child.ended.result())

    async def _see_it_ready(self) -> None:
        if self.process.ready:
            while not await self.process.ready():
                await asyncio.sleep(_POLL)
        if not self.started.done():
            self.started.set_result(None)

    def _on_readiness(self, readiness: asyncio.Task[None]) -> None:
        """A check that breaks, instead of answering no, knows why waiting is in vain."""
        if readiness.cancelled():
            return
        error = readiness.exception()
        if error and not self.started.done():
            self.started.set_exception(error)

    async def _end(self, child: Child) -> None:
        name, grace = self.process.name, self._grace
        stop_signal = self.process.command.stop_signal
        if await child.stop(with_signal=stop_signal, grace=grace):
            self._console.say(f"{name} stopped")
        else:
            self._console.say(f"{name} did not stop within {grace:g} s: killed", failure=True)

    def _fail(self, error: SkytrailError) -> None:
        if self._must_start and not self.started.done():
            self.started.set_exception(error)

    def _report(self, ending: str, *, delay: float) -> None:
        name = self.process.name
        self._console.say(f"{name} ended ({ending}); again in {delay:g} s", failure=True)
        self._ends_in_a_row += 1
        if self._ends_in_a_row == _HOPELESS:
            self._console.say(
                f"{name} does not stay up: it has ended {_HOPELESS} times in a row, last with: "
                f"{self._last_line or 'no output'}. Its lines above say why. It is tried again, at "
                f"least every {self.process.backoff.longest:g} s; Ctrl-C stops everything.",
                failure=True,
            )

    def _pass_on(self, line: str) -> None:
        if any(text in line for text in self.process.unsaid):
            return
        self._last_line = line.strip() or self._last_line
        self._console.line(self.process.name, line)


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
