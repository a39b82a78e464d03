"""The second thread of a pool process: it keeps an eye on whatever the first one executes.

While an execution is under way it sends the log out as it grows, watches the time limit, listens
for the worker's word to stop, and, where work that was told to stop does not, ends the process.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError

from runs_app.domain.executions import Execution
from workers.gateway import RunGateway
from workers.interruption import Interruption, Reason
from workers.log import Log

_logger = logging.getLogger(__name__)

#: How often the log is sent out while work goes on, in seconds.
SHIP_EVERY = 0.5

#: Where the worker's pool processes listen: a directory of sockets named by pid.
SOCKETS = "SKYTRAIL_POOL_SOCKETS"


@dataclass
class Charge:
    """The execution under way, and what the companion does for it."""

    execution: Execution
    log: Log
    interruption: Interruption
    deadline: float | None
    #: When the process is ended if the work has not stopped by then; set once it was told to.
    kill_at: float | None = None
    shipping: threading.Lock = field(default_factory=threading.Lock)

    @property
    def key(self) -> tuple[UUID, int]:
        return self.execution.task_run_id, self.execution.epoch


class Companion(threading.Thread):
    """One per pool process, started with its first execution."""

    def __init__(
        self, gateway: RunGateway, *, on_stuck: Callable[[Execution, Reason], None]
    ) -> None:
        """`on_stuck` writes down the end of work that would not stop, before its process ends."""
        super().__init__(name="skytrail-companion", daemon=True)
        self._gateway = gateway
        self._on_stuck = on_stuck
        self._charge: Charge | None = None
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
        if limit is not None and limit < SHIP_EVERY:
            self._hammer.send(b"{}")  # it may be about to sleep for longer than that
        try:
            yield interruption
        finally:
            with self._lock:
                self._charge = None
            # What is being sent out right now must not arrive after the rest of the log.
            with charge.shipping:
                interruption.close()

    def run(self) -> None:
        next_shipping = 0.0
        while True:
            for ear, _ in self._ears.select(self._pause()):
                assert isinstance(ear.fileobj, socket.socket)
                self._hear(json.loads(ear.fileobj.recv(4096)))
            with self._lock:
                charge = self._charge
            if charge is None:
                continue
            now = time.monotonic()
            if charge.deadline is not None and now >= charge.deadline:
                charge.deadline = None
                self._tell(charge.key, Reason.TIMEOUT)
            if charge.kill_at is not None and now >= charge.kill_at:
                self._kill(charge)
            if now >= next_shipping:
                self._ship(charge)
                next_shipping = now + SHIP_EVERY

    def _pause(self) -> float:
        """How long nothing will have to be done, in seconds."""
        with self._lock:
            charge = self._charge
        moments = [charge.deadline, charge.kill_at] if charge else []
        due = min((moment for moment in moments if moment is not None), default=None)
        pause = SHIP_EVERY if due is None else min(SHIP_EVERY, due - time.monotonic())
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
            charge.kill_at = time.monotonic() + 2 * settings.SKYTRAIL_STOP_GRACE_SECONDS + 2
            charge.interruption.request(reason)

    def _ship(self, charge: Charge) -> None:
        with charge.shipping:
            pieces = charge.log.take()
            for index, piece in enumerate(pieces):
                try:
                    self._gateway.append_log(charge.execution, piece)
                except DatabaseError as error:
                    _logger.warning("could not keep a piece of a log, trying again: %s", error)
                    charge.log.give_back(pieces[index:])
                    return

    def _kill(self, charge: Charge) -> None:
        """Ends this process: work that will not stop must not run on beside its successor."""
        _logger.error(
            "task %s of run %s did not stop when told to; its process is killed",
            charge.execution.task_id,
            charge.execution.run_id,
        )
        assert charge.interruption.reason is not None
        self._on_stuck(charge.execution, charge.interruption.reason)
        os.kill(os.getpid(), signal.SIGKILL)


def _line_from_worker() -> socket.socket | None:
    """The socket by which the worker reaches this process; None where there is no worker."""
    directory = os.environ.get(SOCKETS)
    if directory is None:
        return None
    line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    path = Path(directory) / f"{os.getpid()}.sock"
    path.unlink(missing_ok=True)
    line.bind(str(path))
    return line


def tell(directory: Path, pid: int, *, task_run_id: UUID, epoch: int, reason: Reason) -> bool:
    """The worker's word to one of its pool processes; false if there is nobody to hear it."""
    message = {"task_run": str(task_run_id), "epoch": epoch, "reason": reason}
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(json.dumps(message).encode(), str(directory / f"{pid}.sock"))
    except OSError:
        return False
    return True
