"""Sending logs out while work goes on, in a thread of its own: the database may hold it up."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import Error as DatabaseError
from django.db import connection

from runs_app.domain.executions import Execution
from skytrail.database.trouble import in_a_line
from workers.gateway import RunGateway
from workers.log import Log

_logger = logging.getLogger(__name__)

#: How often a log is sent out, in seconds.
SHIP_EVERY = 0.5

#: The same for a log that has come to many pieces: a task that talks for days fills no table.
SHIP_SELDOM = 5.0


@dataclass
class _Load:
    """The log of the execution under way."""

    execution: Execution
    log: Log
    #: Held while a part of it is sent out.
    sending: threading.Lock = field(default_factory=threading.Lock)
    is_over: bool = False
    next_at: float = field(default_factory=lambda: time.monotonic() + SHIP_EVERY)


class Shipper(threading.Thread):
    """One per pool process, beside the companion, which must never wait for a database."""

    def __init__(self, gateway: RunGateway) -> None:
        super().__init__(name="skytrail-shipper", daemon=True)
        self._gateway = gateway
        self._load: _Load | None = None
        self._is_to_end = threading.Event()

    @contextlib.contextmanager
    def shipping(self, execution: Execution, log: Log) -> Iterator[None]:
        """Within, what is written to `log` is sent out as it grows; the rest is the caller's."""
        load = self._load = _Load(execution, log)
        try:
            yield
        finally:
            self._load = None
            # What is being sent out right now must not arrive after the rest of the log.
            with load.sending:
                load.is_over = True

    def run(self) -> None:
        while not self._is_to_end.wait(SHIP_EVERY / 2):
            load = self._load
            if load is not None and time.monotonic() >= load.next_at:
                try:
                    self.ship(load)
                except Exception:  # logs that come later are to be sent out all the same
                    _logger.exception("sending a log out failed, trying again")
        connection.close()  # this thread's own

    def stop(self) -> None:
        """Ends the thread, between two executions."""
        self._is_to_end.set()
        self.join()

    def ship(self, load: _Load) -> None:
        """Sends out what there is."""
        with load.sending:
            if load.is_over:
                return  # the rest is written with its end
            pieces = load.log.take()
            for index, piece in enumerate(pieces):
                try:
                    self._gateway.append_log(load.execution, piece)
                except DatabaseError as error:
                    _logger.warning(
                        "could not keep a piece of a log, trying again: %s", in_a_line(error)
                    )
                    load.log.give_back(pieces[index:])
                    connection.close()
                    break
        pause = SHIP_EVERY * (1 + load.log.length // 500)
        load.next_at = time.monotonic() + min(pause, SHIP_SELDOM)
