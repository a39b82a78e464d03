"""How a definition asks for a schedule, in all its spellings, and what the clock makes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    WithJsonSchema,
    field_serializer,
)
from pydantic_core import PydanticCustomError

from dags_app.domain.fields import Flag, Moment, Whole
from dags_app.domain.timing.cron import PROBATION_ENDS, PROBATION_STARTS, normalise_cron
from dags_app.domain.timing.errors import BadSchedule
from dags_app.domain.timing.exclusions import Exclusions, normalise_calendar
from dags_app.domain.timing.schedule import (
    ContinuousSchedule,
    CronSchedule,
    EventsSchedule,
    ExceptSchedule,
    IntervalSchedule,
    OnceSchedule,
    Timetable,
    UnionSchedule,
    next_after,
)
from dags_app.domain.timing.zones import check_timezone
from skytrail.errors import listed

MAX_CRONS = 32
MAX_EVENTS = 1_000
MAX_DATES = 1_000
MAX_ASSETS = 100

#: Words for "by nobody but people", which all mean the same as null.
NO_SCHEDULE = frozenset({"", "none", "@none"})

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

Weekday = Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
_WEEKDAYS: tuple[str, ...] = get_args(Weekday)

_CONFIG = ConfigDict(
    extra="forbid", frozen=True, use_attribute_docstrings=True, serialize_by_alias=True
)


# ---------------------------------------------------------------- days on which nothing runs


def _day(value: Any) -> date:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:  # the 30th of February
            pass
    elif isinstance(value, date) and not isinstance(value, datetime):  # as YAML reads it
        return value
    raise PydanticCustomError("not_a_date", "write a date like 2026-12-24")


def _in_week_order(days: list[str]) -> list[str]:
    if len(set(days)) == len(_WEEKDAYS):
        raise PydanticCustomError(
            "all_weekdays", "all seven are excluded, so it would never run; leave one of them out"
        )
    return sorted(set(days), key=_WEEKDAYS.index)


class Except(BaseModel):
    """Days without a run, in the DAG's time zone."""

    model_config = _CONFIG

    holidays: (
        Annotated[str, Field(min_length=1, max_length=20), AfterValidator(normalise_calendar)]
        | None
    ) = None
    """Public holidays of a country or of a part of it: `DE`, `DE-BY`, `US-CA`."""
    dates: Annotated[
        list[
            Annotated[
                date,
                BeforeValidator(_day),
                WithJsonSchema({"type": "string", "pattern": f"^{_DATE.pattern}$"}),
            ]
        ],
        Field(max_length=MAX_DATES),
        AfterValidator(lambda days: sorted(set(days))),
    ] = []
    """Other dates, like `2026-12-24`."""
    weekdays: Annotated[list[Weekday], AfterValidator(_in_week_order)] = []
    """Days of the week: `SAT`, `SUN`."""

    def read_in(self, timezone: str) -> Exclusions:
        """The days in that zone."""
        return Exclusions(
            timezone=timezone,
            holidays=self.holidays,
            dates=frozenset(self.dates),
            weekdays=frozenset(_WEEKDAYS.index(day) for day in self.weekdays),
        )

    def __str__(self) -> str:
        said = [f"holidays of {self.holidays}"] if self.holidays else []
        said += [*self.weekdays, *(str(day) for day in self.dates[:3])]
        if len(self.dates) > 3:
            said.append(f"{len(self.dates) - 3} more dates")
        return ", ".join(said)


class _WithExceptions(BaseModel):
    model_config = _CONFIG

    exclusions: Annotated[
        Except | None, AfterValidator(lambda days: days if days and days != Except() else None)
    ] = Field(default=None, alias="except")
    """Days on which it does not run."""

    def _except(self) -> str:
        return f", except {self.exclusions}" if self.exclusions else ""


# ---------------------------------------------------------------- kinds


