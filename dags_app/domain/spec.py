"""The one form of a DAG that every door compiles to: REST, the admin, files and Python builders.

`DagSpec` says what a definition looks like; `validate` checks what fields cannot see by themselves
(cycles, unknown upstreams); `parse` puts both together. Fields are strict: an unknown key is
refused, because a misspelt `retires` that is silently dropped costs somebody a night.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

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

from dags_app.domain import defaults, topology
from dags_app.domain import schedule as schedules
from dags_app.domain.fields import (
    IN_NUMBERS,
    IN_WHOLES,
    NO_OTHER_KEYS,
    Flag,
    Identifier,
    Moment,
    Whole,
)
from dags_app.domain.params import declared
from dags_app.domain.tasks import ALIASES as TASK_ALIASES
from dags_app.domain.tasks import TaskFields, TaskSpec

#: Raised when the meaning of a stored spec changes; readers look at it before anything else.
FORMAT: Literal[1] = 1

MAX_TASKS = 10_000
MAX_EDGES = 50_000
MAX_PARAMS = 1_000

#: Other names of some keys, which people know from elsewhere. Read, and never written.
ALIASES = {"dag_id": "name", "cron": "schedule", **TASK_ALIASES}


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
    properties[defaults.KEY] = {
        "type": "object",
        "title": "Default args",
        "description": "Values for all tasks that do not give their own, like `retries`.",
    }
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
    fail_fast: Flag = False
    """Whether the first failure ends the run: what runs is stopped, what waits is skipped."""
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

    def in_order(self) -> list[TaskFields]:
        """The tasks in topological order: a task's place in it is its position."""
        by_id: dict[str, TaskFields] = {task.id: task for task in self.tasks}
        upstream = {name: list(set(task.depends_on)) for name, task in by_id.items()}
        return [by_id[name] for name in topology.topological_order(upstream)]


def _canonical_task(task: TaskFields) -> dict[str, Any]:
    document = task.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return document | {"id": task.id, "type": task.type.value}


def checksum(canonical: dict[str, Any]) -> str:
    """SHA-256 of a canonical spec, in hexadecimal."""
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
