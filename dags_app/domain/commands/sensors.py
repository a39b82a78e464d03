"""Tasks that wait for something, and hold no worker while they do."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from dags_app.domain.commands.base import Command, TaskType
from dags_app.domain.commands.parts import (
    DottedPath,
    HeaderName,
    HeaderValue,
    HttpUri,
    StatusRule,
    check_bound,
    safe_sql,
    sorted_rules,
)
from dags_app.domain.fields import NO_OTHER_KEYS, Flag, Identifier, Number, Scalar, WordSet

#: As long as people know it from Airflow: a week.
A_WEEK = 604_800.0


class SensorCommand(Command):
    """What all sensors have in common: they look, and look again."""

    poke_interval_seconds: Number = Field(default=60.0, ge=0.1, le=86_400)
    """How long to wait before looking again."""
    wait_timeout_seconds: Number = Field(default=A_WEEK, gt=0, le=31_536_000)
    """How long to wait in all, from the first look; then it fails, without another try."""
    soft_fail: Flag = False
    """Whether it is skipped instead of failed when its time is up."""


class PythonSensorCommand(SensorCommand):
    """Waits until a Python function returns something true."""

    type: Literal[TaskType.PYTHON_SENSOR]
    callable: DottedPath
    """Dotted path of the function: what it returns, if it is true, is the output."""
    args: list[Any] = []
    """Positional arguments; templates are rendered."""
    kwargs: dict[str, Any] = {}
    """Keyword arguments; templates are rendered."""

    templated: ClassVar = frozenset({"args", "kwargs"})


class FileSensorCommand(SensorCommand):
    """Waits until a file is there."""

    type: Literal[TaskType.FILE_SENSOR]
    path: str = Field(min_length=1, max_length=4096)
    """A path on the worker, or an address like `s3://bucket/day={{ ds }}/*.csv`; `*` and `**` stand
    for anything."""

    templated: ClassVar = frozenset({"path"})


class HttpSensorCommand(SensorCommand):
    """Waits until a request is answered as expected."""

    type: Literal[TaskType.HTTP_SENSOR]
    conn_id: Identifier | None = None
    """A connection that knows the host, and what to send along: login, token, headers."""
    uri: HttpUri
    """Where to: http:// or https://, or with `conn_id` a path; templates are rendered."""
    method: Literal["GET", "HEAD", "POST"] = "GET"
    headers: Annotated[dict[HeaderName, HeaderValue], NO_OTHER_KEYS] = {}
    """Request headers; templates are rendered."""
    params: dict[str, Scalar] = {}
    """The query string's keys and values; templates are rendered."""
    expected_status: Annotated[list[StatusRule], AfterValidator(sorted_rules)] = Field(
        default=["200-299"], min_length=1
    )
    """The statuses that mean that it is there; any other means: not yet."""
    condition: str | None = Field(default=None, max_length=8192)
    """A template over `response` (as the output of an http task) that has to come out true as well,
    like `{{ response.json.state == "done" }}`."""
    request_timeout_seconds: Number = Field(default=30.0, gt=0, le=3600)
    """How long to wait for a connection, and for each part of the response."""

    templated: ClassVar = frozenset({"uri", "headers", "params"})


class SqlSensorCommand(SensorCommand):
    """Waits until a query's first value is true."""

    type: Literal[TaskType.SQL_SENSOR]
    conn_id: Identifier
    """The connection of the database."""
    sql: Annotated[str, Field(min_length=1, max_length=65_536), AfterValidator(safe_sql)]
    """A query whose first row's first value decides: no row, 0, null, false and empty text mean:
    not yet."""
    bound: dict[str, Any] | list[Any] = Field(default={}, alias="parameters")
    """Values for `%(name)s` (or `%s`) in the query; templates are rendered here."""
    statement_timeout_seconds: Number = Field(default=60.0, gt=0, le=86_400)
    """How long the query may take."""

    templated: ClassVar = frozenset({"bound"})

    @model_validator(mode="after")
    def _bound_as_written(self) -> Self:
        check_bound([self.sql], self.bound)
        return self


class TimeSensorCommand(Command):
    """Waits until a time has come: it wakes up once, just then."""

    type: Literal[TaskType.TIME_SENSOR]
    until: str | None = Field(default=None, max_length=500)
    """A date and time with an offset; templates are rendered, like `{{ data_interval_end }}`."""
    delay_seconds: Number | None = Field(default=None, ge=0, le=31_536_000)
    """So many seconds after `until`, or after the end of the run's data interval without it."""

    templated: ClassVar = frozenset({"until"})

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.until is None and self.delay_seconds is None:
            raise PydanticCustomError(
                "no_time", "say which time to wait for: until, or delay_seconds, or both"
            )
        return self


class ExternalSensorCommand(SensorCommand):
    """Waits until the run of another DAG, or a task of it, has ended well."""

    type: Literal[TaskType.EXTERNAL_SENSOR]
    dag_id: Identifier
    """The other DAG."""
    task_ids: WordSet = []
    """Its tasks that are waited for, all of them; without it the run itself."""
    run_id: str | None = Field(default=None, max_length=500)
    """The run that is waited for; templates are rendered. Without it the one of our date."""
    logical_date: str | None = Field(default=None, max_length=500)
    """The logical date of the run that is waited for; templates are rendered."""
    delta_seconds: Number = Field(default=0.0, ge=-31_536_000, le=31_536_000)
    """The other run's logical date is earlier than ours by so many seconds."""
    allowed_states: WordSet = ["success"]
    """States that mean that it has ended well."""
    failed_states: WordSet = ["cancelled", "failed", "upstream_failed"]
    """States that fail this task at once."""

    templated: ClassVar = frozenset({"run_id", "logical_date"})
