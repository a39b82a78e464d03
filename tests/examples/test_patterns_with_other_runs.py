"""Patterns that have to do with people, other DAGs and earlier runs, over real rows.

What is only tried knows of none of them: `test_patterns.py` sees the stand-ins.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now

from dags_app.actions import pausing, registration
from dags_app.authoring.importing import import_file
from dags_app.domain.spec import DagSpec
from dags_app.models import Dag, DagSource
from runs_app.actions import assets, scheduling
from runs_app.actions.approvals import decide
from runs_app.actions.launching import RunRequest, insert, run_id_for
from runs_app.actions.rerunning import clear
from runs_app.actions.waking import wake
from runs_app.domain.clearing import Selection
from runs_app.models import Approval, DagRun, RunType, TaskRun
from skytrail.cli.arguments import read_spec
from skytrail.database.clock import database_now
from tests.conveyor import Conveyor, ends, failing
from tests.factories import save_dag, start_run, states, task
from tests.workers.calls import for_real

pytestmark = pytest.mark.usefixtures("committing")

PATTERNS = Path(__file__).resolve().parent.parent.parent / "examples" / "patterns"
SIX = datetime(2026, 1, 31, 6, tzinfo=UTC)
FIRST, DAY = datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=1)
in_both = pytest.mark.parametrize("suffix", [".py", ".yaml"])


@pytest.fixture
def workers(conveyor: Conveyor) -> Conveyor:
    """Workers that really do what tasks say."""
    conveyor.script = for_real
    return conveyor


def saved(file: str) -> dict[str, Dag]:
    """The DAGs of a file of the patterns, by name."""
    path = PATTERNS / file
    specs: list[DagSpec] = (
        [dag.spec() for dag in import_file(path).dags]
        if path.suffix == ".py"
        else [read_spec(str(path))]
    )
    return {
        spec.name: registration.create(spec=spec, author="user:alice", source=DagSource.API).dag
        for spec in specs
    }


def pattern(stem: str, suffix: str) -> Dag:
    (dag,) = saved(stem + suffix).values()
    return dag


def end_of(run: DagRun) -> str:
    run.refresh_from_db()
    return run.state


def look_again(workers: Conveyor) -> None:
    TaskRun.objects.filter(state="up_for_reschedule").update(wake_at=Now() - timedelta(seconds=1))
    wake()
    workers.run()


def scheduled(dag: Dag, date: datetime) -> DagRun:
    request = RunRequest(
        run_type=RunType.SCHEDULED, run_id=run_id_for(RunType.SCHEDULED, date), logical_date=date
    )
    (key,) = insert([(dag, request)], actor="schedule")
    return DagRun.objects.get(pk=key)


# ------------------------------------------------------------------ people


@in_both
@pytest.mark.parametrize(
    ("choice", "release", "publish"),
    [("Approve", "success", "success"), ("Reject", "failed", "upstream_failed")],
)
def test_an_approval_waits_for_its_answer(
    workers: Conveyor, suffix: str, choice: str, release: str, publish: str
) -> None:
    run = start_run(pattern("approval", suffix))
    workers.run()
    assert states(run) == {"draft": "success", "release": "deferred", "publish": "waiting"}
    question = Approval.objects.get()
    assert question.subject == "Publish 12 new prices?"
    decide(question, choice=choice, note="", actor="user:bob")
    workers.run()
    assert states(run) == {"draft": "success", "release": release, "publish": publish}


@in_both
def test_an_approval_that_nobody_gives_in_two_days_fails(workers: Conveyor, suffix: str) -> None:
    run = start_run(pattern("approval", suffix))
    workers.run()
    TaskRun.objects.filter(state="deferred").update(
        waiting_since=Now() - timedelta(days=2, seconds=1), wake_at=Now() - timedelta(seconds=1)
    )
    wake()
    workers.run()
    assert states(run)["release"] == "failed"
    assert end_of(run) == "failed"


# ------------------------------------------------------------------ other DAGs


@in_both
def test_other_dags_are_waited_for(workers: Conveyor, suffix: str) -> None:
    shop, rates = save_dag({"load_orders": []}, name="shop"), save_dag({"x": []}, name="rates")
    run = start_run(pattern("external", suffix), logical_date=SIX)
    workers.run()
    assert states(run) == {
        "orders": "up_for_reschedule",
        "rates": "up_for_reschedule",
        "report": "waiting",
    }
    start_run(shop, logical_date=SIX - timedelta(hours=4))
    start_run(rates, logical_date=SIX)
    workers.run()
    look_again(workers)
    assert set(states(run).values()) == {"success"}


@in_both
def test_rates_that_do_not_come_in_time_are_done_without(workers: Conveyor, suffix: str) -> None:
    shop, _ = save_dag({"load_orders": []}, name="shop"), save_dag({"x": []}, name="rates")
    start_run(shop, logical_date=SIX - timedelta(hours=4))
    run = start_run(pattern("external", suffix), logical_date=SIX)
    workers.run()
    TaskRun.objects.filter(run=run, task_id="rates").update(
        waiting_since=Now() - timedelta(hours=2, seconds=1)
    )
    look_again(workers)
    assert states(run) == {"orders": "success", "rates": "skipped", "report": "success"}


@in_both
def test_another_dag_is_triggered_and_waited_for(workers: Conveyor, suffix: str) -> None:
    save_dag({"x": []}, name="report", params={"region": {"type": "string"}})
    save_dag({"y": []}, name="search_index")
    workers.held = {"x", "y"}
    run = start_run(pattern("trigger", suffix))
    workers.run()
    assert states(run) == {
        "load": "success",
        "report": "up_for_reschedule",
        "index": "success",
        "tell": "waiting",
    }
    assert DagRun.objects.get(dag__dag_id="report").conf == {"region": "north"}
    workers.held = set()
    workers.run()
    look_again(workers)
    assert states(run)["tell"] == "success"
    assert DagRun.objects.filter(parent=run).count() == 2


# ------------------------------------------------------------------ assets


def test_a_report_starts_when_both_of_its_assets_are_new(workers: Conveyor) -> None:
    dags = saved("assets.py")
    shop, report = dags["pattern_assets_shop"], dags["pattern_assets_report"]
    pausing.resume(report)
    start_run(shop)
    workers.run()
    scheduling.tick()
    assert not DagRun.objects.filter(dag=report).exists()
    assets.emit("rates", actor="user:alice")
    scheduling.tick()
    workers.run()
    run = DagRun.objects.get(dag=report)
    assert (run.run_type, states(run)) == (RunType.ASSET_TRIGGERED, {"build": "success"})


# ------------------------------------------------------------------ earlier runs


@in_both
def test_a_balance_waits_for_that_of_the_day_before(workers: Conveyor, suffix: str) -> None:
    dag = pattern("past", suffix)
    workers.script = ends(balance=failing())
    first = scheduled(dag, FIRST)
    workers.run()
    workers.script = for_real
    second = scheduled(dag, FIRST + DAY)
    workers.run()
    assert states(second) == {"fetch": "success", "balance": "waiting"}
    clear(first, Selection(only_failed=True), actor="user:alice")
    workers.run()
    assert (end_of(first), end_of(second)) == ("success", "success")


@in_both
def test_a_table_is_not_filled_before_yesterdays_export(workers: Conveyor, suffix: str) -> None:
    dag = pattern("wait_for_downstream", suffix)
    workers.held = {"export"}
    first, second = scheduled(dag, FIRST), scheduled(dag, FIRST + DAY)
    workers.run()
    assert states(first) == {"fill": "success", "export": "queued"}
    assert states(second) == {"fill": "waiting", "export": "waiting"}
    workers.held = set()
    workers.run()
    assert (end_of(first), end_of(second)) == ("success", "success")


@in_both
def test_only_the_latest_run_sends_mail(workers: Conveyor, suffix: str) -> None:
    dag = pattern("latest_only", suffix)
    # No tick after tomorrow's can come while this runs, not even at midnight.
    tomorrow = database_now().replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    earlier, latest = scheduled(dag, FIRST), scheduled(dag, tomorrow)
    workers.run()
    assert states(earlier)["mail"] == "skipped"
    assert states(earlier)["store"] == "success"
    assert states(latest)["mail"] == "success"


def test_a_cursor_goes_on_where_the_run_before_has_stopped(workers: Conveyor) -> None:
    dag = pattern("state", ".py")
    found = []
    for _ in range(4):
        run = start_run(dag)
        workers.run()
        (output,) = task(run, "fetch").outputs.all()
        found.append([order["id"] for order in output.value])
    assert found == [[1, 2, 3], [4, 5, 6], [7], []]
