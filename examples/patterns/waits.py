"""Waiting for a time, a file, a website and a database: between two looks no worker is held."""

from __future__ import annotations

from datetime import timedelta

from skytrail.sdk import DAG, Bash, FileSensor, HttpSensor, Param, SqlSensor, TimeSensor

with DAG(
    "pattern_waits",
    description="A day's figures are loaded when the file, the service and the table have them.",
    owner="examples",
    tags=["example", "pattern"],
    params={"file": Param("/srv/incoming/figures.csv", type="string")},
):
    # Wakes up once, just then.
    six = TimeSensor("six", until="{{ ds }}T06:00:00+00:00")
    # Looks every minute, for two hours at most; then it counts as skipped instead of failed.
    file = FileSensor(
        "file",
        path="{{ params.file }}",
        poke_interval=60,
        timeout=timedelta(hours=2),
        soft_fail=True,
    )
    # An answer that is not there yet, an error of the server included, means: look again.
    service = HttpSensor(
        "service",
        conn_id="shop",
        uri="/days/{{ ds }}",
        condition="{{ response.json.closed }}",
        poke_interval=30,
    )
    table = SqlSensor(
        "table",
        conn_id="sales",
        sql="SELECT count(*) FROM orders WHERE day = %(day)s",
        parameters={"day": "{{ ds }}"},
        poke_interval=300,
    )
    load = Bash("load", command='echo "loading $SKYTRAIL_PARAM_FILE"')
    six >> [file, service, table] >> load
