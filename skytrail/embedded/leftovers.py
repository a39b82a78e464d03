"""Servers that an earlier start left behind, and pid files that nobody stands behind any more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from skytrail.errors import Unavailable

if TYPE_CHECKING:
    import signal


class LeftoverWillNotStop(Unavailable):
    """A server of an earlier start still uses {folder} (pid {pid}) and does not stop.
    End it with `kill -9 {pid}`, then start again.
    """


def clear_leftover(
    *, pid_file: Path, folder: Path, stop_signal: signal.Signals, within: float = 10.0
) -> None:
    """End the server named in `pid_file` if it really is one on `folder`, and remove the file.

    A pid alone proves nothing: after a reboot it may be anybody's. Only a process whose command
    line names our folder is ours. Raises LeftoverWillNotStop.
    """
    pid = _first_number(pid_file)
    if pid is None:
        return
    try:
        process = psutil.Process(pid)
        if any(folder in (path, *path.parents) for path in map(Path, process.cmdline())):
            process.send_signal(stop_signal)
            process.wait(timeout=within)
    except psutil.TimeoutExpired as error:
        raise LeftoverWillNotStop(folder=folder, pid=pid) from error
    except psutil.NoSuchProcess:
        pass
    except psutil.AccessDenied:
        pass  # another user's, so not ours
    pid_file.unlink(missing_ok=True)


def _first_number(pid_file: Path) -> int | None:
    try:
        first = pid_file.read_text().split("\n", 1)[0].strip()
    except FileNotFoundError:
        return None
    return int(first) if first.isdigit() else None
