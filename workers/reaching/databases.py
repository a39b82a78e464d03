"""Trying a database: `SELECT 1`, by the driver that sql tasks use."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from skytrail.security.secrets.values import ConnectionValue
from workers.reaching.verdict import Verdict
from workers.sql.postgres import TYPES as POSTGRES
from workers.sql.running import database_of
from workers.sql.work import CannotDo, DatabaseFailed, Work

_SECONDS = 5.0


def is_database(conn_type: str) -> bool:
    """Whether sql tasks could use it, were the driver there."""
    if conn_type in POSTGRES:
        return True
    try:
        sqlalchemy.URL.create(conn_type).get_dialect()
    except (NoSuchModuleError, ArgumentError):
        return False
    except ImportError:
        pass  # the dialect is known; what is missing is said when it is tried
    return True


def try_database(value: ConnectionValue) -> Verdict:
    """Logs in and asks for a one."""
    if value.conn_type.startswith("sqlite") and _is_missing(value.schema):
        hint = "" if value.schema.startswith("/") else "; an absolute path begins with /"
        return Verdict("failed", f"there is no file {value.schema} where this was tested{hint}")
    nothing = " FROM dual" if value.conn_type.startswith("oracle") else ""
    work = Work(
        statements=[f"SELECT 1 AS one{nothing}"],
        bound=(),
        statement_timeout=_SECONDS,
        max_rows=1,
    )
    try:
        database_of(value).do(work, on_statement=lambda _number: None)
    except (CannotDo, DatabaseFailed) as error:
        return Verdict("failed", str(error))
    return Verdict("ok", "logged in, and SELECT 1 was answered")


def _is_missing(file: str) -> bool:
    """SQLite would make it."""
    return bool(file) and ":memory:" not in file and not Path(file).is_file()
