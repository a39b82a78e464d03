"""psycopg as Django wants a driver, with connections that do not wait for ever."""

from __future__ import annotations

import select
from typing import Any

import psycopg
from psycopg import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)
from psycopg.abc import RV, PQGen

__all__ = [
    "BoundedConnection",
    "DataError",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NoAnswer",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "connect",
]


class NoAnswer(OperationalError):
    """The server has said nothing for the time that a statement may take."""


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is given up when an answer takes too long.

    `answer_within` is in seconds; None waits as long as the network lets it. What happened to the
    statement is then unknown, as with any connection that breaks.
    """

    answer_within: float | None = None

    @classmethod
    def connect(  # type: ignore[override]  # one keyword more
        cls, conninfo: str = "", *, answer_within: float | None = None, **parameters: Any
    ) -> BoundedConnection:
        """Connects; for `parameters` see psycopg. `connect_timeout` bounds this one wait."""
        made = super().connect(conninfo, **parameters)
        made.answer_within = answer_within
        return made

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Waits for the server. All that psycopg asks of it comes through here."""
        if timeout is not None or self.answer_within is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.answer_within)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001  # what `wait` says that it raises
            self.pgconn.finish()  # what it would say later belongs to nobody's question
            limit = f"{self.answer_within:.3g} s"
            raise NoAnswer(f"the database has not answered within {limit}") from None

    def has_ended(self) -> bool:
        """Whether the server has hung up while nobody used this connection. Asks nothing of it."""
        look = select.poll()
        look.register(self.fileno(), select.POLLIN)
        try:
            while look.poll(0):  # an idle server has little to say: a notice, or goodbye
                self.pgconn.consume_input()
        except OperationalError:
            return True
        return self.closed


connect = BoundedConnection.connect
