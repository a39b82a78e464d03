"""The report: a page with two charts, made from the tables and nothing else."""

from __future__ import annotations

import calendar
from collections import defaultdict
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from examples.weather import chart, tables
from examples.weather.chart import Line

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
)

_STYLES = ("warm", "cold")


def write(folder: str, source: str) -> dict[str, Any]:
    """Writes `report.html` into the folder.

    Returns `{"file", "warmest_month", "coldest_month", "wettest_month", "html"}`: the page itself
    is small enough to be the task's output too. `source` says whom the measurements are from.
    """
    months, hours = tables.read()
    facts = findings(months)
    page = _PAGES.get_template("report.html").render(
        first=months[0]["year"],
        last=months[-1]["year"],
        days=f"{sum(month['days'] for month in months):,}",
        facts=[(name.replace("_", " ").capitalize(), value) for name, value in facts.items()],
        months_chart=_months_chart(months),
        hours_chart=_hours_chart(hours),
        source=source,
    )
    file = Path(folder) / "report.html"
    file.write_text(page, encoding="utf-8")
    for name, value in facts.items():
        print(f"{name.replace('_', ' ')}: {value}")
    return {"file": str(file), **facts, "html": page}


def findings(months: list[dict[str, Any]]) -> dict[str, str]:
    """The months that stand out, in words."""
    warmest = max(months, key=lambda month: month["highest"])
    coldest = min(months, key=lambda month: month["lowest"])
    wettest = max(months, key=lambda month: month["precipitation"])
    return {
        "warmest_month": f"{_name(warmest)}: {warmest['highest']} °C by day",
        "coldest_month": f"{_name(coldest)}: {coldest['lowest']} °C at night",
        "wettest_month": f"{_name(wettest)}: {wettest['precipitation']} mm",
    }


def _name(month: dict[str, Any]) -> str:
    return f"{calendar.month_name[month['month']]} {month['year']}"


def _months_chart(months: list[dict[str, Any]]) -> str:
    return chart.draw(
        title="Mean daily maximum and minimum, and precipitation, for each month",
        unit="°C",
        lines=[
            Line("mean daily maximum", "warm", [float(month["highest"]) for month in months]),
            Line("mean daily minimum", "cold", [float(month["lowest"]) for month in months]),
        ],
        labels=[str(month["year"]) if month["month"] == 1 else "" for month in months],
        bars=Line("precipitation", "rain", [float(month["precipitation"]) for month in months]),
        bars_unit="mm",
    )


def _hours_chart(hours: list[dict[str, Any]]) -> str:
    cities: defaultdict[str, list[float]] = defaultdict(list)
    for row in hours:
        cities[row["city"]].append(float(row["temperature"]))
    return chart.draw(
        title="Mean temperature at each hour of the day",
        unit="°C",
        lines=[
            Line(city, style, values)
            for style, (city, values) in zip(_STYLES, cities.items(), strict=True)
        ],
        labels=[f"{hour}:00" if hour % 3 == 0 else "" for hour in range(24)],
    )
