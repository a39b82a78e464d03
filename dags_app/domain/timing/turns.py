"""From a wall clock, which is turned twice a year, to instants."""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dags_app.domain.timing.cron import HORIZON_YEARS, Job

_SMALLEST = timedelta(microseconds=1)
_SECOND = timedelta(seconds=1)


def readings(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants that a wall time can mean, by the offset before and after the nearest turn.

    Equal as a rule. The first is earlier where the clock shows that time twice, and later where it
    never shows it (PEP 495).
    """
    local = wall.replace(tzinfo=zone)
    return local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)


def turn(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    """The instant after `early`, and `late` at the latest, at which the zone's offset changes."""
    offset = late.astimezone(zone).utcoffset()
    seconds = bisect_left(
        range(int((late - early) / _SECOND)),
        x=True,
        key=lambda passed: (early + passed * _SECOND).astimezone(zone).utcoffset() == offset,
    )
    return early + seconds * _SECOND


def _fires_once(wall: datetime, zone: ZoneInfo) -> datetime:
    """The one instant for a wall time: its first occurrence, or the end of the gap it is in."""
    first, second = readings(wall, zone)
    return first if first <= second else turn(second, first, zone)


def fixed_time_after(job: Job, zone: ZoneInfo, moment: datetime) -> datetime | None:
    wall = job.after(moment.astimezone(zone).replace(tzinfo=None, fold=0))
    while wall is not None:
        tick = _fires_once(wall, zone)
        if tick > moment:
            return tick
        wall = job.after(wall)  # the moment is in the repeated hour, and this was its first half
    return None


def fixed_time_before(job: Job, zone: ZoneInfo, moment: datetime) -> datetime | None:
    local = moment.astimezone(zone)
    start = local.replace(tzinfo=None, fold=0)
    if local.fold:  # all of the repeated hour is over: start where the clock would be, unturned
        first, second = readings(start, zone)
        start += second - first
    wall = job.before(start)
    while wall is not None:
        tick = _fires_once(wall, zone)
        if tick < moment:
            return tick
        wall = job.before(wall)
    return None


def elapsed_from(job: Job, zone: ZoneInfo, start: datetime) -> datetime | None:
    """The first instant from `start` on at which the zone's clock shows a matching time.

    Looks from turn to turn, and gives up after the horizon: `*/5 2 * 3 SUN#2` is in New York's gap
    every year.
    """
    horizon = start.year + HORIZON_YEARS
    while start.year <= horizon:
        local = start.astimezone(zone)
        wall = local.replace(tzinfo=None, fold=0)
        found = job.after(wall - _SMALLEST)
        if found is None:
            return None
        first, second = readings(wall.replace(microsecond=0), zone)
        if first < second and not local.fold:  # the hour that will be repeated
            turned = turn(first, second, zone)
            if found - wall >= turned - start:
                start = turned
                continue
        first, second = readings(found, zone)
        if first <= second:
            return first if first >= start else second
        start = turn(second, first, zone)
    return None


def elapsed_until(job: Job, zone: ZoneInfo, end: datetime) -> datetime | None:
    """The last instant up to `end` at which the zone's clock shows a matching time."""
    horizon = end.year - HORIZON_YEARS
    while end.year >= horizon:
        local = end.astimezone(zone)
        wall = local.replace(tzinfo=None, fold=0)
        found = job.before(wall + _SMALLEST)
        if found is None:
            return None
        if local.fold:  # the hour that was repeated
            turned = turn(*readings(wall.replace(microsecond=0), zone), zone)
            if end - (wall - found) < turned:
                end = turned - _SMALLEST
                continue
        first, second = readings(found, zone)
        if first <= second:
            return second if second <= end else first
        end = turn(second, first, zone) - _SMALLEST
    return None
