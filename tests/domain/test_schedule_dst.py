"""Ticks around the turns of the clock: Debian's rule, row by row and zone by zone."""

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cronsim import CronSim

from dags_app.domain.timing.catchup import Tick, due
from dags_app.domain.timing.schedule import (
    CronSchedule,
    between,
    between_backwards,
    next_after,
    previous_before,
    upcoming,
)

MICROSECOND = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def cron(expression: str, zone: str) -> CronSchedule:
    return CronSchedule(expression=expression, timezone=zone)


def local(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime("%H:%M %z")


def ticks_on(day: str, schedule: CronSchedule) -> list[datetime]:
    """The ticks whose local date is that day."""
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)
    return [
        tick
        for tick in between(schedule, noon - 2 * DAY, noon + 2 * DAY, limit=10_000)
        if tick.astimezone(ZoneInfo(schedule.timezone)).date().isoformat() == day
    ]


def every(step: int, start: str, end: str, offset: str) -> list[str]:
    """Wall times from start to end, both included, all at that offset."""
    first, last = (datetime.fromisoformat(f"2026-01-01T{each}") for each in (start, end))
    count = (last - first) // (step * MINUTE) + 1
    return [f"{first + number * step * MINUTE:%H:%M} {offset}" for number in range(count)]


NEW_YORK, BERLIN, LORD_HOWE = "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"
SANTIAGO, BEIRUT, CASABLANCA = "America/Santiago", "Asia/Beirut", "Africa/Casablanca"
APIA, DUBLIN, CHATHAM, TROLL = (
    "Pacific/Apia",
    "Europe/Dublin",
    "Pacific/Chatham",
    "Antarctica/Troll",
)

