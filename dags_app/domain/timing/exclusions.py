"""Days on which a schedule does nothing: public holidays, weekdays, and dates of one's own."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from dags_app.domain.timing.errors import BadSchedule, quoted
from dags_app.domain.timing.turns import readings, turn
from dags_app.domain.timing.zones import check_timezone

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Days in a time zone. Weekdays count from Monday as 0; not all seven may be excluded."""

    timezone: str
    holidays: str | None = None
    dates: frozenset[date] = frozenset()
    weekdays: frozenset[int] = frozenset()

    def cover(self, moment: datetime) -> bool:
        """Whether `moment` lies on one of the days."""
        return self._have(self._local_date(moment))

    def skip_after(self, moment: datetime) -> datetime:
        """A later moment, in UTC, up to which the clock stays on the day that `moment` is on.

        As a rule the next midnight. Where the clock is turned before that, the turn: it may go back
        over midnight, so that a day that had begun is left once more.
        """
        zone = check_timezone(self.timezone)
        starts = self._starts(self._local_date(moment) + _DAY)
        midnight = min(start for start in starts if start > moment)
        if midnight.astimezone(zone).utcoffset() == moment.astimezone(zone).utcoffset():
            return midnight
        return turn(moment.replace(microsecond=0), midnight, zone)

    def skip_before(self, moment: datetime) -> datetime:
        """The same on the way back: since it the clock has been on the day of `moment`."""
        zone = check_timezone(self.timezone)
        start = max(each for each in self._starts(self._local_date(moment)) if each <= moment)
        if start.astimezone(zone).utcoffset() == moment.astimezone(zone).utcoffset():
            return start
        return turn(start, moment, zone)

    def _local_date(self, moment: datetime) -> date:
        return moment.astimezone(check_timezone(self.timezone)).date()

    def _have(self, day: date) -> bool:
        return (
            day.weekday() in self.weekdays
            or day in self.dates
            or (self.holidays is not None and day in _holidays_of(self.holidays, day.year))
        )

    def _starts(self, day: date) -> tuple[datetime, datetime]:
        return readings(datetime.combine(day, time()), check_timezone(self.timezone))


def normalise_calendar(name: str) -> str:
    """The calendar of public holidays that `name` means: `DE`, or `DE-BY` for a part of it.

    Raises BadSchedule for one that is not known.
    """
    country, _, part = name.strip().upper().partition("-")
    known = _countries()
    if country not in known:
        raise BadSchedule.because(
            "",
            "holidays_unknown",
            f"there is no calendar of holidays {quoted(name)}; use a country's two letters, "
            "such as DE, or with a part of it, such as DE-BY.",
        )
    if part and part not in known[country]:
        parts = known[country]
        way_out = f"use one of {', '.join(parts)}" if parts else f"write {country} alone"
        raise BadSchedule.because(
            "", "holidays_unknown", f"{country} has no part {quoted(part)} here; {way_out}."
        )
    return f"{country}-{part}" if part else country


@lru_cache(maxsize=1)
def _countries() -> dict[str, list[str]]:
    import holidays  # noqa: PLC0415  # a quarter of a second with its list: only for who needs it

    return holidays.list_supported_countries(include_aliases=False)


@lru_cache(maxsize=4096)
def _holidays_of(calendar: str, year: int) -> frozenset[date]:
    import holidays  # noqa: PLC0415  # as above

    country, _, part = calendar.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))
