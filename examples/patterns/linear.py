"""One step after the other: each is given what the one before has returned."""

from __future__ import annotations

import csv
from pathlib import Path

from skytrail.sdk import dag, task

MEASUREMENTS = Path(__file__).parent.parent / "data" / "seattle-weather.csv"


@task
def extract(year: int) -> list[float]:
    with MEASUREMENTS.open(newline="") as file:
        return [
            float(row["precipitation"])
            for row in csv.DictReader(file)
            if row["date"].startswith(f"{year}/")
        ]


@task
def transform(rain: list[float]) -> dict[str, float]:
    return {"days": sum(mm > 0 for mm in rain), "mm": round(sum(rain), 1)}


@task
def load(days: int, mm: float) -> str:
    print(f"it rained on {days} days, {mm} mm in all")
    return f"{days} days"


@dag(
    description="How much it has rained in a year: extract, transform, load.",
    owner="examples",
    tags=["example", "pattern"],
    params={"year": 2014},
)
def pattern_linear() -> None:
    # No arrows: handing over a value is what makes one task wait for another.
    totals = transform(extract("{{ params.year }}"))  # type: ignore[arg-type]  # a number in a run
    load(totals["days"], totals["mm"])  # type: ignore[arg-type]


pattern_linear()
