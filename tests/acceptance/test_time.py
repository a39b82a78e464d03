"""Schedules and backfills through the real processes."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

from runs_app.models import DagRun, SkippedTick
from tests.acceptance.conftest import Installation
from tests.waiting import wait_until

ROW: list[dict[str, Any]] = [
    {"id": "extract", "type": "bash", "command": "echo 1"},
    {"id": "load", "type": "bash", "command": "echo 2", "depends_on": ["extract"]},
]


def test_a_backfill_goes_through_its_dates(installation: Installation) -> None:
    installation.save("late", ROW, cron="@daily", timezone="Europe/Berlin")
    asked = {"dag_id": "late", "from_date": "2026-03-27", "to_date": "2026-03-31"}
    planned = installation.call("POST", "backfills", json=asked | {"dry_run": True}).json()
    made = installation.call("POST", "backfills", json=asked | {"max_active_runs": 2}).json()

    def over() -> bool:
        shown = installation.call("GET", f"backfills/{made['id']}").json()
        return bool(shown["state"] == "completed" and shown["succeeded"] == 5)

    wait_until(over, timeout=60, what="the backfill is completed")
    runs = DagRun.objects.filter(dag__dag_id="late", run_type="backfill")
    dates = list(runs.order_by("logical_date").values_list("logical_date", flat=True))
    assert dates == [datetime.fromisoformat(each["logical_date"]) for each in planned["dates"]]

    # Then one task of each, once more.
    again = asked | {"reprocess_behavior": "completed", "task_ids": ["load"]}
    made = installation.call("POST", "backfills", json=again).json()
    wait_until(over, timeout=60, what="the second backfill is completed")
    for run in runs:
        extract = installation.task("late", run.run_id, "extract")
        load = installation.task("late", run.run_id, "load")
        assert (extract["attempt"], load["attempt"]) == (1, 2)


def test_a_continuous_dag_goes_on_and_a_busy_one_passes_ticks_over(
    installation: Installation,
) -> None:
    slow: list[dict[str, Any]] = [{"id": "a", "type": "bash", "command": "sleep 3"}]
    installation.save("again", [{"id": "a"}], schedule="@continuous")
    installation.save("busy", slow, schedule={"interval_seconds": 1}, overlap_policy="skip")
    runs = DagRun.objects.filter(dag__dag_id="again")
    wait_until(lambda: runs.count() >= 3, timeout=30, what="three runs, one after the other")
    skipped = SkippedTick.objects.filter(dag__dag_id="busy")
    wait_until(lambda: skipped.count() >= 2, timeout=30, what="two ticks were passed over")
    for name in ("again", "busy"):
        assert installation.call("PATCH", f"dags/{name}", json={"paused": True}).status_code == 200
    ended = list(runs.exclude(finished_at=None).order_by("logical_date"))
    for one, following in itertools.pairwise(ended):
        assert one.finished_at is not None
        assert following.started_at is not None
        assert following.started_at >= one.finished_at
        assert following.data_interval_start == one.logical_date
