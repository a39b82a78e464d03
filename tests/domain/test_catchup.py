"""Which missed ticks become runs, and where a schedule begins."""

from datetime import UTC, datetime, timedelta
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dags_app.domain.timing.catchup import Due, Tick, due, first_run_at
from dags_app.domain.timing.schedule import CronSchedule, IntervalSchedule, Schedule, next_after

MICROSECOND = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

DAILY = CronSchedule(expression="0 6 * * *", timezone="UTC")
SIX = datetime(2026, 1, 10, 6, tzinfo=UTC)  # one of its ticks

modes = pytest.mark.parametrize("catchup", [True, False], ids=["catchup", "no catchup"])


def ask(
    schedule: Schedule = DAILY,
    *,
    next_run_at: datetime = SIX,
    now: datetime,
    catchup: bool = True,
    end_date: datetime | None = None,
    limit: int = 100,
) -> Due:
    return due(
        schedule,
        next_run_at=next_run_at,
        now=now,
        catchup=catchup,
        end_date=end_date,
        limit=limit,
    )


def begin(
    schedule: Schedule = DAILY,
    *,
    now: datetime,
    catchup: bool,
    start_date: datetime | None = None,
    last_logical_date: datetime | None = None,
    end_date: datetime | None = None,
) -> datetime | None:
    return first_run_at(
        schedule,
        now=now,
        start_date=start_date,
        catchup=catchup,
        last_logical_date=last_logical_date,
        end_date=end_date,
    )


def logical_dates(answer: Due) -> list[datetime]:
    return [tick.logical_date for tick in answer.ticks]


# ---------------------------------------------------------------- due


@modes
def test_a_tick_is_due_from_its_very_microsecond_on(catchup: bool) -> None:
    assert ask(now=SIX - MICROSECOND, catchup=catchup) == Due((), SIX)
    for now in (SIX, SIX + MICROSECOND, SIX + DAY - MICROSECOND):
        answer = ask(now=now, catchup=catchup)
        assert answer == Due((Tick(SIX, SIX - DAY, SIX),), SIX + DAY)


def test_without_catchup_only_the_latest_missed_tick_runs() -> None:
    answer = ask(now=SIX + 9 * DAY + HOUR, catchup=False)
    latest = SIX + 9 * DAY
    assert answer == Due((Tick(latest, latest - DAY, latest),), latest + DAY)


def test_with_catchup_every_missed_tick_runs_oldest_first() -> None:
    answer = ask(now=SIX + 3 * DAY + HOUR)
    assert logical_dates(answer) == [SIX + number * DAY for number in range(4)]
    assert answer.next_run_at == SIX + 4 * DAY


def test_what_is_over_the_limit_stays_due() -> None:
    now = SIX + 4 * DAY
    first = ask(now=now, limit=2)
    assert logical_dates(first) == [SIX, SIX + DAY]
    assert first.next_run_at == SIX + 2 * DAY
    second = ask(now=now, limit=3, next_run_at=first.next_run_at)
    assert logical_dates(second) == [SIX + 2 * DAY, SIX + 3 * DAY, SIX + 4 * DAY]
    assert second.next_run_at == now + DAY


@modes
def test_a_limit_of_nothing_takes_nothing_and_loses_nothing(catchup: bool) -> None:
    assert ask(now=SIX + 3 * DAY, catchup=catchup, limit=0) == Due((), SIX)


@modes
def test_the_end_date_itself_runs_and_nothing_after_it(catchup: bool) -> None:
    now = SIX + 9 * DAY
    at_the_tick = ask(now=now, catchup=catchup, end_date=SIX + DAY)
    assert logical_dates(at_the_tick)[-1] == SIX + DAY
    assert at_the_tick.next_run_at is None
    before_the_tick = ask(now=now, catchup=catchup, end_date=SIX + DAY - MICROSECOND)
    assert logical_dates(before_the_tick) == [SIX]
    assert before_the_tick.next_run_at is None
    assert ask(now=now, catchup=catchup, end_date=SIX - MICROSECOND) == Due((), None)
    assert ask(now=SIX, catchup=catchup, end_date=SIX + DAY).next_run_at == SIX + DAY


def test_a_data_interval_reaches_back_to_the_tick_before() -> None:
    weekdays = CronSchedule(expression="0 6 * * 1-5", timezone="UTC")
    friday, monday, tuesday = SIX - DAY, SIX + 2 * DAY, SIX + 3 * DAY
    answer = ask(weekdays, next_run_at=monday, now=tuesday)
    assert answer.ticks == (Tick(monday, friday, monday), Tick(tuesday, monday, tuesday))


