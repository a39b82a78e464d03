"""Kinds of schedule, and what each of them is asked: which tick comes next, which was the last."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile

from dags_app.domain.timing.cron import HORIZON_YEARS, job_of, normalise_cron
from dags_app.domain.timing.errors import BadSchedule
from dags_app.domain.timing.exclusions import Exclusions
from dags_app.domain.timing.turns import (
    elapsed_from,
    elapsed_until,
    fixed_time_after,
    fixed_time_before,
)
from dags_app.domain.timing.zones import check_timezone

_SMALLEST = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class CronSchedule:
    """A cron expression read in a time zone. Kept in its normal form.

    Raises BadSchedule for an expression or a zone that cannot be used.
    """

    expression: str
    timezone: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "expression", normalise_cron(self.expression))
        check_timezone(self.timezone)


@dataclass(frozen=True, slots=True)
class IntervalSchedule:
    """Every so many seconds of elapsed time, counted from `anchor` in both directions.

    Raises BadSchedule for less than a second, or an anchor that is in no time zone.
    """

    seconds: int
    anchor: datetime

    def __post_init__(self) -> None:
        if self.seconds < 1:
            raise BadSchedule.because(
                "",
                "interval_too_short",
                f"an interval of {self.seconds} s is too short: use 1 s or more.",
            )
        if self.anchor.utcoffset() is None:
            raise BadSchedule.because(
                "",
                "interval_anchor",
                "the interval's anchor is in no time zone: add an offset, such as Z or +02:00.",
            )
        object.__setattr__(self, "anchor", self.anchor.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class EventsSchedule:
    """At each of these moments (aware, any zone). Kept in order, each once."""

    moments: tuple[datetime, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "moments", tuple(sorted({_utc(each) for each in self.moments})))


@dataclass(frozen=True, slots=True)
class OnceSchedule:
    """At one moment, or as soon as possible after it: it is never too late for it."""

    at: datetime


@dataclass(frozen=True, slots=True)
class UnionSchedule:
    """Whenever one of the parts is due; a tick that two of them name is one tick."""

    parts: tuple[CronSchedule, ...]


@dataclass(frozen=True, slots=True)
class ExceptSchedule:
    """The ticks of another schedule, without those on excluded days."""

    of: CronSchedule | IntervalSchedule | EventsSchedule | UnionSchedule
    exclusions: Exclusions


#: What has ticks.
Schedule = (
    CronSchedule | IntervalSchedule | EventsSchedule | OnceSchedule | UnionSchedule | ExceptSchedule
)


@dataclass(frozen=True, slots=True)
class ContinuousSchedule:
    """Again and again: as soon as no run is left, on a day that is not excluded.

    It has no ticks: when the next run is for is known only when the one before has ended.
    """

    exclusions: Exclusions | None = None

    def first_from(self, moment: datetime) -> datetime:
        """The first moment from `moment` on at which a run may begin."""
        while self.exclusions is not None and self.exclusions.cover(moment):
            moment = self.exclusions.skip_after(moment)
        return moment


#: All that a DAG's schedule can be for the clock.
Timetable = Schedule | ContinuousSchedule


# ---------------------------------------------------------------- asking


def next_after(schedule: Schedule, moment: datetime) -> datetime | None:
    """The first tick strictly after `moment` (aware, any zone), in UTC; None if there is none."""
    try:
        return _next_after(schedule, _utc(moment))
    except OverflowError:  # past the year 9999
        return None


def previous_before(schedule: Schedule, moment: datetime) -> datetime | None:
    """The last tick strictly before `moment` (aware, any zone), in UTC; None if there is none."""
    try:
        return _previous_before(schedule, _utc(moment))
    except OverflowError:  # before the year 1
        return None


def upcoming(schedule: Schedule, after: datetime, count: int) -> list[datetime]:
    """The next `count` ticks strictly after `after`; fewer if there are no more."""
    return list(islice(_ticks(schedule, after), count))


def between(schedule: Schedule, after: datetime, until: datetime, limit: int) -> list[datetime]:
    """The ticks after `after` up to and including `until`, oldest first, at most `limit`.

    The limit is asked for because a year of minutely ticks is half a million of them.
    """
    until = _utc(until)
    return list(islice(takewhile(lambda tick: tick <= until, _ticks(schedule, after)), limit))


def between_backwards(
    schedule: Schedule, since: datetime, before: datetime, limit: int
) -> list[datetime]:
    """The ticks before `before` down to and including `since`, newest first, at most `limit`."""
    since = _utc(since)
    found: list[datetime] = []
    tick = previous_before(schedule, before)
    while tick is not None and tick >= since and len(found) < limit:
        found.append(tick)
        tick = previous_before(schedule, tick)
    return found


def _next_after(schedule: Schedule, moment: datetime) -> datetime | None:
    match schedule:
        case CronSchedule(expression, timezone):
            job, zone = job_of(expression), check_timezone(timezone)
            if job.fixed_time:
                return fixed_time_after(job, zone, moment)
            return elapsed_from(job, zone, moment + _SMALLEST)
        case IntervalSchedule(seconds, anchor):
            every = timedelta(seconds=seconds)
            return anchor + ((moment - anchor) // every + 1) * every
        case EventsSchedule(moments):
            place = bisect_right(moments, moment)
            return moments[place] if place < len(moments) else None
        case OnceSchedule(at):
            return at if at > moment else None
        case UnionSchedule(parts):
            found = (next_after(part, moment) for part in parts)
            return min((tick for tick in found if tick is not None), default=None)
        case ExceptSchedule(of, exclusions):
            tick = next_after(of, moment)
            horizon = moment.year + HORIZON_YEARS
            while tick is not None and exclusions.cover(tick):
                tick = next_after(of, exclusions.skip_after(tick) - _SMALLEST)
                if tick is not None and tick.year > horizon:
                    return None
            return tick


def _previous_before(schedule: Schedule, moment: datetime) -> datetime | None:
    match schedule:
        case CronSchedule(expression, timezone):
            job, zone = job_of(expression), check_timezone(timezone)
            if job.fixed_time:
                return fixed_time_before(job, zone, moment)
            return elapsed_until(job, zone, moment - _SMALLEST)
        case IntervalSchedule(seconds, anchor):
            every = timedelta(seconds=seconds)
            return anchor - ((anchor - moment) // every + 1) * every
        case EventsSchedule(moments):
            place = bisect_left(moments, moment)
            return moments[place - 1] if place else None
        case OnceSchedule(at):
            return at if at < moment else None
        case UnionSchedule(parts):
            found = (previous_before(part, moment) for part in parts)
            return max((tick for tick in found if tick is not None), default=None)
        case ExceptSchedule(of, exclusions):
            tick = previous_before(of, moment)
            horizon = moment.year - HORIZON_YEARS
            while tick is not None and exclusions.cover(tick):
                tick = previous_before(of, exclusions.skip_before(tick))
                if tick is not None and tick.year < horizon:
                    return None
            return tick


def _ticks(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    tick = next_after(schedule, after)
    while tick is not None:
        yield tick
        tick = next_after(schedule, tick)


def _utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:  # astimezone() would quietly take the machine's own zone
        raise ValueError(f"{moment.isoformat()} is in no time zone")
    return moment.astimezone(UTC)
