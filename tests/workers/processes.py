"""Looking at processes."""

from __future__ import annotations

import psutil


def is_gone(pid: int) -> bool:
    """Whether a process has ended; nobody needs to have waited for it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
