"""What each pool process of a worker executes right now: a board in shared memory.

A pool process writes its own place on the board when an execution starts and ends; the worker's
parent process reads all of them, to renew leases and to find what a dead process has left. It costs
no message and no lock, and it stands when the process that wrote it is gone.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

#: More pool processes than these no worker has; each place takes 64 bytes.
PLACES = 1024
_SIZE = 64

# How often the place was written, before and after: a reader that sees two numbers reads again.
_LAYOUT = struct.Struct("=QIi16sQ")


@dataclass(frozen=True, slots=True)
class Entry:
    """An execution under way in pool process `pid`."""

    place: int
    pid: int
    task_run_id: UUID
    epoch: int

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

    def write(self, place: int, task_run_id: UUID, epoch: int) -> None:
        """An execution starts in this process."""
        self._put(place, os.getpid(), epoch, task_run_id.bytes)

    def clear(self, place: int) -> None:
        """It has ended, or what was left of it has been seen to."""
        self._put(place, 0, 0, bytes(16))

    def read(self) -> Iterator[Entry]:
        """All that is under way, or was when its process died."""
        for place in range(PLACES):
            if (entry := self._get(place)) is not None:
                yield entry

    def _put(self, place: int, pid: int, epoch: int, key: bytes) -> None:
        (count,) = struct.unpack_from("=Q", self._memory, place * _SIZE)
        _LAYOUT.pack_into(self._memory, place * _SIZE, count + 1, pid, epoch, key, count)
        struct.pack_into("=Q", self._memory, place * _SIZE + _LAYOUT.size - 8, count + 1)

    def _get(self, place: int) -> Entry | None:
        while True:
            before, pid, epoch, key, after = _LAYOUT.unpack_from(self._memory, place * _SIZE)
            if not pid:
                return None
            # A process that died while it wrote will not write the second number any more.
            entry = Entry(place, pid, UUID(bytes=key), epoch)
            if before == after or not entry.is_alive:
                return entry
