"""The fence: what runs here is stopped before anybody else may be given it.

A worker that cannot renew its leases does not know whether it is cut off, and others are about to
take its work over, or whether the database is away for all, when nobody takes anything from anybody
(`runs_app/actions/presence.py`). So each worker that sees the database leaves word of it in Redis,
and who cannot see it looks there: without a word the work goes on, with one it is stopped in time.
Who sees neither stops it too. All of it is reckoned by this machine's monotonic clock.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from dataclasses import dataclass, field

from django.conf import settings

from workers.broker import witness
from workers.guards.board import Board
from workers.guards.companion import patience

_logger = logging.getLogger(__name__)

#: Beside what stopping takes, so many seconds of a lease are kept in reserve.
_RESERVE = 2.0


def stop_after() -> float:
    """So many seconds after its leases were last renewed a worker tells its work to stop.

    Not before two thirds of a lease: others may have left word a renewal later than this worker
    had its own, and it lives for a third.
    """
    lease = float(settings.SKYTRAIL_LEASE_SECONDS)
    return max(lease * 2 / 3, lease - patience() - _RESERVE)


def kill_after() -> float:
    """So many seconds later whatever still runs is killed: before the lease ends, even where asking
    Redis takes its time.
    """
    lease = float(settings.SKYTRAIL_LEASE_SECONDS)
    return lease - min(4.0, lease / 4) - stop_after()


@dataclass
class Fence:
    """A thread of the worker's parent process: the keeper may be held up by the database."""

    board: Board
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _excused: bool = False

    def start(self) -> None:
        """Begins, as if the leases had just been renewed: nothing is held yet."""
        self.board.safe_until = time.monotonic() + stop_after()
        self._thread = threading.Thread(target=self._run, name="skytrail-fence", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def renewed(self, asked_at: float) -> None:
        """All leases have been renewed by a statement that was sent at `asked_at`.

        The answer may have been long in coming: what was allowed meanwhile is not taken back.
        """
        self.board.safe_until = max(self.board.safe_until, asked_at + stop_after())
        if self._excused:
            self._excused = False
            _logger.warning("the database answers again; leases are renewed")

    def look(self) -> None:
        """One look: excuses what need not stop, kills what has not stopped in time."""
        now = time.monotonic()
        if now < self.board.safe_until - self._lead:
            return
        if not self._is_somebody_else_about_to_take_over():
            self.board.safe_until = now + 3 * self._lead
            if not self._excused:
                self._excused = True
                _logger.warning("the database is away for everybody; what runs here goes on")
        elif now >= self.board.safe_until + kill_after():
            self._kill_what_is_left()

    @property
    def _lead(self) -> float:
        """How long before the moment somebody else is asked, in seconds."""
        return float(min(1.0, settings.SKYTRAIL_LEASE_SECONDS / 12))

    def _is_somebody_else_about_to_take_over(self) -> bool:
        seen = witness.ask()
        return seen is None or (seen.by_somebody and seen.settling <= 3 * self._lead)

    def _kill_what_is_left(self) -> None:
        for entry in self.board.read():
            if entry.is_working and entry.is_alive:
                _logger.error("pool process %s is killed: its lease is about to end", entry.pid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(entry.pid, signal.SIGKILL)

    def _run(self) -> None:
        while not self._stopped.wait(self._lead / 2):
            try:
                self.look()
            except Exception:  # without it work could go on beside its successor
                _logger.exception("looking after the leases' end failed, trying again")
