"""Statements on the hot path: named, prepared by the server, with typed rows.

The ORM serves everything that is not in a hurry. A task's claim and finish are in a hurry, and are
single statements anyway, so they are written in SQL and prepared once per connection.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import psycopg
from django.db import OperationalError, connection
from psycopg.rows import args_row

Row = TypeVar("Row")


@dataclasses.dataclass(frozen=True)
class Nothing:
    """The row of a statement that returns none."""


class Statement(Generic[Row]):
    """One SQL statement with `%(name)s` parameters, and the dataclass that its columns fill.

    Outside a transaction a statement commits by itself, in one round trip. There it also survives a
    connection that has died while idle: it reconnects and runs once more. Whoever writes one sees to
    it that running twice is harmless, which a guard on state and epoch gives for free.
    """

    def __init__(self, name: str, sql: str, row: type[Row]) -> None:
        self.name = name
        self.sql = f"/* {name} */ {sql.strip()}"
        self.row = row
        self._columns = tuple(field.name for field in dataclasses.fields(row))  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return f"Statement({self.name!r})"

    def all(self, **parameters: Any) -> list[Row]:
        """Run, and return every row."""
        cursor = self._run(parameters)
        return cursor.fetchall() if cursor.description else []

    def one(self, **parameters: Any) -> Row | None:
        """Run, and return the row, or None where the guard let nothing through."""
        return self._run(parameters).fetchone()

    def count(self, **parameters: Any) -> int:
        """Run, and return how many rows it touched."""
        return self._run(parameters).rowcount

    def _run(self, parameters: dict[str, Any]) -> psycopg.Cursor[Row]:
        try:
            return self._execute(parameters)
        except OperationalError:
            if connection.in_atomic_block or connection.is_usable():
                raise
            connection.close()
            return self._execute(parameters)

    def _execute(self, parameters: dict[str, Any]) -> psycopg.Cursor[Row]:
        connection.ensure_connection()
        if connection.in_atomic_block:
            connection.validate_no_broken_transaction()
        started = time.monotonic()
        try:
            with connection.wrap_database_errors:
                # Not Django's cursor: it binds on the client side, which cannot be prepared.
                cursor = connection.connection.cursor(row_factory=args_row(self.row))
                cursor.execute(self.sql, parameters, prepare=True)
        finally:
            if connection.queries_logged:
                connection.queries_log.append(
                    {"sql": self.sql, "time": f"{time.monotonic() - started:.3f}"}
                )
        self._check_columns(cursor.description)
        return cursor

    def _check_columns(self, description: Sequence[Any] | None) -> None:
        """Columns fill the dataclass by position: they must stand in its order."""
        names = tuple(column.name for column in description or ())
        if names and names != self._columns:
            raise TypeError(f"{self.name} returns {names}, {self.row.__name__} has {self._columns}")
