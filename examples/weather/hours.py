"""The hourly measurements, as a Celery task: what a project that has Celery brings along.

Workers know it because SKYTRAIL_TASK_MODULES names this module.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from decimal import Decimal
from typing import Any

import httpx
from celery import shared_task


@shared_task(name="examples.weather.daily_curve")
def daily_curve(url: str, city: str) -> dict[str, Any]:
    """A city's mean temperature at each hour of the day.

    Returns `{"city": …, "readings": …, "hours": [24 values in °C]}`. The archive has °F, and its
    two files differ in the order of columns and in how a time is written; where the clock is put
    forward in spring an hour is missing.
    """
    answer = httpx.get(url, timeout=20).raise_for_status()
    by_hour: defaultdict[int, list[Decimal]] = defaultdict(list)
    for row in csv.DictReader(answer.text.splitlines()):
        hour = int(row["date"].partition(" ")[2][:2])
        by_hour[hour].append(Decimal(row["temp"]))
    readings = sum(map(len, by_hour.values()))
    hours = [_mean_in_celsius(by_hour[hour]) for hour in range(24)]
    print(f"{city}: {readings:,} readings; warmest at {hours.index(max(hours))}:00")
    return {"city": city, "readings": readings, "hours": hours}


def _mean_in_celsius(fahrenheit: list[Decimal]) -> float:
    mean = sum(fahrenheit, Decimal()) / len(fahrenheit)
    return float(round((mean - 32) * 5 / 9, 2))
