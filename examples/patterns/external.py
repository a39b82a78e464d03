"""Waiting for another DAG's run of the same date, and for one task of it."""

from __future__ import annotations

from skytrail.sdk import DAG, Bash, ExternalSensor

with DAG(
    "pattern_external",
    description="The report of a day is built when the shop's DAG has loaded that day.",
    owner="examples",
    tags=["example", "pattern"],
    schedule="0 6 * * *",
    start_date="2026-01-01",
    is_paused_upon_creation=True,
):
    # The other DAG's run has the logical date 02:00, four hours before ours. If that run, or the
    # task, fails, so does this one, at once.
    orders = ExternalSensor(
        "orders", dag_id="shop", task_ids=["load_orders"], delta_seconds=4 * 3600, poke_interval=60
    )
    # Without task_ids the run itself is waited for.
    rates = ExternalSensor("rates", dag_id="rates", timeout=2 * 3600, soft_fail=True)
    # Rates that did not come in time are no reason to go without a report.
    report = Bash("report", command="echo reported", trigger_rule="none_failed")
    [orders, rates] >> report
