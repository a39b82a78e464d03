"""What an expression means, which ones are refused, and what ticks may be relied on for."""

import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import islice, pairwise
from typing import Annotated
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from cronsim import CronSim, CronSimError
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, TypeAdapter, ValidationError

from dags_app.domain.timing.cron import PRESETS, normalise_cron
from dags_app.domain.timing.errors import BadSchedule
from dags_app.domain.timing.schedule import (
    CronSchedule,
    IntervalSchedule,
    Schedule,
    between,
    next_after,
    previous_before,
    upcoming,
)
from dags_app.domain.timing.zones import check_timezone
from skytrail.errors import Invalid, Problem

MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)  # a Thursday


def cron(expression: str, zone: str = "UTC") -> CronSchedule:
    return CronSchedule(expression=expression, timezone=zone)


def dates(expression: str, count: int, after: datetime = NOW) -> list[str]:
    return [f"{tick:%Y-%m-%d}" for tick in upcoming(cron(expression), after, count)]


# ---------------------------------------------------------------- the normal form


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("0 9 * * *", "0 9 * * *"),
        ("  0\t9  * *   *\n", "0 9 * * *"),
        ("0\u00a09 * * *", "0 9 * * *"),
        ("0 9 * jan-mar mon,Fri", "0 9 * JAN-MAR MON,FRI"),
        ("0 9 l * ?", "0 9 L * *"),
        ("0 9 ? * 5#2", "0 9 * * 5#2"),
        *PRESETS.items(),
        (" @Daily ", "0 0 * * *"),
    ],
)
def test_every_spelling_has_one_normal_form(written: str, normal: str) -> None:
    assert normalise_cron(written) == normal
    assert normalise_cron(normal) == normal
    assert cron(written) == cron(normal)


