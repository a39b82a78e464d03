"""What a schedule will do, said before it does it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dags_app.domain.timing.catchup import Tick, due, with_intervals
from dags_app.domain.timing.overlap import OverlapPolicy, judge
from dags_app.domain.timing.schedule import ContinuousSchedule, Timetable, between

_SMALLEST = timedelta(microseconds=1)

#: So many ticks are counted; that there are more is only said.
MAX_COUNTED = 10_000

#: How far ahead is looked where a DAG has no end.
_FAR = timedelta(days=366 * 50)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clockwork:
    """A DAG's schedule, with all that decides which of its ticks become runs."""

    timetable: Timetable
    catchup: bool
    window: timedelta | None
    end_date: datetime | None
    last_logical_date: datetime | None
    overlap: OverlapPolicy


@dataclass(frozen=True, slots=True)
class AtOnce:
    """What would start at once: the ticks, oldest first, whether there are more of them than are
    counted, and those that the overlap policy would pass over.
    """

    ticks: tuple[Tick, ...]
    is_more: bool
    passed_over: int


def coming(
    clockwork: Clockwork, *, next_run_at: datetime | None, now: datetime, count: int
) -> tuple[Tick, ...]:
    """The next ticks that become runs, at most `count`: those that are due, then those to come.

    Of a continuous schedule one is known, at the earliest time that it can be.
    """
    if next_run_at is None:
        return ()
    timetable = clockwork.timetable
    if isinstance(timetable, ContinuousSchedule):
        at = max(now, next_run_at)
        return (Tick(at, clockwork.last_logical_date or at, at),)
    overdue = due(
        timetable,
        next_run_at=next_run_at,
        now=now,
        catchup=clockwork.catchup,
        end_date=clockwork.end_date,
        limit=count,
        window=clockwork.window,
    )
    left = count - len(overdue.ticks)
    until = now + _FAR if clockwork.end_date is None else clockwork.end_date
    after = max(now, next_run_at - _SMALLEST)
    later = between(timetable, after, until, left) if left > 0 else []
    return overdue.ticks + with_intervals(timetable, later)


def following(clockwork: Clockwork, *, now: datetime) -> datetime | None:
    """The first tick after `now`; None if there is none, or if it hangs on the end of a run."""
    if isinstance(clockwork.timetable, ContinuousSchedule):
        return None
    until = now + _FAR if clockwork.end_date is None else clockwork.end_date
    return next(iter(between(clockwork.timetable, now, until, 1)), None)


def at_once(clockwork: Clockwork, *, next_run_at: datetime | None, now: datetime) -> AtOnce:
    """What would start at `now`, if the DAG had no unfinished run."""
    if next_run_at is None or next_run_at > now:
        return AtOnce((), is_more=False, passed_over=0)
    taken = due(
        clockwork.timetable,
        next_run_at=next_run_at,
        now=now,
        catchup=clockwork.catchup,
        end_date=clockwork.end_date,
        limit=MAX_COUNTED + 1,
        window=clockwork.window,
        last_logical_date=clockwork.last_logical_date,
    ).ticks
    counted = taken[:MAX_COUNTED]
    judged = judge(clockwork.overlap, counted, running=0, waiting=0)
    return AtOnce(judged.start, len(taken) > MAX_COUNTED, len(judged.passed_over))
