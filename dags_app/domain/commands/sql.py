"""SQL statements."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from dags_app.domain.commands.base import Command, TaskType
from dags_app.domain.commands.parts import check_bound, safe_statements
from dags_app.domain.fields import Flag, Identifier, Number, Whole


class SqlCommand(Command):
    """Executes SQL on a database that a connection names; the rows are the task's output."""

    type: Literal[TaskType.SQL]
    conn_id: Identifier
    """The connection of the database."""
    sql: Annotated[str | list[str], Field(min_length=1), AfterValidator(safe_statements)]
    """A statement, or several that are executed in turn in one transaction. Never rendered."""
    bound: dict[str, Any] | list[Any] = Field(default={}, alias="parameters")
    """Values for `%(name)s` (or `%s`) in the statement; templates are rendered here."""
    statement_timeout_seconds: Number | None = Field(default=None, gt=0, le=2_592_000)
    """How long each statement may take; null for no limit but the task's own."""
    autocommit: Flag = False
    """Whether each statement commits by itself."""
    read_only: Flag = False
    """Whether the transaction may only read."""
    max_rows: Whole = Field(default=1000, ge=0, le=100_000)
    """How many rows of the last statement are kept; more fail the task."""

    templated: ClassVar = frozenset({"bound"})

    @model_validator(mode="after")
    def _bound_as_written(self) -> Self:
        check_bound([self.sql] if isinstance(self.sql, str) else self.sql, self.bound)
        return self