@pytest.mark.parametrize(
    ("expression", "code", "words"),
    [
        ("", "cron_fields", "five fields"),
        ("* * * *", "cron_fields", "has 4"),
        ("*/5 * * * * *", "cron_fields", "seconds"),
        ("0 0 1 1 * * 2026", "cron_fields", "the year"),
        ("1, 15 * * * *", "cron_fields", "without blanks"),
        ("@once", "cron_preset", "@once is no cron expression: write it alone"),
        ("@continuous", "cron_preset", "@continuous is no cron expression"),
        ("@reboot", "cron_preset", "@hourly, @daily"),
        ("0 " * 65 + "* *", "cron_too_long", "may have 128"),
        ("\u0661 * * * *", "cron_character", "plain digits"),
        ("* * * * fr\u0131", "cron_character", "plain digits"),
        ("0\x00 * * * *", "cron_character", "plain digits"),
        ("R * * * *", "cron_random", "write the time itself"),
        ("R(0-30) * * * *", "cron_random", "write the time itself"),
        ("0 h/2 * * *", "cron_hashed", "write the time itself"),
        ("0 0 * FOO *", "cron_name", "JAN, FEB"),
        ("0 0 * * MONDAY", "cron_name", "did you mean MON?"),
        ("MON 0 * * *", "cron_name", "use 0 to 59"),
        ("0 0 20-L * *", "cron_name", "stand alone"),
        ("0 0 W15 * *", "cron_name", "stand alone"),
        ("60 * * * *", "cron_out_of_range", "use 0 to 59"),
        ("0 24 * * *", "cron_out_of_range", "use 0 to 23"),
        ("0 0 0 * *", "cron_out_of_range", "use 1 to 31"),
        ("0 0 32W * *", "cron_out_of_range", "use 1 to 31"),
        ("0 0 * 13 *", "cron_out_of_range", "use 1 to 12"),
        ("0 0 * * 8", "cron_out_of_range", "7 is Sunday"),
        ("0 0 * * 1#6", "cron_out_of_range", "1 to 5"),
        ("0 22-2 * * *", "cron_reversed_range", "`22-23,0-2`"),
        ("0 23-0 * * *", "cron_reversed_range", "`23,0`"),
        ("0 0 * * FRI-MON", "cron_reversed_range", "`5-6,0-1`"),
        ("0 0 * * MON-SUN", "cron_reversed_range", "`1-7`"),
        ("5-5 * * * *", "cron_equal_range", "write `5`"),
        ("0 0 * JAN-JAN *", "cron_equal_range", "write `JAN`"),
        ("*/0 * * * *", "cron_zero_step", "1 or more"),
        ("1-9/0 * * * *", "cron_zero_step", "1 or more"),
        ("0 0 1,* * 1", "cron_star_in_list", "alone"),
        ("*/ * * * *", "cron_syntax", "write `*`"),
        ("1,,2 * * * *", "cron_syntax", "write `*`"),
        ("-5 * * * *", "cron_syntax", "write `*`"),
        ("1-2-3 * * * *", "cron_syntax", "write `*`"),
        ("*-5 * * * *", "cron_syntax", "write `*`"),
        ("? * * * *", "cron_syntax", "write `*`"),
        ("0 0 * * 1-5#2", "cron_syntax", "write `*`"),
        ("0 0 * * 7/2", "cron_syntax", "`0/2`"),
        ("0 0 29 2 1#5", "cron_special_days", "write `*` there"),
        ("0 0 1 * L5", "cron_special_days", "write `*` there"),
        ("0 0 15W * 1", "cron_special_days", "write `*` there"),
        ("0 0 LW * 1", "cron_special_days", "write `*` there"),
        ("0 0 1,15W * *", "cron_special_days", "write `15W` alone"),
        ("0 0 * * 1#2,3", "cron_special_days", "two DAGs"),
        ("0 0 30 2 *", "cron_never", "30 February"),
        ("0 0 31 2,4,6,9,11 *", "cron_never", "30 February"),
        ("0 0 29 2 */7", "cron_never", "30 February"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_the_way_out(
    expression: str, code: str, words: str
) -> None:
    with pytest.raises(BadSchedule, match=re.escape(words)) as refused:
        normalise_cron(expression)
    assert refused.value.problems == (Problem("", code, str(refused.value)),)


def test_a_pydantic_validator_and_a_plain_caller_read_the_same_refusal() -> None:
    adapter = TypeAdapter(Annotated[str, AfterValidator(normalise_cron)])
    assert adapter.validate_python("@daily") == "0 0 * * *"
    with pytest.raises(ValidationError) as refused:
        adapter.validate_python("61 * * * *")
    (finding,) = refused.value.errors()
    with pytest.raises(Invalid) as plainly_refused:
        cron("61 * * * *")
    assert finding["msg"] == f"Value error, {plainly_refused.value.message}"
    assert finding["ctx"]["error"].problems == plainly_refused.value.problems


def test_whatever_is_typed_is_read_or_refused_at_once() -> None:
    typing = random.Random(20260108)
    likely = "0123456789*/-,#?LWRH@JANMOSU \t\n\x00é²\u00a0\u0661"
    refused, slowest = 0, 0.0
    for number in range(10_000):
        if number % 2:
            text = "".join(typing.choices(likely, k=typing.randint(0, 140)))
        else:  # five fields, so that more is looked at than their number
            entries = (
                "".join(typing.choices(likely[:28], k=typing.randint(1, 4))) for _ in "12345"
            )
            text = " ".join(entry if typing.random() < 0.6 else "*" for entry in entries)
        started = time.process_time()
        try:
            normalise_cron(text)
        except BadSchedule:
            refused += 1
        slowest = max(slowest, time.process_time() - started)
    assert 5_000 < refused < 10_000
    assert slowest < 0.5  # 5 ms as a rule; Python may collect its garbage in between


# ---------------------------------------------------------------- time zones


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Europe/Berln", "did you mean Europe/Berlin"),
        ("europe/berlin", "did you mean Europe/Berlin?"),
        ("New York", "did you mean America/New_York?"),
        ("UTC+14", "did you mean Etc/GMT-14?"),
        ("GMT-05:00", "did you mean Etc/GMT+5?"),
        ("UTC+15", "use a name of the IANA database"),
        ("../../etc/passwd", "use a name of the IANA database"),
        ("/etc/localtime", "there is no time zone"),
        ("localtime", "there is no time zone"),
        ("right/UTC", "there is no time zone"),
        ("America", "there is no time zone"),
        ("", "there is no time zone"),
        ("x" * 100_000, "there is no time zone"),
    ],
)
def test_an_unknown_time_zone_is_refused_with_those_spelled_like_it(name: str, words: str) -> None:
    assert check_timezone("Europe/Berlin") == ZoneInfo("Europe/Berlin")
    with pytest.raises(BadSchedule, match=re.escape(words)) as refused:
        cron("@daily", name)
    assert [problem.code for problem in refused.value.problems] == ["timezone_unknown"]
    assert len(refused.value.message) < 400


# ---------------------------------------------------------------- the calendar


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        # leap days
        ("0 0 29 2 *", "2026-01-01", ["2028-02-29", "2032-02-29"]),
        ("0 0 29 2 *", "2096-03-01", ["2104-02-29"]),
        ("0 0 29 2 5", "2028-02-12", ["2028-02-18", "2028-02-25", "2028-02-29", "2029-02-02"]),
        # the 31st, the last day, the last working day, the working day nearest to the 15th
        ("0 0 31 * *", "2026-01-01", ["2026-01-31", "2026-03-31", "2026-05-31"]),
        ("0 0 L * *", "2026-01-01", ["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("0 0 15,L * *", "2028-02-01", ["2028-02-15", "2028-02-29", "2028-03-15"]),
        ("0 0 LW * *", "2026-01-01", ["2026-01-30", "2026-02-27", "2026-03-31"]),
        ("0 0 15W * *", "2026-02-01", ["2026-02-16", "2026-03-16", "2026-04-15"]),
        # the second Friday and the last one
        ("0 0 * * 5#2", "2026-01-01", ["2026-01-09", "2026-02-13"]),
        ("0 0 * * FRI#2,FRI#4", "2026-01-01", ["2026-01-09", "2026-01-23", "2026-02-13"]),
        ("0 0 * * L5", "2026-01-01", ["2026-01-30", "2026-02-27"]),
        ("0 0 * * 5L", "2026-01-01", ["2026-01-30", "2026-02-27"]),
        ("0 0 * * FRIL", "2026-01-01", ["2026-01-30", "2026-02-27"]),
        # both day fields: either of them, unless one starts with a star
        ("0 0 1,15 * 1", "2026-01-01", ["2026-01-05", "2026-01-12", "2026-01-15", "2026-01-19"]),
        ("0 0 31 2 0", "2026-02-01", ["2026-02-08", "2026-02-15"]),
        ("0 0 1-31 * 1", "2026-01-01", ["2026-01-02", "2026-01-03"]),
        ("0 0 1 * 0-6", "2026-01-01", ["2026-01-02", "2026-01-03"]),
        ("0 0 */2 * 1", "2026-01-01", ["2026-01-05", "2026-01-19", "2026-02-09"]),
        ("0 0 1-7 * */7", "2026-01-01", ["2026-01-04", "2026-02-01", "2026-03-01"]),
        # Sunday is 0 and 7
        ("0 0 * * 0", "2026-01-01", ["2026-01-04", "2026-01-11"]),
        ("0 0 * * 7", "2026-01-01", ["2026-01-04", "2026-01-11"]),
        ("0 0 * * 5-7", "2026-01-01", ["2026-01-02", "2026-01-03", "2026-01-04", "2026-01-09"]),
        ("0 0 * * 5-7/2", "2026-01-01", ["2026-01-02", "2026-01-04", "2026-01-09"]),
        ("0 0 * * 0-7", "2026-01-01", ["2026-01-02", "2026-01-03"]),
        # weeks over the end of a year with 53 of them, and the year's end
        ("0 0 * * MON", "2026-12-27", ["2026-12-28", "2027-01-04"]),
        ("0 0 31 12 *", "2026-01-01", ["2026-12-31", "2027-12-31"]),
        ("0 0 1 1 *", "2026-01-01", ["2027-01-01", "2028-01-01"]),
        ("0 0 1 */3 *", "2026-01-01", ["2026-04-01", "2026-07-01", "2026-10-01", "2027-01-01"]),
        # beyond 32 bits, and a century's end
        ("0 0 19 1 *", "2037-06-01", ["2038-01-19", "2039-01-19"]),
        ("0 0 * * *", "2099-12-31", ["2100-01-01"]),
    ],
)  # fmt: skip
def test_days_are_found_over_months_years_and_centuries(
    expression: str, after: str, expected: list[str]
) -> None:
    start = datetime.fromisoformat(after).replace(tzinfo=UTC)
    schedule = cron(expression)
    assert dates(expression, len(expected), after=start) == expected
    ticks = upcoming(schedule, start, len(expected))
    assert [previous_before(schedule, tick + MICROSECOND) for tick in ticks] == ticks
    assert [previous_before(schedule, tick) for tick in ticks[1:]] == ticks[:-1]


@pytest.mark.parametrize(
    ("expression", "minutes"),
    [
        ("5/15 * * * *", [5, 20, 35, 50]),
        ("59/15 * * * *", [59]),
        ("*/40 * * * *", [0, 40]),
        ("*/90 * * * *", [0]),
        ("10-20/5,45 * * * *", [10, 15, 20, 45]),
        ("00,07 * * * *", [0, 7]),
    ],
)
def test_steps_count_from_where_they_start_to_the_end_of_the_hour(
    expression: str, minutes: list[int]
) -> None:
    ticks = upcoming(cron(expression), NOW - MICROSECOND, 2 * len(minutes))
    assert [tick.minute for tick in ticks] == 2 * minutes
    assert (ticks[0].hour, ticks[-1].hour) == (0, 1)


def test_a_moment_may_come_in_any_zone_but_not_without_one() -> None:
    daily = cron("0 9 * * *", "Europe/Berlin")
    tick = datetime(2026, 1, 1, 8, tzinfo=UTC)
    for zone in (UTC, ZoneInfo("Asia/Tokyo"), timezone(timedelta(hours=-7))):
        found = next_after(daily, (tick - MICROSECOND).astimezone(zone))
        assert found == tick
        assert found.tzinfo is UTC
        assert previous_before(daily, tick.astimezone(zone)) == tick - DAY
    with pytest.raises(ValueError, match="no time zone"):
        next_after(daily, datetime(2026, 1, 1))  # noqa: DTZ001  this is what is refused


def test_time_ends_quietly() -> None:
    minutely = cron("* * * * *")
    end, beginning = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
    last = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    for zone in ("UTC", "Pacific/Kiritimati", "America/New_York"):
        for expression in ("* * * * *", "0 12 * * *", "0 0 31 12 *"):
            assert next_after(cron(expression, zone), end) is None
            assert previous_before(cron(expression, zone), beginning) is None
    assert upcoming(minutely, last - timedelta(minutes=1), 5) == [last]
    assert next_after(minutely, last - MICROSECOND) == last  # no float is that fine by then
    assert next_after(IntervalSchedule(seconds=60, anchor=NOW), end) is None
    assert previous_before(IntervalSchedule(seconds=60, anchor=NOW), beginning) is None


def test_between_leaves_out_its_start_takes_its_end_and_stops_at_its_limit() -> None:
    hourly = cron("0 * * * *")
    hours = [NOW + number * timedelta(hours=1) for number in range(6)]
    assert between(hourly, hours[0], hours[5], limit=100) == hours[1:]
    assert between(hourly, hours[0], hours[5] - MICROSECOND, limit=100) == hours[1:5]
    assert between(hourly, hours[0], hours[5], limit=2) == hours[1:3]
    assert between(hourly, hours[5], hours[0], limit=100) == []
    assert between(hourly, hours[0], NOW + 100_000 * DAY, limit=3) == hours[1:4]


# ---------------------------------------------------------------- intervals


def test_an_interval_ticks_in_elapsed_time_on_both_sides_of_its_anchor() -> None:
    every_90_minutes = IntervalSchedule(
        seconds=5400, anchor=datetime.fromisoformat("2026-03-29T00:30:00+01:00")
    )
    anchor = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    step = timedelta(minutes=90)
    assert every_90_minutes.anchor == anchor
    assert upcoming(every_90_minutes, anchor, 3) == [
        anchor + step,
        anchor + 2 * step,
        anchor + 3 * step,
    ]
    assert next_after(every_90_minutes, anchor - MICROSECOND) == anchor
    assert previous_before(every_90_minutes, anchor) == anchor - step
    assert previous_before(every_90_minutes, anchor + MICROSECOND) == anchor
    # Far away is no further than near.
    assert next_after(every_90_minutes, anchor + 1_000_001 * step) == anchor + 1_000_002 * step


@pytest.mark.parametrize(
    ("seconds", "anchor", "code"),
    [
        (0, NOW, "interval_too_short"),
        (-60, NOW, "interval_too_short"),
        (60, NOW.replace(tzinfo=None), "interval_anchor"),
    ],
)
def test_an_interval_must_go_forward_from_an_instant(
    seconds: int, anchor: datetime, code: str
) -> None:
    assert IntervalSchedule(seconds=60, anchor=NOW)
    with pytest.raises(BadSchedule) as refused:
        IntervalSchedule(seconds=seconds, anchor=anchor)
    assert [problem.code for problem in refused.value.problems] == [code]


# ---------------------------------------------------------------- what always holds


def fields(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    ranges = st.tuples(number, number).filter(lambda pair: pair[0] < pair[1])
    step = st.integers(1, high)
    entry = st.one_of(
        number.map(str),
        ranges.map(lambda pair: f"{pair[0]}-{pair[1]}"),
        st.builds(lambda pair, by: f"{pair[0]}-{pair[1]}/{by}", ranges, step),
        step.map(lambda by: f"*/{by}"),
    )
    return st.just("*") | st.lists(entry, min_size=1, max_size=3).map(",".join)


EVERYWHERE = [
    "Africa/Casablanca",
    "America/New_York",
    "America/Santiago",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Pacific/Chatham",
    "UTC",
]


def drawn(zone: str, *fields: str) -> CronSchedule:
    try:
        return cron(" ".join(fields), zone)
    except BadSchedule:  # such as `0 0 */7 1 0`: a Sunday 1 January is too rare
        reject()


crons = st.builds(
    drawn,
    st.sampled_from(EVERYWHERE),
    fields(0, 59),
    fields(0, 23),
    fields(1, 28),  # a day that each month has: what can never fire is of no use here
    fields(1, 12),
    st.just("*") | fields(0, 6),
)
moments = st.datetimes(
    datetime(2024, 1, 1),  # noqa: DTZ001  the zone is added to what is drawn
    datetime(2032, 1, 1),  # noqa: DTZ001  the same
    timezones=st.just(UTC),
)
intervals = st.builds(IntervalSchedule, seconds=st.integers(1, 10_000_000), anchor=moments)
schedules: st.SearchStrategy[Schedule] = crons | intervals

thoroughly = settings(deadline=None, max_examples=300)


@thoroughly
@given(schedule=schedules, moment=moments)
def test_ticks_only_ever_come_later(schedule: Schedule, moment: datetime) -> None:
    ticks = [moment, *upcoming(schedule, moment, 8)]
    assert all(earlier < later for earlier, later in pairwise(ticks))


@thoroughly
@given(schedule=schedules, moment=moments)
def test_nothing_lies_between_a_tick_and_the_one_before(
    schedule: Schedule, moment: datetime
) -> None:
    following, previous = next_after(schedule, moment), previous_before(schedule, moment)
    assert following is not None
    assert previous is not None
    assert previous < moment < following
    before_following = previous_before(schedule, following)
    after_previous = next_after(schedule, previous)
    assert before_following is not None
    assert after_previous is not None
    assert before_following <= moment <= after_previous
    assert next_after(schedule, before_following) == following
    assert previous_before(schedule, after_previous) == previous


@thoroughly
@given(schedule=schedules, moment=moments, stop=st.integers(0, 5), fraction=st.floats(0, 1))
def test_stopped_anywhere_and_asked_anew_it_goes_on_as_before(
    schedule: Schedule, moment: datetime, stop: int, fraction: float
) -> None:
    ticks = upcoming(schedule, moment, 7)
    halted = ticks[stop] + (ticks[stop + 1] - ticks[stop]) * fraction
    seen = [tick for tick in ticks if tick <= halted]
    assert between(schedule, moment, halted, limit=10) == seen
    assert seen + upcoming(schedule, halted, 7 - len(seen)) == ticks


# ---------------------------------------------------------------- deliberate differences
# Each is listed in the module's docstring, under the number of its test here. The neighbours'
# answers are asserted too: when one of them changes, the list has to.


def croniter_says(expression: str, zone: str, after: datetime, count: int) -> list[datetime]:
    ticks = croniter(expression, after.astimezone(ZoneInfo(zone)), ret_type=datetime)
    return [ticks.get_next(datetime).astimezone(UTC) for _ in range(count)]


def cronsim_says(expression: str, zone: str, after: datetime, count: int) -> list[datetime]:
    ticks = CronSim(expression, after.astimezone(ZoneInfo(zone)))
    return [tick.astimezone(UTC) for tick in islice(ticks, count)]


Says = Callable[[str, str, datetime, int], list[datetime]]


def utc(*moments: str) -> list[datetime]:
    return [datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in moments]


NEW_YORK = "America/New_York"
(AUTUMN,) = utc("2026-11-01T04:00")  # midnight in New York, on the day of the turn
(SPRING,) = utc("2026-03-08T05:00")  # the same in spring


@dataclass(frozen=True, kw_only=True)
class Difference:
    expression: str
    zone: str
    after: datetime
    ours: list[datetime]
    neighbour: Says
    theirs: list[datetime]


@pytest.mark.parametrize(
    "difference",
    [
        pytest.param(
            Difference(
                expression="30 1 * * *",
                zone=NEW_YORK,
                after=AUTUMN,
                ours=utc("2026-11-01T05:30", "2026-11-02T06:30"),
                neighbour=croniter_says,
                theirs=utc("2026-11-01T05:30", "2026-11-01T06:30"),
            ),
            id="1 repeated hour",
        ),
        pytest.param(
            Difference(
                expression="*/15 2 * * *",
                zone=NEW_YORK,
                after=SPRING,
                ours=utc("2026-03-09T06:00"),
                neighbour=croniter_says,
                theirs=utc("2026-03-08T07:00"),
            ),
            id="2 gap, every 15 minutes",
        ),
        pytest.param(
            Difference(
                expression="0 */2 * * *",
                zone=NEW_YORK,
                after=SPRING,
                ours=utc("2026-03-08T08:00"),
                neighbour=croniter_says,
                theirs=utc("2026-03-08T07:00"),
            ),
            id="2 gap, every two hours",
        ),
        pytest.param(
            Difference(
                expression="0 0 */2 * 1",
                zone="UTC",
                after=NOW,
                ours=utc("2026-01-05T00:00", "2026-01-19T00:00"),
                neighbour=croniter_says,
                theirs=utc("2026-01-03T00:00", "2026-01-05T00:00"),
            ),
            id="3 days with a star",
        ),
        pytest.param(
            Difference(
                expression="0 0 * * 1/2",
                zone="UTC",
                after=NOW,
                ours=utc("2026-01-02T00:00", "2026-01-05T00:00"),
                neighbour=cronsim_says,
                theirs=utc("2026-01-02T00:00", "2026-01-04T00:00"),
            ),
            id="7 weekday steps",
        ),
        pytest.param(
            Difference(
                expression="30 1 * * *",
                zone=NEW_YORK,
                after=AUTUMN + timedelta(hours=2),
                ours=utc("2026-11-02T06:30"),
                neighbour=cronsim_says,
                theirs=utc("2026-11-01T05:30"),
            ),
            id="10 asked in the second hour",
        ),
        pytest.param(
            Difference(
                expression="0 */2 29 * *",
                zone="Asia/Beirut",
                after=utc("2026-03-28T12:00")[0],
                ours=utc("2026-03-28T23:00"),
                neighbour=cronsim_says,
                theirs=utc("2026-03-28T22:00"),
            ),
            id="11 gap at midnight",
        ),
        pytest.param(
            Difference(
                expression="6 */3 * * *",
                zone="Australia/Lord_Howe",
                after=utc("2026-10-03T13:40")[0],
                ours=utc("2026-10-03T16:06"),
                neighbour=cronsim_says,
                theirs=utc("2026-10-03T19:06"),
            ),
            id="11 turn by half an hour",
        ),
    ],
)
def test_where_we_answer_differently_it_is_on_purpose(difference: Difference) -> None:
    expression, zone, after = difference.expression, difference.zone, difference.after
    count = len(difference.ours)
    assert upcoming(cron(expression, zone), after, count) == difference.ours
    assert difference.neighbour(expression, zone, after, count) == difference.theirs
    assert difference.ours != difference.theirs


@pytest.mark.parametrize(
    ("expression", "neighbour"),
    [
        pytest.param("*/5 * * * * *", croniter_says, id="4 seconds"),
        pytest.param("R * * * *", croniter_says, id="4 random"),
        pytest.param("0 22-2 * * *", croniter_says, id="4 wrapping range"),
        pytest.param("5-5 * * * *", croniter_says, id="4 range of one"),
        pytest.param("0 0 1,* * 1", croniter_says, id="4 star in a list"),
        pytest.param("0 0 20-L * *", croniter_says, id="4 range to the last day"),
        pytest.param("0 0 W15 * *", croniter_says, id="4 W in front"),
        pytest.param("0 0 * * MON-FRI#2", croniter_says, id="4 range with #"),
        pytest.param("0 0 29 2 */7", croniter_says, id="4 not in five years"),
        pytest.param("0 0 1 * 1#1", croniter_says, id="5 # and day"),
        pytest.param("0 0 25-31 * L5", croniter_says, id="5 L and day"),
        pytest.param("0 0 15W * 1", croniter_says, id="5 W and weekday"),
        pytest.param("0 0 * * 7/2", cronsim_says, id="7 step from 7"),
        pytest.param("5-5 * * * *", cronsim_says, id="8 range of one"),
        pytest.param("0 0 *,1 * 1", cronsim_says, id="8 star in a list"),
        pytest.param("0 0 29 2 */7", cronsim_says, id="8 not in five years"),
        pytest.param("0 0 1 * 1#1", cronsim_says, id="8 # and day"),
        pytest.param("0 0 * * 1#2,3", cronsim_says, id="8 # and weekday"),
        pytest.param("*/5 * * * * *", cronsim_says, id="8 seconds"),
    ],
)
def test_what_we_refuse_and_a_neighbour_reads_is_refused_on_purpose(
    expression: str, neighbour: Says
) -> None:
    assert neighbour(expression, "UTC", NOW, 1)
    with pytest.raises(BadSchedule):
        cron(expression)


@pytest.mark.parametrize(
    ("expression", "neighbour"),
    [
        pytest.param("0 0 LW * *", croniter_says, id="6 LW"),
        pytest.param("0 0 * * 5L", croniter_says, id="6 L behind"),
        pytest.param("0 0 * * LFRI", croniter_says, id="6 L with a name"),
        pytest.param("@quarterly", croniter_says, id="6 quarterly"),
        pytest.param("0 0 ? * 1", cronsim_says, id="9 question mark"),
        pytest.param("0 0 15W * *", cronsim_says, id="9 W"),
        pytest.param("0 0 * * L5", cronsim_says, id="9 L in front"),
        pytest.param("@daily", cronsim_says, id="9 presets"),
    ],
)
def test_what_we_read_and_a_neighbour_refuses_is_read_on_purpose(
    expression: str, neighbour: Says
) -> None:
    assert upcoming(cron(expression), NOW, 1)
    with pytest.raises((ValueError, CronSimError)):
        neighbour(expression, "UTC", NOW, 1)


#: Differences 7 and 8, as the codes of our refusals (7 is one of what cannot be read).
REFUSED_HERE = {
    "cron_equal_range",
    "cron_star_in_list",
    "cron_special_days",
    "cron_never",
    "cron_syntax",
}

#: Difference 11 shows only where the clock turns at midnight, or not at (or not by) full hours.
ODD_TURNS = {"America/Santiago", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Chatham"}

#: Just before these days in 2026 begin, one or the other of those zones is about to turn.
TURNS = ["02-15", "03-08", "03-29", "04-05", "09-06", "09-27", "10-04", "10-25", "11-01"]


def test_no_random_expression_differs_from_cronsim_but_as_listed() -> None:
    chance = random.Random(20260308)
    compared = 0
    for _ in range(5_000):
        expression = " ".join(random_field(chance, place) for place in range(5))
        zone = chance.choice(EVERYWHERE)
        (day,) = utc(f"2026-{chance.choice(TURNS)}")
        moment = day + chance.randint(-24 * 60, 24 * 60) * timedelta(minutes=1)
        try:
            schedule = cron(expression, zone)
        except BadSchedule as refused:
            codes = {problem.code for problem in refused.problems}
        else:
            ours, theirs = upcoming(schedule, moment, 5), cronsim_says(expression, zone, moment, 5)
            assert ours == theirs or listed(schedule, ours, theirs, moment), schedule
            compared += 1
            continue
        assert codes <= REFUSED_HERE, expression
    assert compared > 2_000


def listed(
    schedule: CronSchedule, ours: list[datetime], theirs: list[datetime], moment: datetime
) -> bool:
    """Whether the two may differ like that."""
    minute, hour, *_, weekday = schedule.expression.split()
    if re.search(r"(^|,)\w+/", weekday):
        return True  # 7
    if not minute.startswith("*") and not hour.startswith("*"):
        later = [tick for tick in theirs if tick > moment]
        return len(later) < len(theirs) and later == ours[: len(later)]  # 10
    zone = schedule.timezone
    days = {tick.astimezone(ZoneInfo(zone)).date() for tick in set(ours) ^ set(theirs)}
    return zone in ODD_TURNS and turns_on(min(days), zone)  # 11


def turns_on(day: date, zone: str) -> bool:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
    return (noon - DAY).utcoffset() != noon.utcoffset()


def random_field(chance: random.Random, place: int) -> str:
    if chance.random() < (0.25 if place < 2 else 0.5):
        return "*"
    return ",".join(random_entries(chance, place, count=chance.choice((1, 1, 2, 3))))


def random_entries(chance: random.Random, place: int, count: int) -> Iterator[str]:
    low, high = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))[place]
    for _ in range(count):
        first, last = sorted((chance.randint(low, high), chance.randint(low, high)))
        step = chance.randint(1, high)
        kinds = [f"{first}", f"{first}", f"{first}-{last}", f"{first}-{last}/{step}"]
        kinds += [f"*/{step}", f"{first}/{step}", "*"]
        kinds += {2: ["L", "LW"], 3: ["JAN", "DEC"], 4: ["SUN", f"{last}#2", f"{last}L"]}.get(
            place, []
        )
        yield chance.choice(kinds)
