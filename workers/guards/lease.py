"""The keeper: the thread of a worker that keeps its leases alive and passes on what it is told.

One statement renews everything that the worker's pool processes execute; its answer says what is to
stop. The keeper also reports the worker, hands over what dead pool processes held, and, in a
dispatcher, has the periodic jobs run when nobody else does.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import signal
import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from runs_app.actions import leases, presence, recovery
from runs_app.actions import ticks as turns
from runs_app.actions.timing_out import end_overdue
from runs_app.domain.states import TaskState
from skytrail.database.trouble import in_a_line
from workers import names, ticks
from workers.broker import witness
from workers.guards.board import OVERTIME, Board, Entry
from workers.guards.companion import patience, tell
from workers.guards.fence import Fence
from workers.guards.interruption import Reason

_logger = logging.getLogger(__name__)

#: How often the keeper looks whether periodic jobs are overdue, in seconds.
LOOK_AFTER_JOBS_EVERY = 5.0

#: How often it looks whether pool processes have died or outlived their time. Celery tells of a
#: death when it makes the next one, which may take a while.
LOOK_AFTER_PROCESSES_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Identity:
    """The worker as it reports itself."""

    name: str
    queues: tuple[str, ...]
    concurrency: int


@dataclass
class Keeper:
    """See above. All methods but `run` may be called from Celery's own thread."""

    identity: Identity
    board: Board
    sockets: Path
    fence: Fence
    _wanted: threading.Event = field(default_factory=threading.Event)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _collecting: threading.Lock = field(default_factory=threading.Lock)
    _dead: list[tuple[UUID, int]] = field(default_factory=list)
    #: Whose process had to be killed because their time limit was over.
    _overdue: set[tuple[UUID, int]] = field(default_factory=set)
    #: Who has been told to stop, and by when they must have.
    _told: dict[tuple[UUID, int], float] = field(default_factory=dict)
    _stop_at: float | None = None
    #: Whether it has been said that the database is.
    _is_away: bool = False
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins."""
        self._thread = threading.Thread(target=self.run, name="skytrail-keeper", daemon=True)
        self._thread.start()

    def renew_now(self) -> None:
        """Renews at once: somebody wants something stopped."""
        self._wanted.set()

    def collect_dead(self) -> None:
        """Takes what dead pool processes have left off the board, to be handed over.

        Called before a new pool process is made, which will write over its predecessor's place.
        """
        with self._collecting:
            for entry in self.board.read():
                if not entry.is_alive:
                    self._dead.append(entry.key)
                    self.board.clear(entry.place)
        if self._dead:
            self._wanted.set()

    def shutting_down(self) -> None:
        """The worker stops: what does not end within the grace time is handed back."""
        self._stop_at = time.monotonic() + settings.SKYTRAIL_STOP_GRACE_SECONDS
        self._wanted.set()

    def stop(self) -> None:
        """Ends, after the worker has said goodbye."""
        self._stopped.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def run(self) -> None:
        """The thread."""
        is_dispatcher = names.DISPATCH_QUEUE in self.identity.queues
        next_look = time.monotonic() + LOOK_AFTER_JOBS_EVERY if is_dispatcher else math.inf
        next_renewal = 0.0
        while not self._stopped.is_set():
            now = time.monotonic()
            try:
                self._end_the_deaf()
                self.collect_dead()
                if now >= next_renewal or self._wanted.is_set():
                    self._wanted.clear()
                    self._hand_over_dead()
                    self._renew()
                    next_renewal = now + settings.SKYTRAIL_LEASE_SECONDS / 6
                if now >= next_look:
                    next_look = now + LOOK_AFTER_JOBS_EVERY
                    self._run_overdue_jobs()
            except DatabaseError as error:
                if not self._is_away:
                    self._is_away = True
                    _logger.warning("could not renew leases, trying again: %s", in_a_line(error))
                connection.close()
                next_renewal = now + 1.0
            except Exception:  # without it every lease of this worker would run out
                _logger.exception("could not renew leases, trying again")
                next_renewal = now + 1.0
            self._stop_what_is_left()
            self._wanted.wait(timeout=self._pause(next_renewal, next_look))
        self._end()

    def _pause(self, next_renewal: float, next_look: float) -> float:
        due = min(next_renewal, next_look, time.monotonic() + LOOK_AFTER_PROCESSES_EVERY)
        if self._stop_at is not None:
            due = min(due, max(self._stop_at, time.monotonic() + 0.2))
        return max(0.0, due - time.monotonic())

    def _renew(self) -> None:
        asked_at = time.monotonic()
        settling = presence.note()
        leases.report(
            name=self.identity.name,
            hostname=socket.gethostname(),
            pid=os.getpid(),
            queues=self.identity.queues,
            concurrency=self.identity.concurrency,
        )
        running = list(self.board.read())
        held = {(row.id, row.epoch): row for row in leases.renew([r.key for r in running])}
        self._is_away = False
        self.fence.renewed(asked_at)
        # What has been long in coming is no news any more.
        if time.monotonic() - asked_at < settings.SKYTRAIL_LEASE_SECONDS / 6:
            witness.leave(settling)
        # One that has ended meanwhile is missing from the answer, and from the board too.
        still = {execution.key for execution in self.board.read()}
        for execution in running:
            row = held.get(execution.key)
            if row is None and execution.key in still:
                self._tell(execution, Reason.LEASE_LOST)
            elif row is not None and row.state != TaskState.RUNNING:
                self._tell(execution, Reason.CANCELLED)

    def _stop_what_is_left(self) -> None:
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            for execution in self.board.read():
                self._tell(execution, Reason.SHUTDOWN)

    def _tell(self, execution: Entry, reason: Reason) -> None:
        self._told.setdefault(execution.key, time.monotonic() + patience() + OVERTIME)
        tell(
            self.sockets,
            execution.pid,
            task_run_id=execution.task_run_id,
            epoch=execution.epoch,
            reason=reason,
        )

    def _end_the_deaf(self) -> None:
        """Kills pool processes that can no longer do it themselves.

        A single call of C code that never gives other threads a turn is deaf to everything.
        """
        now = time.monotonic()
        running = list(self.board.read())
        keys = {entry.key for entry in running}
        self._told = {key: by for key, by in self._told.items() if key in keys}
        for entry in running:
            told = self._told.get(entry.key, math.inf)
            if now >= min(entry.ends_by, told) and entry.is_alive:
                _logger.error("pool process %s does not stop when told to: killed", entry.pid)
                if entry.ends_by < told:
                    self._overdue.add(entry.key)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(entry.pid, signal.SIGKILL)

    def _hand_over_dead(self) -> None:
        dead, self._dead = self._dead, []
        if not dead:
            return
        _logger.warning("pool processes died while they executed %s task(s)", len(dead))
        try:
            recovery.take_over_dead([key for key in dead if not self._has_ended_overdue(key)])
        except DatabaseError:
            self._dead = dead + self._dead
            raise
        self._overdue.difference_update(dead)

    def _has_ended_overdue(self, key: tuple[UUID, int]) -> bool:
        """Whether the execution was killed because its time was up, and has been ended as that."""
        task_run_id, epoch = key
        return key in self._overdue and end_overdue(
            task_run_id=task_run_id, epoch=epoch, worker=self.identity.name
        )

    def _run_overdue_jobs(self) -> None:
        for name in turns.overdue(ticks.OVERDUE_AFTER):
            ticks.send(name)

    def _end(self) -> None:
        """Says goodbye, and hands over what was killed because it would not stop."""
        try:
            self.collect_dead()
            self._hand_over_dead()
            leases.leave(name=self.identity.name, pid=os.getpid())
        except DatabaseError as error:
            _logger.warning("could not say goodbye: %s", in_a_line(error))
        connection.close()
