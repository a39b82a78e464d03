"""The one form of a DAG that every door compiles to: REST, the admin, files and Python builders.

`DagSpec` says what a definition looks like; `validate` checks what fields cannot see by themselves
(cycles, unknown upstreams); `parse` puts both together. Fields are strict: an unknown key is
refused, because a misspelt `retires` that is silently dropped costs somebody a night.
"""

from __future__ import annotations

import enum
import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from dags_app.domain import schedule as schedules
from dags_app.domain.commands import (
    BashCommand,
    BranchCommand,
    CeleryCommand,
    Command,
    EmptyCommand,
    HttpCommand,
    PythonCommand,
    TaskType,
)
from dags_app.domain.fields import (
    IN_NUMBERS,
    IN_WHOLES,
    NO_OTHER_KEYS,
    Flag,
    Identifier,
    Moment,
    Number,
    Whole,
    WordSet,
)
from dags_app.domain.params import declared

#: Raised when the meaning of a stored spec changes; readers look at it before anything else.
FORMAT: Literal[1] = 1

MAX_TASKS = 10_000
MAX_EDGES = 50_000
MAX_PARAMS = 1_000

#: Other names of some keys, which people know from elsewhere. Read, and never written.
ALIASES = {"dag_id": "name", "cron": "schedule", "retry_count": "retries"}


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


# ------------------------------------------------------------------------------------- tasks


CommandClass: TypeAlias = type[Command]


def _with_retry_count(schema: dict[str, Any]) -> None:
    """The published schema knows both names of a key, and that only one of them may be used."""
    properties = schema["properties"]
    properties["retry_count"] = {**properties["retries"], "description": "The same as `retries`."}
    schema["not"] = {"required": ["retries", "retry_count"]}


class TaskFields(BaseModel):
    """What every task has, whatever its type."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        json_schema_extra=_with_retry_count,
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

    command_class: ClassVar[CommandClass]

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


class BranchTask(TaskFields, BranchCommand):  # type: ignore[no-redef]  # its field named kwargs
    """Decides which of the next tasks go on; the others are skipped."""

    command_class = BranchCommand


#: Each type's class.
TASK_CLASSES: dict[str, type[TaskFields]] = {
    TaskType.EMPTY: EmptyTask,
    TaskType.BASH: BashTask,
    TaskType.PYTHON: PythonTask,
    TaskType.CELERY: CeleryTask,
    TaskType.HTTP: HttpTask,
    TaskType.BRANCH: BranchTask,
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
    | Annotated[BranchTask, Tag(TaskType.BRANCH)],
    Discriminator(
        _type_of,
        custom_error_type="unknown_type",
        custom_error_message="there is no such type of task; use one of "
        + ", ".join(f"{kind}" for kind in TaskType),
    ),
]


# ------------------------------------------------------------------------------------- schedule


class Cron(BaseModel):
    """At the times a cron expression names, in the DAG's time zone."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    cron: Annotated[str, AfterValidator(schedules.normalise_cron)]
    """Five fields (minute hour day-of-month month day-of-week), or a preset such as @daily."""


