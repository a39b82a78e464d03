"""What a task does: its type, and the parameters that belong to it.

A `Command` is this part of a task alone. It is stored by the digest of its canonical form, so that
equal commands are one row and a worker can tell whether what it got is what was asked for.
Adding a type here is one half of adding an executor; the other is in `workers/executors`.
"""

from __future__ import annotations

import enum
import hashlib
import json
import re
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError


class TaskType(enum.StrEnum):
    """The kinds of task that workers know how to execute."""

    EMPTY = "empty"
    BASH = "bash"
    PYTHON = "python"
    CELERY = "celery"
    HTTP = "http"
    BRANCH = "branch"


_DOTTED_PATH = re.compile(
    r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*[.:][A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII
)
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
# What is known to be a value of the run; `{{.State}}` of docker's Go templates is left alone.
_PASTED_VALUE = re.compile(
    r"{{-?\s*((?:params|outputs|conf|run_id|dag_id|task_id|logical_date)\b[^}]*)"
)
_STATUS_RANGE = re.compile(r"[1-5]\d\d(-[1-5]\d\d)?", re.ASCII)


def _dotted_path(value: str) -> str:
    if not _DOTTED_PATH.fullmatch(value):
        raise PydanticCustomError(
            "dotted_path",
            "write a dotted path to a function, like my_project.reports.build or "
            "my_project.reports:build",
        )
    return value


def _safe_command(value: str) -> str:
    if match := _PASTED_VALUE.search(value):
        expression = match.group(1).strip()
        raise PydanticCustomError(
            "pasted_value",
            "a value pasted into a shell command could run as code; hand it over as an environment "
            'variable instead: "env": {"VALUE": "{{ {expression} }}"} and "$VALUE" in the command',
            {"expression": expression},
        )
    return value


def _env_names(value: dict[str, Any]) -> dict[str, Any]:
    for name in value:
        if not _ENV_NAME.fullmatch(name):
            raise PydanticCustomError(
                "env_name",
                "{name} is no name for an environment variable; use letters, digits and _",
                {"name": repr(name)},
            )
        if name.startswith("SKYTRAIL_"):
            raise PydanticCustomError(
                "env_name",
                "{name} is taken: names that begin with SKYTRAIL_ are set by Skytrail",
                {"name": repr(name)},
            )
    return value


def _status_rule(value: int | str) -> int | str:
    if not _STATUS_RANGE.fullmatch(str(value)):
        raise PydanticCustomError(
            "status_rule", 'give a status like 200 or a range like "200-299", from 100 to 599'
        )
    return value


def _http_uri(value: str) -> str:
    # A template may stand for the host too: the whole is checked again when it is rendered.
    if not re.match(r"(https?://|{{)", value):
        raise PydanticCustomError("http_uri", "begin with http:// or https://")
    return value


DottedPath = Annotated[str, Field(max_length=500), AfterValidator(_dotted_path)]
Environment = Annotated[dict[str, str | int | float | bool], AfterValidator(_env_names)]
StatusRule = Annotated[int | str, AfterValidator(_status_rule)]


class Command(BaseModel):
    """A task's type and its parameters: all that an executor is told by the author."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    type: TaskType

    #: Parameters in which `{{ … }}` is rendered before the command runs.
    templated: ClassVar[frozenset[str]] = frozenset()

    def parameters(self) -> dict[str, Any]:
        """The parameters that differ from their defaults, as JSON values."""
        return self.model_dump(mode="json", by_alias=True, exclude={"type"}, exclude_defaults=True)

    def canonical(self) -> str:
        """The text that is stored and summed: JSON with sorted keys and no blanks."""
        document = {"type": self.type, **self.parameters()}
        return json.dumps(document, sort_keys=True, separators=(",", ":"))


def digest_of(canonical: str) -> str:
    """The digest under which a command's canonical text is stored: SHA-256 in hexadecimal."""
    return hashlib.sha256(canonical.encode()).hexdigest()


class EmptyCommand(Command):
    """Does nothing: a place where branches meet or part."""

    type: Literal[TaskType.EMPTY] = TaskType.EMPTY


class BashCommand(Command):
    """Runs a shell command in a process of its own."""

    type: Literal[TaskType.BASH]
    command: Annotated[str, Field(min_length=1, max_length=65_536), AfterValidator(_safe_command)]
    """What bash is to run. Parameters arrive as environment variables: `$SKYTRAIL_PARAM_<NAME>`."""
    env: Environment = {}
    """More environment variables; templates like `{{ outputs.fetch.rows }}` are rendered here."""
    cwd: str | None = Field(default=None, max_length=4096)
    """The working directory; by default a temporary one that is removed afterwards."""
    skip_on_exit_code: int | None = Field(default=99, ge=1, le=255)
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


class HttpCommand(Command):
    """Makes an HTTP request; the response is the task's output."""

    type: Literal[TaskType.HTTP]
    uri: Annotated[str, Field(max_length=8192), AfterValidator(_http_uri)]
    """Where to: http:// or https://; templates are rendered."""
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    headers: dict[str, str] = {}
    """Request headers; templates are rendered."""
    params: dict[str, str | int | float | bool] = {}
    """The query string's keys and values; templates are rendered."""
    json_body: Any = Field(default=None, alias="json")
    """A JSON body; templates are rendered."""
    body: str | None = None
    """A text body; templates are rendered."""
    expected_status: list[StatusRule] = Field(default=["200-299"], min_length=1)
    """The statuses that mean success; any other fails the task."""
    request_timeout_seconds: float = Field(default=30.0, gt=0, le=3600)
    """How long to wait for a connection, and for each part of the response."""
    max_response_bytes: int = Field(default=32_768, ge=0, le=49_152)
    """How much of the response body is kept as output; the rest is dropped and marked so."""

    templated: ClassVar = frozenset({"uri", "headers", "params", "json_body", "body"})


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
    value: str | None = Field(default=None, max_length=8192)
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
        return self

    def possible(self) -> list[str]:
        """The task ids that `cases` and `default` name."""
        return [task for tasks in [*self.cases.values(), self.default or []] for task in tasks]
