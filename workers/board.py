"""What each pool process of a worker executes right now: a board in shared memory.

A pool process writes its own place on the board when an execution starts and ends; the worker's
parent process reads all of them, to renew leases and to find what a dead process has left. It costs
no message and no lock, and it stands when the process that wrote it is gone.
"""

from __future__ import annotations

import math
import mmap
import os
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

#: More pool processes than these no worker has; each place takes 64 bytes.
PLACES = 1024
_SIZE = 64

#: A pool process whose time is up ends itself; after so many seconds more it is taken to be unable.
OVERTIME = 5.0

# How often the place was written, before and after: a reader that sees two numbers reads again.
_LAYOUT = struct.Struct("=QIi16sdQ")
_COUNT = struct.Struct("=Q")

#: A writer needs less than a microsecond, unless the system halts it half way, perhaps for ever.
_TRIES = 200
_BETWEEN_TRIES = 0.001


@dataclass(frozen=True, slots=True)
class Entry:
    """An execution under way in pool process `pid`."""

    place: int
    pid: int
    task_run_id: UUID
    epoch: int
    #: When it must have ended, by `time.monotonic()`, which is the same in all processes.
    ends_by: float = math.inf

    @property
    def key(self) -> tuple[UUID, int]:
        return self.task_run_id, self.epoch

    @property
    def is_alive(self) -> bool:
        """Whether the process that wrote it still exists."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


class Board:
    """Made by the parent process before it forks; each pool process writes one place only."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, PLACES * _SIZE)

    def write(
        self, place: int, task_run_id: UUID, epoch: int, *, ends_by: float = math.inf
    ) -> None:
        """An execution starts in this process."""
        self._put(place, os.getpid(), epoch, task_run_id.bytes, ends_by)

    def clear(self, place: int) -> None:
        """It has ended, or what was left of it has been seen to."""
        self._put(place, 0, 0, bytes(16), math.inf)

    def read(self) -> Iterator[Entry]:
        """All that is under way, or was when its process died."""
        for place in range(PLACES):
            if (entry := self._get(place)) is not None:
                yield entry

    def _put(self, place: int, pid: int, epoch: int, key: bytes, ends_by: float) -> None:
        start = place * _SIZE
        (count,) = _COUNT.unpack_from(self._memory, start)
        _LAYOUT.pack_into(self._memory, start, count + 1, pid, epoch, key, ends_by, count)
        _COUNT.pack_into(self._memory, start + _LAYOUT.size - _COUNT.size, count + 1)

    def _get(self, place: int) -> Entry | None:
        start = place * _SIZE
        for _ in range(_TRIES):
            before, pid, epoch, key, ends_by, after = _LAYOUT.unpack_from(self._memory, start)
            if not pid:
                return None
            entry = Entry(place, pid, UUID(bytes=key), epoch, ends_by)
            # Read once more: the writer may have begun after the first number had been read.
            if _COUNT.unpack_from(self._memory, start) == (before,) and before == after:
                return entry
            time.sleep(_BETWEEN_TRIES)
        return entry  # its writer has died, or been halted, while it wrote
