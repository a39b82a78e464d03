"""Tasks that decide which others go on."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from dags_app.domain.commands.base import Command, TaskType
from dags_app.domain.commands.parts import DottedPath
from dags_app.domain.fields import Flag, TextOrScalar


class BranchCommand(Command):
    """Decides which of the next tasks go on; the others are skipped.

    Either `callable` returns the id (or a list of ids) of tasks directly downstream, or `value` is
    rendered and looked up in `cases`.
    """

    type: Literal[TaskType.BRANCH]
    callable: DottedPath | None = None
    """Dotted path of a function that returns the id or ids of the tasks to go on with."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    value: Annotated[TextOrScalar, Field(max_length=8192)] | None = None
    """A template, like `{{ outputs.check.quality }}`, whose text is looked up in `cases`."""
    cases: dict[str, list[str]] = {}
    """For each value, the ids of the tasks to go on with."""
    default: list[str] | None = None
    """The ids for any other value; without it, another value fails the task."""

    templated: ClassVar = frozenset({"args", "kwargs", "value"})

    @model_validator(mode="after")
    def _one_way_to_decide(self) -> Self:
        if (self.callable is None) == (self.value is None):
            raise PydanticCustomError(
                "branch_decision",
                "give either callable (a function that decides) or value and cases, and not both",
            )
        if self.value is not None and not self.cases:
            raise PydanticCustomError(
                "branch_decision", "give cases: which tasks follow which value"
            )
        if self.value is not None and (self.args or self.kwargs):
            raise PydanticCustomError(
                "branch_decision", "args and kwargs belong to callable; remove them beside value"
            )
        if self.callable is not None and (self.cases or self.default is not None):
            raise PydanticCustomError(
                "branch_decision", "cases and default belong to value; remove them beside callable"
            )
        return self


class ShortCircuitCommand(Command):
    """Goes on if something holds; if not, all that comes after it is skipped.

    Either `callable` returns something true or false, or `value` is rendered: false, 0, null and
    empty are false, and so are the words `false`, `no`, `off` and `0`.
    """

    type: Literal[TaskType.SHORT_CIRCUIT]
    callable: DottedPath | None = None
    """Dotted path of a function that returns whether to go on."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    value: Annotated[TextOrScalar, Field(max_length=8192)] | None = None
    """A template, like `{{ outputs.count.rows > 0 }}`, that says whether to go on."""
    ignore_downstream_trigger_rules: Flag = True
    """Whether everything behind it is skipped; if not, only what depends on it directly, and the
    trigger rules decide about the rest."""

    templated: ClassVar = frozenset({"args", "kwargs", "value"})

    @model_validator(mode="after")
    def _one_way_to_decide(self) -> Self:
        if (self.callable is None) == (self.value is None):
            raise PydanticCustomError(
                "short_circuit_decision",
                "give either callable (a function that decides) or value, and not both",
            )
        if self.value is not None and (self.args or self.kwargs):
            raise PydanticCustomError(
                "short_circuit_decision",
                "args and kwargs belong to callable; remove them beside value",
            )
        return self


class LatestOnlyCommand(Command):
    """Goes on in the latest scheduled run only; in earlier ones, and in backfills of the past, what
    depends on it is skipped. A run that somebody triggers always goes on.
    """

    type: Literal[TaskType.LATEST_ONLY]
