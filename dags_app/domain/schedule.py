"""When a DAG is due: cron expressions in a time zone, and fixed intervals.

A tick is an instant in UTC. The words that name it are a person's: an expression is read on the
wall clock of a time zone, and that clock is turned twice a year. Skytrail follows Debian's cron
(cron(8) on clock changes, crontab(5) on the day fields):

* A **fixed-time job** (neither the minute nor the hour field starts with `*`) fires exactly once
  for each time it names. Named by the hour that is repeated when clocks go back, it fires in the
  first of the two; named inside the gap when they go forward, it fires at the end of the gap,
  once even if several of its times are in there. However long the gap: Apia left out a whole day.
* A job whose minute or hour field starts with `*` **follows elapsed time**: it fires in both of
  the repeated hours, and not for the times that the gap leaves out.
* Where both day fields are restricted, either may match; but if one of them starts with `*`
  (`*` itself, or `*/2`) both must.

croniter searches, but only on a wall clock without a zone, and only lists of numbers: what the
text means is read here, and turning a wall time into an instant is done here too.

**Deliberate differences.** From croniter 7, which people know from Airflow and Celery:

1. `30 1 * * *` fires once when 01:30 is repeated (croniter: twice).
2. `*/15 2 * * *` and `0 */2 * * *` do not fire for a 02:00 that the gap leaves out (croniter:
   once more, at its end).
3. `0 0 */2 * 1` is the Mondays that are odd days (croniter: every odd day, and every Monday).
4. Refused: seconds and years, `R`, `H`, ranges that wrap (`22-2`, `FRI-MON`) or hold one value
   (`5-5`, which croniter reads as the whole field), `*` beside other entries of a list, `20-L`,
   `W15`, `1-5#2`, what does not fire in five years, and what is longer than 128 characters.
5. Refused: `#`, `L5` or `15W` together with a restriction of the other day field, where croniter
   wants both and the rule above says either.
6. Also read: `LW` (the month's last working day), `5L` for `L5`, names there (`LFRI`), and
   `@quarterly`.

From cronsim 2.8, which is Debian's rule in Python:

7. `1/2` as a weekday ends on Saturday: 1, 3, 5 (cronsim counts on to 7 and adds Sunday).
   `7/2`, which would be that other Sunday, is refused.
8. Refused, and read by cronsim: `5-5`, `*` beside other entries, what does not fire in five years,
   what entry 5 names, `1#2,3` (weekdays with and without `#` in one list), and a sixth field.
9. Also read: `?` for `*` as a day, `15W`, `L5` for `5L`, and the presets.
10. A fixed-time job, asked about from within the second of the repeated hours, is next due after
    that moment (cronsim names the first occurrence, which is past).
11. A job that follows elapsed time does not fire at the end of a gap that begins at midnight, and
    misses no tick on a day whose turn is not at a full hour or not by full hours (cronsim does).
"""

import calendar
import difflib
import re
import zoneinfo
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from typing import Self
from zoneinfo import ZoneInfo

from croniter import croniter

from skytrail.errors import Invalid, Problem

MAXIMUM_LENGTH = 128

PRESETS: Mapping[str, str] = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_SMALLEST = timedelta(microseconds=1)
_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)

#: An expression must fire within these five years. They are named, not counted from today, so that
#: the same text is taken or refused on any day; any five years but those around 2100 would do.
_PROBATION_STARTS = datetime(2025, 1, 1)  # noqa: DTZ001  a wall clock, in no zone
_PROBATION_ENDS = datetime(2030, 1, 1)  # noqa: DTZ001  the same

#: Beyond this a search gives up. No expression that is taken waits so long for its date.
_HORIZON_YEARS = 50


class BadSchedule(Invalid, ValueError):
    """{explanation}"""

    # A ValueError too: a pydantic validator may let it pass through, and pydantic makes it one
    # entry of its own error (with this one in `ctx["error"]`). Any other caller finds the one
    # `Problem`, with its code, in `problems`.

    @classmethod
    def because(cls, path: str, code: str, message: str) -> Self:
        """The error for exactly one problem."""
        return cls(problems=[Problem(path, code, message)], explanation=message)


