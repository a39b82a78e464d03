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
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

#: More pool processes than these no worker has; each place takes 128 bytes.
PLACES = 1024
_SIZE = 128

#: A pool process whose time is up ends itself; after so many seconds more it is taken to be unable.
OVERTIME = 5.0

# A place has a number and two entries. The number says how often the place was written, and by that
# which entry holds: the writer fills the other one and then raises the number, in one store. So a
# writer that is halted half way has changed nothing, and a reader that finds the number as it was
# has read an entry that nobody touched.
_ENTRY = struct.Struct("=ii16sd?")
_ENTRIES_FROM = 8

#: Behind the last place: a moment that the parent process writes, in one store, for all others.
_SAFE_UNTIL = PLACES * _SIZE // 8


@dataclass(frozen=True, slots=True)
class Entry:
    """An execution under way in pool process `pid`."""

    place: int
    pid: int
    task_run_id: UUID
    epoch: int
    #: When it must have ended, by `time.monotonic()`, which is the same in all processes.
    ends_by: float = math.inf
    #: Whether its work still goes on, or only its end is being written down.
    is_working: bool = True

    @property
    def key(self) -> tuple[UUID, int]:
        return self.task_run_id, self.epoch

    @property
    def is_alive(self) -> bool:
        """Whether the process that wrote it still executes anything.

        Its parent, who asks, may not have waited for it yet: Celery does so seconds later.
        """
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:
            pass  # it has been waited for, or is somebody else's
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
        self._memory = mmap.mmap(-1, PLACES * _SIZE + _SIZE)
        self._numbers = memoryview(self._memory).cast("Q")
        self._moments = memoryview(self._memory).cast("d")
        self.safe_until = math.inf

    @property
    def safe_until(self) -> float:
        """Until when all that runs here may go on, by `time.monotonic()`: see `fence.py`."""
        return self._moments[_SAFE_UNTIL]

    @safe_until.setter
    def safe_until(self, moment: float) -> None:
        self._moments[_SAFE_UNTIL] = moment

    def write(
        self,
        place: int,
        task_run_id: UUID,
        epoch: int,
        *,
        ends_by: float = math.inf,
        is_working: bool = True,
    ) -> None:
        """An execution starts in this process, or its work is over."""
        self._put(place, os.getpid(), epoch, task_run_id.bytes, ends_by, is_working=is_working)

    def clear(self, place: int) -> None:
        """It has ended, or what was left of it has been seen to."""
        self._put(place, 0, 0, bytes(16), math.inf)

    def read(self) -> Iterator[Entry]:
        """All that is under way, or was when its process died."""
        for place in range(PLACES):
            if (entry := self._get(place)) is not None:
                yield entry

    def _put(
        self,
        place: int,
        pid: int,
        epoch: int,
        key: bytes,
        ends_by: float,
        *,
        is_working: bool = True,
    ) -> None:
        number = self._numbers[place * _SIZE // 8] + 1
        _ENTRY.pack_into(self._memory, _entry(place, number), pid, epoch, key, ends_by, is_working)
        self._numbers[place * _SIZE // 8] = number

    def _get(self, place: int) -> Entry | None:
        while True:
            number = self._numbers[place * _SIZE // 8]
            pid, epoch, key, ends_by, is_working = _ENTRY.unpack_from(
                self._memory, _entry(place, number)
            )
            # Otherwise the writer has begun the next but one meanwhile: in this same entry.
            if self._numbers[place * _SIZE // 8] == number:
                if not pid:
                    return None
                return Entry(place, pid, UUID(bytes=key), epoch, ends_by, is_working)


def _entry(place: int, number: int) -> int:
    """Where the entry stands that holds after `number` writes."""
    return place * _SIZE + _ENTRIES_FROM + number % 2 * _ENTRY.size
