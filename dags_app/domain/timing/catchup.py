"""Which ticks of a schedule become runs now, and which one is next.

Decided from a schedule and a `now` that is handed in; the ticks themselves are `schedule`'s.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dags_app.domain.timing.schedule import (
    ContinuousSchedule,
    OnceSchedule,
    Schedule,
    Timetable,
    between,
    next_after,
    previous_before,
)

_SMALLEST = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Tick:
    """One run that a schedule asks for. Its logical date, the tick itself, is its identity.

    The data interval reaches from the tick before to this one: what has happened since last time.
    """

    logical_date: datetime
    data_interval_start: datetime
    data_interval_end: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """The ticks to run now, oldest first, and the first one left for later (None: no more)."""

    ticks: tuple[Tick, ...]
    next_run_at: datetime | None


def due(
    schedule: Timetable,
    *,
    next_run_at: datetime,
    now: datetime,
    catchup: bool,
    end_date: datetime | None,
    limit: int,
    window: timedelta | None = None,
    last_logical_date: datetime | None = None,
) -> Due:
    """What is due at `now`, when everything before `next_run_at` has been seen to.

    With catchup every missed tick, oldest first, at most `limit`; the rest stays due. Without, the
    latest missed one. What was missed longer than `window` ago is not made up for. A tick after
    `end_date` is never taken; one exactly at it is.

    A `next_run_at` that is not a tick (the time zone's rules have changed since it was stored) is
    only a lower bound: nothing runs at a time that the schedule does not name.

    A continuous schedule has a run for `now`, from the one before (`last_logical_date`) on: it is
    asked only while no run is left.
    """
    if isinstance(schedule, ContinuousSchedule):
        return _continuous(schedule, now, end_date, last_logical_date)
    until = now if end_date is None else min(now, end_date)
    unseen = next_run_at - _SMALLEST
    if window is not None:
        unseen = max(unseen, now - window - _SMALLEST)
    if limit < 1:
        taken: list[datetime] = []
    elif catchup:
        taken = between(schedule, unseen, until, limit)
    else:
        # Looked for from its end: a minutely schedule that slept a year missed half a million.
        latest = previous_before(schedule, until + _SMALLEST)
        taken = [latest] if latest is not None and latest > unseen else []
    following = next_after(schedule, taken[-1] if taken else unseen)
    return Due(with_intervals(schedule, taken), _not_after(following, end_date))


def first_run_at(
    schedule: Timetable,
    *,
    now: datetime,
    start_date: datetime | None,
    catchup: bool,
    last_logical_date: datetime | None = None,
    end_date: datetime | None = None,
) -> datetime | None:
    """The first tick to wait for when a DAG is saved or unpaused; None if there is none.

    Without catchup it lies after `now`: to create or unpause a DAG starts no run for the past.
    With it, the first tick from `start_date` on. In either case none before `start_date`, and none
    up to `last_logical_date`, so that no tick runs twice. What runs once or continuously is never
    too late.
    """
    seen = [] if last_logical_date is None else [last_logical_date]
    if start_date is not None:
        seen.append(start_date - _SMALLEST)
    if isinstance(schedule, ContinuousSchedule):
        earliest = now if start_date is None else max(now, start_date)
        return _not_after(schedule.first_from(earliest), end_date)
    if isinstance(schedule, OnceSchedule):
        tick: datetime | None = schedule.at
        if last_logical_date is not None:
            tick = next_after(schedule, last_logical_date)
        return _not_after(tick, end_date)
    if not catchup or not seen:  # nothing says where the past would begin
        seen.append(now)
    return _not_after(next_after(schedule, max(seen)), end_date)


def with_intervals(schedule: Schedule, taken: list[datetime]) -> tuple[Tick, ...]:
    """Ticks that follow each other, oldest first, each with its interval."""
    if not taken:
        return ()
    # The first tick of all time has nothing before it: its interval is empty.
    before_first = previous_before(schedule, taken[0]) or taken[0]
    starts = [before_first, *taken]
    return tuple(
        Tick(logical_date=tick, data_interval_start=start, data_interval_end=tick)
        for start, tick in zip(starts, taken, strict=False)
    )


def _continuous(
    schedule: ContinuousSchedule,
    now: datetime,
    end_date: datetime | None,
    last_logical_date: datetime | None,
) -> Due:
    begins = schedule.first_from(now)
    if _not_after(begins, end_date) is None:
        return Due((), None)
    if begins > now:
        return Due((), begins)
    return Due((Tick(now, last_logical_date or now, now),), now)


def _not_after(tick: datetime | None, end_date: datetime | None) -> datetime | None:
    return None if tick is None or (end_date is not None and tick > end_date) else tick
