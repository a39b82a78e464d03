"""Doing work on a database while listening for the word to stop.

Drivers wait in C, where no signal reaches them. So a thread executes, and the main thread waits for
it and for the word to stop, which it passes on to the database.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import threading
import time

from skytrail.security.secrets.values import ConnectionValue
from workers.guards.interruption import Interrupted, Interruption
from workers.sql.elsewhere import OtherDatabase
from workers.sql.postgres import TYPES, PostgresDatabase
from workers.sql.work import Answer, Database, DatabaseFailed, Work

#: So long a database may take to end what it was told to stop, in seconds; then it is left alone:
#: its connection goes with the process.
_PATIENCE = 10.0

#: A server that watches the time itself is given so much more, in seconds, to say so.
_GRACE = 2.0


def database_of(value: ConnectionValue) -> Database:
    """Where a connection leads."""
    return PostgresDatabase(value) if value.conn_type in TYPES else OtherDatabase(value)


def do(database: Database, work: Work, interruption: Interruption) -> Answer:
    """Does the work. Raises `CannotDo`, `DatabaseFailed`, `Unkeepable` and `Interrupted`."""
    executing = _Executing(database, work)
    try:
        executing.wait(interruption)
        return executing.answer()
    finally:
        executing.close()


class _Executing:
    """A thread that does the work, and what the main thread needs to know of it."""

    def __init__(self, database: Database, work: Work) -> None:
        self._database = database
        self._work = work
        self._answer: Answer | None = None
        self._error: BaseException | None = None
        self._began = time.monotonic()
        self._number = 0
        self._ended, self._tell = os.pipe()
        self._thread = threading.Thread(target=self._execute, name="skytrail-sql", daemon=True)
        self._thread.start()

    def wait(self, interruption: Interruption) -> None:
        """Returns when it is done; raises what ends it before."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._ended, selectors.EVENT_READ)
            selector.register(interruption, selectors.EVENT_READ)
            while True:
                left = self._time_left()
                ready = {key.fileobj for key, _ in selector.select(left)}
                if self._ended in ready:
                    return
                if interruption.reason is not None:
                    self._stop()
                    raise Interrupted(interruption.reason)
                if left is not None and self._time_left() == 0.0:
                    self._stop()
                    raise DatabaseFailed(
                        f"statement {self._number} took longer than statement_timeout_seconds, "
                        f"{self._work.statement_timeout:g} s",
                        may_retry=True,
                    )

    def answer(self) -> Answer:
        """What came of it. Raises what the work has raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._answer is not None
        return self._answer

    def close(self) -> None:
        """Gives the pipe back, unless the thread is stuck and might still write to it."""
        if not self._thread.is_alive():
            for descriptor in (self._ended, self._tell):
                with contextlib.suppress(OSError):
                    os.close(descriptor)

    def _time_left(self) -> float | None:
        if self._work.statement_timeout is None or self._number == 0:
            return None if self._number else 1.0  # looked at again when it has connected
        limit = self._work.statement_timeout + _GRACE
        return max(0.0, self._began + limit - time.monotonic())

    def _stop(self) -> None:
        self._database.stop()
        self._thread.join(_PATIENCE)

    def _execute(self) -> None:
        try:
            self._answer = self._database.do(self._work, on_statement=self._begin)
        except BaseException as error:  # noqa: BLE001  # raised again, in the main thread
            self._error = error
        finally:
            os.write(self._tell, b"!")

    def _begin(self, number: int) -> None:
        self._began, self._number = time.monotonic(), number
