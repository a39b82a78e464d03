"""Statements on the hot path: named, prepared by the server, with typed rows.

The ORM serves everything that is not in a hurry. A task's claim and finish are in a hurry, and are
single statements anyway, so they are written in SQL and prepared once per connection.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from typing import Any, Generic, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.rows import args_row

from skytrail.database.backend.dbapi import NoAnswer
from skytrail.database.trouble import Trouble, trouble_of

Row = TypeVar("Row")

#: How often a statement is tried that collides with others.
_TRIES = 4


@dataclasses.dataclass(frozen=True)
class Nothing:
    """The row of a statement that returns none."""


class Statement(Generic[Row]):
    """One SQL statement with `%(name)s` parameters, and the dataclass that its columns fill.

    Outside a transaction a statement commits by itself, in one round trip. There it also survives
    a connection that has died while idle: it reconnects and runs once more; and a deadlock, which
    it gives way to and then tries again. Whoever writes one sees to it that running twice is
    harmless, which a guard on state and epoch gives for free.

    What is asked for seldom and depends much on its values is not to be `prepared`: from the sixth
    time on the server plans a prepared statement without looking at them.
    """

    def __init__(self, name: str, sql: str, row: type[Row], *, prepared: bool = True) -> None:
        self.name = name
        self.sql = f"/* {name} */ {sql.strip()}"
        self.row = row
        self._is_prepared = prepared
        self._make_row = args_row(row)
        self._is_checked = row is Nothing

    def __repr__(self) -> str:
        return f"Statement({self.name!r})"

    def all(self, **parameters: Any) -> list[Row]:
        """Run, and return every row."""
        return self._run(parameters).fetchall()

    def one(self, **parameters: Any) -> Row | None:
        """Run, and return the row, or None where the guard let nothing through."""
        return self._run(parameters).fetchone()

    def count(self, **parameters: Any) -> int:
        """Run, and return how many rows it touched."""
        return self._run(parameters).rowcount

    def _run(self, parameters: dict[str, Any]) -> psycopg.Cursor[Row]:
        database = connections[DEFAULT_DB_ALIAS]
        left = _TRIES
        while True:
            left -= 1
            was_connected = database.connection is not None
            try:
                return self._execute(database, parameters)
            except OperationalError as error:
                if database.in_atomic_block or not left:
                    raise
                if trouble_of(error) is not Trouble.COLLISION:
                    # Who has waited in vain, for a connection or an answer, does not wait twice.
                    has_waited = not was_connected or isinstance(error.__cause__, NoAnswer)
                    if has_waited or database.is_usable():
                        raise
                    left = 1
                    database.close()

    def _execute(
        self, database: BaseDatabaseWrapper, parameters: dict[str, Any]
    ) -> psycopg.Cursor[Row]:
        database.ensure_connection()
        if database.in_atomic_block:
            database.validate_no_broken_transaction()
        started = time.monotonic()
        try:
            with database.wrap_database_errors:
                server = database.connection
                if server.prepare_threshold is None:
                    # Django switches preparing off. With this, only what asks for it is prepared.
                    server.prepare_threshold = sys.maxsize
                # Not Django's cursor: it binds on the client side, where nothing can be prepared.
                cursor = psycopg.Cursor(server, row_factory=self._make_row)
                cursor.execute(self.sql, parameters, prepare=self._is_prepared)
        finally:
            if database.queries_logged:
                database.queries_log.append(
                    {"sql": self.sql, "time": f"{time.monotonic() - started:.3f}"}
                )
        if not self._is_checked:
            self._check_columns(cursor)
        return cursor

    def _check_columns(self, cursor: psycopg.Cursor[Row]) -> None:
        """Columns fill the dataclass by position: they must stand in its order. Asked only once."""
        names = tuple(column.name for column in cursor.description or ())
        fields = tuple(field.name for field in dataclasses.fields(self.row))  # type: ignore[arg-type]
        if names != fields:
            raise TypeError(f"{self.name} returns {names}, {self.row.__name__} has {fields}")
        self._is_checked = True
