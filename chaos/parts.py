"""A program of the installation as a child process, and what can be done to it.

All of them end with the suite, however that ends: the kernel is asked for it at their start. Start
them from the main thread only (see `Command.popen_options`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil

from skytrail.embedded.command import Command


class Part:
    """One program, started again and again under the same name."""

    def __init__(self, label: str, command: Command, log: Path) -> None:
        self.label = label
        self.command = command
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        #: Whether it was ended on purpose: an end without that is a finding.
        self.may_end = False

    @property
    def pid(self) -> int:
        """Of the program itself; its children have others."""
        assert self.process is not None
        return self.process.pid

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Starts it, for the first time or again."""
        self.may_end = False
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command.argv, stdout=output, stderr=output, **self.command.popen_options()
            )

    def pool(self) -> list[psutil.Process]:
        """A worker's pool processes."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return [
                child
                for child in psutil.Process(self.pid).children()
                if not any("warden" in word for word in _words(child))
            ]
        return []

    def family(self) -> list[psutil.Process]:
        """It and all it has started, tasks included."""
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.pid)
            return [parent, *parent.children(recursive=True)]
        return []

    # ------------------------------------------------------------------------- what happens to it

    def kill(self) -> None:
        """kill -9 of the program alone: its children find out by themselves."""
        self.may_end = True
        if self.is_alive:
            os.kill(self.pid, signal.SIGKILL)
            self._wait()

    def kill_group(self) -> None:
        """kill -9 of the program and of whatever is in its process group."""
        self.may_end = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._wait()

    def terminate(self) -> None:
        """SIGTERM, as a deployment sends it; it may take its time."""
        self.may_end = True
        if self.is_alive:
            os.kill(self.pid, signal.SIGTERM)

    def stop(self, *, within: float) -> bool:
        """A clean stop; after so many seconds everything is killed. Whether it was clean."""
        self.may_end = True
        if not self.is_alive:
            return True
        family = self.family()
        assert self.process is not None
        self.process.send_signal(self.command.stop_signal)
        try:
            self.process.wait(timeout=within)
        except subprocess.TimeoutExpired:
            for process in family:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            self.kill_group()
            return False
        return True

    @contextlib.contextmanager
    def halted(self) -> Iterator[None]:
        """Within, it and all it has started are stopped (SIGSTOP), as on a frozen machine."""
        family = self.halt()
        try:
            yield
        finally:
            resume(family)

    def halt(self) -> list[psutil.Process]:
        """Stops it and all it has started; `resume` what this returns."""
        family = self.family()
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.suspend()
        return family

    def last_words(self, characters: int = 2000) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        return self.log.read_text(errors="replace")[-characters:]

    def _wait(self) -> None:
        if self.process is not None:
            self.process.wait(timeout=30)


def resume(family: list[psutil.Process]) -> None:
    """Lets go on what was halted."""
    for process in family:
        with contextlib.suppress(psutil.Error):
            process.resume()


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
