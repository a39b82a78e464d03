"""A class for each type of task. Arguments that are not given have the definition's defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, Unpack

from dags_app.authoring.options import OF_SENSORS, Duration, OperatorOptions, SensorOperatorOptions
from dags_app.authoring.tasks import UNSET, Function, Task


class Empty(Task):
    """Does nothing: a place where branches meet or part."""

    type = "empty"

    def __init__(self, task_id: str, **options: Unpack[OperatorOptions]) -> None:
        super().__init__(task_id, {}, options)


class Bash(Task):
    """Runs a shell command in a process of its own. Its output is what it writes to the file
    `$SKYTRAIL_OUTPUT`.

    The command is never rendered: values reach it as environment variables, through `env`.
    """

    type = "bash"

    def __init__(
        self,
        task_id: str,
        *,
        command: str,
        env: Mapping[str, object] = UNSET,
        cwd: str | None = UNSET,
        skip_on_exit_code: int | None = UNSET,
        **options: Unpack[OperatorOptions],
    ) -> None:
        own = {"command": command, "env": env, "cwd": cwd, "skip_on_exit_code": skip_on_exit_code}
        super().__init__(task_id, own, options)


class Python(Task):
    """Calls a function in the worker; what it returns is the output."""

    type = "python"

    def __init__(
        self,
        task_id: str,
        *,
        callable: Function,  # noqa: A002  # its name in a definition
        args: Sequence[object] = UNSET,
        kwargs: Mapping[str, object] = UNSET,
        outputs: Sequence[str] = UNSET,
        multiple_outputs: bool = UNSET,
        **options: Unpack[OperatorOptions],
    ) -> None:
        own = {
            "callable": callable,
            "args": args,
            "kwargs": kwargs,
            "outputs": outputs,
            "multiple_outputs": multiple_outputs,
        }
        super().__init__(task_id, own, options)


class Celery(Task):
    """Runs a Celery task that is registered in the worker, such as an existing `@shared_task`."""

    type = "celery"

    def __init__(
        self,
        task_id: str,
        *,
        task: str,
        args: Sequence[object] = UNSET,
        kwargs: Mapping[str, object] = UNSET,
        **options: Unpack[OperatorOptions],
    ) -> None:
        super().__init__(task_id, {"task": task, "args": args, "kwargs": kwargs}, options)


class Http(Task):
    """Makes an HTTP request; the response is the output."""

    type = "http"

    def __init__(
        self,
        task_id: str,
        *,
        uri: str,
        conn_id: str | None = UNSET,
        method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = UNSET,
        headers: Mapping[str, object] = UNSET,
        params: Mapping[str, object] = UNSET,
        json: object = UNSET,
        body: str | None = UNSET,
        expected_status: Sequence[int | str] = UNSET,
        request_timeout_seconds: Duration = UNSET,
        max_response_bytes: int = UNSET,
        **options: Unpack[OperatorOptions],
    ) -> None:
        own = {
            "uri": uri,
            "conn_id": conn_id,
            "method": method,
            "headers": headers,
            "params": params,
            "json": json,
            "body": body,
            "expected_status": expected_status,
            "request_timeout_seconds": request_timeout_seconds,
            "max_response_bytes": max_response_bytes,
        }
        super().__init__(task_id, own, options)


class Sql(Task):
    """Executes SQL on the database of a connection; the rows are the output.

    The statement is never rendered: values reach it as `parameters`.
    """

    type = "sql"

    def __init__(
        self,
        task_id: str,
        *,
        conn_id: str,
        sql: str | Sequence[str],
        parameters: Mapping[str, object] | Sequence[object] = UNSET,
        statement_timeout_seconds: Duration | None = UNSET,
        autocommit: bool = UNSET,
        read_only: bool = UNSET,
        max_rows: int = UNSET,
        **options: Unpack[OperatorOptions],
    ) -> None:
        own = {
            "conn_id": conn_id,
            "sql": sql,
            "parameters": parameters,
            "statement_timeout_seconds": statement_timeout_seconds,
            "autocommit": autocommit,
            "read_only": read_only,
            "max_rows": max_rows,
        }
        super().__init__(task_id, own, options)


class Branch(Task):
    """Decides which of the next tasks go on; the others are skipped.

    Either `callable` returns their ids, or `value` (a template) is looked up in `cases`.
    """

    type = "branch"

    def __init__(
        self,
        task_id: str,
        *,
        callable: Function | None = UNSET,  # noqa: A002  # its name in a definition
        args: Sequence[object] = UNSET,
        kwargs: Mapping[str, object] = UNSET,
        value: object = UNSET,
        cases: Mapping[str, Sequence[str]] = UNSET,
        default: Sequence[str] | None = UNSET,
        **options: Unpack[OperatorOptions],
    ) -> None:
        own = {
            "callable": callable,
            "args": args,
            "kwargs": kwargs,
            "value": value,
            "cases": cases,
            "default": default,
        }
        super().__init__(task_id, own, options)


class ShortCircuit(Task):
    """Goes on if `callable` returns something true, or `value` (a template) comes out true; if not,
    what follows is skipped.
    """

    type = "short_circuit"

    def __init__(
        self,
        task_id: str,
        *,
        callable: Function | None = UNSET,  # noqa: A002  # its name in a definition
        args: Sequence[object] = UNSET,
        kwargs: Mapping[str, object] = UNSET,
        value: object = UNSET,
        ignore_downstream_trigger_rules: bool = UNSET,
        **options: Unpack[OperatorOptions],
    ) -> None:
        own = {
            "callable": callable,
            "args": args,
            "kwargs": kwargs,
            "value": value,
            "ignore_downstream_trigger_rules": ignore_downstream_trigger_rules,
        }
        super().__init__(task_id, own, options)


class LatestOnly(Task):
    """Goes on in the latest scheduled run only."""

    type = "latest_only"

    def __init__(self, task_id: str, **options: Unpack[OperatorOptions]) -> None:
        super().__init__(task_id, {}, options)


class TriggerDag(Task):
    """Triggers a run of another DAG and, if wished, waits for its end."""

    type = "trigger_dag"

    def __init__(
        self,
        task_id: str,
        *,
        dag_id: str,
        conf: Mapping[str, object] = UNSET,
        run_id: str | None = UNSET,
        logical_date: str | datetime | None = UNSET,
        wait_for_completion: bool = UNSET,
        poke_interval: Duration = UNSET,
        poke_interval_seconds: Duration = UNSET,
        wait_timeout_seconds: Duration = UNSET,
        allowed_states: Iterable[str] = UNSET,
        failed_states: Iterable[str] = UNSET,
        **options: Unpack[OperatorOptions],
    ) -> None:
        own = {
            "dag_id": dag_id,
            "conf": conf,
            "run_id": run_id,
            "logical_date": logical_date,
            "wait_for_completion": wait_for_completion,
            "poke_interval": poke_interval,
            "poke_interval_seconds": poke_interval_seconds,
            "wait_timeout_seconds": wait_timeout_seconds,
            "allowed_states": allowed_states,
            "failed_states": failed_states,
        }
        super().__init__(task_id, own, options)


class Approval(Task):
    """Waits until somebody has approved or rejected."""

    type = "approval"

    def __init__(
        self,
        task_id: str,
        *,
        subject: str,
        body: str = UNSET,
        options: Sequence[str] = UNSET,
        approving: Iterable[str] = UNSET,
        default: str | None = UNSET,
        on_reject: Literal["fail", "skip"] = UNSET,
        assigned_users: Iterable[str] = UNSET,
        wait_timeout_seconds: Duration | None = UNSET,
        **settings: Unpack[OperatorOptions],
    ) -> None:
        own = {
            "subject": subject,
            "body": body,
            "options": options,
            "approving": approving,
            "default": default,
            "on_reject": on_reject,
            "assigned_users": assigned_users,
            "wait_timeout_seconds": wait_timeout_seconds,
        }
        super().__init__(task_id, own, settings)


class Sensor(Task):
    """A task that waits: it looks, and looks again, and holds no worker between two looks."""

    shared = OF_SENSORS


class PythonSensor(Sensor):
    """Waits until a function returns something true, which is the output."""

    type = "python_sensor"

    def __init__(
        self,
        task_id: str,
        *,
        callable: Function,  # noqa: A002  # its name in a definition
        args: Sequence[object] = UNSET,
        kwargs: Mapping[str, object] = UNSET,
        **options: Unpack[SensorOperatorOptions],
    ) -> None:
        super().__init__(task_id, {"callable": callable, "args": args, "kwargs": kwargs}, options)


class FileSensor(Sensor):
    """Waits until a file is there."""

    type = "file_sensor"

    def __init__(
        self, task_id: str, *, path: str, **options: Unpack[SensorOperatorOptions]
    ) -> None:
        super().__init__(task_id, {"path": path}, options)


class HttpSensor(Sensor):
    """Waits until a request is answered as expected."""

    type = "http_sensor"

    def __init__(
        self,
        task_id: str,
        *,
        uri: str,
        conn_id: str | None = UNSET,
        method: Literal["GET", "HEAD", "POST"] = UNSET,
        headers: Mapping[str, object] = UNSET,
        params: Mapping[str, object] = UNSET,
        expected_status: Sequence[int | str] = UNSET,
        condition: str | None = UNSET,
        request_timeout_seconds: Duration = UNSET,
        **options: Unpack[SensorOperatorOptions],
    ) -> None:
        own = {
            "uri": uri,
            "conn_id": conn_id,
            "method": method,
            "headers": headers,
            "params": params,
            "expected_status": expected_status,
            "condition": condition,
            "request_timeout_seconds": request_timeout_seconds,
        }
        super().__init__(task_id, own, options)


class SqlSensor(Sensor):
    """Waits until a query's first value is true."""

    type = "sql_sensor"

    def __init__(
        self,
        task_id: str,
        *,
        conn_id: str,
        sql: str,
        parameters: Mapping[str, object] | Sequence[object] = UNSET,
        statement_timeout_seconds: Duration = UNSET,
        **options: Unpack[SensorOperatorOptions],
    ) -> None:
        own = {
            "conn_id": conn_id,
            "sql": sql,
            "parameters": parameters,
            "statement_timeout_seconds": statement_timeout_seconds,
        }
        super().__init__(task_id, own, options)


