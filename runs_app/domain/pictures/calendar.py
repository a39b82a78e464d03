"""A year of days: how each day's runs went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

_WEEK = 7

#: The size of a day, and of the place for names at the left and above.
CELL, LEFT, ABOVE = 14, 28, 18


@dataclass(frozen=True, slots=True)
class Day:
    """A day, in column `week` and row `weekday` (0: Monday), and its runs by state."""

    date: date
    week: int
    weekday: int
    succeeded: int
    failed: int
    others: int
    planned: int = 0

    @property
    def x(self) -> int:
        return LEFT + self.week * CELL

    @property
    def y(self) -> int:
        return ABOVE + self.weekday * CELL

    @property
    def total(self) -> int:
        return self.succeeded + self.failed + self.others

    @property
    def shade(self) -> str:
        """`s1` to `s3`: more and more runs, all went well. `f1` to `f3`: the share of failures."""
        if self.failed:
            share = self.failed / self.total
            return "f3" if share > 2 / 3 else "f2" if share > 1 / 3 else "f1"
        if self.succeeded:
            return "s3" if self.succeeded > 20 else "s2" if self.succeeded > 2 else "s1"
        return "planned" if self.planned else ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days in weeks, and where each month begins."""

    days: list[Day]
    months: list[tuple[int, str]]
    weeks: int

    @property
    def width(self) -> int:
        return LEFT + self.weeks * CELL

    @property
    def height(self) -> int:
        return ABOVE + _WEEK * CELL

    @property
    def weekdays(self) -> list[tuple[int, str]]:
        return [
            (ABOVE + place * CELL + 10, name)
            for place, name in ((0, "Mon"), (2, "Wed"), (4, "Fri"))
        ]


def calendar(
    counts: Mapping[date, Mapping[str, int]],
    *,
    first: date,
    last: date,
    planned: Mapping[date, int],
) -> Calendar:
    """The days from `first` (moved back to its Monday) to `last`; `counts` by day and state."""
    monday = first - timedelta(days=first.weekday())
    days: list[Day] = []
    months: list[tuple[int, str]] = []
    for offset in range((last - monday).days + 1):
        day = monday + timedelta(days=offset)
        of_day = counts.get(day, {})
        succeeded, failed = of_day.get("success", 0), of_day.get("failed", 0)
        others = sum(of_day.values()) - succeeded - failed
        week = offset // _WEEK
        days.append(Day(day, week, day.weekday(), succeeded, failed, others, planned.get(day, 0)))
        if day.day == 1 or offset == 0:
            months.append((LEFT + week * CELL, f"{day:%b}"))
    if len(months) > 1 and months[1][0] - months[0][0] < 3 * CELL:
        # No place for both names.
        del months[0]
    return Calendar(days, months, len(days) // _WEEK + 1)
