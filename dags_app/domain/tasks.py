"""One task of a DAG: what every task has, and what each type adds to it."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeAlias

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from dags_app.domain.commands import (
    ApprovalCommand,
    BashCommand,
    BranchCommand,
    CeleryCommand,
    Command,
    EmptyCommand,
    ExternalSensorCommand,
    FileSensorCommand,
    HttpCommand,
    HttpSensorCommand,
    LatestOnlyCommand,
    PythonCommand,
    PythonSensorCommand,
    ShortCircuitCommand,
    SqlCommand,
    SqlSensorCommand,
    TaskType,
    TimeSensorCommand,
    TriggerDagCommand,
)
from dags_app.domain.commands.parts import HTTP_URI
from dags_app.domain.fields import IN_NUMBERS, IN_WHOLES, Flag, Identifier, Number, Whole, WordSet
from dags_app.domain.templates import is_template

#: Another name of a key, which people know from elsewhere. Read, and never written.
ALIASES = {"retry_count": "retries"}


class TriggerRule(enum.StrEnum):
    """When a task may start, seen from its direct upstream tasks (conventions: Airflow's 13)."""

    ALL_SUCCESS = "all_success"
    ALL_FAILED = "all_failed"
    ALL_DONE = "all_done"
    ALL_DONE_MIN_ONE_SUCCESS = "all_done_min_one_success"
    ALL_DONE_SETUP_SUCCESS = "all_done_setup_success"
    ONE_SUCCESS = "one_success"
    ONE_FAILED = "one_failed"
    ONE_DONE = "one_done"
    NONE_FAILED = "none_failed"
    NONE_FAILED_MIN_ONE_SUCCESS = "none_failed_min_one_success"
    NONE_SKIPPED = "none_skipped"
    ALL_SKIPPED = "all_skipped"
    ALWAYS = "always"


#: Types that decide which other tasks go on. There is one of each: several decisions would
#: contradict each other.
DECIDING = frozenset({TaskType.BRANCH, TaskType.SHORT_CIRCUIT, TaskType.LATEST_ONLY})


def _template_text(value: str) -> str:
    if not is_template(value):
        raise PydanticCustomError(
            "not_a_list",
            "write a list, or a template that yields one, like {example}",
            {"example": "{{ outputs.find_files }}"},
        )
    return value


TemplateText = Annotated[str, Field(max_length=8192), AfterValidator(_template_text)]

CommandClass: TypeAlias = type[Command]


def _as_published(schema: dict[str, Any]) -> None:
    """The published schema knows both names of a key, and that only one of them may be used; and
    that an address without a connection is a whole one.
    """
    properties = schema["properties"]
    if {"uri", "conn_id"} <= properties.keys():
        schema["if"] = {"properties": {"conn_id": {"type": "string"}}, "required": ["conn_id"]}
        schema["else"] = {"properties": {"uri": {"pattern": f"^{HTTP_URI}"}}}
    properties["retry_count"] = {**properties["retries"], "description": "The same as `retries`."}
    schema["not"] = {"required": ["retries", "retry_count"]}


class TaskFields(BaseModel):
    """What every task has, whatever its type."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        json_schema_extra=_as_published,
    )

    id: Identifier
    """The task's name, unique in its DAG."""
    description: str = Field(default="", max_length=2000)
    """What it does, for people."""
    depends_on: WordSet = []
    """Ids of the tasks that come directly before it."""
    trigger_rule: TriggerRule = TriggerRule.ALL_SUCCESS
    """When it may start, seen from the tasks it depends on."""
    retries: Whole = Field(
        default=0, ge=0, le=1000, validation_alias=AliasChoices("retries", "retry_count")
    )
    """How often it is tried again after a failure (also read as `retry_count`)."""
    retry_delay_seconds: Number = Field(default=300.0, ge=0, le=2_592_000)
    """How long to wait before trying again."""
    retry_exponential_backoff: Number = Field(default=0.0, ge=0, le=10)
    """The factor by which the delay grows with each try; 0 or 1 keeps it constant."""
    max_retry_delay_seconds: Number = Field(default=86_400.0, gt=0, le=2_592_000)
    """The longest delay that backoff may reach."""
    timeout_seconds: Annotated[float, Field(strict=True, gt=0, le=2_592_000), IN_NUMBERS] | None = (
        None
    )
    """How long one try may run before it is ended and counts as failed; null for no limit."""
    queued_timeout_seconds: (
        Annotated[float, Field(strict=True, gt=0, le=2_592_000), IN_NUMBERS] | None
    ) = None
    """How long one try may be queued before it counts as failed; null for no limit."""
    memory_limit_mb: Annotated[int, Field(strict=True, ge=16, le=1_048_576), IN_WHOLES] | None = (
        None
    )
    """How much memory it may use, in MiB, before it is ended and counts as failed; null: as the
    worker's own limit says."""
    priority: Whole = Field(default=0, ge=-1000, le=1000)
    """Which of several ready tasks goes first: the higher number."""
    queue: Identifier = "default"
    """The queue whose workers execute it."""
    pool: Identifier | None = None
    """A pool whose slots it needs while it is queued or runs."""
    pool_slots: Whole = Field(default=1, ge=1, le=10_000)
    """How many slots of the pool it takes."""
    rerun_on_worker_loss: Flag = True
    """Whether it runs again when its worker dies; if not, it then fails as `worker_lost`."""
    group: Identifier | None = None
    """The task group that it is shown in; dots lead into groups within groups."""
    setup: Flag = False
    """Whether it prepares something for the tasks behind it, which a teardown task puts away."""
    teardown: Flag = False
    """Whether it puts away what setup tasks have prepared, however the tasks between them end."""
    on_failure_fail_dagrun: Flag = False
    """Of a teardown task: whether the run fails if it fails."""
    depends_on_past: Flag = False
    """Whether it waits until the same task of the run before has succeeded or was skipped."""
    wait_for_downstream: Flag = False
    """Whether it also waits for the tasks directly behind that one; implies `depends_on_past`."""
    expand: (
        Annotated[dict[Identifier, list[Any] | TemplateText], Field(min_length=1, max_length=20)]
        | None
    ) = None
    """Makes it many: one instance for each combination of the values of these lists. Each list is
    written down, or a template like `{{ outputs.find_files }}`."""
    expand_kwargs: list[dict[Identifier, Any]] | TemplateText | None = None
    """Makes it many: one instance for each of these objects, or for each that a template yields."""
    max_map_length: Whole = Field(default=1024, ge=1, le=100_000)
    """How many instances there may be; where there would be more, it fails."""
    outlets: WordSet = []
    """Names of the assets that are new when it has succeeded."""

    command_class: ClassVar[CommandClass]

    @model_validator(mode="before")
    @classmethod
    def _teardown_rule(cls, value: Any) -> Any:
        """A teardown task's own trigger rule, unless another one is given."""
        if isinstance(value, dict) and value.get("teardown") is True:
            return {"trigger_rule": TriggerRule.ALL_DONE_SETUP_SUCCESS, **value}
        return value

    @model_validator(mode="after")
    def _roles_agree(self) -> Self:
        if self.setup and self.teardown:
            raise PydanticCustomError(
                "setup_and_teardown", "a task is setup or teardown and not both; keep one of them"
            )
        if self.on_failure_fail_dagrun and not self.teardown:
            raise PydanticCustomError(
                "not_a_teardown",
                "on_failure_fail_dagrun belongs to teardown tasks; remove it, or add "
                '"teardown": true',
            )
        if self.expand is not None and self.expand_kwargs is not None:
            raise PydanticCustomError(
                "two_expansions", "expand and expand_kwargs are both given; keep one of them"
            )
        if self.is_mapped and self.type in DECIDING:
            raise PydanticCustomError(
                "cannot_expand",
                "a task of this type decides for the whole run, so there is one of it; remove "
                "expand",
            )
        return self

    @property
    def is_mapped(self) -> bool:
        """Whether it becomes many when its turn comes."""
        return self.expand is not None or self.expand_kwargs is not None

    if TYPE_CHECKING:
        type: TaskType

    def as_command(self) -> Command:
        """The part of the task that its executor sees."""
        kind = self.command_class
        return kind.model_construct(**{name: getattr(self, name) for name in kind.model_fields})


class EmptyTask(TaskFields, EmptyCommand):
    """Does nothing: a place where branches meet or part."""

    command_class = EmptyCommand


class BashTask(TaskFields, BashCommand):
    """Runs a shell command in a process of its own."""

    command_class = BashCommand


class PythonTask(TaskFields, PythonCommand):  # type: ignore[no-redef]  # its field named kwargs
    """Calls a Python function in the worker; what it returns is the task's output."""

    command_class = PythonCommand


class CeleryTask(TaskFields, CeleryCommand):  # type: ignore[no-redef]  # its field named kwargs
    """Runs a Celery task that is registered in the worker."""

    command_class = CeleryCommand


class HttpTask(TaskFields, HttpCommand):
    """Makes an HTTP request; the response is the task's output."""

    command_class = HttpCommand


class SqlTask(TaskFields, SqlCommand):
    """Executes SQL on a database that a connection names; the rows are its output."""

    command_class = SqlCommand


class BranchTask(TaskFields, BranchCommand):  # type: ignore[no-redef]  # its field named kwargs
    """Decides which of the next tasks go on; the others are skipped."""

    command_class = BranchCommand


class ShortCircuitTask(TaskFields, ShortCircuitCommand):  # type: ignore[no-redef]  # its field named kwargs
    """Goes on if something holds; if not, all that comes after it is skipped."""

    command_class = ShortCircuitCommand


class LatestOnlyTask(TaskFields, LatestOnlyCommand):
    """Goes on in the latest scheduled run only."""

    command_class = LatestOnlyCommand


class PythonSensorTask(TaskFields, PythonSensorCommand):  # type: ignore[no-redef]  # its field named kwargs
    """Waits until a Python function returns something true."""

    command_class = PythonSensorCommand


class FileSensorTask(TaskFields, FileSensorCommand):
    """Waits until a file is there."""

    command_class = FileSensorCommand


class HttpSensorTask(TaskFields, HttpSensorCommand):
    """Waits until a request is answered as expected."""

    command_class = HttpSensorCommand


class SqlSensorTask(TaskFields, SqlSensorCommand):
    """Waits until a query's first value is true."""

    command_class = SqlSensorCommand


class TimeSensorTask(TaskFields, TimeSensorCommand):
    """Waits until a time has come."""

    command_class = TimeSensorCommand


class ExternalSensorTask(TaskFields, ExternalSensorCommand):
    """Waits until the run of another DAG, or a task of it, has ended well."""

    command_class = ExternalSensorCommand


class ApprovalTask(TaskFields, ApprovalCommand):
    """Waits until somebody has approved or rejected."""

    command_class = ApprovalCommand


class TriggerDagTask(TaskFields, TriggerDagCommand):
    """Triggers a run of another DAG and, if wished, waits for its end."""

    command_class = TriggerDagCommand


#: Each type's class.
TASK_CLASSES: dict[str, type[TaskFields]] = {
    TaskType.EMPTY: EmptyTask,
    TaskType.BASH: BashTask,
    TaskType.PYTHON: PythonTask,
    TaskType.CELERY: CeleryTask,
    TaskType.HTTP: HttpTask,
    TaskType.SQL: SqlTask,
    TaskType.BRANCH: BranchTask,
    TaskType.SHORT_CIRCUIT: ShortCircuitTask,
    TaskType.LATEST_ONLY: LatestOnlyTask,
    TaskType.PYTHON_SENSOR: PythonSensorTask,
    TaskType.FILE_SENSOR: FileSensorTask,
    TaskType.HTTP_SENSOR: HttpSensorTask,
    TaskType.SQL_SENSOR: SqlSensorTask,
    TaskType.TIME_SENSOR: TimeSensorTask,
    TaskType.EXTERNAL_SENSOR: ExternalSensorTask,
    TaskType.APPROVAL: ApprovalTask,
    TaskType.TRIGGER_DAG: TriggerDagTask,
}


def _type_of(value: Any) -> str | None:
    """The discriminator: a task without a type is an empty one."""
    if isinstance(value, TaskFields):
        return value.type
    # What is no object at all is read as one kind of them, so that its error says just that.
    found = value.get("type", TaskType.EMPTY) if isinstance(value, dict) else TaskType.EMPTY
    return found if isinstance(found, str) else None


TaskSpec = Annotated[
    Annotated[EmptyTask, Tag(TaskType.EMPTY)]
    | Annotated[BashTask, Tag(TaskType.BASH)]
    | Annotated[PythonTask, Tag(TaskType.PYTHON)]
    | Annotated[CeleryTask, Tag(TaskType.CELERY)]
    | Annotated[HttpTask, Tag(TaskType.HTTP)]
    | Annotated[SqlTask, Tag(TaskType.SQL)]
    | Annotated[BranchTask, Tag(TaskType.BRANCH)]
    | Annotated[ShortCircuitTask, Tag(TaskType.SHORT_CIRCUIT)]
    | Annotated[LatestOnlyTask, Tag(TaskType.LATEST_ONLY)]
    | Annotated[PythonSensorTask, Tag(TaskType.PYTHON_SENSOR)]
    | Annotated[FileSensorTask, Tag(TaskType.FILE_SENSOR)]
    | Annotated[HttpSensorTask, Tag(TaskType.HTTP_SENSOR)]
    | Annotated[SqlSensorTask, Tag(TaskType.SQL_SENSOR)]
    | Annotated[TimeSensorTask, Tag(TaskType.TIME_SENSOR)]
    | Annotated[ExternalSensorTask, Tag(TaskType.EXTERNAL_SENSOR)]
    | Annotated[ApprovalTask, Tag(TaskType.APPROVAL)]
    | Annotated[TriggerDagTask, Tag(TaskType.TRIGGER_DAG)],
    Discriminator(
        _type_of,
        custom_error_type="unknown_type",
        custom_error_message="there is no such type of task; use one of "
        + ", ".join(f"{kind}" for kind in TaskType),
    ),
]
