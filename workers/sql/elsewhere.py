"""Every other database that SQLAlchemy knows a driver for."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.pool import NullPool

from dags_app.domain.placeholders import translate
from skytrail.security.secrets.values import ConnectionValue
from workers.sql.work import Answer, CannotDo, DatabaseFailed, OnStatement, Work, rows_of

#: Sets a transaction to reading only, by dialect; where there is nothing it cannot be promised.
_READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "mysql": "SET TRANSACTION READ ONLY",
    "mariadb": "SET TRANSACTION READ ONLY",
}

#: How drivers want a place for a value, by what PEP 249 calls their `paramstyle`.
_PLACES: dict[str, Callable[[str | None, int], str]] = {
    "qmark": lambda _, __: "?",
    "numeric": lambda _, number: f":{number}",
    "numeric_dollar": lambda _, number: f"${number}",
    "named": lambda name, number: f":{name or f'p{number}'}",
    "format": lambda _, __: "%s",
    "pyformat": lambda name, number: f"%({name or f'p{number}'})s",
}
_BY_NAME = frozenset({"named", "pyformat"})
_READS_PER_CENT = frozenset({"format", "pyformat"})


class OtherDatabase:
    """See `Database`."""

    def __init__(self, value: ConnectionValue) -> None:
        self._value = value
        self._lock = threading.Lock()
        self._driver: Any = None
        self._is_stopped = False

    def do(self, work: Work, *, on_statement: OnStatement) -> Answer:
        engine = self._engine()
        try:
            with engine.connect() as connection:
                self._keep(connection)
                if work.autocommit:
                    connection.execution_options(isolation_level="AUTOCOMMIT")
                self._begin(connection, work)
                answer = _all(connection, work, on_statement)
                connection.commit()
                return answer
        except DBAPIError as error:
            for_good = isinstance(error, ProgrammingError | NotSupportedError | InterfaceError)
            raise DatabaseFailed(str(error.orig), may_retry=not for_good) from None
        except SQLAlchemyError as error:
            raise DatabaseFailed(str(error), may_retry=True) from None
        finally:
            engine.dispose()

    def stop(self) -> None:
        with self._lock:
            self._is_stopped = True
            driver = self._driver
        for name in ("interrupt", "cancel", "close"):
            act = getattr(driver, name, None)
            if callable(act):
                with contextlib.suppress(Exception):
                    act()
                return

    def _engine(self) -> Engine:
        value = self._value
        try:
            url = sqlalchemy.URL.create(
                value.conn_type,
                username=value.login or None,
                password=value.password or None,
                host=value.host or None,
                port=value.port,
                database=value.schema or None,
                query={name: str(setting) for name, setting in value.extra.items()},
            )
            return sqlalchemy.create_engine(url, poolclass=NullPool, hide_parameters=True)
        except (NoSuchModuleError, ArgumentError):
            raise CannotDo(
                f"no database is known as {value.conn_type}; use a connection of type postgresql, "
                "sqlite, mysql+pymysql or another one that SQLAlchemy knows"
            ) from None
        except ImportError as error:
            raise CannotDo(
                f"the driver for {value.conn_type} is not installed in the worker: {error}"
            ) from None

    def _keep(self, connection: Connection) -> None:
        with self._lock:
            self._driver = connection.connection.dbapi_connection
            if self._is_stopped:
                raise DatabaseFailed("it was told to stop", may_retry=True)

    def _begin(self, connection: Connection, work: Work) -> None:
        dialect = connection.dialect.name
        if work.read_only:
            if dialect not in _READ_ONLY:
                raise CannotDo(
                    f"read_only cannot be promised for {dialect}; use a role that may only read"
                )
            connection.exec_driver_sql(_READ_ONLY[dialect])
        if dialect == "sqlite" and not work.autocommit:
            # By itself the driver begins only at the first change, and never for CREATE or DROP.
            self._driver.isolation_level = None
            connection.exec_driver_sql("BEGIN")


def _all(connection: Connection, work: Work, on_statement: OnStatement) -> Answer:
    answer = Answer(None, None)
    for number, statement in enumerate(work.statements, start=1):
        on_statement(number)
        text, values = _written(connection.dialect.paramstyle, statement, work)
        result = connection.exec_driver_sql(text, values)
        if number < len(work.statements):
            result.close()
        elif result.returns_rows:
            rows = result.fetchmany(work.max_rows + 1)
            found = rows_of(list(result.keys()), rows, most=work.max_rows)
            answer = Answer(found, len(found))
        else:
            answer = Answer(None, result.rowcount if result.rowcount >= 0 else None)
    return answer


def _written(style: str, statement: str, work: Work) -> tuple[str, Any]:
    """The statement and its values as the driver wants them."""
    if not work.bound:
        # What is not to be filled in is not to be mistaken for a place either.
        return statement.replace("%", "%%") if style in _READS_PER_CENT else statement, None
    names: list[str | None] = []

    def place(name: str | None, number: int) -> str:
        names.append(name)
        return _PLACES[style](name, number)

    text = translate(statement, place=place, doubled=style in _READS_PER_CENT)
    bound = work.bound
    values = [
        bound[name if name is not None else number]  # type: ignore[index]  # by kind
        for number, name in enumerate(names)
    ]
    if style in _BY_NAME:
        keys = [name or f"p{number}" for number, name in enumerate(names, start=1)]
        return text, dict(zip(keys, values, strict=True))
    return text, tuple(values)