TABLE = [
    # New York goes from 02:00 to 03:00 ...
    (NEW_YORK, "2026-03-08", "30 2 * * *", ["03:00 -0400"]),
    (NEW_YORK, "2026-03-08", "0 2 * * *", ["03:00 -0400"]),
    (NEW_YORK, "2026-03-08", "0 1-3 * * *", ["01:00 -0500", "03:00 -0400"]),
    (NEW_YORK, "2026-03-08", "0,20,40 2 * * *", ["03:00 -0400"]),
    (NEW_YORK, "2026-03-08", "30 2,3 * * *", ["03:00 -0400", "03:30 -0400"]),
    (
        NEW_YORK,
        "2026-03-08",
        "0 * * * *",
        every(60, "00:00", "01:00", "-0500") + every(60, "03:00", "23:00", "-0400"),
    ),
    (
        NEW_YORK,
        "2026-03-08",
        "*/30 * * * *",
        every(30, "00:00", "01:30", "-0500") + every(30, "03:00", "23:30", "-0400"),
    ),
    (NEW_YORK, "2026-03-08", "*/15 2 * * *", []),
    # ... and back from 02:00 to 01:00.
    (NEW_YORK, "2026-11-01", "30 1 * * *", ["01:30 -0400"]),
    (
        NEW_YORK,
        "2026-11-01",
        "30 0-3 * * *",
        ["00:30 -0400", "01:30 -0400", "02:30 -0500", "03:30 -0500"],
    ),
    (
        NEW_YORK,
        "2026-11-01",
        "0 * * * *",
        every(60, "00:00", "01:00", "-0400") + every(60, "01:00", "23:00", "-0500"),
    ),
    (
        NEW_YORK,
        "2026-11-01",
        "*/30 * * * *",
        every(30, "00:00", "01:30", "-0400") + every(30, "01:00", "23:30", "-0500"),
    ),
    (
        NEW_YORK,
        "2026-11-01",
        "*/30 1 * * *",
        every(30, "01:00", "01:30", "-0400") + every(30, "01:00", "01:30", "-0500"),
    ),
    (BERLIN, "2026-10-25", "15 2 * * *", ["02:15 +0200"]),
    # Lord Howe turns by half an hour, Chatham at 02:45, Troll by two hours.
    (LORD_HOWE, "2026-10-04", "15 2 * * *", ["02:30 +1100"]),
    (LORD_HOWE, "2026-04-05", "45 1 * * *", ["01:45 +1100"]),
    (LORD_HOWE, "2026-04-05", "45 * * * *",
     ["00:45 +1100", "01:45 +1100", *every(60, "01:45", "23:45", "+1030")]),
    (CHATHAM, "2026-09-27", "0 3 * * *", ["03:45 +1345"]),
    (CHATHAM, "2026-04-05", "0 3 * * *", ["03:00 +1345"]),
    (TROLL, "2026-03-29", "30 1,2 * * *", ["03:00 +0200"]),
    (TROLL, "2026-10-25", "30 1,2 * * *", ["01:30 +0200", "02:30 +0200"]),
    # These days begin with the gap.
    (SANTIAGO, "2026-09-06", "0 0 * * *", ["01:00 -0300"]),
    (BEIRUT, "2026-03-29", "0 0 * * *", ["01:00 +0300"]),
    (BEIRUT, "2026-03-29", "0 */6 * * *", every(360, "06:00", "18:00", "+0300")),
    # Casablanca goes back for Ramadan; Dublin's summer is, on paper, its standard time.
    (CASABLANCA, "2026-02-15", "30 2 * * *", ["02:30 +0100"]),
    (DUBLIN, "2026-10-25", "30 1 * * *", ["01:30 +0100"]),
    (DUBLIN, "2026-03-29", "30 1 * * *", ["02:00 +0100"]),
    # Apia had no 30 December.
    (APIA, "2011-12-29", "0 12 * * *", ["12:00 -1000"]),
    (APIA, "2011-12-30", "0 12 * * *", []),
    (APIA, "2011-12-31", "0 12 * * *", ["00:00 +1400", "12:00 +1400"]),
    (APIA, "2011-12-31", "0 */12 * * *", ["00:00 +1400", "12:00 +1400"]),
    # Without turns, however odd the offset; and the sign of a POSIX zone.
    ("Asia/Kathmandu", "2026-03-29", "30 2 * * *", ["02:30 +0545"]),
    ("Etc/GMT+5", "2026-03-08", "30 2 * * *", ["02:30 -0500"]),
    ("Etc/GMT-14", "2026-03-08", "30 2 * * *", ["02:30 +1400"]),
    ("Europe/Kyiv", "2026-10-25", "30 3 * * *", ["03:30 +0300"]),
    ("Europe/Kiev", "2026-10-25", "30 3 * * *", ["03:30 +0300"]),
    ("UTC", "2026-03-08", "30 2 * * *", ["02:30 +0000"]),
]  # fmt: skip

table = pytest.mark.parametrize(
    ("zone", "day", "expression", "expected"),
    TABLE,
    ids=[f"{zone} {day} {expression}" for zone, day, expression, _ in TABLE],
)


@table
def test_it_fires_on_the_day_of_a_turn_as_cron_does(
    zone: str, day: str, expression: str, expected: list[str]
) -> None:
    assert [local(tick, zone) for tick in ticks_on(day, cron(expression, zone))] == expected


@table
def test_the_way_back_meets_the_same_ticks(
    zone: str, day: str, expression: str, expected: list[str]
) -> None:
    schedule = cron(expression, zone)
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)
    forward = between(schedule, noon - 2 * DAY, noon + 2 * DAY, limit=10_000)
    back = list(backwards(schedule, until=noon - 2 * DAY, start=noon + 2 * DAY + MICROSECOND))
    assert back[::-1] == forward