# ---------------------------------------------------------------- kinds of schedule


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


Schedule = CronSchedule | IntervalSchedule


# ---------------------------------------------------------------- asking


def next_after(schedule: Schedule, moment: datetime) -> datetime | None:
    """The first tick strictly after `moment` (aware, any zone), in UTC; None if there is none."""
    moment = _utc(moment)
    try:
        if isinstance(schedule, IntervalSchedule):
            every = timedelta(seconds=schedule.seconds)
            return schedule.anchor + ((moment - schedule.anchor) // every + 1) * every
        job, zone = _job(schedule.expression), check_timezone(schedule.timezone)
        if job.fixed_time:
            return _fixed_time_after(job, zone, moment)
        return _elapsed_from(job, zone, moment + _SMALLEST)
    except OverflowError:  # past the year 9999
        return None


def previous_before(schedule: Schedule, moment: datetime) -> datetime | None:
    """The last tick strictly before `moment` (aware, any zone), in UTC; None if there is none."""
    moment = _utc(moment)
    try:
        if isinstance(schedule, IntervalSchedule):
            every = timedelta(seconds=schedule.seconds)
            return schedule.anchor - ((schedule.anchor - moment) // every + 1) * every
        job, zone = _job(schedule.expression), check_timezone(schedule.timezone)
        if job.fixed_time:
            return _fixed_time_before(job, zone, moment)
        return _elapsed_until(job, zone, moment - _SMALLEST)
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


def _ticks(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    tick = next_after(schedule, after)
    while tick is not None:
        yield tick
        tick = next_after(schedule, tick)


def _utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:  # astimezone() would quietly take the machine's own zone
        raise ValueError(f"{moment.isoformat()} is in no time zone")
    return moment.astimezone(UTC)


# ---------------------------------------------------------------- time zones


@lru_cache(maxsize=1024)
def check_timezone(name: str) -> ZoneInfo:
    """The zone of that IANA name. Raises BadSchedule, naming zones that are spelled alike."""
    if name in _zone_names():  # without it, paths and zones with leap seconds would be taken too
        return ZoneInfo(name)
    if alike := _zones_like_offset(name) or _zones_spelled_like(name):
        way_out = f"did you mean {' or '.join(alike)}?"
    else:
        way_out = "use a name of the IANA database, such as Europe/Berlin or UTC."
    raise BadSchedule.because(
        "", "timezone_unknown", f"there is no time zone {_quoted(name)}; {way_out}"
    )


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    # `localtime` is another zone on each machine, and `Factory` says that none was set.
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory"})


def _zones_like_offset(name: str) -> list[str]:
    """`UTC+2` is `Etc/GMT-2`: POSIX counts from the zone to Greenwich, and people the other way."""
    offset = re.fullmatch(r"(?:UTC|GMT)([+-])0?([0-9]{1,2})(?::?00)?", name)
    zone = offset and f"Etc/GMT{'-' if offset[1] == '+' else '+'}{offset[2]}"
    return [zone] if zone in _zone_names() else []


def _zones_spelled_like(name: str) -> list[str]:
    if len(name) > 64:
        return []
    spelled = {zone.rpartition("/")[2].lower(): zone for zone in sorted(_zone_names())}
    spelled |= {zone.lower(): zone for zone in _zone_names()}
    wanted = name.lower().replace(" ", "_")
    if wanted in spelled:
        return [spelled[wanted]]
    close = difflib.get_close_matches(wanted, spelled, n=3, cutoff=0.75)
    return list(dict.fromkeys(spelled[each] for each in close))


# ---------------------------------------------------------------- reading an expression


def normalise_cron(text: str) -> str:
    """The five-field expression that `text` means: presets replaced, blanks single, upper case.

    Raises BadSchedule, and nothing else, for what is not one; the code of its one Problem names
    the rule (`cron_fields`, `cron_name`, …). The same text gives the same answer on any day.
    """
    if len(text) > MAXIMUM_LENGTH:
        raise _bad(
            "cron_too_long",
            f"the expression has {len(text)} characters and may have {MAXIMUM_LENGTH}: "
            "use ranges and steps (`0-30/5`), or split it over several DAGs.",
        )
    text = " ".join(text.split())
    if text.startswith("@"):
        text = _preset(text)
    if not text.isascii() or not text.isprintable():
        raise _bad(
            "cron_character",
            f"{_quoted(text)} holds a character that no cron expression has: type it again with "
            "plain digits, letters and `* , - / # ?`.",
        )
    fields = text.upper().split(" ")
    if len(fields) != 5 or not text:
        raise _wrong_number_of_fields(fields if text else [])
    for place in (2, 4):
        if fields[place] == "?":
            fields[place] = "*"
    expression = " ".join(fields)
    _job(expression)
    return expression


def _bad(code: str, message: str) -> BadSchedule:
    return BadSchedule.because("", code, message)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= MAXIMUM_LENGTH else text[: MAXIMUM_LENGTH - 3] + "...")


def _preset(text: str) -> str:
    name = text.lower()
    if name in PRESETS:
        return PRESETS[name]
    if name in ("@once", "@continuous"):
        why = f"{name} is not supported yet: leave the schedule empty and trigger the DAG."
    else:
        why = (
            f"there is no preset {_quoted(text)}: use one of {', '.join(PRESETS)}, "
            "or five cron fields."
        )
    raise _bad("cron_preset", why)


def _wrong_number_of_fields(fields: Sequence[str]) -> BadSchedule:
    names = ", ".join(each.name for each in _FIELDS)
    message = f"an expression has five fields ({names}); this one has {len(fields)}."
    if any(each.startswith(",") or each.endswith(",") for each in fields):
        message += " Write a list without blanks: `1,15`."
    elif len(fields) > 5:
        message += (
            " A sixth field would be seconds (croniter has them last, Quartz first) and a seventh "
            "the year: Skytrail takes neither, so leave them out."
        )
    else:
        message += " Write `*` for a field that may be anything, or a preset such as @daily."
    return _bad("cron_fields", message)


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the five fields: what it is called and which values it takes."""

    name: str
    low: int
    high: int
    names: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def is_weekday(self) -> bool:
        return self.name == "weekday"

    def spelled(self, numbers: frozenset[int], special: tuple[str, ...] = ()) -> str:
        """These values as croniter reads them: `*` or a plain list."""
        if len(numbers) == self.high - self.low + 1:
            return "*"
        return ",".join([*map(str, sorted(numbers)), *special])

    def value(self, text: str) -> int:
        """The number that `text` stands for; a weekday may be 7."""
        if text in self.names:
            return self.names[text]
        if not text.isdigit():
            raise self._unknown(text)
        value = int(text)
        if not self.low <= value <= self.high and not (self.is_weekday and value == 7):
            highest = "6 (7 is Sunday, as 0 is)" if self.is_weekday else f"{self.high}"
            raise self.bad("cron_out_of_range", text, f"use {self.low} to {highest}.")
        return value

    def bad(self, code: str, item: str, message: str) -> BadSchedule:
        return _bad(code, f"{self.name}: {_quoted(item)} {_REFUSED[code]}; {message}")

    def _unknown(self, text: str) -> BadSchedule:
        if text.strip("0123456789") in ("L", "W", "LW"):
            way_out = (
                "`L`, `LW` and `15W` (as a day of the month) and `L5` (as a weekday) stand alone."
            )
            return self.bad("cron_name", text, way_out)
        if not self.names:
            return self.bad("cron_name", text, f"use {self.low} to {self.high}.")
        if text[:3] in self.names:
            return self.bad("cron_name", text, f"did you mean {text[:3]}?")
        return self.bad("cron_name", text, f"use {', '.join(self.names)}, or numbers.")


_REFUSED: Mapping[str, str] = {
    "cron_random": "would be another time at each look",
    "cron_hashed": "would be a time hashed from a name, which is not supported",
    "cron_syntax": "cannot be read",
    "cron_name": "is not a name that this field knows",
    "cron_out_of_range": "is out of range",
    "cron_reversed_range": "ends before it starts",
    "cron_equal_range": "is a range of one value",
    "cron_zero_step": "steps by zero",
    "cron_star_in_list": "has `*` beside other entries, which it makes pointless",
    "cron_special_days": "cannot be combined",
}


def _numbered(names: str, start: int) -> dict[str, int]:
    return {name: number for number, name in enumerate(names.split(), start)}


_MINUTES = _Field("minute", 0, 59)
_HOURS = _Field("hour", 0, 23)
_MONTH_DAYS = _Field("day of month", 1, 31)
_MONTHS = _Field("month", 1, 12, _numbered("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC", 1))
_WEEKDAYS = _Field("weekday", 0, 6, _numbered("SUN MON TUE WED THU FRI SAT", 0))
_FIELDS = (_MINUTES, _HOURS, _MONTH_DAYS, _MONTHS, _WEEKDAYS)

_RANDOM_OR_HASHED = re.compile(r"([RH])(?:[(/].*)?")
_ENTRY = re.compile(r"(?P<first>\*|[0-9A-Z]+)(?:-(?P<last>[0-9A-Z]+))?(?:/(?P<step>[0-9]+))?")
_NEAREST_WORKING_DAY = re.compile(r"([0-9]+)W")
_NTH_WEEKDAY = re.compile(r"([0-9A-Z]+)#([0-9]+)")
_LAST_WEEKDAY = re.compile(r"L([0-9]+|[A-Z]{3})|([0-9]+|[A-Z]{3})L")


@dataclass(frozen=True, slots=True)
class _Days:
    """What a day field asks for: plain numbers, and what croniter computes (`L`, `15W`, `5#2`)."""

    numbers: frozenset[int]
    special: tuple[str, ...] = ()


def _entries(which: _Field, text: str) -> list[str]:
    """The entries of a field's list, none of which asks for what is refused everywhere."""
    entries = text.split(",")
    for entry in entries:
        if found := _RANDOM_OR_HASHED.fullmatch(entry):
            code = "cron_random" if found[1] == "R" else "cron_hashed"
            raise which.bad(code, entry, "write the time itself, such as `17`.")
    if len(entries) > 1 and "*" in entries:
        raise which.bad("cron_star_in_list", text, "write `*` alone, or leave it out.")
    return entries


def _numbers(which: _Field, entry: str) -> frozenset[int]:
    """The values of `*`, `5`, `1-5`, `*/2`, `1-9/2` or `5/15` (from 5 on)."""
    match = _ENTRY.fullmatch(entry)
    if match is None or (match["first"] == "*" and match["last"]):
        raise which.bad("cron_syntax", entry, "write `*`, `5`, `1-5`, `1,5`, `*/2` or `1-9/2`.")
    low, high = which.low, which.high
    if match["first"] != "*":
        low = which.value(match["first"])
        if match["last"]:
            high = which.value(match["last"])
            _check_ascending(which, entry, match["first"], match["last"])
        elif match["step"] is None:
            high = low
        elif low > which.high:
            raise which.bad("cron_syntax", entry, f"count from Sunday as 0: `0/{match['step']}`.")
    step = int(match["step"] or 1)
    if step == 0:
        raise which.bad("cron_zero_step", entry, "use a step of 1 or more.")
    values = range(low, high + 1, step)
    return frozenset(value % 7 for value in values) if which.is_weekday else frozenset(values)


def _check_ascending(which: _Field, entry: str, first: str, last: str) -> None:
    low, high = which.value(first), which.value(last)
    if low == high:
        raise which.bad("cron_equal_range", entry, f"write `{first}`, or `*` for all.")
    if low < high:
        return
    if which.is_weekday and high == 0:
        raise which.bad("cron_reversed_range", entry, f"Sunday at the end is 7: `{low}-7`.")
    upper = f"{low}-{which.high}" if low < which.high else f"{low}"
    lower = f"{which.low}-{high}" if which.low < high else f"{high}"
    raise which.bad("cron_reversed_range", entry, f"write it in two parts: `{upper},{lower}`.")


def _plain(which: _Field, text: str) -> frozenset[int]:
    return frozenset().union(*(_numbers(which, entry) for entry in _entries(which, text)))


def _month_days(text: str) -> _Days:
    """A day-of-month field: numbers, `L` (last day), `15W` (nearest working day) and `LW`."""
    entries = _entries(_MONTH_DAYS, text)
    numbers: set[int] = set()
    last: tuple[str, ...] = ()
    for entry in entries:
        working = _NEAREST_WORKING_DAY.fullmatch(entry)
        if entry == "LW" or working:
            if len(entries) > 1:
                raise _MONTH_DAYS.bad("cron_special_days", text, f"write `{entry}` alone.")
            # croniter has no LW; but a W beyond the month's end counts from its last day there.
            day = _MONTH_DAYS.value(working[1]) if working else _MONTH_DAYS.high
            return _Days(frozenset(), (f"{day}W",))
        if entry == "L":
            last = ("L",)
        else:
            numbers |= _numbers(_MONTH_DAYS, entry)
    return _Days(frozenset(numbers), last)


def _weekdays(text: str) -> _Days:
    """A weekday field: numbers and names, `5#2` (second Friday) and `L5` or `5L` (last Friday)."""
    numbers: set[int] = set()
    special: list[str] = []
    for entry in _entries(_WEEKDAYS, text):
        if nth := _NTH_WEEKDAY.fullmatch(entry):
            if not 1 <= int(nth[2]) <= 5:
                raise _WEEKDAYS.bad("cron_out_of_range", entry, "a month has 1 to 5 of a weekday.")
            special.append(f"{_WEEKDAYS.value(nth[1]) % 7}#{int(nth[2])}")
        elif last := _LAST_WEEKDAY.fullmatch(entry):
            special.append(f"L{_WEEKDAYS.value(last[1] or last[2]) % 7}")
        else:
            numbers |= _numbers(_WEEKDAYS, entry)
    if numbers and special:
        raise _WEEKDAYS.bad(
            "cron_special_days", text, "give each of them a `#` or an `L`, or use two DAGs."
        )
    return _Days(frozenset(numbers), tuple(special))


def _combined_days(days: str, weekdays: str, months: frozenset[int]) -> tuple[str, str, bool]:
    """Both day fields as croniter is to search them, and whether a match of one is enough."""
    of_month, of_week = _month_days(days), _weekdays(weekdays)
    if days.endswith("W") and weekdays != "*":
        raise _cannot_combine(days, weekdays)
    if of_week.special and days != "*":
        raise _cannot_combine(weekdays, days)
    first = _MONTH_DAYS.spelled(of_month.numbers, of_month.special)
    second = _WEEKDAYS.spelled(of_week.numbers, of_week.special)
    if days.startswith("*") or weekdays.startswith("*"):
        return first, second, False
    if "*" in (first, second):  # 1-31, or 0-6: every day, and so is one or the other
        return "*", "*", False
    longest = max(calendar.monthrange(2024, month)[1] for month in months)  # in a leap year
    if not of_month.special and min(of_month.numbers) > longest:
        # The 31st of February adds no day, but croniter would look for one in 50 years each time.
        return "*", second, False
    return first, second, True


def _cannot_combine(special: str, other: str) -> BadSchedule:
    return _bad(
        "cron_special_days",
        f"{special!r} cannot be combined with {other!r} in the other day field, for cron programs "
        "disagree whether one of them is enough: write `*` there, or use two DAGs.",
    )


# ---------------------------------------------------------------- the wall clock of an expression


@dataclass(frozen=True, slots=True)
class _Job:
    """An expression, ready to be searched on a wall clock that nobody ever turns."""

    fixed_time: bool
    cron: "croniter[datetime]"  # generic in its stubs only

    def after(self, wall: datetime) -> datetime | None:
        """The first matching wall time strictly after this one."""
        try:
            # croniter keeps its place as a float: only whole minutes survive that in any year.
            start = wall.replace(second=0, microsecond=0)
            # A copy, for the search moves it, and threads share it.
            return copy(self.cron).get_next(datetime, start_time=start)
        except ValueError:  # none within the horizon, or past the year 9999
            return None

    def before(self, wall: datetime) -> datetime | None:
        """The last matching wall time strictly before this one."""
        try:
            start = (wall + _MINUTE - _SMALLEST).replace(second=0, microsecond=0)
            return copy(self.cron).get_prev(datetime, start_time=start)
        except ValueError:  # none within the horizon, or before the year 1
            return None


@lru_cache(maxsize=16_384)  # some 2 KiB each
def _job(expression: str) -> _Job:
    """The expression read. Raises BadSchedule."""
    minute, hour, day, month, weekday = expression.split(" ")
    months = _plain(_MONTHS, month)
    days, weekdays, either = _combined_days(day, weekday, months)
    lists = (
        _MINUTES.spelled(_plain(_MINUTES, minute)),
        _HOURS.spelled(_plain(_HOURS, hour)),
        days,
        _MONTHS.spelled(months),
        weekdays,
    )
    cron = croniter(
        " ".join(lists),
        _PROBATION_STARTS,
        ret_type=datetime,
        day_or=either,
        max_years_between_matches=_HORIZON_YEARS,
    )
    job = _Job(not minute.startswith("*") and not hour.startswith("*"), cron)
    first = job.after(_PROBATION_STARTS)
    if first is None or first >= _PROBATION_ENDS:
        raise _bad(
            "cron_never",
            f"{expression!r} never fires in the five years from {_PROBATION_STARTS:%Y} on: "
            "check day, month and weekday (30 February?).",
        )
    return job


# ---------------------------------------------------------------- from wall clock to instant


def _readings(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants that a wall time can mean, by the offset before and after the nearest turn.

    Equal as a rule. The first is earlier where the clock shows that time twice, and later where it
    never shows it (PEP 495).
    """
    local = wall.replace(tzinfo=zone)
    return local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)


def _turn(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
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
    first, second = _readings(wall, zone)
    return first if first <= second else _turn(second, first, zone)


def _fixed_time_after(job: _Job, zone: ZoneInfo, moment: datetime) -> datetime | None:
    wall = job.after(moment.astimezone(zone).replace(tzinfo=None, fold=0))
    while wall is not None:
        tick = _fires_once(wall, zone)
        if tick > moment:
            return tick
        wall = job.after(wall)  # the moment is in the repeated hour, and this was its first half
    return None


def _fixed_time_before(job: _Job, zone: ZoneInfo, moment: datetime) -> datetime | None:
    local = moment.astimezone(zone)
    start = local.replace(tzinfo=None, fold=0)
    if local.fold:  # all of the repeated hour is over: start where the clock would be, unturned
        first, second = _readings(start, zone)
        start += second - first
    wall = job.before(start)
    while wall is not None:
        tick = _fires_once(wall, zone)
        if tick < moment:
            return tick
        wall = job.before(wall)
    return None


def _elapsed_from(job: _Job, zone: ZoneInfo, start: datetime) -> datetime | None:
    """The first instant from `start` on at which the zone's clock shows a matching time.

    Looks from turn to turn, and gives up after the horizon: `*/5 2 * 3 SUN#2` is in New York's gap
    every year.
    """
    horizon = start.year + _HORIZON_YEARS
    while start.year <= horizon:
        local = start.astimezone(zone)
        wall = local.replace(tzinfo=None, fold=0)
        found = job.after(wall - _SMALLEST)
        if found is None:
            return None
        first, second = _readings(wall.replace(microsecond=0), zone)
        if first < second and not local.fold:  # the hour that will be repeated
            turn = _turn(first, second, zone)
            if found - wall >= turn - start:
                start = turn
                continue
        first, second = _readings(found, zone)
        if first <= second:
            return first if first >= start else second
        start = _turn(second, first, zone)
    return None


def _elapsed_until(job: _Job, zone: ZoneInfo, end: datetime) -> datetime | None:
    """The last instant up to `end` at which the zone's clock shows a matching time."""
    horizon = end.year - _HORIZON_YEARS
    while end.year >= horizon:
        local = end.astimezone(zone)
        wall = local.replace(tzinfo=None, fold=0)
        found = job.before(wall + _SMALLEST)
        if found is None:
            return None
        if local.fold:  # the hour that was repeated
            turn = _turn(*_readings(wall.replace(microsecond=0), zone), zone)
            if end - (wall - found) < turn:
                end = turn - _SMALLEST
                continue
        first, second = _readings(found, zone)
        if first <= second:
            return second if second <= end else first
        end = _turn(second, first, zone) - _SMALLEST
    return None
