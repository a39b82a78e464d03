"""Two steps of which the second meets the first between its last statement and its commit.

No luck is involved: the first step stops where it would commit what it has written or locked, the
second is started, and only when that has ended, or the server says that it waits for the first, may
the first go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any
from unittest import mock

import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from skytrail.database.statement import Statement
from tests.waiting import wait_until

Step = Callable[[], str]

#: What a step says that was rolled back.
ROLLED_BACK = "rolled back"


class _RolledBack(DatabaseError):
    """Raised instead of the commit."""


@dataclass(frozen=True)
class Interleaved:
    """What both steps said, and whether the second had to wait for the first."""

    first: str
    second: str
    waited: bool


class Interleaver:
    """Two threads, each with a connection that stays open from one pair of steps to the next."""

    def __init__(self) -> None:
        self._one = _Side()
        self._other = _Side()

    def interleave(self, first: Step, second: Step, *, rolls_back: bool = False) -> Interleaved:
        """Runs `second` while `first` has done all but its commit, which is then let go.

        With `rolls_back` it comes to a rollback instead. What either raises, a deadlock for one, is
        raised here.
        """
        held = _HeldCommit(rolls_back=rolls_back)
        with mock.patch.object(Statement, "_execute", _in_a_transaction(Statement._execute)):
            one = self._one.begin(first, held)
            try:
                held.wait_until_reached(one)
                other = self._other.begin(second)
                waited = self._waits(other)
            finally:
                held.may_go_on.set()
            return Interleaved(one.result(timeout=20), other.result(timeout=20), waited)

    def close(self) -> None:
        """Closes both connections."""
        self._one.close()
        self._other.close()

    def _waits(self, other: Future[str]) -> bool:
        """Whether the second comes to wait for the first; known when it does, or has ended."""
        wait([other], timeout=0.005)  # most have ended by then, or wait
        wait_until(
            lambda: other.done() or self._other.waits_for(self._one),
            timeout=20,
            what="the second step has ended or waits for the first",
        )
        return not other.done()


class _HeldCommit:
    """Stands in for a connection's `commit`, and holds the first one back that matters."""

    def __init__(self, *, rolls_back: bool) -> None:
        self.rolls_back = rolls_back
        self.reached = threading.Event()
        self.may_go_on = threading.Event()
        self.commit: Callable[[], None] = lambda: None

    def __call__(self) -> None:
        if not self.reached.is_set() and _has_written_or_locked():
            self.reached.set()
            assert self.may_go_on.wait(timeout=30), "nobody let it go on"
            if self.rolls_back:
                raise _RolledBack
        self.commit()

    def wait_until_reached(self, step: Future[str]) -> None:
        """Waits until the step is about to commit, or has ended without anything to commit."""
        step.add_done_callback(lambda _: self.reached.set())
        assert self.reached.wait(timeout=30), "the first step does not come to its commit"


class _Side:
    """A thread with a connection of its own."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._pid = self._thread.submit(self._connect).result(timeout=20)

    def begin(self, step: Step, held: _HeldCommit | None = None) -> Future[str]:
        return self._thread.submit(self._run, step, held)

    def waits_for(self, other: _Side) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s = ANY (pg_blocking_pids(%s))", [other._pid, self._pid])
            (waits,) = cursor.fetchone()
        return bool(waits)

    def close(self) -> None:
        self._thread.submit(self._disconnect).result(timeout=20)
        self._thread.shutdown()

    def _connect(self) -> int:
        connection.ensure_connection()
        return int(connection.connection.info.backend_pid)

    def _disconnect(self) -> None:
        connection.close()

    def _run(self, step: Step, held: _HeldCommit | None) -> str:
        if held is None:
            return step()
        database = connections[DEFAULT_DB_ALIAS]
        held.commit = database.commit
        try:
            with mock.patch.object(database, "commit", held):
                return step()
        except _RolledBack:
            return ROLLED_BACK


def _has_written_or_locked() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
        (has,) = cursor.fetchone()
    return bool(has)


def _in_a_transaction(
    execute: Callable[..., psycopg.Cursor[Any]],
) -> Callable[..., psycopg.Cursor[Any]]:
    """Where a commit is to be held back, a statement that commits by itself gets a transaction."""

    def executed(
        statement: Statement[Any], database: BaseDatabaseWrapper, parameters: dict[str, Any]
    ) -> psycopg.Cursor[Any]:
        if database.in_atomic_block or not isinstance(database.commit, _HeldCommit):
            return execute(statement, database, parameters)
        with transaction.atomic():
            return execute(statement, database, parameters)

    return executed