@table
def test_a_tick_is_after_the_microsecond_before_it_and_not_after_itself(
    zone: str, day: str, expression: str, expected: list[str]
) -> None:
    schedule = cron(expression, zone)
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)
    for tick, following in pairwise(upcoming(schedule, noon - DAY, 30)):
        assert next_after(schedule, tick - MICROSECOND) == tick
        assert next_after(schedule, tick) == following
        assert next_after(schedule, tick + MICROSECOND) == following
        assert previous_before(schedule, following + MICROSECOND) == following
        assert previous_before(schedule, following) == tick
        assert previous_before(schedule, following - MICROSECOND) == tick


@table
def test_asked_at_any_minute_it_knows_the_tick_before_and_the_one_after(
    zone: str, day: str, expression: str, expected: list[str]
) -> None:
    schedule = cron(expression, zone)
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)
    ticks = between(schedule, noon - 3 * DAY, noon + 3 * DAY, limit=10_000)
    for passed in range(0, 2 * 24 * 60, 29):
        moment = noon - DAY + passed * MINUTE
        assert next_after(schedule, moment) == next(tick for tick in ticks if tick > moment)
        assert previous_before(schedule, moment) == max(tick for tick in ticks if tick < moment)


@table
def test_caught_up_with_it_runs_the_same_wherever_it_was_stopped(
    zone: str, day: str, expression: str, expected: list[str]
) -> None:
    schedule = cron(expression, zone)
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)
    begin, end = noon - 2 * DAY, noon + 2 * DAY
    at_once = caught_up(schedule, begin, [end])
    assert [tick.logical_date for tick in at_once] == between(schedule, begin, end, limit=10_000)
    # Stopped and started anew every seven hours, and within the turn itself.
    looks = [begin + number * 7 * HOUR for number in range(1, 14)]
    stops = sorted({*looks, *(tick.logical_date for tick in at_once[::5]), end})
    assert caught_up(schedule, begin, stops) == at_once


@table
def test_made_up_for_afterwards_newest_first_it_has_the_same_dates(
    zone: str, day: str, expression: str, expected: list[str]
) -> None:
    schedule = cron(expression, zone)
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)
    begin, end = noon - 2 * DAY, noon + 2 * DAY
    back = between_backwards(schedule, begin, end + MICROSECOND, limit=10_000)
    assert back[::-1] == between(schedule, begin - MICROSECOND, end, limit=10_000)


def caught_up(schedule: CronSchedule, begin: datetime, looks: list[datetime]) -> list[Tick]:
    """What runs if the clock is looked at only then, with catchup."""
    following = next_after(schedule, begin)
    found: list[Tick] = []
    for now in looks:
        if following is not None:
            answer = due(
                schedule,
                next_run_at=following,
                now=now,
                catchup=True,
                end_date=None,
                limit=10_000,
            )
            found += answer.ticks
            following = answer.next_run_at
    return found


# ---------------------------------------------------------------- every zone, minute by minute

#: All zones, and the years from 2020 to 2037: some minutes' work, so only at night, or when asked.
ALL_ZONES = bool(os.environ.get("SKYTRAIL_TEST_ALL_ZONES")) or (
    os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
)
YEARS = range(2020, 2038) if ALL_ZONES else range(2024, 2031)

SAMPLE = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "America/Adak",
    "America/Anchorage",
    "America/Asuncion",
    "America/Chicago",
    "America/Denver",
    "America/Halifax",
    "America/Havana",
    "America/Los_Angeles",
    "America/Miquelon",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/Scoresbysund",
    "America/St_Johns",
    "America/Tijuana",
    "Antarctica/Casey",
    "Antarctica/Troll",
    "Antarctica/Vostok",
    "Asia/Almaty",
    "Asia/Beirut",
    "Asia/Famagusta",
    "Asia/Gaza",
    "Asia/Jerusalem",
    "Asia/Qostanay",
    "Atlantic/Azores",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Europe/Berlin",
    "Europe/Chisinau",
    "Europe/Dublin",
    "Europe/Kyiv",
    "Europe/Lisbon",
    "Europe/London",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Easter",
    "Pacific/Norfolk",
]

Matches = Callable[[datetime], bool]

