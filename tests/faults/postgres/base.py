"""Skytrail's backend for PostgreSQL, with connections that die before or after a write.

Faults strike where everything passes, Django's cursors, prepared statements and commits alike: at
the exchange with the server. What is only read is spared; it has nothing that could be half done.
"""

from __future__ import annotations

import inspect
import os
import re
import socket
from typing import Any

import psycopg

from skytrail.database.backend import base, dbapi
from tests.faults.dice import Fault, dice

_WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|TRUNCATE)\b")  # also: FOR NO KEY UPDATE
_NAME = re.compile(r"/\* (\w+) \*/")


class DyingConnection(dbapi.BoundedConnection):
    """A connection that is cut now and then, at a write or a commit."""

    def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        what = _what_is_written(gen)
        fault = dice.throw(what) if what else None
        if fault is Fault.BEFORE:
            gen.close()
            self._cut(what)
        answer = super().wait(gen, *arguments, **options)
        if fault is Fault.AFTER:
            self._cut(what)
        return answer

    def _cut(self, what: str) -> None:
        """As a server's restart or a firewall does it: whoever uses it next finds it dead."""
        with socket.socket(fileno=os.dup(self.pgconn.socket)) as line:
            line.shutdown(socket.SHUT_RDWR)
        raise psycopg.OperationalError(f"the connection was cut at {what}, on purpose")


class DatabaseWrapper(base.DatabaseWrapper):
    """See above."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        # Some are made by Django, others by a pool, each in a way of its own.
        connection.__class__ = DyingConnection
        return connection


def _what_is_written(gen: Any) -> str:
    """The name of the statement that `gen` is about to execute; empty if it writes nothing."""
    if "_commit_gen" in gen.__qualname__:
        return "COMMIT"
    query = str(inspect.getgeneratorlocals(gen).get("query", ""))
    if not _WRITES.search(query):
        return ""
    named = _NAME.match(query)
    return named[1] if named else " ".join(query.split()[:3])
