"""Tasks that run code: a shell command, a Python function, a Celery task; or none at all."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from dags_app.domain.commands.base import Command, TaskType
from dags_app.domain.commands.parts import DottedPath, Environment, OutputNames, safe_command
from dags_app.domain.fields import IN_WHOLES


class EmptyCommand(Command):
    """Does nothing: a place where branches meet or part."""

    type: Literal[TaskType.EMPTY] = TaskType.EMPTY


class BashCommand(Command):
    """Runs a shell command in a process of its own."""

    type: Literal[TaskType.BASH]
    command: Annotated[str, Field(min_length=1, max_length=65_536), AfterValidator(safe_command)]
    """What bash is to run. Parameters arrive as environment variables: `$SKYTRAIL_PARAM_<NAME>`."""
    env: Environment = {}
    """More environment variables; templates like `{{ outputs.fetch.rows }}` are rendered here."""
    cwd: str | None = Field(default=None, max_length=4096)
    """The working directory; by default a temporary one that is removed afterwards."""
    skip_on_exit_code: Annotated[int, Field(strict=True, ge=1, le=255), IN_WHOLES] | None = 99
    """The exit code that means "skipped" instead of "failed"; null for none."""

    templated: ClassVar = frozenset({"env", "cwd"})


class PythonCommand(Command):
    """Calls a Python function in the worker; what it returns is the task's output."""

    type: Literal[TaskType.PYTHON]
    callable: DottedPath
    """Dotted path of the function, like `my_project.reports.build`."""
    args: list[Any] = []
    """Positional arguments; templates are rendered."""
    kwargs: dict[str, Any] = {}
    """Keyword arguments; templates are rendered."""
    outputs: OutputNames = []
    """The names of its outputs: the function returns a dict with just these keys. Each is kept by
    itself, and used as `{{ outputs.task.name }}`; a name that is not among them is refused."""
    multiple_outputs: bool = False
    """Whether each entry of the dict that it returns is an output of its own, whatever its name."""

    templated: ClassVar = frozenset({"args", "kwargs"})


class CeleryCommand(Command):
    """Runs a Celery task that is registered in the worker, such as an existing `@shared_task`."""

    type: Literal[TaskType.CELERY]
    task: str = Field(min_length=1, max_length=500)
    """The name under which the Celery task is registered, like `shop.tasks.send_invoice`."""
    args: list[Any] = []
    """Positional arguments; templates are rendered."""
    kwargs: dict[str, Any] = {}
    """Keyword arguments; templates are rendered."""

    templated: ClassVar = frozenset({"args", "kwargs"})
