"""Reading cron expressions, and searching them on a wall clock that nobody ever turns."""

import calendar
import re
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from croniter import croniter

from dags_app.domain.timing.errors import MAXIMUM_LENGTH, BadSchedule, quoted

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

#: An expression must fire within these five years. They are named, not counted from today, so that
#: the same text is taken or refused on any day; any five years but those around 2100 would do.
PROBATION_STARTS = datetime(2025, 1, 1)  # noqa: DTZ001  a wall clock, in no zone
PROBATION_ENDS = datetime(2030, 1, 1)  # noqa: DTZ001  the same

#: Beyond this a search gives up. No expression that is taken waits so long for its date.
HORIZON_YEARS = 50


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
            f"{quoted(text)} holds a character that no cron expression has: type it again with "
            "plain digits, letters and `* , - / # ?`.",
        )
    fields = text.upper().split(" ")
    if len(fields) != 5 or not text:
        raise _wrong_number_of_fields(fields if text else [])
    for place in (2, 4):
        if fields[place] == "?":
            fields[place] = "*"
    expression = " ".join(fields)
    job_of(expression)
    return expression


def _bad(code: str, message: str) -> BadSchedule:
    return BadSchedule.because("", code, message)


def _preset(text: str) -> str:
    name = text.lower()
    if name in PRESETS:
        return PRESETS[name]
    if name in ("@once", "@continuous"):
        why = f"{name} is no cron expression: write it alone, as the schedule itself."
    else:
        why = (
            f"there is no preset {quoted(text)}: use one of {', '.join(PRESETS)}, "
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
        return _bad(code, f"{self.name}: {quoted(item)} {_REFUSED[code]}; {message}")

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


@dataclass(frozen=True, slots=True)
class Job:
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
def job_of(expression: str) -> Job:
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
        PROBATION_STARTS,
        ret_type=datetime,
        day_or=either,
        max_years_between_matches=HORIZON_YEARS,
    )
    job = Job(not minute.startswith("*") and not hour.startswith("*"), cron)
    first = job.after(PROBATION_STARTS)
    if first is None or first >= PROBATION_ENDS:
        raise _bad(
            "cron_never",
            f"{expression!r} never fires in the five years from {PROBATION_STARTS:%Y} on: "
            "check day, month and weekday (30 February?).",
        )
    return job