class Cron(_WithExceptions):
    """At the times that cron expressions name, in the DAG's time zone."""

    cron: Annotated[
        list[Annotated[str, AfterValidator(normalise_cron)]],
        Field(min_length=1, max_length=MAX_CRONS),
        BeforeValidator(
            lambda value: value if isinstance(value, list) else [value],
            json_schema_input_type=str | Annotated[list[str], Field(min_length=1)],
        ),
        AfterValidator(lambda texts: sorted(set(texts))),
    ]
    """Five fields (minute hour day-of-month month day-of-week), or a preset such as @daily; or a
    list of them: it runs whenever one of them is due."""

    @field_serializer("cron")
    def _one_alone(self, texts: list[str]) -> str | list[str]:
        return texts[0] if len(texts) == 1 else texts

    def __str__(self) -> str:
        return " | ".join(self.cron) + self._except()


class Interval(_WithExceptions):
    """Every so many seconds of elapsed time."""

    interval_seconds: Whole = Field(ge=1, le=31_536_000)
    """Seconds from one run to the next, counted from `start_date`."""

    def __str__(self) -> str:
        return f"every {self.interval_seconds:,} s{self._except()}"


class Events(_WithExceptions):
    """At moments that are listed."""

    events: Annotated[list[Moment], Field(min_length=1, max_length=MAX_EVENTS)]
    """When it runs; without an offset, in the DAG's time zone."""

    def read_in(self, timezone: str) -> Events:
        """The same, in order, each once and in UTC."""
        zone = check_timezone(timezone)
        moments = {
            (each if each.tzinfo else each.replace(tzinfo=zone)).astimezone(UTC)
            for each in self.events
        }
        return self.model_copy(update={"events": sorted(moments)})

    def __str__(self) -> str:
        dates = "1 date" if len(self.events) == 1 else f"{len(self.events):,} dates"
        return f"on {dates}{self._except()}"


def _only_true(value: bool) -> bool:  # noqa: FBT001  # pydantic calls it
    if not value:
        raise PydanticCustomError("not_true", "write true, or another schedule")
    return value


_True = Annotated[Flag, AfterValidator(_only_true), WithJsonSchema({"const": True})]


class Once(BaseModel):
    """One time: at `start_date`, or as soon as it is there."""

    model_config = _CONFIG

    once: _True
    """`true`."""

    def __str__(self) -> str:
        return "@once"


class Continuous(_WithExceptions):
    """Again and again: a new run as soon as the one before has ended."""

    continuous: _True
    """`true`. The DAG's `max_active_runs` is 1 then."""

    def __str__(self) -> str:
        return f"@continuous{self._except()}"


_Assets = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=250)]],
    Field(min_length=1, max_length=MAX_ASSETS),
    AfterValidator(lambda names: sorted(set(names))),
]


class Assets(BaseModel):
    """When each of some assets is new."""

    model_config = _CONFIG

    assets: _Assets
    """Names of assets: it runs when all of them have been updated since its last run."""

    def __str__(self) -> str:
        return f"when {listed(self.assets)} {_are(self.assets)} new"


class AnyAsset(BaseModel):
    """When one of some assets is new."""

    model_config = _CONFIG

    any_asset: _Assets
    """Names of assets: it runs whenever one of them is updated."""

    def __str__(self) -> str:
        return f"when one of {listed(self.any_asset)} is new"


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


KINDS: Mapping[str, type[BaseModel]] = {
    "cron": Cron,
    "interval_seconds": Interval,
    "once": Once,
    "continuous": Continuous,
    "events": Events,
    "assets": Assets,
    "any_asset": AnyAsset,
}

_ALONE = {"@once": "once", "@continuous": "continuous"}


# ---------------------------------------------------------------- spellings


def _sugar(value: Any) -> Any:
    """Text and lists of it stand for objects; some words, and null, for no schedule."""
    if isinstance(value, str):
        word = value.strip().lower()
        if word in NO_SCHEDULE:
            return None
        return {_ALONE[word]: True} if word in _ALONE else {"cron": value}
    if isinstance(value, list):
        return {"cron": value}
    if not isinstance(value, dict | BaseModel | None):
        raise PydanticCustomError(
            "not_a_schedule",
            "write a cron expression in quotes, a list of them, an object such as "
            '{"interval_seconds": 3600}, or null for none',
        )
    if isinstance(value, dict):
        given = [key for key in KINDS if key in value]
        if len(given) > 1:
            raise PydanticCustomError(
                "two_schedules", f"{listed(given)} are given together; keep one of them"
            )
    return value


