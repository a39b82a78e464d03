"""The tables that the pipeline fills: `example_weather.months` and `example_weather.hours`.

They are in the database that EXAMPLES_DATABASE_URL names, else in Skytrail's own, in a schema of
their own.
"""

from __future__ import annotations

import os
from typing import Any

import psycopg
from psycopg.rows import dict_row

_TABLES = """
CREATE SCHEMA IF NOT EXISTS example_weather;
CREATE TABLE IF NOT EXISTS example_weather.months (
    year integer,
    month integer CHECK (month BETWEEN 1 AND 12),
    days integer NOT NULL,
    highest numeric(5, 2) NOT NULL,
    lowest numeric(5, 2) NOT NULL,
    precipitation numeric(6, 1) NOT NULL,
    PRIMARY KEY (year, month)
);
CREATE TABLE IF NOT EXISTS example_weather.hours (
    city text,
    hour integer CHECK (hour BETWEEN 0 AND 23),
    temperature numeric(5, 2) NOT NULL,
    PRIMARY KEY (city, hour)
);
"""

_MONTH = """
INSERT INTO example_weather.months (year, month, days, highest, lowest, precipitation)
VALUES (%(year)s, %(month)s, %(days)s, %(highest)s, %(lowest)s, %(precipitation)s)
ON CONFLICT (year, month) DO UPDATE
SET days = excluded.days, highest = excluded.highest, lowest = excluded.lowest,
    precipitation = excluded.precipitation
"""

_HOUR = """
INSERT INTO example_weather.hours (city, hour, temperature)
VALUES (%(city)s, %(hour)s, %(temperature)s)
ON CONFLICT (city, hour) DO UPDATE SET temperature = excluded.temperature
"""


def load(years: list[dict[str, Any]], cities: list[dict[str, Any]]) -> dict[str, int]:
    """Writes the summaries, all or none: how many rows each table has of them.

    Run twice it leaves the same tables: rows are found by their keys and replaced.
    """
    months = [{"year": year["year"], **month} for year in years for month in year["months"]]
    hours = [
        {"city": city["city"], "hour": hour, "temperature": temperature}
        for city in cities
        for hour, temperature in enumerate(city["hours"])
    ]
    with _connect() as connection, connection.cursor() as cursor:
        cursor.execute(_TABLES)
        cursor.executemany(_MONTH, months)
        cursor.executemany(_HOUR, hours)
    print(f"{len(months)} rows in example_weather.months, {len(hours)} in example_weather.hours")
    return {"example_weather.months": len(months), "example_weather.hours": len(hours)}


def read() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of both tables, in order."""
    with _connect() as connection, connection.cursor(row_factory=dict_row) as cursor:
        months = cursor.execute("SELECT * FROM example_weather.months ORDER BY year, month")
        found = months.fetchall()
        hours = cursor.execute("SELECT * FROM example_weather.hours ORDER BY city, hour")
        return found, hours.fetchall()


def _connect() -> psycopg.Connection[Any]:
    url = os.environ.get("EXAMPLES_DATABASE_URL") or os.environ["DATABASE_URL"]
    return psycopg.connect(url)