def test_a_year_of_minutes_is_not_counted_to_find_the_latest() -> None:
    minutely = CronSchedule(expression="* * * * *", timezone="America/New_York")
    now = SIX + 365 * DAY + timedelta(seconds=30)
    started = process_time()
    answer = ask(minutely, now=now, catchup=False)
    assert process_time() - started < 0.1  # half a million steps would take ten seconds
    assert logical_dates(answer) == [SIX + 365 * DAY]
    limited = ask(minutely, now=now, catchup=True, limit=3)
    assert logical_dates(limited) == [SIX + number * timedelta(minutes=1) for number in range(3)]
    assert process_time() - started < 0.1


def test_a_stored_time_that_is_no_longer_a_tick_is_only_a_lower_bound() -> None:
    """As when a country gives up summer time: what was stored as 06:00 there is not that now."""
    stored = SIX + HOUR
    assert ask(now=stored, next_run_at=stored) == Due((), SIX + DAY)
    assert ask(now=stored, next_run_at=stored, catchup=False) == Due((), SIX + DAY)
    answer = ask(now=SIX + DAY, next_run_at=stored)
    assert logical_dates(answer) == [SIX + DAY]


def test_an_interval_is_caught_up_with_like_a_cron() -> None:
    every_hour = IntervalSchedule(seconds=3600, anchor=SIX)
    now = SIX + 2 * HOUR + MICROSECOND
    assert logical_dates(ask(every_hour, now=now)) == [SIX, SIX + HOUR, SIX + 2 * HOUR]
    assert logical_dates(ask(every_hour, now=now, catchup=False)) == [SIX + 2 * HOUR]


# ---------------------------------------------------------------- over the turn of a clock

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT_OF_THE_TURN = datetime(2026, 10, 25, tzinfo=BERLIN)  # 02:15 comes twice


@modes
def test_downtime_over_the_repeated_hour_runs_a_fixed_time_once(catchup: bool) -> None:
    nightly = CronSchedule(expression="15 2 * * *", timezone="Europe/Berlin")
    first = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)
    answer = ask(nightly, next_run_at=first, now=NIGHT_OF_THE_TURN + 12 * HOUR, catchup=catchup)
    assert logical_dates(answer) == [first]
    assert answer.next_run_at == datetime(2026, 10, 26, 1, 15, tzinfo=UTC)
    assert answer.ticks[0].data_interval_start == datetime(2026, 10, 24, 0, 15, tzinfo=UTC)


def test_downtime_over_the_repeated_hour_runs_an_hourly_job_in_both() -> None:
    hourly = CronSchedule(expression="15 * * * *", timezone="Europe/Berlin")
    first = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)
    answer = ask(hourly, next_run_at=first, now=first + 2 * HOUR)
    assert logical_dates(answer) == [first, first + HOUR, first + 2 * HOUR]
    assert [f"{tick.logical_date.astimezone(BERLIN):%H:%M%z}" for tick in answer.ticks] == [
        "02:15+0200",
        "02:15+0100",
        "03:15+0100",
    ]


@modes
def test_two_schedulers_in_the_repeated_hour_see_the_same_tick(catchup: bool) -> None:
    nightly = CronSchedule(expression="15 2 * * *", timezone="Europe/Berlin")
    first = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)
    behind, ahead = first + timedelta(minutes=5), first + timedelta(minutes=65)
    one = ask(nightly, next_run_at=first, now=behind, catchup=catchup)
    other = ask(nightly, next_run_at=first, now=ahead, catchup=catchup)
    assert one == other
    # And the one whose clock is behind finds nothing that the other has taken.
    assert one.next_run_at is not None
    assert ask(nightly, next_run_at=one.next_run_at, now=behind, catchup=catchup).ticks == ()


# ---------------------------------------------------------------- where a schedule begins


@modes
def test_nothing_to_catch_up_from_begins_with_the_next_tick(catchup: bool) -> None:
    assert begin(now=SIX - MICROSECOND, catchup=catchup) == SIX
    assert begin(now=SIX, catchup=catchup) == SIX + DAY


def test_without_catchup_a_start_in_the_past_starts_no_run_for_the_past() -> None:
    now = SIX + HOUR
    assert begin(now=now, start_date=SIX - 30 * DAY, catchup=False) == SIX + DAY
    assert begin(now=now, start_date=SIX - 30 * DAY, catchup=True) == SIX - 30 * DAY


