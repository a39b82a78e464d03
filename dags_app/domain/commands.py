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

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from dags_app.domain.fields import IN_WHOLES, NO_OTHER_KEYS, Number, Scalar, TextOrScalar, Whole
from dags_app.domain.templates import NAMES, is_template


class TaskType(enum.StrEnum):
    """The kinds of task that workers know how to execute."""

    EMPTY = "empty"
    BASH = "bash"
    PYTHON = "python"
    CELERY = "celery"
    HTTP = "http"
    BRANCH = "branch"


_NAME = "[A-Za-z_][A-Za-z0-9_]*"
_DOTTED_PATH = rf"{_NAME}(\.{_NAME})*[.:]{_NAME}(\.{_NAME})*"
_STATUS_RANGE = "[1-5][0-9][0-9](-[1-5][0-9][0-9])?"
_ENV_NAME = f"(?!SKYTRAIL_){_NAME}"
_HEADER_NAME = "[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_HTTP_URI = r"([Hh][Tt][Tt][Pp][Ss]?://[^/?#\s]|\{\{)"

# Within braces: text in quotes, or a name that a template would fill in, and what is taken of it.
# What belongs to somebody else is left alone: `{{.State}}` of Go's templates, `{{ print $1 }}`.
_BRACES = re.compile(r"\{[{%]([^{}]*)")
_FILLED_IN = re.compile(
    r"""'[^']*'|"[^"]*"|(?<![\w.$])((?:"""
    + "|".join(sorted(NAMES))
    + r""")\b(?:\.\w+|\[[^][]*\])*)"""
)


def _dotted_path(value: str) -> str:
    if not re.fullmatch(_DOTTED_PATH, value):
        raise PydanticCustomError(
            "dotted_path",
            "write a dotted path to a function, like my_project.reports.build or "
            "my_project.reports:build",
        )
    return value


def _safe_command(value: str) -> str:
    for inside in _BRACES.finditer(value):
        for name in filter(None, _FILLED_IN.findall(inside[1])):
            raise PydanticCustomError(
                "pasted_value",
                "a value pasted into a shell command could run as code; hand it over as an "
                'environment variable instead: "env": {"VALUE": "{{ {name} }}"} and "$VALUE" in '
                "the command",
                {"name": name if len(name) <= 80 else "…"},
            )
    return value


def _env_name(value: str) -> str:
    if not re.fullmatch(_NAME, value):
        raise PydanticCustomError(
            "env_name",
            "this cannot name an environment variable; use letters, digits and _, and no digit "
            "first",
        )
    if value.startswith("SKYTRAIL_"):
        raise PydanticCustomError(
            "env_name",
            "names that begin with SKYTRAIL_ are set by Skytrail; use another name",
        )
    return value


def _header_name(value: str) -> str:
    if not re.fullmatch(_HEADER_NAME, value):
        raise PydanticCustomError(
            "header_name", "this cannot name a header; use letters, digits and -"
        )
    return value


def _header_value(value: str) -> str:
    # A template is looked at again when it is filled in.
    if not is_template(value) and not (value.isascii() and (value.isprintable() or not value)):
        raise PydanticCustomError(
            "header_value",
            "a header holds plain ASCII without line breaks; encode the value, or send it in the "
            "body",
        )
    return value


def _status_rule(value: Any) -> int | str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value) if isinstance(value, int | str) else ""
    if not re.fullmatch(_STATUS_RANGE, text):
        raise PydanticCustomError(
            "status_rule", 'give a status like 200 or a range like "200-299", from 100 to 599'
        )
    first, _, last = text.partition("-")
    if last and last < first:
        raise PydanticCustomError("status_rule", "this range runs backwards; swap its ends")
    return int(first) if last in {"", first} else text


def _sorted_rules(rules: list[int | str]) -> list[int | str]:
    # Their order means nothing, so one meaning has one form.
    return sorted(set(rules), key=str)


def _http_uri(value: str) -> str:
    # A template may stand for the host too: the whole is checked again when it is rendered.
    if not re.match(_HTTP_URI, value):
        raise PydanticCustomError(
            "http_uri", "write a full address, like https://example.org/data.json"
        )
    return value


def _pattern(expression: str) -> dict[str, Any]:
    return {"pattern": f"^({expression})$"}


DottedPath = Annotated[
    str,
    Field(max_length=500, json_schema_extra=_pattern(_DOTTED_PATH)),
    AfterValidator(_dotted_path),
]
EnvName = Annotated[str, Field(json_schema_extra=_pattern(_ENV_NAME)), AfterValidator(_env_name)]
Environment = Annotated[dict[EnvName, Scalar], NO_OTHER_KEYS]
HeaderName = Annotated[
    str, Field(json_schema_extra=_pattern(_HEADER_NAME)), AfterValidator(_header_name)
]
HeaderValue = Annotated[TextOrScalar, AfterValidator(_header_value)]
StatusRule = Annotated[
    int | str,
    BeforeValidator(_status_rule),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 100, "maximum": 599},
                {"type": "string", **_pattern(_STATUS_RANGE)},
            ]
        }
    ),
]


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
    uri: Annotated[
        str,
        Field(max_length=8192, json_schema_extra={"pattern": f"^{_HTTP_URI}"}),
        AfterValidator(_http_uri),
    ]
    """Where to: http:// or https://; templates are rendered."""
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    headers: Annotated[dict[HeaderName, HeaderValue], NO_OTHER_KEYS] = {}
    """Request headers; templates are rendered."""
    params: dict[str, Scalar] = {}
    """The query string's keys and values; templates are rendered."""
    json_body: Any = Field(default=None, alias="json")
    """A JSON body; templates are rendered."""
    body: str | None = None
    """A text body; templates are rendered."""
    expected_status: Annotated[list[StatusRule], AfterValidator(_sorted_rules)] = Field(
        default=["200-299"], min_length=1
    )
    """The statuses that mean success; any other fails the task."""
    request_timeout_seconds: Number = Field(default=30.0, gt=0, le=3600)
    """How long to wait for a connection, and for each part of the response."""
    max_response_bytes: Whole = Field(default=32_768, ge=0, le=49_152)
    """How much of the response body is kept as output; the rest is dropped and marked so."""

    templated: ClassVar = frozenset({"uri", "headers", "params", "json_body", "body"})

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if self.json_body is not None and self.body is not None:
            raise PydanticCustomError(
                "two_bodies", "json and body are both given; a request has one body: keep one"
            )
        return self


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
