"""PostgreSQL, by psycopg."""

from __future__ import annotations

import re
import threading
from typing import Any

import psycopg
from psycopg import Connection, sql

from skytrail.security.secrets.values import ConnectionValue
from workers.sql.work import Answer, CannotDo, DatabaseFailed, OnStatement, Work, rows_of

#: The scheme of a connection that leads here.
TYPES = frozenset({"postgres", "postgresql", "postgresql+psycopg"})

_CONNECT_SECONDS = 10

#: Told to stop, the server answers at once, or not at all.
_CANCEL_SECONDS = 5.0

#: These can be read through a cursor, so that only the rows that are kept travel.
_QUERY = re.compile(r"\s*(select|values|table)\b(?!.*\binto\b)", re.IGNORECASE | re.DOTALL)

#: Whether this role may write to a Skytrail. Found by name: a server has many names itself.
_IS_OURS = """
SELECT coalesce(bool_or(has_table_privilege(oid, 'INSERT, UPDATE, DELETE, TRUNCATE')), false)
FROM pg_catalog.pg_class WHERE relname = 'skytrail_task_run' AND relkind IN ('r', 'p')
"""


class PostgresDatabase:
    """See `Database`."""

    def __init__(self, value: ConnectionValue) -> None:
        self._arguments: dict[str, Any] = {
            "host": value.host or None,
            "port": value.port,
            "dbname": value.schema or None,
            "user": value.login or None,
            "password": value.password or None,
            **{name: str(setting) for name, setting in value.extra.items()},
        }
        self._lock = threading.Lock()
        self._connection: Connection[Any] | None = None
        self._is_stopped = False

    def do(self, work: Work, *, on_statement: OnStatement) -> Answer:
        try:
            with self._connect(work) as connection:
                self._prepare(connection, work)
                for number, statement in enumerate(work.statements[:-1], start=1):
                    on_statement(number)
                    _execute(connection.cursor(), statement, work)
                on_statement(len(work.statements))
                return self._last(connection, work)
        except psycopg.Error as error:
            for_good = isinstance(error, psycopg.ProgrammingError | psycopg.NotSupportedError)
            text = str(error).strip() or type(error).__name__
            raise DatabaseFailed(text, may_retry=not for_good) from None

    def stop(self) -> None:
        with self._lock:
            self._is_stopped = True
            connection = self._connection
        if connection is not None:
            try:
                connection.cancel_safe(timeout=_CANCEL_SECONDS)
            except psycopg.Error:
                connection.close()  # it does not answer; its transaction ends with it

    def _connect(self, work: Work) -> Connection[Any]:
        defaults = {"connect_timeout": _CONNECT_SECONDS, "application_name": "skytrail task"}
        arguments: dict[str, Any] = defaults | self._arguments
        connection: Connection[Any] = psycopg.connect(**arguments, autocommit=work.autocommit)
        with self._lock:
            self._connection = connection
            if self._is_stopped:
                connection.close()
        return connection

    def _prepare(self, connection: Connection[Any], work: Work) -> None:
        connection.read_only = work.read_only or None
        if work.statement_timeout is not None:
            scope = sql.SQL("" if work.autocommit else "LOCAL ")
            milliseconds = max(1, round(work.statement_timeout * 1000))
            connection.execute(
                sql.SQL("SET {}statement_timeout = {}").format(scope, sql.Literal(milliseconds))
            )
        row = connection.execute(_IS_OURS).fetchone()
        if row is not None and row[0]:
            raise CannotDo(
                "this is the database of a Skytrail, and the role may write to its tables; use "
                "another database, or a role that may only write to yours"
            )

    def _last(self, connection: Connection[Any], work: Work) -> Answer:
        statement = work.statements[-1]
        by_cursor = not work.autocommit and _QUERY.match(statement) is not None
        with connection.cursor(name="skytrail" if by_cursor else "") as cursor:
            _execute(cursor, statement, work)
            if cursor.description is None:
                return Answer(None, cursor.rowcount if cursor.rowcount >= 0 else None)
            rows = cursor.fetchmany(work.max_rows + 1)
            columns = [column.name for column in cursor.description]
        found = rows_of(columns, rows, most=work.max_rows)
        return Answer(found, len(found))


def _execute(cursor: Any, statement: str, work: Work) -> None:
    cursor.execute(statement.encode(), work.bound or None)
