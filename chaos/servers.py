"""PostgreSQL and Valkey for the suite: child processes, to be stopped, killed and halted."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import psutil

from chaos.parts import Part, resume
from chaos.waiting import wait_until
from skytrail.embedded.command import Command

_PATIENCE = 60.0


class Embedded(Protocol):
    """What EmbeddedPostgres and EmbeddedValkey have in common."""

    @property
    def url(self) -> str: ...
    @property
    def command(self) -> Command: ...
    def prepare(self) -> None: ...
    def is_ready(self) -> bool: ...


class Server:
    """An embedded server. Its data survives whatever is done to its processes."""

    def __init__(self, label: str, embedded: Embedded, log: Path) -> None:
        self.label = label
        self.embedded = embedded
        self._log = log
        self.part: Part | None = None

    @property
    def url(self) -> str:
        return self.embedded.url

    def start(self) -> None:
        """Starts it and waits until it answers."""
        self.embedded.prepare()
        self.part = Part(self.label, self.embedded.command, self._log)
        self.part.start()
        wait_until(self._is_ready, _PATIENCE, what=f"{self.label} answers")

    def stop(self, with_signal: signal.Signals | None = None) -> None:
        """Stops it: cleanly, or with the signal given (for PostgreSQL SIGQUIT is "immediate")."""
        if self.part is None or not self.part.is_alive:
            return
        if with_signal is None:
            self.part.stop(within=20)
            return
        assert self.part.process is not None
        self.part.process.send_signal(with_signal)
        self.part.process.wait(timeout=_PATIENCE)

    def kill(self) -> None:
        """kill -9 of all its processes: a crash. None of them is there any more afterwards."""
        assert self.part is not None
        # Halted first: so it starts no more of them while they are being looked for.
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.part.pid, signal.SIGSTOP)
        family = self.part.family()
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.part.kill_group()
        psutil.wait_procs(family, timeout=_PATIENCE)

    def restart(self, with_signal: signal.Signals | None = None) -> None:
        """Stops and starts it."""
        self.stop(with_signal)
        self.start()

    @contextlib.contextmanager
    def halted(self) -> Iterator[None]:
        """Within, all its processes are stopped (SIGSTOP): connections stand, nothing answers."""
        assert self.part is not None
        family = self.part.halt()
        try:
            yield
        finally:
            resume(family)

    def _is_ready(self) -> bool:
        assert self.part is not None
        if not self.part.is_alive:
            raise RuntimeError(f"{self.label} ended:\n{self.part.last_words()}")
        return self.embedded.is_ready()
