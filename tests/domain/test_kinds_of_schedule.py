"""Several crons, events, once, and days on which nothing runs, against their plain meaning."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dags_app.domain.timing.catchup import Due, Tick, due, first_run_at
from dags_app.domain.timing.definition import canonical, read, timetable
from dags_app.domain.timing.exclusions import Exclusions, normalise_calendar
from dags_app.domain.timing.schedule import (
    ContinuousSchedule,
    CronSchedule,
    EventsSchedule,
    ExceptSchedule,
    OnceSchedule,
    Timetable,
    UnionSchedule,
    between,
    between_backwards,
    next_after,
    previous_before,
    upcoming,
)

DAY = timedelta(days=1)
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)  # a Thursday
MICROSECOND = timedelta(microseconds=1)

#: Zones with turns at midnight, over midnight, and of odd lengths.
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/Havana",
    "America/St_Johns",
    "Asia/Beirut",
    "America/Santiago",
    "America/Scoresbysund",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Pacific/Apia",
)

moments = st.integers(0, 24 * 365 * 24 * 60).map(
    lambda minutes: datetime(2005, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
expressions = st.sampled_from(
    ["0 9 * * *", "*/20 * * * *", "30 23 * * *", "0 0 * * 1-5", "15 0,1 * * *", "0 0 1 * *"]
)


def plainly(schedule: Timetable | None) -> Timetable:
    assert schedule is not None
    return schedule


# ---------------------------------------------------------------- several crons


@given(
    several=st.lists(expressions, min_size=1, max_size=4), zone=st.sampled_from(ZONES), at=moments
)
@settings(max_examples=40, deadline=None)
def test_several_crons_have_the_ticks_of_all_each_once(
    several: list[str], zone: str, at: datetime
) -> None:
    parts = tuple(CronSchedule(text, zone) for text in several)
    union = UnionSchedule(parts)
    until = at + 3 * DAY
    expected = sorted({tick for part in parts for tick in between(part, at, until, 1_000)})
    assert between(union, at, until, 10_000) == expected
    assert between_backwards(union, at + MICROSECOND, until + MICROSECOND, 10_000) == expected[::-1]


# ---------------------------------------------------------------- events and once


@given(dates=st.lists(moments, min_size=1, max_size=20), at=moments)
def test_events_are_due_at_their_dates_and_at_no_other(dates: list[datetime], at: datetime) -> None:
    schedule = EventsSchedule(tuple(dates))
    assert next_after(schedule, at) == min((each for each in dates if each > at), default=None)
    assert previous_before(schedule, at) == max((each for each in dates if each < at), default=None)


def test_once_is_never_too_late_and_never_twice() -> None:
    once = OnceSchedule(NOW - 30 * DAY)
    first = first_run_at(once, now=NOW, start_date=None, catchup=False)
    assert first == once.at
    answer = due(once, next_run_at=first, now=NOW, catchup=False, end_date=None, limit=100)
    assert answer == Due((Tick(once.at, once.at, once.at),), None)
    again = first_run_at(once, now=NOW, start_date=None, catchup=True, last_logical_date=once.at)
    assert again is None


# ---------------------------------------------------------------- continuous


def test_a_continuous_run_is_from_the_one_before_until_now() -> None:
    answer = due(
        ContinuousSchedule(),
        next_run_at=NOW - DAY,
        now=NOW,
        catchup=False,
        end_date=None,
        limit=100,
        last_logical_date=NOW - DAY,
    )
    assert answer == Due((Tick(NOW, NOW - DAY, NOW),), NOW)


def test_a_continuous_dag_rests_on_excluded_days_and_ends_at_its_end() -> None:
    rests = ContinuousSchedule(Exclusions("Europe/Berlin", weekdays=frozenset({3})))
    friday = datetime(2026, 1, 1, 23, tzinfo=UTC)
    assert at_noon(rests) == Due((), friday)
    assert at_noon(rests, end_date=NOW + timedelta(hours=1)) == Due((), None)
    assert first_run_at(rests, now=NOW, start_date=None, catchup=True) == friday
    assert at_noon(ContinuousSchedule(), end_date=NOW - MICROSECOND) == Due((), None)


def at_noon(schedule: Timetable, end_date: datetime | None = None) -> Due:
    return due(schedule, next_run_at=NOW, now=NOW, catchup=False, end_date=end_date, limit=100)


# ---------------------------------------------------------------- excluded days


@given(
    text=expressions,
    zone=st.sampled_from(ZONES),
    weekdays=st.frozensets(st.integers(0, 6), max_size=6),
    offsets=st.frozensets(st.integers(-3, 9), max_size=5),
    calendar=st.sampled_from([None, "DE-BY", "US"]),
    at=moments,
)
@settings(max_examples=80, deadline=None)
def test_excluded_days_take_their_ticks_out_and_no_others(
    text: str,
    zone: str,
    weekdays: frozenset[int],
    offsets: frozenset[int],
    calendar: str | None,
    at: datetime,
) -> None:
    plain = CronSchedule(text, zone)
    dates = frozenset((at + offset * DAY).date() for offset in offsets)
    days = Exclusions(zone, holidays=calendar, dates=dates, weekdays=weekdays)
    schedule = ExceptSchedule(plain, days)
    free = [
        tick
        for tick in between(plain, at, at + 6 * DAY, 10_000)
        if not excluded(tick.astimezone(ZoneInfo(zone)).date(), days)
    ]
    assert between(schedule, at, at + 6 * DAY, 10_000) == free
    assert (
        between_backwards(schedule, at + MICROSECOND, at + 6 * DAY + MICROSECOND, 10_000)
        == (free[::-1])
    )


def excluded(day: date, days: Exclusions) -> bool:
    if day.weekday() in days.weekdays or day in days.dates:
        return True
    if days.holidays is None:
        return False
    country, _, part = days.holidays.partition("-")
    return day in holidays.country_holidays(country, subdiv=part or None, years=day.year)


@pytest.mark.parametrize(
    ("zone", "turn"),
    [
        # Both go back over midnight: the day that was about to end goes on once more.
        ("America/St_Johns", datetime(2009, 11, 1, 2, 31, tzinfo=UTC)),
        ("America/Scoresbysund", datetime(2026, 10, 25, 1, 0, tzinfo=UTC)),
        ("Asia/Beirut", datetime(2026, 10, 24, 21, 0, tzinfo=UTC)),
    ],
)
def test_a_day_that_begins_twice_is_excluded_both_times(zone: str, turn: datetime) -> None:
    for offset in (-1, 0, 1):
        day = turn.astimezone(ZoneInfo(zone)).date() + offset * DAY
        days = Exclusions(zone, dates=frozenset({day}))
        plain = CronSchedule("*/10 * * * *", zone)
        window = (turn - 2 * DAY, turn + 2 * DAY)
        free = [
            tick
            for tick in between(plain, *window, 10_000)
            if tick.astimezone(ZoneInfo(zone)).date() != day
        ]
        schedule = ExceptSchedule(plain, days)
        assert between(schedule, *window, 10_000) == free
        back = between_backwards(schedule, window[0] + MICROSECOND, window[1] + MICROSECOND, 10_000)
        assert back[::-1] == free


def test_a_monday_after_a_weekend_off_is_for_all_since_friday() -> None:
    schedule = ExceptSchedule(
        CronSchedule("0 9 * * *", "Europe/Berlin"),
        Exclusions("Europe/Berlin", weekdays=frozenset({5, 6})),
    )
    monday = datetime(2026, 1, 5, 8, tzinfo=UTC)
    answer = due(schedule, next_run_at=monday, now=monday, catchup=True, end_date=None, limit=10)
    assert answer.ticks == (Tick(monday, monday - 3 * DAY, monday),)


@pytest.mark.parametrize(
    ("written", "meant"), [("DE", "DE"), (" de-by ", "DE-BY"), ("us-ca", "US-CA"), ("GB", "GB")]
)
def test_a_calendar_is_a_country_or_a_part_of_it(written: str, meant: str) -> None:
    assert normalise_calendar(written) == meant


# ---------------------------------------------------------------- one meaning, one form


@pytest.mark.parametrize(
    ("spellings", "form"),
    [
        ((["@daily"], "@daily", {"cron": ["0 0 * * *"]}, {"cron": "@midnight", "except": {}}),
         {"cron": "0 0 * * *"}),
        ((["0 9 * * *", "@daily"], {"cron": ["0 0 * * *", "0 9 * * *", "0 9  * * *"]}),
         {"cron": ["0 0 * * *", "0 9 * * *"]}),
        (("@once", " @Once ", {"once": True}), {"once": True}),
        (("@continuous", {"continuous": True}), {"continuous": True}),
        (({"any_asset": ["a"]}, {"any_asset": ["a", "a"]}, {"assets": ["a"]}), {"assets": ["a"]}),
        (({"any_asset": ["b", "a"]},), {"any_asset": ["a", "b"]}),
        (({"cron": "@daily",
           "except": {"weekdays": ["SUN", "SAT"], "dates": [], "holidays": "de"}},),
         {"cron": "0 0 * * *", "except": {"holidays": "DE", "weekdays": ["SAT", "SUN"]}}),
        ((None, "", "none"), None),
    ],
)  # fmt: skip
def test_all_spellings_of_a_schedule_have_one_form(spellings: object, form: object) -> None:
    assert isinstance(spellings, tuple)
    for spelling in spellings:
        assert canonical(read(spelling)) == form
    assert canonical(read(form)) == form


def test_assets_are_nothing_for_the_clock() -> None:
    waiting = read({"assets": ["orders"]})
    assert timetable(waiting, timezone="UTC", anchor=NOW) is None


def test_ticks_are_found_quickly_between_many_excluded_days() -> None:
    days = Exclusions("Europe/Berlin", holidays="DE-BY", weekdays=frozenset(range(1, 7)))
    schedule = ExceptSchedule(CronSchedule("* * * * *", "Europe/Berlin"), days)
    found = upcoming(schedule, datetime(2026, 1, 6, tzinfo=UTC), 1)
    assert found == [datetime(2026, 1, 11, 23, tzinfo=UTC)]
