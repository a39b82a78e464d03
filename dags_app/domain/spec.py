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
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from dags_app.domain import defaults, topology
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
from dags_app.domain.timing import definition as timing
from dags_app.domain.timing.overlap import OverlapPolicy
from dags_app.domain.timing.zones import check_timezone

#: Raised when the meaning of a stored spec changes; readers look at it before anything else.
FORMAT: Literal[1] = 1

MAX_TASKS = 10_000
MAX_EDGES = 50_000
MAX_PARAMS = 1_000

#: Other names of some keys, which people know from elsewhere. Read, and never written.
ALIASES = {"dag_id": "name", "cron": "schedule", **TASK_ALIASES}


# ------------------------------------------------------------------------------------- the DAG


def _format(value: Any) -> Any:
    if isinstance(value, bool) or value != FORMAT:
        raise PydanticCustomError(
            "unknown_format", "this Skytrail reads format 1; write 1, or leave format out"
        )
    return FORMAT


def _timezone(value: str) -> str:
    check_timezone(value)
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
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    """The time zone in which the schedule is read, like `Europe/Berlin`."""
    schedule: timing.ScheduleSpec = Field(
        default=None, validation_alias=AliasChoices("schedule", "cron")
    )
    """When it runs by itself: cron expressions, a preset, an interval, dates, assets; null for
    never."""
    start_date: Moment | None = None
    """No scheduled run is for a time before this one (without an offset: in the DAG's zone)."""
    end_date: Moment | None = None
    """No scheduled run is for a time after this one."""
    catchup: Flag = False
    """Whether ticks that were missed are all made up for, or only the latest."""
    catchup_window_seconds: (
        Annotated[int, Field(strict=True, ge=1, le=315_360_000), IN_WHOLES] | None
    ) = None
    """Ticks that were missed longer ago than this are not made up for; null for no limit."""
    overlap_policy: OverlapPolicy = OverlapPolicy.ALLOW
    """What becomes of a tick while earlier runs have not ended: `allow` starts it beside them,
    `skip` passes it over, `buffer_one` has one wait, `buffer_all` has all wait, `cancel_other`
    cancels what the schedule has started before. With the last three the DAG's runs never
    overlap."""
    max_active_runs: Whole = Field(default=16, ge=1, le=10_000, validate_default=True)
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

    # Where the zone itself is in error, any will do: its error is reported.

    @field_validator("schedule")
    @classmethod
    def _in_its_zone(
        cls, schedule: timing.AnySchedule | None, info: ValidationInfo
    ) -> timing.AnySchedule | None:
        zone = info.data.get("timezone", "UTC")
        if isinstance(schedule, timing.Events):
            schedule = schedule.read_in(zone)
        timing.check_fires(schedule, timezone=zone)
        return schedule

    @field_validator("start_date", "end_date")
    @classmethod
    def _in_utc(cls, moment: datetime | None, info: ValidationInfo) -> datetime | None:
        if moment is None:
            return None
        if moment.tzinfo is None:
            zone = check_timezone(info.data.get("timezone", "UTC"))
            moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC)

    @field_validator("max_active_runs")
    @classmethod
    def _one_by_one(cls, limit: int, info: ValidationInfo) -> int:
        # Another value that is given is refused (`validate`); here the default is the one there is.
        return 1 if isinstance(info.data.get("schedule"), timing.Continuous) else limit

    def canonical(self) -> dict[str, Any]:
        """The form that is stored and summed: one document for all spellings of one meaning.

        Defaults are left out, each thing has one name, and what has no order is sorted. `paused` is
        a state of the DAG and not part of its definition.
        """
        document = self.model_dump(
            mode="json", exclude_defaults=True, exclude={"paused", "tasks", "schedule"}
        )
        document["format"] = FORMAT
        if (schedule := timing.canonical(self.schedule)) is not None:
            document["schedule"] = schedule
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
