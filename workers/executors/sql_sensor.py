from __future__ import annotations

from dags_app.domain.commands import SqlSensorCommand
from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState
from workers.executors.contract import Call
from workers.executors.sql import ask
from workers.executors.waiting import look_again
from workers.sql.work import Work

#: Texts that mean no, as Airflow's SqlSensor has it: what a query counts may come as text.
_NO = frozenset({"", "0"})


class SqlSensorExecutor:
    """Asks until the first value of the first row is true; that row is the output then."""

    def execute(self, call: Call[SqlSensorCommand]) -> Outcome:
        command = call.command
        work = Work(
            statements=[command.sql],
            bound=command.bound,
            statement_timeout=command.statement_timeout_seconds,
            # What stands in further rows does not matter; more than these are a mistake.
            max_rows=1000,
            read_only=False,
        )
        answer = ask(call, command.conn_id, work)
        if answer.state is not TaskState.SUCCESS:
            return answer
        first = answer.output[0] if answer.output else {}
        value = next(iter(first.values()), None)
        if value and value not in _NO:
            return Outcome.success(first)
        shown = "no row" if not first else repr(value)
        return look_again(call.execution, command, f"the query gave {shown}")
