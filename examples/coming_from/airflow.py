"""Every weekday, what the shops have sold since the last one goes into the warehouse."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from skytrail.sdk import Bash, Param, Sql, TriggerRule, dag, task

DAY = "{{ data_interval_start | ds }}"
FOLDER = "{{ params.folder }}"


@task
def find_shops(folder: str, day: str) -> list[str]:
    return sorted(file.stem for file in Path(folder, day).glob("*.csv"))


@task(retries=3, retry_delay=timedelta(seconds=30))
def extract(shop: str, folder: str, day: str) -> int:
    with Path(folder, day, f"{shop}.csv").open(newline="") as lines:
        return sum(int(row["amount"]) for row in csv.DictReader(lines))


@task
def add(amounts: list[int]) -> int:
    return sum(amounts)


@task.branch
def decide(total: int) -> str:
    return "load" if total > 0 else "ask_shops"


@dag(
    schedule="0 6 * * MON-FRI",
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")),
    catchup=False,
    default_args={"owner": "sales", "retries": 1, "retry_delay": timedelta(minutes=1)},
    params={"folder": Param("/srv/sales", type="string")},
    is_paused_upon_creation=True,
)
def daily_sales() -> None:
    shops = find_shops(FOLDER, DAY)
    total = add(extract.partial(folder=FOLDER, day=DAY).expand(shop=shops))
    load = Sql(
        "load",
        conn_id="warehouse",
        sql="INSERT INTO sales (day, total) VALUES (%(day)s, %(total)s)",
        parameters={"day": DAY, "total": total},
    )
    ask_shops = Bash("ask_shops", command='echo "nothing sold on $DAY?"', env={"DAY": DAY})
    report = Bash(
        "report",
        command='echo "$DAY: $TOTAL"',
        env={"DAY": DAY, "TOTAL": total},
        trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
    )
    decide(total) >> [load, ask_shops] >> report


daily_sales()