class ExternalSensor(Sensor):
    """Waits until the run of another DAG, or tasks of it, have ended well."""

    type = "external_sensor"

    def __init__(
        self,
        task_id: str,
        *,
        dag_id: str,
        task_ids: Iterable[str] = UNSET,
        run_id: str | None = UNSET,
        logical_date: str | datetime | None = UNSET,
        delta_seconds: Duration = UNSET,
        allowed_states: Iterable[str] = UNSET,
        failed_states: Iterable[str] = UNSET,
        **options: Unpack[SensorOperatorOptions],
    ) -> None:
        own = {
            "dag_id": dag_id,
            "task_ids": task_ids,
            "run_id": run_id,
            "logical_date": logical_date,
            "delta_seconds": delta_seconds,
            "allowed_states": allowed_states,
            "failed_states": failed_states,
        }
        super().__init__(task_id, own, options)


class TimeSensor(Task):
    """Waits until a time has come: it wakes up once, just then."""

    type = "time_sensor"

    def __init__(
        self,
        task_id: str,
        *,
        until: str | datetime | None = UNSET,
        delay_seconds: Duration | None = UNSET,
        **options: Unpack[OperatorOptions],
    ) -> None:
        super().__init__(task_id, {"until": until, "delay_seconds": delay_seconds}, options)


#: Each type's class.
OPERATORS: dict[str, type[Task]] = {
    kind.type: kind
    for kind in (
        Empty,
        Bash,
        Python,
        Celery,
        Http,
        Sql,
        Branch,
        ShortCircuit,
        LatestOnly,
        PythonSensor,
        FileSensor,
        HttpSensor,
        SqlSensor,
        TimeSensor,
        ExternalSensor,
        Approval,
        TriggerDag,
    )
}
