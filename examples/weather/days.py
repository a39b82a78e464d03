"""The daily measurements: what a line of `seattle-weather.csv` says."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path


@dataclass(frozen=True)
class Day:
    """One day: rain and melted snow in mm, temperatures in °C."""

    date: date
    precipitation: Decimal
    highest: Decimal
    lowest: Decimal


def read(file: str | Path) -> Iterator[Day]:
    """The days in the file. Raises ValueError or ArithmeticError where a line cannot be read."""
    with Path(file).open(newline="") as lines:
        for row in csv.DictReader(lines):
            yield Day(
                date=datetime.strptime(row["date"], "%Y/%m/%d").date(),  # noqa: DTZ007  # a day
                precipitation=Decimal(row["precipitation"]),
                highest=Decimal(row["temp_max"]),
                lowest=Decimal(row["temp_min"]),
            )
