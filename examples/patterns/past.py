"""A day builds on the day before: its task waits until that one's has gone well."""

from __future__ import annotations

from skytrail.sdk import DAG, Bash

with DAG(
    "pattern_past",
    description="Each day's balance begins with the balance of the day before.",
    owner="examples",
    tags=["example", "pattern"],
    schedule="@daily",
    start_date="2026-01-01",
    is_paused_upon_creation=True,
):
    fetch = Bash("fetch", command="echo fetched")
    # The other tasks of tomorrow need not wait: only this one does.
    balance = Bash(
        "balance", command='echo "the balance of $SKYTRAIL_LOGICAL_DATE"', depends_on_past=True
    )
    fetch >> balance
