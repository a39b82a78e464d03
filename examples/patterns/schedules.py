"""When DAGs run: each way to say it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from skytrail.sdk import DAG, Bash

SCHEDULES: dict[str, Any] = {
    # Several cron expressions, in a time zone, but for holidays and a day off.
    "office": {
        "cron": ["0 9 * * MON-FRI", "0 12 1 * *"],
        "except": {"holidays": "DE-BY", "dates": ["2026-12-24"]},
    },
    "month_end": "30 17 L * *",  # the last day of each month
    "second_friday": "0 8 * * FRI#2",
    "every_15_minutes": timedelta(minutes=15),
    "quarters": [
        datetime(2026, 3, 31, 18, tzinfo=UTC),
        datetime(2026, 6, 30, 18, tzinfo=UTC),
    ],
    "one_time": "@once",
    "again_and_again": "@continuous",
}

for name, schedule in SCHEDULES.items():
    with DAG(
        f"pattern_schedules_{name}",
        description="What it does does not matter here, but when.",
        owner="examples",
        tags=["example", "pattern"],
        schedule=schedule,
        timezone="Europe/Berlin",
        start_date="2026-01-01",
        catchup=False,
        is_paused_upon_creation=True,
    ):
        Bash("work", command='echo "for the time until $SKYTRAIL_LOGICAL_DATE"')
