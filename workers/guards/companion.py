"""The second thread of a pool process: it keeps an eye on whatever the first one executes.

While an execution is under way it watches the time limit and the end of the lease, listens for the
worker's word to stop, and, where work that was told to stop does not, ends the process. It waits
for nobody: not for the work, and not for the database.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from runs_app.domain.executions import Execution
from workers import names
from workers.guards.interruption import Interruption, Reason
from workers.log import Log, Piece

_logger = logging.getLogger(__name__)

#: How often it looks round where nothing is due, in seconds.
LOOK_EVERY = 0.5

#: How often work that has been told to stop is reminded of it, in seconds.
_REMIND_EVERY = 0.05

#: Beyond its grace time, so many seconds are left to an executor to end a process of its own.
_TO_END_A_PROCESS = 3.0


@dataclass
class Charge:
    """The execution under way, and what the companion does for it."""

    execution: Execution
    log: Log
    interruption: Interruption
    deadline: float | None
    #: When the process is ended if the work has not stopped by then; set once it was told to.
    kill_at: float | None = None

    @property
    def key(self) -> tuple[UUID, int]:
        return self.execution.task_run_id, self.execution.epoch


class Companion(threading.Thread):
    """One per pool process, started with its first execution."""

    def __init__(
        self,
        *,
        on_stuck: Callable[[Execution, Reason, Sequence[Piece]], None],
        safe_until: Callable[[], float] = lambda: math.inf,
    ) -> None:
        """`on_stuck` writes down the end of work that would not stop, before its process ends.

        It is given the rest of the log too. `safe_until` says until when work may go on for all
        that its worker knows, by `time.monotonic()`.
        """
        super().__init__(name="skytrail-companion", daemon=True)
        self._on_stuck = on_stuck
        self._safe_until = safe_until
        self._charge: Charge | None = None
        self._is_to_end = False
        self._lock = threading.Lock()
        self._bell, self._hammer = socket.socketpair(type=socket.SOCK_DGRAM)
        self._ears = selectors.DefaultSelector()
        self._ears.register(self._bell, selectors.EVENT_READ)
        if (line := _line_from_worker()) is not None:
            self._ears.register(line, selectors.EVENT_READ)

    @contextlib.contextmanager
    def watching(self, execution: Execution, log: Log) -> Iterator[Interruption]:
        """Within, `execution` is looked after."""
        interruption = Interruption()
        limit = execution.timeout_seconds
        charge = Charge(
            execution, log, interruption, None if limit is None else time.monotonic() + limit
        )
        with self._lock:
            self._charge = charge
        if limit is not None and limit < LOOK_EVERY:
            self._hammer.send(b"{}")  # it may be about to sleep for longer than that
        try:
            yield interruption
        finally:
            with self._lock:
                self._charge = None
            interruption.close()

    def tell(self, execution: Execution, reason: Reason) -> None:
        """A word to stop from this very process. May be called by a signal handler."""
        self._hammer.send(_word(execution.task_run_id, execution.epoch, reason))

    def run(self) -> None:
        while not self._is_to_end:
            try:
                self._look()
            except Exception:  # without it nothing here could be stopped any more
                with contextlib.suppress(MemoryError):  # user code may have it all
                    _logger.exception("looking after an execution failed, trying again")
                time.sleep(LOOK_EVERY)

    def stop(self) -> None:
        """Ends the thread, between two executions, and gives back what it holds."""
        self._is_to_end = True
        self._hammer.send(b"{}")
        self.join()
        for ear in list(self._ears.get_map().values()):
            assert isinstance(ear.fileobj, socket.socket)
            ear.fileobj.close()
        self._ears.close()
        self._hammer.close()

    def _look(self) -> None:
        """Waits until there is something to do, and does it."""
        for ear, _ in self._ears.select(self._pause()):
            assert isinstance(ear.fileobj, socket.socket)
            self._hear(json.loads(ear.fileobj.recv(4096)))
        with self._lock:
            charge = self._charge
        if charge is None:
            return
        now = time.monotonic()
        if charge.deadline is not None and now >= charge.deadline:
            charge.deadline = None
            self._tell(charge.key, Reason.TIMEOUT)
        if now >= self._safe_until():
            self._tell(charge.key, Reason.CUT_OFF)
        if charge.kill_at is not None and now >= charge.kill_at:
            self._kill(charge)
        if charge.interruption.is_pending:
            charge.interruption.remind()

    def _pause(self) -> float:
        """How long nothing will have to be done, in seconds."""
        with self._lock:
            charge = self._charge
        if charge is not None and charge.interruption.is_pending:
            return _REMIND_EVERY
        moments = [charge.deadline, charge.kill_at] if charge else []
        due = min((moment for moment in moments if moment is not None), default=None)
        pause = LOOK_EVERY if due is None else min(LOOK_EVERY, due - time.monotonic())
        return max(0.0, pause)

    def _hear(self, message: dict[str, Any]) -> None:
        if message:
            self._tell((UUID(message["task_run"]), message["epoch"]), Reason(message["reason"]))

    def _tell(self, key: tuple[UUID, int], reason: Reason) -> None:
        """Tells the work to stop, if it is still what is executed here."""
        with self._lock:
            charge = self._charge
            if charge is None or charge.key != key or charge.kill_at is not None:
                return
            # An executor with a process of its own uses the grace time itself; then it is our turn.
            charge.kill_at = time.monotonic() + patience()
            charge.interruption.request(reason)

    def _kill(self, charge: Charge) -> None:
        """Ends this process: work that will not stop must not run on beside its successor."""
        with self._lock:  # without which the work cannot end meanwhile, and another one begin
            if self._charge is not charge:
                return
            _logger.error(
                "task %s of run %s did not stop when told to; its process is killed",
                charge.execution.task_id,
                charge.execution.run_id,
            )
            assert charge.interruption.reason is not None
            try:
                rest = charge.log.close_and_take()
                self._on_stuck(charge.execution, charge.interruption.reason, rest)
            finally:
                _end_process()


def patience() -> float:
    """How many seconds work that is told to stop has, until its process is ended."""
    return float(settings.SKYTRAIL_STOP_GRACE_SECONDS) + _TO_END_A_PROCESS


def _end_process() -> None:
    """Ends this process with everything that work in it has started."""
    import psutil  # noqa: PLC0415  # seldom needed

    try:
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.kill()
    finally:
        os.kill(os.getpid(), signal.SIGKILL)


def _line_from_worker() -> socket.socket | None:
    """The socket by which the worker reaches this process; None where there is no worker."""
    directory = os.environ.get(names.WORKER_DIRECTORY)
    if directory is None:
        return None
    line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    path = Path(directory) / f"{os.getpid()}.sock"
    path.unlink(missing_ok=True)
    line.bind(str(path))
    return line


def tell(directory: Path, pid: int, *, task_run_id: UUID, epoch: int, reason: Reason) -> bool:
    """The worker's word to one of its pool processes; false if there is nobody to hear it."""
    word = _word(task_run_id, epoch, reason)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(word, str(directory / f"{pid}.sock"))
    except OSError:
        return False
    return True


def _word(task_run_id: UUID, epoch: int, reason: Reason) -> bytes:
    return json.dumps({"task_run": str(task_run_id), "epoch": epoch, "reason": reason}).encode()
