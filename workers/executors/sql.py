from __future__ import annotations

import time

from dags_app.domain.commands import SqlCommand
from runs_app.domain.outcomes import Outcome, Unkeepable
from skytrail.errors import SkytrailError
from workers.executors.contract import Call
from workers.sql.running import database_of, do
from workers.sql.work import CannotDo, DatabaseFailed, Work


class SqlExecutor:
    """Executes statements on the database of a connection, in one transaction.

    The rows of the last one are the output, a list of objects. What cannot be kept, more rows than
    `max_rows` for instance, fails the task and leaves the database as it was.
    """

    def execute(self, call: Call[SqlCommand]) -> Outcome:
        command = call.command
        work = Work(
            statements=[command.sql] if isinstance(command.sql, str) else command.sql,
            bound=command.bound,
            statement_timeout=command.statement_timeout_seconds,
            max_rows=command.max_rows,
            autocommit=command.autocommit,
            read_only=command.read_only,
        )
        return ask(call, command.conn_id, work)


def ask(call: Call, conn_id: str, work: Work) -> Outcome:  # type: ignore[type-arg]  # of any command
    """Success with the rows as output, or in what way it failed. Raises `Interrupted`."""
    secrets = call.services.secrets
    try:
        value = secrets.connection(conn_id)
    except SkytrailError as error:
        return Outcome.failed(f"conn_id: {error}", reason="no_connection")
    count = len(work.statements)
    what = "a statement" if count == 1 else f"{count} statements"
    call.log.write(f"executing {what} on {conn_id} ({value.conn_type})\n")
    started = time.monotonic()
    try:
        answer = do(database_of(value), work, call.interruption)
    except CannotDo as error:
        return Outcome.failed(f"sql: {error}", reason="sql_refused", may_retry=False)
    except DatabaseFailed as error:
        return Outcome.failed(f"sql: {error}", reason="sql_error", may_retry=error.may_retry)
    except Unkeepable as error:
        return Outcome.failed(f"sql: {error}", reason="bad_output", may_retry=False)
    took = time.monotonic() - started
    rows = "done" if answer.touched is None else _rows(answer.touched)
    call.log.write(f"{rows} in {took:.2f} s\n")
    return Outcome.success(answer.rows)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