class Interval(BaseModel):
    """Every so many seconds of elapsed time."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    interval_seconds: Whole = Field(ge=1, le=31_536_000)
    """Seconds from one run to the next, counted from `start_date`."""


#: Words for "by nobody but people", which all mean the same as null.
NO_SCHEDULE = frozenset({"", "none", "@none"})


def _schedule_sugar(value: Any) -> Any:
    """`"0 9 * * *"` and `"@daily"` stand for `{"cron": …}`; `"@none"` and null for no schedule."""
    if isinstance(value, str):
        return None if value.strip().lower() in NO_SCHEDULE else {"cron": value}
    if not isinstance(value, dict | Cron | Interval | None):
        raise PydanticCustomError(
            "not_a_schedule",
            'write a cron expression in quotes, {"interval_seconds": 3600}, or null for none',
        )
    if isinstance(value, dict) and {"cron", "interval_seconds"} <= value.keys():
        raise PydanticCustomError(
            "two_schedules", "cron and interval_seconds are both given; keep one of them"
        )
    return value


ScheduleSpec = Annotated[
    Annotated[Cron, Tag("cron")] | Annotated[Interval, Tag("interval")],
    Discriminator(
        lambda value: (
            "interval"
            if isinstance(value, Interval)
            or (isinstance(value, dict) and "interval_seconds" in value)
            else "cron"
        ),
    ),
]


# ------------------------------------------------------------------------------------- the DAG


def _format(value: Any) -> Any:
    if isinstance(value, bool) or value != FORMAT:
        raise PydanticCustomError(
            "unknown_format", "this Skytrail reads format 1; write 1, or leave format out"
        )
    return FORMAT


def _timezone(value: str) -> str:
    schedules.check_timezone(value)
    return value


def _param_sugar(value: Any) -> Any:
    """A plain value stands for a parameter with that default."""
    return declared(value) if isinstance(value, dict) else value


def _with_other_names(schema: dict[str, Any]) -> None:
    """The published schema knows both names of a key, and that only one of them may be used."""
    properties = schema["properties"]
    properties["dag_id"] = {**properties["name"], "description": "The same as `name`."}
    properties["cron"] = {**properties["schedule"], "description": "The same as `schedule`."}
    schema["required"].remove("name")
    schema["oneOf"] = [{"required": ["name"]}, {"required": ["dag_id"]}]
    schema["not"] = {"required": ["schedule", "cron"]}


class DagSpec(BaseModel):
    """A DAG: named tasks, what each waits for, and when the whole is to run."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        json_schema_extra=_with_other_names,
    )

    format: Annotated[Literal[1], BeforeValidator(_format)] = FORMAT
    """The format of this document."""
    name: Annotated[Identifier, Field(validation_alias=AliasChoices("name", "dag_id"))]
    """The DAG's unique name (also read as `dag_id`)."""
    description: str = Field(default="", max_length=10_000)
    """What it is for, for people."""
    owner: str = Field(default="", max_length=250)
    """Who looks after it."""
    tags: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=100)]],
        Field(max_length=100),
        AfterValidator(lambda words: sorted(set(words))),
    ] = []
    """Words to find it by."""
    schedule: Annotated[
        ScheduleSpec | None,
        BeforeValidator(_schedule_sugar, json_schema_input_type=str | Cron | Interval | None),
    ] = Field(default=None, validation_alias=AliasChoices("schedule", "cron"))
    """When it runs by itself: a cron expression, a preset, an interval, or null for never."""
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    """The time zone in which the schedule is read, like `Europe/Berlin`."""
    start_date: Moment | None = None
    """No scheduled run is for a time before this one (without an offset: in the DAG's zone)."""
    end_date: Moment | None = None
    """No scheduled run is for a time after this one."""
    catchup: Flag = False
    """Whether ticks that were missed are all made up for, or only the latest."""
    max_active_runs: Whole = Field(default=16, ge=1, le=10_000)
    """How many of its runs may be running at once; more wait as queued."""
    max_active_tasks: Annotated[int, Field(strict=True, ge=1, le=100_000), IN_WHOLES] | None = None
    """How many of its tasks may be queued or running at once, over all its runs."""
    run_timeout_seconds: (
        Annotated[float, Field(strict=True, gt=0, le=2_592_000), IN_NUMBERS] | None
    ) = None
    """How long a run may take from its start before it is stopped and counts as failed; null for no
    limit."""
    params: Annotated[
        dict[Identifier, dict[str, Any]],
        Field(max_length=MAX_PARAMS),
        BeforeValidator(
            _param_sugar,
            json_schema_input_type=Annotated[
                dict[Identifier, Any], Field(max_length=MAX_PARAMS), NO_OTHER_KEYS
            ],
        ),
    ] = {}
    """What a run can be given: for each parameter a JSON Schema, with its `default`."""
    paused: Flag | None = None
    """Whether its schedule is held back. Not part of a version: null leaves it as it is."""
    tasks: list[TaskSpec] = Field(min_length=1, max_length=MAX_TASKS)
    """The tasks."""

    @field_validator("start_date", "end_date")
    @classmethod
    def _in_utc(cls, moment: datetime | None, info: ValidationInfo) -> datetime | None:
        if moment is None:
            return None
        if moment.tzinfo is None:
            # Where the zone itself is in error, any will do: its error is reported.
            zone = schedules.check_timezone(info.data.get("timezone", "UTC"))
            moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC)

    def canonical(self) -> dict[str, Any]:
        """The form that is stored and summed: one document for all spellings of one meaning.

        Defaults are left out, each thing has one name, and what has no order is sorted. `paused` is
        a state of the DAG and not part of its definition.
        """
        document = self.model_dump(mode="json", exclude_defaults=True, exclude={"paused", "tasks"})
        document["format"] = FORMAT
        document["tasks"] = [
            _canonical_task(task) for task in sorted(self.tasks, key=lambda task: task.id)
        ]
        return document


def _canonical_task(task: TaskFields) -> dict[str, Any]:
    document = task.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return document | {"id": task.id, "type": task.type.value}


def checksum(canonical: dict[str, Any]) -> str:
    """SHA-256 of a canonical spec, in hexadecimal."""
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
