"""Starts processes in order, keeps them alive in one terminal, and stops them in reverse.

Infrastructure comes first and has to be ready; then one preparation (migrations); then the apps,
together. At the end the apps go first, then the infrastructure they need to put their work down.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from skytrail.embedded.child import Child
from skytrail.embedded.keeper import Keeper, ProcessDidNotStart

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from skytrail.embedded.command import Command
    from skytrail.embedded.console import Console
    from skytrail.embedded.process import Process

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Some starters (`make`, `uv run`) pass on a Ctrl-C that the terminal has sent us already. Within
#: this time, in seconds, a second signal is taken for the echo of the first.
_ECHO = 0.3


class Supervisor:
    """Runs the processes until it is told to stop by a signal. Use it in the main thread.

    `prepare` runs between infrastructure and apps, with this supervisor as its argument; an
    exception of it stops everything. `on_ready` is called once, when every app that has a readiness
    check has passed it for the first time.
    """

    def __init__(
        self,
        *,
        infra: Sequence[Process] = (),
        prepare: Callable[[Supervisor], Awaitable[None]] | None = None,
        apps: Sequence[Process] = (),
        on_ready: Callable[[], None] | None = None,
        console: Console,
    ) -> None:
        self._infra = infra
        self._prepare = prepare
        self._apps = apps
        self._on_ready = on_ready
        self._console = console
        self._console.introduce(process.name for process in (*infra, *apps))
        self._keepers: dict[Keeper, asyncio.Task[None]] = {}
        self._errands: set[Child] = set()
        self._failure: BaseException | None = None
        self._told_to_stop = asyncio.Event()
        self._told_at: float | None = None
        self._killed_by: signal.Signals | None = None

    def run(self) -> int:
        """Everything, until the end. The exit code: 0 after a clean stop, 128 + the signal's number
        after a second signal. Raises what made the start fail, when everything has stopped.

        Afterwards the process ignores these signals: it is about to exit, and an impatient third
        Ctrl-C must not cut short what is left to do.
        """
        return asyncio.run(self._run())

    async def run_errand(self, name: str, command: Command, *, grace: float = 10.0) -> int:
        """For `prepare`: run a command that ends by itself. Its exit code; raises CannotStart."""
        child = await Child.start(command, lambda line: self._console.line(name, line))
        self._errands.add(child)
        try:
            return await asyncio.shield(child.ended)
        except asyncio.CancelledError:
            await child.stop(with_signal=command.stop_signal, grace=grace)
            raise
        finally:
            self._errands.discard(child)

    async def _run(self) -> int:
        self._listen_for_signals()
        starting = asyncio.create_task(self._start())
        told = asyncio.create_task(self._told_to_stop.wait())
        await asyncio.wait({starting, told}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done() and starting.exception():
            self._failure = starting.exception()
            self._console.say("the start failed: stopping", failure=True)
        else:
            await told
        starting.cancel()
        told.cancel()
        await asyncio.gather(starting, told, return_exceptions=True)
        await self._stop()
        self._listen_no_more()
        if self._failure:
            raise self._failure
        return 128 + self._killed_by if self._killed_by else 0

    def _listen_for_signals(self) -> None:
        for number in _STOP_SIGNALS:
            # Whoever started us with `nohup` wants us to outlive the terminal.
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal, number)

    def _listen_no_more(self) -> None:
        # Blocked meanwhile: removing a handler brings back the default, which is to die.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
        for number in _STOP_SIGNALS:
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)

    def _on_signal(self, number: signal.Signals) -> None:
        now = asyncio.get_running_loop().time()
        if self._told_at is None:
            self._told_at = now
            self._console.say(f"{number.name}: stopping everything (once more: kill at once)")
            self._told_to_stop.set()
        elif now - self._told_at > _ECHO and self._killed_by is None:
            self._killed_by = number
            self._console.say(f"{number.name} again: killing everything", failure=True)
            for keeper in self._keepers:
                keeper.kill()
            for child in self._errands:
                child.kill_group()

    async def _start(self) -> None:
        infra = [self._keep(process, must_start=True) for process in self._infra]
        await asyncio.gather(*(self._first_start(keeper) for keeper in infra))
        if self._prepare:
            await self._prepare(self)
        apps = [self._keep(process, must_start=False) for process in self._apps]
        await asyncio.gather(*(asyncio.shield(keeper.started) for keeper in apps))
        if self._on_ready:
            self._on_ready()

    def _keep(self, process: Process, *, must_start: bool) -> Keeper:
        keeper = Keeper(process, console=self._console, must_start=must_start)
        task = asyncio.create_task(keeper.keep(), name=process.name)
        task.add_done_callback(self._on_keeper_gone)
        self._keepers[keeper] = task
        return keeper

    def _on_keeper_gone(self, task: asyncio.Task[None]) -> None:
        """An error that nobody foresaw must not leave the rest running without supervision."""
        if not task.cancelled() and (error := task.exception()):
            self._failure = self._failure or error
            self._told_to_stop.set()

    async def _first_start(self, keeper: Keeper) -> None:
        within = keeper.process.ready_within
        done, _ = await asyncio.wait({keeper.started}, timeout=within)
        if not done:
            reason = f"it was not ready within {within:g} s"
            raise ProcessDidNotStart(name=keeper.process.name, reason=reason)
        keeper.started.result()

    async def _stop(self) -> None:
        for processes in (self._apps, self._infra):
            group = {k: t for k, t in self._keepers.items() if k.process in processes}
            for keeper in group:
                keeper.end()
            if group:
                await asyncio.wait(group.values())