def _kind(value: Any) -> str:
    for name, kind in KINDS.items():
        if isinstance(value, kind) or (isinstance(value, dict) and name in value):
            return name
    return "cron"


def _one_is_all(value: Any) -> Any:
    """One of one asset is all of it: one meaning, one form."""
    if isinstance(value, AnyAsset) and len(value.any_asset) == 1:
        return Assets(assets=value.any_asset)
    return value


AnySchedule: TypeAlias = Cron | Interval | Once | Continuous | Events | Assets | AnyAsset

#: A schedule as a definition may write it.
ScheduleSpec = Annotated[
    Annotated[
        Annotated[Cron, Tag("cron")]
        | Annotated[Interval, Tag("interval_seconds")]
        | Annotated[Once, Tag("once")]
        | Annotated[Continuous, Tag("continuous")]
        | Annotated[Events, Tag("events")]
        | Annotated[Assets, Tag("assets")]
        | Annotated[AnyAsset, Tag("any_asset")],
        Discriminator(_kind),
    ]
    | None,
    BeforeValidator(
        _sugar,
        json_schema_input_type=str
        | Annotated[list[str], Field(min_length=1)]
        | Cron
        | Interval
        | Once
        | Continuous
        | Events
        | Assets
        | AnyAsset
        | None,
    ),
    AfterValidator(_one_is_all),
]

_READER: TypeAdapter[AnySchedule | None] = TypeAdapter(ScheduleSpec)


def read(stored: Any) -> AnySchedule | None:
    """The schedule of that canonical form."""
    return _READER.validate_python(stored)


def canonical(schedule: AnySchedule | None) -> dict[str, Any] | None:
    """The one form of all spellings of a schedule."""
    if schedule is None:
        return None
    return schedule.model_dump(mode="json", exclude_defaults=True)


# ---------------------------------------------------------------- for the clock


def assets_of(schedule: AnySchedule | None) -> list[str]:
    """The assets that it waits for."""
    match schedule:
        case Assets():
            return list(schedule.assets)
        case AnyAsset():
            return list(schedule.any_asset)
        case _:
            return []


def timetable(schedule: AnySchedule | None, *, timezone: str, anchor: datetime) -> Timetable | None:
    """What the clock computes with; None where it has no part in it.

    Intervals are counted from `anchor`, and what runs once is due then.
    """
    match schedule:
        case Cron():
            parts = tuple(
                CronSchedule(expression=text, timezone=timezone) for text in schedule.cron
            )
            ticking: CronSchedule | UnionSchedule | IntervalSchedule | EventsSchedule
            ticking = parts[0] if len(parts) == 1 else UnionSchedule(parts)
        case Interval():
            ticking = IntervalSchedule(seconds=schedule.interval_seconds, anchor=anchor)
        case Events():
            ticking = EventsSchedule(tuple(schedule.events))
        case Once():
            return OnceSchedule(anchor)
        case Continuous():
            days = schedule.exclusions
            return ContinuousSchedule(days.read_in(timezone) if days else None)
        case _:
            return None
    if schedule.exclusions is None:
        return ticking
    return ExceptSchedule(ticking, schedule.exclusions.read_in(timezone))


def check_fires(schedule: AnySchedule | None, *, timezone: str) -> None:
    """Raises BadSchedule where the excluded days leave nothing over.

    What recurs has to fire within five years that are named, so that the answer is the same on any
    day; of events one has to be left.
    """
    if not isinstance(schedule, Cron | Interval | Events) or schedule.exclusions is None:
        return
    start = PROBATION_STARTS.replace(tzinfo=UTC)
    table = timetable(schedule, timezone=timezone, anchor=start)
    assert isinstance(table, ExceptSchedule)
    if isinstance(schedule, Events):
        if not all(table.exclusions.cover(moment) for moment in schedule.events):
            return
    else:
        first = next_after(table, start)
        if first is not None and first < PROBATION_ENDS.replace(tzinfo=UTC):
            return
    raise BadSchedule.because(
        "",
        "schedule_never",
        f"it never runs: {schedule.exclusions} leave nothing of it over; exclude less.",
    )