SEVEN: dict[str, Matches] = {
    "30 0 * * *": lambda wall: (wall.hour, wall.minute) == (0, 30),
    "30 1 * * *": lambda wall: (wall.hour, wall.minute) == (1, 30),
    "30 2 * * *": lambda wall: (wall.hour, wall.minute) == (2, 30),
    "0 3 * * *": lambda wall: (wall.hour, wall.minute) == (3, 0),
    "0 * * * *": lambda wall: wall.minute == 0,
    "*/15 * * * *": lambda wall: wall.minute % 15 == 0,
    "0 */2 * * *": lambda wall: wall.hour % 2 == 0 and wall.minute == 0,
}


@pytest.mark.parametrize("zone", sorted(available_timezones()) if ALL_ZONES else SAMPLE)
def test_it_fires_around_every_turn_as_a_cron_daemon_would(zone: str) -> None:
    for turn in turns(zone):
        watched = minutes_around(turn, zone)
        for expression, matches in SEVEN.items():
            assert_fires_as_a_daemon(cron(expression, zone), watched, matches)


#: Where cronsim answers otherwise, which entry 11 of the list in `dags_app.domain.timing` is about.
CRONSIM_DIFFERS = {
    (zone, "0 */2 * * *") for zone in ("Antarctica/Casey", "Australia/LHI", "Australia/Lord_Howe")
}


@pytest.mark.parametrize("zone", sorted(available_timezones()) if ALL_ZONES else SAMPLE[::4])
def test_it_fires_around_every_turn_as_cronsim_does(zone: str) -> None:
    for turn in turns(zone, YEARS if ALL_ZONES else range(2026, 2028)):
        begin, end = turn - 6 * HOUR, turn + 6 * HOUR
        for expression in SEVEN:
            agrees = cronsim_fires(expression, zone, begin, end) == between(
                cron(expression, zone), begin, end, limit=10_000
            )
            assert agrees or (zone, expression) in CRONSIM_DIFFERS, f"{expression} at {turn}"


@pytest.mark.parametrize(
    "zone", [NEW_YORK, LORD_HOWE, SANTIAGO, BEIRUT, CASABLANCA, CHATHAM, TROLL]
)
@pytest.mark.parametrize(
    "expression",
    [
        "0,30 1-3 * * *",
        "5/20 0-2 * * *",
        "1-59/2 2 * * *",
        "0-59 0-23 * * *",
        "20,*/19 1,2 * * *",
        "*/19,20 1,2 * * *",
        "7 */3,1 * * *",
        "59 23 * * *",
        "* 3 * * *",
        "* 0 * * 0",
        "45 2 * 3,9,10 SUN",
        "*/10 1 */2 * *",
        "30 2 1-7 * 0",
    ],
)
def test_lists_steps_and_days_fire_around_a_turn_as_a_cron_daemon_would(
    expression: str, zone: str
) -> None:
    for turn in turns(zone, range(2026, 2027)):
        watched = minutes_around(turn, zone)
        clock = [wall for _, wall in watched]
        named = partial(cronsim_names, expression, min(clock) - DAY, max(clock) + DAY)
        assert_fires_as_a_daemon(cron(expression, zone), watched, named().__contains__)


def assert_fires_as_a_daemon(
    schedule: CronSchedule, watched: list[tuple[datetime, datetime]], matches: Matches
) -> None:
    first, last = watched[0][0], watched[-1][0]
    expected = list(daemon(schedule.expression, watched, matches))
    where = f"{schedule} from {first} to {last}"
    assert between(schedule, first - MINUTE, last, limit=10_000) == expected, where
    back = list(backwards(schedule, until=first - MINUTE, start=last + MICROSECOND))
    assert back[::-1] == expected, where


