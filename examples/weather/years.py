"""A year of daily measurements, month by month."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from examples.weather import days
from examples.weather.days import Day


def summarise(file: str, year: int) -> dict[str, Any]:
    """The year's months: mean daily maximum and minimum in °C, sum of precipitation in mm.

    Returns `{"year": …, "days": …, "months": [{"month": 1, "days": 31, "highest": …, "lowest": …,
    "precipitation": …}, …]}`; means are rounded to two digits.
    """
    by_month: defaultdict[int, list[Day]] = defaultdict(list)
    for day in days.read(file):
        if day.date.year == year:
            by_month[day.date.month].append(day)
    months = [_summary(month, measured) for month, measured in sorted(by_month.items())]
    rain = sum(month["precipitation"] for month in months)
    count = sum(month["days"] for month in months)
    print(f"{year}: {count} days in {len(months)} months, {rain:,.1f} mm of precipitation")
    return {"year": year, "days": count, "months": months}


def _summary(month: int, measured: list[Day]) -> dict[str, Any]:
    return {
        "month": month,
        "days": len(measured),
        "highest": _mean([day.highest for day in measured]),
        "lowest": _mean([day.lowest for day in measured]),
        "precipitation": float(sum(day.precipitation for day in measured)),
    }


def _mean(values: list[Decimal]) -> float:
    # Decimal, because the mean of 0.1 and 0.2 is to be 0.15 and nothing beside it.
    return float(round(sum(values, Decimal()) / len(values), 2))
