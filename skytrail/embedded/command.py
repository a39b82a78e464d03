"""What to start and how: one description, for the supervisor and for the tests alike."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from skytrail.embedded.account import Account

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, kw_only=True)
class Command:
    """One program, ready to be started.

    `env` is the whole environment (None: the starter's own). It may hold passwords, which is why it
    stays out of the representation; `argv` never does, because every user of the machine can read
    it. `stop_signal` asks for a clean end; `death_signal` is what the kernel sends when whoever
    started the program is gone (Linux only).
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] | None = field(default=None, repr=False)
    cwd: Path | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL

    def popen_options(self) -> dict[str, Any]:
        """Keyword arguments for `subprocess.Popen` and `asyncio.create_subprocess_exec`.

        Call from the main thread only: the kernel takes the end of the *thread* that forked for the
        end of the parent, so a child started from a pool's thread would die with that thread.
        """
        return {
            "env": None if self.env is None else dict(self.env),
            "cwd": self.cwd,
            "stdin": subprocess.DEVNULL,
            # Ctrl-C in the terminal reaches the whole foreground group. Only the supervisor is to
            # hear it, so that it can stop the others in order.
            "start_new_session": True,
            "preexec_fn": _dies_with_parent(self.death_signal),
            **(self.account.popen_options() if self.account else {}),
        }


def _dies_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """What the child runs before its program starts: ask the kernel for `death_signal`.

    Python calls it after it has changed the user, which matters: a change of user takes the request
    back. Elsewhere than on Linux there is no such request, and the answer is None.
    """
    if sys.platform != "linux":
        return None
    # Looked up here: between fork and exec, in a program with threads, as little as possible.
    prctl = ctypes.CDLL(None).prctl
    prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:  # it died before the request: nobody will tell
            os.kill(os.getpid(), signal.SIGKILL)

    return ask
