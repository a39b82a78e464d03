"""Statements on a database that a connection names; values are bound, rows are the output."""

from __future__ import annotations

from skytrail.sdk import DAG, Bash, Param, Sql

with DAG(
    "pattern_sql",
    description="A shop's day is summed up in the database and reported.",
    owner="examples",
    tags=["example", "pattern"],
    params={"shop": Param("north", type="string")},
):
    # All statements in one transaction; the rows of the last are what later tasks get.
    total = Sql(
        "total",
        conn_id="sales",
        sql=[
            "DELETE FROM totals WHERE day = %(day)s AND shop = %(shop)s",
            (
                "INSERT INTO totals SELECT day, shop, sum(amount) FROM orders"
                " WHERE day = %(day)s AND shop = %(shop)s GROUP BY day, shop"
            ),
            "SELECT amount FROM totals WHERE day = %(day)s AND shop = %(shop)s",
        ],
        parameters={"day": "{{ ds }}", "shop": "{{ params.shop }}"},
        statement_timeout_seconds=60,
    )
    report = Bash(
        "report",
        command='echo "$SKYTRAIL_PARAM_SHOP: $AMOUNT"',
        env={"AMOUNT": "{{ outputs.total[0].amount }}"},
    )
    total >> report