@modes
def test_a_start_in_the_future_is_waited_for(catchup: bool) -> None:
    start = SIX + 30 * DAY
    assert begin(now=SIX, start_date=start, catchup=catchup) == start
    assert begin(now=SIX, start_date=start + MICROSECOND, catchup=catchup) == start + DAY


@pytest.mark.parametrize(
    ("catchup", "paused_for", "expected"),
    [(True, 5 * DAY, SIX + DAY), (False, 5 * DAY, SIX + 6 * DAY), (False, HOUR, SIX + DAY)],
    ids=["catchup", "no catchup", "no catchup, no tick missed"],
)
def test_unpausing_goes_on_behind_the_last_tick_that_ran(
    catchup: bool, paused_for: timedelta, expected: datetime
) -> None:
    found = begin(
        now=SIX + paused_for, start_date=SIX - 30 * DAY, catchup=catchup, last_logical_date=SIX
    )
    assert found == expected


@modes
def test_a_tick_that_has_run_does_not_run_again(catchup: bool) -> None:
    """Though the start was moved back, or the clock that made the run was ahead."""
    ahead = SIX + 3 * DAY
    for start in (None, SIX - 30 * DAY, SIX):
        found = begin(now=SIX, start_date=start, catchup=catchup, last_logical_date=ahead)
        assert found == ahead + DAY


@modes
def test_a_schedule_that_has_ended_does_not_begin(catchup: bool) -> None:
    start = SIX - 2 * DAY
    assert begin(now=SIX, start_date=start, catchup=catchup, end_date=SIX + DAY) is not None
    assert begin(now=SIX, start_date=start, catchup=catchup, end_date=start - DAY) is None


# ---------------------------------------------------------------- what always holds

schedules: st.SearchStrategy[Schedule] = st.sampled_from(
    [
        CronSchedule(expression="30 2 * * *", timezone="Europe/Berlin"),
        CronSchedule(expression="*/20 * * * *", timezone="Australia/Lord_Howe"),
        CronSchedule(expression="0 0 L * *", timezone="America/Santiago"),
        CronSchedule(expression="15 1,13 * * 1-5", timezone="America/New_York"),
        IntervalSchedule(seconds=5000, anchor=SIX),
    ]
)
waits = st.lists(st.timedeltas(timedelta(0), 3 * DAY), min_size=1, max_size=8)


@settings(deadline=None, max_examples=200)
@given(schedule=schedules, waits=waits, limit=st.integers(1, 7), start=st.integers(0, 365))
def test_however_often_one_looks_catchup_takes_each_tick_once(
    schedule: Schedule, waits: list[timedelta], limit: int, start: int
) -> None:
    now = SIX + start * DAY
    next_run_at = next_after(schedule, now)
    assert next_run_at is not None
    expected, taken = next_run_at, list[Tick]()
    for wait in waits:
        now += wait
        answer = ask(schedule, next_run_at=next_run_at, now=now, limit=limit)
        taken += answer.ticks
        assert len(answer.ticks) <= limit
        assert answer.next_run_at is not None
        assert answer.next_run_at > now or len(answer.ticks) == limit
        next_run_at = answer.next_run_at
    for tick in taken:
        assert tick.logical_date == tick.data_interval_end == expected <= now
        assert next_after(schedule, tick.data_interval_start) == expected
        following = next_after(schedule, expected)
        assert following is not None
        expected = following
    assert next_run_at == expected


@settings(deadline=None, max_examples=200)
@given(schedule=schedules, waits=waits, start=st.integers(0, 365))
def test_however_often_one_looks_the_latest_tick_has_run_once(
    schedule: Schedule, waits: list[timedelta], start: int
) -> None:
    now = SIX + start * DAY
    next_run_at = next_after(schedule, now)
    assert next_run_at is not None
    taken: list[datetime] = []
    for wait in waits:
        now += wait
        was_due = next_run_at <= now
        answer = ask(schedule, next_run_at=next_run_at, now=now, catchup=False)
        assert len(answer.ticks) == was_due
        taken += logical_dates(answer)
        assert answer.next_run_at is not None
        assert answer.next_run_at > now
        next_run_at = answer.next_run_at
        assert not taken or next_after(schedule, taken[-1]) == next_run_at
    assert taken == sorted(set(taken))