def daemon(
    expression: str, watched: Iterable[tuple[datetime, datetime]], matches: Matches
) -> Iterator[datetime]:
    """What Debian's cron starts, told as it works: it wakes each minute and reads the clock.

    A job with a star looks at that reading only. A fixed-time job is started for every minute that
    the clock has got through since its latest reading so far, so for none while it is behind that.
    """
    minute, hour = expression.split()[:2]
    has_star = minute[0] == "*" or hour[0] == "*"
    latest: datetime | None = None
    for moment, wall in watched:
        if has_star:
            due = matches(wall)
        else:
            passed = 1 if latest is None else (wall - latest) // MINUTE
            due = any(matches(wall - back * MINUTE) for back in range(passed))
            latest = wall if passed > 0 or latest is None else latest
        if due:
            yield moment


def cronsim_names(expression: str, first: datetime, last: datetime) -> set[datetime]:
    """The wall times that the expression names, by cronsim on a clock that nobody turns."""
    named = set()
    for wall in CronSim(expression, first):
        if wall > last:
            break
        named.add(wall)
    return named


def cronsim_fires(expression: str, zone: str, begin: datetime, end: datetime) -> list[datetime]:
    """The ticks after `begin` up to `end`, by cronsim."""
    ticks = CronSim(expression, begin.astimezone(ZoneInfo(zone)))
    return list(takewhile(lambda tick: tick <= end, (tick.astimezone(UTC) for tick in ticks)))


def turns(zone: str, years: range = YEARS) -> Iterator[datetime]:
    """The instants of those years at which the zone's offset changes."""
    info = ZoneInfo(zone)
    day = datetime(years[0], 1, 1, tzinfo=UTC)
    while day.year <= years[-1]:
        offset = day.astimezone(info).utcoffset()
        if offset != (day + DAY).astimezone(info).utcoffset():
            yield next(
                day + number * MINUTE
                for number in range(24 * 60 + 1)
                if (day + number * MINUTE).astimezone(info).utcoffset() != offset
            )
        day += DAY


def minutes_around(turn: datetime, zone: str) -> list[tuple[datetime, datetime]]:
    """The minutes from four hours before to four hours after, with the clock's reading at each."""
    info = ZoneInfo(zone)
    moments = [turn + number * MINUTE for number in range(-240, 241)]
    return [(each, each.astimezone(info).replace(tzinfo=None, fold=0)) for each in moments]


def backwards(schedule: CronSchedule, *, until: datetime, start: datetime) -> Iterator[datetime]:
    tick = previous_before(schedule, start)
    while tick is not None and tick > until:
        yield tick
        tick = previous_before(schedule, tick)


# ---------------------------------------------------------------- over a year


@pytest.mark.parametrize(("year", "days"), [(2026, 365), (2028, 366)])
@pytest.mark.parametrize("zone", [NEW_YORK, LORD_HOWE, SANTIAGO, TROLL])
@pytest.mark.parametrize("expression", ["30 1 * * *", "30 2 * * *"])
def test_a_daily_job_fires_once_on_each_date_of_the_year(
    expression: str, zone: str, year: int, days: int
) -> None:
    info = ZoneInfo(zone)
    start = datetime(year, 1, 1, tzinfo=info) - MICROSECOND
    end = datetime(year + 1, 1, 1, tzinfo=info) - MICROSECOND
    ticks = between(cron(expression, zone), start, end, limit=1_000)
    assert len(ticks) == len({tick.astimezone(info).date() for tick in ticks}) == days


def test_an_hourly_job_fires_in_each_hour_that_passes() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    ticks = between(cron("0 * * * *", BERLIN), start, end, limit=10_000)
    assert ticks == [start + number * HOUR for number in range(1, 8761)]


def test_a_job_that_the_gap_swallows_every_year_has_no_tick() -> None:
    second_sunday_in_march = cron("*/5 2 * 3 SUN#2", NEW_YORK)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert next_after(second_sunday_in_march, now) is None
    # Its fixed-time sibling is what was meant.
    tick = next_after(cron("5 2 * 3 SUN#2", NEW_YORK), now)
    assert tick == datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
