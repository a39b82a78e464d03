"""A program in a terminal of the tests: what it wrote, whom it started, how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil

from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PROGRAMS = Path(__file__).parent / "programs"


class Terminal:
    """One running program. Its output goes to a file, which can be read at any time."""

    def __init__(self, argv: list[str], *, log: Path, env: Mapping[str, str], **popen: Any) -> None:
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(env),
                start_new_session=True,
                **popen,
            )

    @property
    def text(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_for(self, text: str, *, timeout: float = 15, times: int = 1) -> str:
        """Until it has written `text`; fails with everything it wrote instead."""

        def written() -> bool:
            seen = self.text
            assert self.process.poll() is None or seen.count(text) >= times, f"it ended:\n{seen}"
            assert seen.count(text) >= times, f"it wrote:\n{seen}"
            return True

        wait_until(written, timeout, what=f"{text!r} is written")
        return self.text

    def press(self, number: signal.Signals = signal.SIGINT) -> None:
        self.process.send_signal(number)

    def ended(self, *, timeout: float = 15) -> int:
        """Its exit code, once it has ended."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end:\n{self.text}") from None

    def stopped(self) -> int:
        """Press Ctrl-C once, and wait for the exit code."""
        self.press()
        return self.ended()

    def family(self) -> list[psutil.Process]:
        """The program, and all that descends from it."""
        process = psutil.Process(self.pid)
        return [process, *process.children(recursive=True)]

    def pid_of(self, name: str) -> int:
        """The pid that the stand-in called `name` last said to have."""
        lines = [line for line in self.text.splitlines() if "my pid is " in line]
        pids = [line.rsplit(" ", 1)[1] for line in lines if f" {name} " in line.split("|", 1)[0]]
        assert pids, f"{name} has not said its pid:\n{self.text}"
        return int(pids[-1])


class Terminals:
    """Opens terminals, and closes those that a failed test leaves open."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = environ
        self._open: list[Terminal] = []

    def run(
        self, program: str, *arguments: str, env: Mapping[str, str] | None = None, **popen: Any
    ) -> Terminal:
        """Start one of the tests' programs."""
        argv = popen.pop("python", [sys.executable])
        terminal = Terminal(
            [*argv, str(PROGRAMS / program), *arguments],
            log=self._folder / f"terminal-{len(self._open)}.log",
            env={**self._environ, **(env or {})},
            **popen,
        )
        self._open.append(terminal)
        return terminal

    def supervise(self, **what: Any) -> Terminal:
        """Start a supervisor over stand-ins; see programs/supervise.py."""
        popen = what.pop("popen", {})
        return self.run("supervise.py", json.dumps(what), **popen)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for terminal in self._open:
            with contextlib.suppress(psutil.NoSuchProcess):
                for process in terminal.family():
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()
            terminal.process.wait()


def gone(processes: Iterable[psutil.Process]) -> bool:
    """Whether none of them lives."""
    living = [process for process in processes if _lives(process)]
    assert not living, f"still there: {living}"
    return True


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and _lives(psutil.Process(pid))


def command_lines() -> str:
    """What everybody on this machine can read of every process."""
    files = Path("/proc").glob("[0-9]*/cmdline")
    lines = []
    for file in files:
        with contextlib.suppress(OSError):
            lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return "\n".join(lines)


def is_root() -> bool:
    return os.geteuid() == 0


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
